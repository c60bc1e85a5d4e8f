# How content arrives: in chunks, slowly, not at all, too much of it. What does
# not arrive whole changes nothing.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

my $json    = 'Content-Type: application/json';
my $chunked = 'Transfer-Encoding: chunked';

# ---- chunks ----
for (
    ['one chunk',                 "7\r\n{\"n\":1}\r\n0\r\n\r\n"],
    ['a byte a chunk',            join '', map({ "1\r\n$_\r\n" } split //, '{"n":1}'), "0\r\n\r\n"],
    ['an extension',              "7;name=value\r\n{\"n\":1}\r\n0;last\r\n\r\n"],
    ['a trailer',                 "7\r\n{\"n\":1}\r\n0\r\nX-Sum: 1\r\n\r\n"],
    ['a trailer of preconditions', "7\r\n{\"n\":1}\r\n0\r\nIf-Match: \"0\"\r\n\r\n"],
    ['a length with zeros',       "0007\r\n{\"n\":1}\r\n0000\r\n\r\n"],
) {
    my ($sentence, $content) = @$_;
    my $uri = '/docs/upload' . ++our $count;

    is raw("PUT $uri HTTP/1.1", $json, $chunked, \$content), 201, "$sentence is content";
    is GET($uri)->body, '{"n":1}', 'which is stored';
}
is raw('PUT /docs/upload1 HTTP/1.1', $json, $chunked, \"0\r\n\r\n"), 400, 'no chunk is no JSON';

# ---- content that is not whole ----
resource '/docs/upload' => '{"kept":true}';
for (
    ['no length',                'Content-Length: x',  '{}'],
    ['a negative length',        'Content-Length: -1', '{}'],
    ['two lengths',              "Content-Length: 2\r\nContent-Length: 3", '{} '],
    ['a chunk of no size',       $chunked,             "x\r\n{}\r\n0\r\n\r\n"],
    ['a chunk of negative size', $chunked,             "-1\r\n{}\r\n0\r\n\r\n"],
    ['a chunk of immense size',  $chunked,             "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"],
    ['no end of a chunk',        $chunked,             "2\r\n{}0\r\n\r\n"],
    ['another coding',           'Transfer-Encoding: gzip', '{}'],
) {
    my ($sentence, $field, $content) = @$_;
    my $answer = raw('PUT /docs/upload HTTP/1.1', $json, $field, \$content);
    like $answer->code, $field =~ /gzip/ ? qr/^(?:400|411|501)$/ : qr/^(?:400|413)$/, "$sentence is refused";
}
for (
    ['a length',              'Content-Length: 7',       '{"n":'],
    ['JSON that could end',   'Content-Length: 9',       '{"n":1}'],
    ['a length and nothing',  'Content-Length: 7',       ''],
    ['chunks',                $chunked,                  "2\r\n{}\r\n"],
    ['a chunk',               $chunked,                  "7\r\n{\"n\":"],
    ['chunks and nothing',    $chunked,                  ''],
) {
    my ($sentence, $field, $content) = @$_;

    # One says that no more comes, the other goes away.
    my $wire = wire;
    $wire->send_head('PUT /docs/upload HTTP/1.1', $json, $field);
    is $wire->send($content)->finish->answer, 400, "$sentence, cut off, is refused";
    $wire = wire;
    $wire->send_head('PUT /docs/upload HTTP/1.1', $json, $field);
    $wire->send($content)->close;
}
is GET('/docs/upload')->body, '{"kept":true}', 'none of these has changed anything';
is GET('/docs/upload')->etag, '"1"', 'nor was one a version';

# ---- slowly ----
{
    my $slow = wire;
    $slow->send_head('PUT /docs/upload HTTP/1.1', $json, 'If-Match: "1"', 'Content-Length: 7');
    for my $byte (split //, '{"n":2}') {
        select undef, undef, undef, 0.05;
        $slow->send($byte);
    }
    is $slow->answer, 200, 'a slow writer succeeds';

    $slow = wire;
    $slow->send_head('PUT /docs/upload HTTP/1.1', $json, 'If-Match: "2"', 'Content-Length: 7');
    $slow->send('{"n"');
    is PUT('/docs/upload', '{"n":3}', if_match => '"2"'), 200, 'it holds up nobody';
    is $slow->send(':2}')->answer, 412, 'and loses to who was faster';
    is GET('/docs/upload')->body, '{"n":3}', 'whose content is there';
}

# ---- too much ----
{
    my $most = '"' . 'x' x 1022 . '"';
    is PUT('/small/upload', $most), 201, 'as much as a location allows';
    my $size = sprintf '%x', length $most;
    is raw('PUT /small/upload HTTP/1.1', $json, $chunked, \"$size\r\n$most\r\n0\r\n\r\n"), 200, 'also in chunks';
    is PUT('/small/upload', "$most "), 413, 'and no byte more';
    is raw('PUT /small/upload HTTP/1.1', $json, $chunked, \"$size\r\n$most\r\n1\r\n \r\n0\r\n\r\n"), 413,
        'also in chunks';
    is raw('PUT /small/upload HTTP/1.1', $json, 'Content-Length: 99999999999'), 413,
        'a length is enough to be refused';
    is raw('PUT /small/upload HTTP/1.1', $json, 'Content-Length: 99999999999999999999999'), 400,
        'a length that is none, by its size';
    is POST('/small/', "$most "), 413, 'POST has the same limit';
    is GET('/small/upload')->etag, '"2"', 'what was refused changed nothing';
    is PUT('/docs/upload', '"' . 'x' x (1024 * 1024 - 1) . '"'), 413, '1 MiB and a byte, where nothing is said';
}

# ---- many on one connection ----
{
    my $wire = wire;
    my $count = 30;
    for (1 .. $count) {
        $wire->send_head('PUT /docs/upload-row HTTP/1.1', $json, 'Content-Length: 7');
        $wire->send(sprintf '{"n":%1d}', $_ % 10);
        $wire->send_head('GET /docs/upload-row HTTP/1.1');
    }
    my $right = grep {
        my ($put, $get) = ($wire->answer, $wire->answer);
        $put && $get && $put->is_success && $get->body eq sprintf '{"n":%1d}', $_ % 10;
    } 1 .. $count;
    is $right, $count, 'requests sent without waiting are answered in their order';
}

done_testing;
