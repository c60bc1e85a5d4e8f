# What httpd itself limits of a request's content, by LimitRequestBody and
# mod_reqtimeout: the answer says so, and nothing is stored.
use strict;
use warnings;

use Apache::Test ();
use Test::More;

use Apache::TestConditional ':all';

sub json_of { return '"' . 'x' x ($_[0] - 2) . '"' }

# A chunk a line of text.
sub chunked { return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @_, '' }

# PUT without a length that httpd could look at first.
sub put_in_chunks {
    my ($path, $body, @fields) = @_;
    my $wire = wire;

    $wire->send_head("PUT $path HTTP/1.1", 'Content-Type: application/json',
        'Transfer-Encoding: chunked', 'Connection: close', @fields);
    $wire->send(chunked($body =~ /(.{1,400})/gs));
    return $wire->answer;
}

# ---- LimitRequestBody ----

for my $place (qw(limited httpd-less ours-less)) {
    my $path = "/content-$place/a";

    is PUT($path, json_of(1000)), 201, "$place: content up to the lower limit is stored";
    is PUT($path, json_of(1001)), 413, "$place: content over it is refused";
    is put_in_chunks($path, json_of(1000)), 200, "$place: in chunks up to the limit";
    my $refusal = put_in_chunks($path, json_of(1001));
    is $refusal, 413, "$place: in chunks over it";
    is $refusal->header('Content-Type'), 'application/problem+json', "$place: with a problem document";
    is $refusal->json->{status}, 413, "$place: that says so, too";
    is PUT($path, json_of(1001))->header('Content-Type'), 'application/problem+json',
        "$place: likewise where the length was announced";
    is PUT($path, json_of(1001), if_match => '"0"'), 413,
        "$place: too large is said before a tag is looked at (RFC 9110 section 13.2.1)";
    is PUT($path, json_of(900), if_match => '"0"'), 412, "$place: else a stale writer is refused";
    is GET($path)->etag, '"2"', "$place: what was refused changed nothing";
    is POST("/content-$place", json_of(1001)), 413, "$place: POST likewise";
    is POST("/content-$place", json_of(1000)), 201, "$place: and up to the limit creates";
}
is GET('/content-limited/a', content_length => 0), 200, 'GET has nothing to limit';

my $inflated = PUT '/content-inflated/a', '{}', content_encoding => 'gzip';
is $inflated, 415, 'SetInputFilter DEFLATE does not make coded content welcome';
is $inflated->header('Accept-Encoding'), 'identity', 'as the answer says';
is PUT('/content-inflated/a', '{}'), 201, 'nor other content unwelcome';

# ---- mod_reqtimeout ----

my $slow = 'http://127.0.0.1:' . Apache::Test::vars('slow_port');
my %slow = (host => 'slow.test');

resource "$slow/docs/a", '{"n":1}', %slow;

# What a client gets that announces more than it sends.
sub begin {
    my ($method, @rest) = @_;
    my $sent = pop @rest;
    my $wire = wire $slow;

    $wire->send_head("$method HTTP/1.1", 'Host: slow.test', 'Content-Type: application/json', @rest);
    return $wire->send($sent);
}

for my $row (
    [ 'PUT /docs/a',     'Content-Length: 20', '{"n":2',          'content that does not come' ],
    [ 'PUT /docs/a',     'Transfer-Encoding: chunked', "6\r\n{\"n\":2\r\n", 'a chunk that does not come' ],
    [ 'PUT /docs/a',     'Transfer-Encoding: chunked', "20\r\n{\"n\":2", 'a chunk that does not end' ],
    [ 'PUT /docs/new',   'Content-Length: 20', '{"n":2',          'nor is anything created' ],
    [ 'POST /docs/',     'Content-Length: 20', '',                'by POST, too' ],
) {
    my ($request, $field, $sent, $sentence) = @$row;
    my $wire = begin($request, $field, $sent);
    my $answer = $wire->answer;

    is $answer, 408, "$request: $sentence is 408";
    is $answer && $answer->header('Content-Type'), 'application/problem+json',
        "$request: $sentence: with a problem document";
    is $answer && $answer->header('Connection'), 'close', "$request: $sentence: the connection ends";
}
is begin('PUT /docs/a', 'Content-Length: 20', 'If-Match: "0"', '{"n":2')->answer, 412,
    'a stale writer hears 412 without sending the rest';
is begin('DELETE /docs/a', 'Content-Length: 20', 'If-Match: "0"', '{"n":2')->answer, 412,
    'DELETE with content likewise';
is begin('GET /docs/a', 'Content-Length: 20', '')->answer, 200, 'GET waits for no content';

# ---- a client that goes away ----

for my $sent ('', '{"n":2', '{"n":2}') {
    begin('PUT /docs/a', 'Content-Length: 20', $sent)->close;
    my $answer = begin('PUT /docs/a', 'Content-Length: 20', $sent)->finish->answer;
    ok !$answer || $answer == 400, "content that ends after '$sent' is no document";
}
is GET("$slow/docs/a", %slow)->body, '{"n":1}', 'nothing of all that was stored';
is GET("$slow/docs/a", %slow)->etag, '"1"', 'under any version';
is GET("$slow/docs/new", %slow), 404, 'nor created';
is GET("$slow/docs/1", %slow), 404, 'nor posted';

done_testing;
