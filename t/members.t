# Members that the server sets in a document: id, version and updated_at.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

my $time = qr/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/;

# ---- where they stand ----
for (
    # sent                              and stored, with -n- and -time-
    ['{"a":1}',                         '{"id": "-n-", "a":1, "version": 1, "updated_at": -time-}'],
    ['{}',                              '{"id": "-n-", "version": 1, "updated_at": -time-}'],
    ['{"version":9,"a":1,"id":"x"}',    '{"version":1,"a":1,"id":"-n-", "updated_at": -time-}'],
    ['{"updated_at":[1,{}],"a":1}',     '{"id": "-n-", "updated_at":-time-,"a":1, "version": 1}'],
    ['{ "id" : null , "a" : 1.10 }',    '{ "id" : "-n-" , "a" : 1.10, "version": 1, "updated_at": -time- }'],
    ['{"\u0069d":0,"versio\u006e":{}}', '{"\u0069d":"-n-","versio\u006e":1, "updated_at": -time-}'],
    ['{"a":{"id":0,"version":"x"}}',    '{"id": "-n-", "a":{"id":0,"version":"x"}, "version": 1, "updated_at": -time-}'],
    ['{"Id":1,"ID":2}',                 '{"id": "-n-", "Id":1,"ID":2, "version": 1, "updated_at": -time-}'],
) {
    my ($sent, $expected) = @$_;
    my $name   = 'member' . ++our $count;
    my $stored = PUT("/members/$name", $sent)->body;

    is $stored =~ s/$time/-time-/r =~ s/$name/-n-/r, $expected, "$sent is stored with the members";
    is GET("/members/$name")->body, $stored, 'GET shows the same';
}

# ---- what they say ----
{
    my $first = resource('/members/said' => '{"n":1}');
    my $second = PUT '/members/said', $first->body, if_match => $first->etag;
    is $second->json->{version}, 2, 'what GET gave may be sent back: the version follows';
    isnt $second->json->{updated_at}, $first->json->{updated_at}, 'and the time';
    is $second->etag, '"2"', 'as the tag does';
    is $second->header('Content-Length'), length $second->body, 'and the length';
    DELETE '/members/said';
    is PUT('/members/said', '{}')->json->{version}, 4, 'versions go on after a removal';

    is PUT('/members/said', $_), 422, "$_ is no object" for '[]', '1', '"x"', 'null', 'true';
    is PUT('/members/said', '{"a":1,"a":2}'), 400, 'and a name twice is an error';
}

# ---- other names, and some of them ----
{
    my $stored = PUT('/renamed/one', '{"id":1,"version":2,"_rev":0}')->body;
    is $stored =~ s/$time/-time-/r, '{"_id": "one", "id":1,"version":2,"_rev":1, "changed": -time-}',
        'members may have other names, and then the usual ones are the client\'s';
    is POST('/uuid', '{"version":7}')->json->{version}, 7, 'those that are not set are the client\'s';
}

# ---- ids ----
{
    is POST('/members/', '{"id":77}')->json->{id}, 1, 'an id from the sequence is a number';
    is PUT('/members/1', '{"id":77}')->json->{id}, 1, 'and stays one';
    is PUT('/members/78', '{}')->json->{id}, '78', 'another is a string';
    like PUT('/members/78', '{}')->body, qr/"id": "78"/, 'even where it has digits alone';
    like PUT('/members/a%22b%20%C3%A9', '{}')->body, qr/"id": "a\\"b \xc3\xa9"/, 'as JSON wants it';
    like PUT('/members/deep/er', '{}')->body, qr/"id": "er"/, 'it is the last segment of the path';
}

done_testing;
