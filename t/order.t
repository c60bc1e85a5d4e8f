# The order of a write: what does not depend on its content, then its
# preconditions, then its content, then its preconditions again, which count
# (RFC 9110 sections 13.2.1 and 13.2.2).
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

my $json = 'Content-Type: application/json';

# The answer to a head whose content never comes.
sub answer_to_head {
    local $Apache::TestConditional::Wire::PATIENCE_S = 8;
    return raw(@_);
}

# ---- preconditions before the content is there ----
{
    resource '/docs/order1' => '{"n":1}';

    is answer_to_head('PUT /docs/order1 HTTP/1.1', 'If-Match: "0"', $json, 'Content-Length: 8'), 412,
        'a stale writer is answered before it has sent anything';
    is answer_to_head('PUT /docs/order1 HTTP/1.1', 'If-None-Match: *', $json,
        'Transfer-Encoding: chunked'), 412, 'and so is a creator, whose content is in chunks';
    is answer_to_head('PUT /docs/order1 HTTP/1.1', 'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
        $json, 'Content-Length: 8'), 412, 'and one with an old date';
    is answer_to_head('POST /docs/ HTTP/1.1', 'If-None-Match: *', $json, 'Content-Length: 8'), 412,
        'and a POST to a collection that should not be there';

    is PUT('/docs/order1', '{"n":', if_match => '"0"'), 412, 'broken JSON of a stale writer is not noticed';
    is PUT('/members/order1', '[]', if_match => '"0"'), 412, 'nor that it is no object';
    is PUT('/docs/order1', '{"n":'), 400, 'it is where the preconditions hold';
    is GET('/docs/order1')->body, '{"n":1}', 'all of this has changed nothing';
}

# ---- Expect: 100-continue ----
{
    resource '/docs/order2' => '{"n":1}';

    my @head = ('PUT /docs/order2 HTTP/1.1', $json, 'Content-Length: 7', 'Expect: 100-continue');
    is answer_to_head(@head, 'If-Match: "0"'), 412, 'a stale writer is not told to continue';

    my $wire = wire;
    $wire->send_head(@head, 'If-Match: "1"');
    is $wire->answer, 100, 'one with the current tag is';
    is $wire->send('{"n":2}')->answer, 200, 'and succeeds';

    is answer_to_head('PUT /update/order2 HTTP/1.1', $json, 'Content-Length: 7', 'Expect: 100-continue'),
        404, 'nor is one told to continue whose document is missing';
    is answer_to_head('PUT /small/order2 HTTP/1.1', $json, 'Content-Length: 2000', 'Expect: 100-continue'),
        413, 'nor one with more than may be stored';
    is answer_to_head('PUT /docs/order2 HTTP/1.1', 'Content-Type: text/html', 'Content-Length: 7',
        'Expect: 100-continue'), 415, 'nor one with what is not stored';
}

# ---- preconditions again, in the transaction ----
{
    resource '/docs/order3' => '{"n":1}';

    my @head = ('PUT /docs/order3 HTTP/1.1', $json, 'Content-Length: 7', 'Expect: 100-continue');
    my ($first, $second, $third) = map { wire } 1 .. 3;
    $_->send_head(@head, 'If-Match: "1"') for $first, $second, $third;
    is $_->answer, 100, 'one of three with the same tag is told to continue' for $first, $second, $third;
    is $second->send('{"n":2}')->answer, 200, 'the first to send wins';
    is $first->send('{"n":1}')->answer,  412, 'another has lost';
    is DELETE('/docs/order3'), 204, 'the document is removed';
    is $third->send('{"n":3}')->answer, 412, 'and the third has lost too';

    ($first, $second) = map { wire } 1 .. 2;
    $_->send_head(@head, 'If-None-Match: *') for $first, $second;
    is $_->answer, 100, 'one of two creators is told to continue' for $first, $second;
    is $first->send('{"n":4}')->answer, 201, 'the first to send creates';
    is $second->send('{"n":5}')->answer, 412, 'the other has lost';
    is GET('/docs/order3')->body, '{"n":4}', 'the document is the winner\'s';

    # What is sent depends on the content after all.
    my $wire = wire;
    $wire->send_head('PUT /docs/order3 HTTP/1.1', 'If-Match: "4"', $json, 'Content-Length: 5', 'Expect: 100-continue');
    is $wire->answer, 100, 'a writer with the tag is told to continue';
    is PUT('/docs/order3', '{"n":6}'), 200, 'another writer comes in between';
    is $wire->send('{"n":')->answer, 400, 'broken JSON comes before the preconditions of the transaction';
}

# ---- what comes before the preconditions ----
{
    resource '/docs/order4' => '{"n":1}';
    resource '/guarded/order4' => '{"n":1}', authorization => 'Basic YWxpY2U6c2VjcmV0';

    my $big = '"' . 'x' x 2000 . '"';
    my %stale = (if_match => '"0"');
    my @rows = (
        [401, 'who may not write', 'PUT', '/guarded/order4', '{}', {}],
        [404, 'nothing to update', 'PUT', '/update/order4', '{}', {}],
        [404, 'nothing to remove', 'DELETE', '/docs/order-none', undef, {}],
        [405, 'a method for collections', 'POST', '/docs/order4', '{}', {}],
        [405, 'a method for documents', 'PUT', '/docs/', '{}', {}],
        [413, 'too much', 'PUT', '/small/order4', $big, {}],
        [415, 'another type', 'PUT', '/docs/order4', 'x', { content_type => 'text/html' }],
        [415, 'coded content', 'PUT', '/docs/order4', 'x', { content_encoding => 'br' }],
    );
    for (@rows) {
        my ($status, $sentence, $method, $uri, $body, $field) = @$_;
        is request($method, $uri, $body, %$field, %stale), $status, "$status comes before 412: $sentence";
        is request($method, $uri, $body, %$field, if_match => 'no tag'), $status,
            "$status comes before 400 of a tag: $sentence";
    }
    is answer_to_head('PUT /docs/order4 HTTP/1.1', $json, 'If-Match: "0"'), 411, '411 comes before 412';
    is PUT('/require-etag/order4', '{}', if_unmodified_since => 'Sun, 06 Nov 1994 08:49:37 GMT'), 428,
        '428 comes before 412';
    is PUT('/require-etag/order4', '{"n":'), 428, 'and before 400 of the content';
    is answer_to_head('PUT /require-etag/order4 HTTP/1.1', $json, 'Content-Length: 8'), 428,
        'and before the content is read';
}

# ---- the connection after a refusal ----
{
    resource '/docs/order5' => '{"n":1}';

    my $wire = wire;
    $wire->send_head('PUT /docs/order5 HTTP/1.1', 'If-Match: "0"', $json, 'Content-Length: 7');
    $wire->send('{"n":2}');
    $wire->send_head('GET /docs/order5 HTTP/1.1');
    is $wire->answer, 412, 'a stale write is refused';
    my $next = $wire->answer;
    is $next, 200, 'and the next request of the connection is not taken for its content';
    is $next->body, '{"n":1}', 'nor the other way round';
}

done_testing;
