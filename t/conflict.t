# A 412 that helps: CondReqConflict document shows what is there to those who
# may GET it, byte for byte; and a 428 says what to send.
use strict;
use warnings;

use MIME::Base64 'encode_base64';
use Test::More;

use Apache::TestConditional ':all';

my @alice = (authorization => 'Basic ' . encode_base64('alice:secret', ''));

# The document in a problem, as it is written there.
sub shown { return $_[0]->body =~ /, "document": (.*)\}\n\z/s ? $1 : undef }

# ---- the document, in each refusal of a write ----

my $exact = qq( {"n": 1.10, "big":9007199254740993,\n"t\\u0065xt":"\\u00e9\\/"}\n);
resource '/conflict/a' => $exact;
for (
    ['PUT',    '{}',    { if_match => '"0"' }],
    ['PUT',    '{}',    { if_none_match => '*' }],
    ['PUT',    '{}',    { if_unmodified_since => 'Sun, 06 Nov 1994 08:49:37 GMT' }],
    ['PUT',    '{',     { if_match => '"0"' }],
    ['PATCH',  '{}',    { if_match => '"0"', content_type => 'application/merge-patch+json' }],
    ['DELETE', undef,   { if_match => '"0"' }],
) {
    my ($method, $body, $field) = @$_;
    my $answer = request $method, '/conflict/a', $body, %$field;

    is $answer, 412, "$method with { @{[ %$field ]} } is refused";
    is shown($answer), $exact, 'and shows what is there, byte for byte';
    is $answer->json->{etag}, '"1"', 'under its tag';
    is $answer->header('Content-Length'), length $answer->body, 'and its length';
    is $answer->header('ETag'), undef, 'which is in no field: it is not the problem\'s';
}
{
    my $said = PUT('/conflict/a', '{}', if_match => '"0"')->json;
    is_deeply [sort keys %$said], [qw(detail document etag modified status title type version)], 'with all the rest';
    is PUT('/conflict/a', '{"n":2}', if_match => $said->{etag}), 200, 'with that the client goes on';
    is shown(PUT '/conflict/a', '{}', if_match => '"1"'), '{"n":2}', 'and another sees what it did';
}
is shown(GET '/conflict/a', if_match => '"0"'), undef, 'who reads has asked for one version and no other';
is GET('/conflict/a', if_match => '"0"'), 412, 'and does not get it';

# ---- what is not shown ----

is shown(PUT '/conflict/none', '{}', if_match => '*'), undef, 'nothing is nothing to show';
resource '/conflict/gone' => '{"secret":1}';
DELETE '/conflict/gone';
is shown(PUT '/conflict/gone', '{}', if_match => '"1"'), undef, 'nor what was deleted';
resource '/conflict/text' => '{"a":1}', content_type => 'text/plain';
my $text = PUT '/conflict/text', 'b', if_match => '"0"', content_type => 'text/plain';
is shown($text), undef, 'a text is no JSON, and is left out';
is $text->json->{etag}, '"1"', 'but its tag is there';
resource '/docs/conflict' => '{"a":1}';
is shown(PUT '/docs/conflict', '{}', if_match => '"0"'), undef, 'by default the document is not shown';
for my $scalar ('null', '"text"', '[[]]', '1e400') {
    my $uri = '/conflict/scalar' . ++our $count;
    resource $uri => $scalar;
    is shown(PUT $uri, '{}', if_match => '"0"'), $scalar, "$scalar is a document";
}

# ---- who may GET it ----

my $box = '/auth/letterbox/conflict';
is PUT("$box/a", '{"secret":1}', @alice), 201, 'a document that alice may GET';
for my $field ({ if_match => '"0"' }, { if_none_match => '*' }) {
    my $blind = PUT "$box/a", '{}', %$field;
    is $blind, 412, "who may PUT and not GET is refused with { @{[ %$field ]} }";
    is shown($blind), undef, 'and not shown the document';
    unlike $blind->body, qr/secret/, 'in any way';
    is $blind->json->{etag}, '"1"', 'but told the validators';
    is shown(PUT "$box/a", '{}', %$field, @alice), '{"secret":1}', 'alice is shown it';
}
is shown(PUT "$box/a", '{}', if_match => '"0"', authorization => 'Basic ' . encode_base64('alice:guess', '')), undef,
    'whoever says to be alice is not';
is GET("$box/a"), 401, 'as GET says';

# ---- many who are refused together see one and the same ----
{
    my $uri = '/conflict/race';
    resource $uri => '{"n":"0"}';
    for my $round (1 .. 10) {
        my $tag = GET($uri)->etag;
        my @answers = race('http/1.1', map { ['PUT', $uri, qq({"n":"$round.$_"}), if_match => $tag] } 1 .. 8);
        my @won  = grep { $_ == 200 } @answers;
        my @lost = grep { $_ == 412 } @answers;
        is_deeply [scalar @won, scalar @lost], [1, 7], "round $round: one of eight wins";
        is_deeply [grep { shown($_) ne $won[0]->body || $_->json->{etag} ne $won[0]->etag } @lost], [],
            'and the others are shown what it wrote, under its tag';
    }
}

# ---- 428 says what to send ----
resource '/require-etag/conflict' => '{}', if_none_match => '*';
resource '/require-any/conflict' => '{}', if_none_match => '*';
for (
    ['PUT',    '/require-etag/conflict', 'Send If-Match with the ETag that GET gave, or If-None-Match: * to create.'],
    ['DELETE', '/require-etag/conflict', 'Send If-Match with the ETag that GET gave.'],
    ['PATCH',  '/require-etag/conflict', 'Send If-Match with the ETag that GET gave.'],
    ['PUT',    '/require-any/conflict',
        'Send If-Match with the ETag that GET gave, If-Unmodified-Since with its Last-Modified, or If-None-Match: * to create.'],
    ['DELETE', '/require-any/conflict',
        'Send If-Match with the ETag that GET gave, or If-Unmodified-Since with its Last-Modified.'],
    ['POST',   '/require-post/conflict/', 'Send If-Match with the ETag that GET of the collection gave, or If-None-Match: * while it is empty.'],
) {
    my ($method, $uri, $sentence) = @$_;
    my $answer = $method eq 'PATCH' ? PATCH($uri, '{}') : request $method, $uri, $method eq 'DELETE' ? undef : '{}';
    is $answer, 428, "$method $uri needs a precondition";
    is $answer->json->{detail}, $sentence, 'and says which';
    ok !exists $answer->json->{$_}, "but gives no $_ to write with unseen" for qw(etag document);
}

done_testing;
