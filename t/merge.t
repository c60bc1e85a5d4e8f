# PUT as a merge: RFC 7396, and what of a document it leaves alone.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

for (
    # what is there           what is sent                  what is there then
    ['{"a":"b"}',             '{"a":"c"}',                  '{"a":"c"}'],
    ['{"a":"b"}',             '{"b":"c"}',                  '{"a":"b","b":"c"}'],
    ['{"a":"b"}',             '{"a":null}',                 '{}'],
    ['{"a":"b","b":"c"}',     '{"a":null}',                 '{"b":"c"}'],
    ['{"a":["b"]}',           '{"a":"c"}',                  '{"a":"c"}'],
    ['{"a":"c"}',             '{"a":["b"]}',                '{"a":["b"]}'],
    ['{"a":{"b":"c"}}',       '{"a":{"b":"d","c":null}}',   '{"a":{"b":"d"}}'],
    ['{"a":{"b":"c"}}',       '{"a":[1]}',                  '{"a":[1]}'],
    ['{"a":[{"b":"c"}]}',     '{"a":[null,{"d":null}]}',    '{"a":[null,{"d":null}]}'],
    ['{"a":1}',               '{"a":{"bb":{"ccc":null}}}',  '{"a":{"bb":{}}}'],
    ['{"a":{"b":{"c":1}}}',   '{"a":{"b":{"d":2}}}',        '{"a":{"b":{"c":1,"d":2}}}'],
    ['{"a":1}',               '{}',                         '{"a":1}'],
    ['{"\u0061":1}',          '{"a":2}',                    '{"\u0061":2}'],
    ['{"a\u0000b":1}',        '{"a":2,"a\u0000c":3}',       '{"a\u0000b":1,"a":2,"a\u0000c":3}'],
) {
    my ($there, $sent, $then) = @$_;
    my $uri = '/merge/doc' . ++our $count;

    resource $uri => $there;
    my $merged = PUT $uri, $sent, if_match => '"1"';
    is $merged, 200, "$there with $sent";
    is_deeply $merged->json, JSON::PP->new->decode($then), "is $then";
    is GET($uri)->body, $merged->body, 'GET shows the same';
}

# ---- what is not named stays as it was written ----
{
    my $exact = '{"price": 1.10, "big":9007199254740993, "huge":1e400,  "text":"\u00e9\/", "last":[1 , 2]}';
    resource '/merge/exact' => $exact;
    my $merged = PUT('/merge/exact', '{"new":-0.0}')->body;
    for my $part ('1.10', '9007199254740993', '1e400', '"\u00e9\/"', '[1 , 2]', '-0.0') {
        ok index($merged, $part) >= 0, "$part is still written so";
    }
    my @order = $merged =~ /"(price|big|huge|text|last|new)"\s*:/g;
    is "@order", 'price big huge text last new', 'in the same order';
}

# ---- where nothing is ----
{
    my $created = PUT '/merge/created', '{"a":1,"b":null,"c":{"d":null}}';
    is $created, 201, 'a merge creates';
    is_deeply $created->json, { a => 1, c => {} }, 'without what it would remove';
    is PUT('/merge/created', '[1]'), 422, 'only an object can be merged';
    DELETE '/merge/created';
    is_deeply PUT('/merge/created', '{"e":1}')->json, { e => 1 }, 'nothing is left after a removal';
}

# ---- with the server's members ----
{
    resource '/merge-members/one' => '{"a":1}';
    my $merged = PUT('/merge-members/one', '{"id":null,"version":99,"updated_at":null,"b":2}')->json;
    is $merged->{id}, 'one', 'a merge does not remove the server\'s members';
    is $merged->{version}, 2, 'nor set them';
    is_deeply [@$merged{qw(a b)}], [1, 2], 'but the others';
}

# ---- limits ----
{
    my $half = '"' . 'x' x 600 . '"';
    resource '/small-merge/one' => qq({"a":$half});
    my $answer = PUT '/small-merge/one', qq({"b":$half});
    is $answer, 413, 'what would be too large together is refused';
    is $answer->header('Content-Type'), 'application/problem+json', 'with a problem document';
    is PUT('/small-merge/one', qq({"a":null,"b":$half})), 200, 'unless something gives way';
    is GET('/small-merge/one')->etag, '"2"', 'and the refusal was no version';
}

# ---- two who name different members ----
{
    resource '/merge/both' => '{"a":0,"b":0}';
    is PUT('/merge/both', '{"a":1}'), 200, 'one sets one member';
    is PUT('/merge/both', '{"b":2}'), 200, 'another sets another';
    is_deeply GET('/merge/both')->json, { a => 1, b => 2 }, 'both are set';
}

done_testing;
