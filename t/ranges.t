# Range and If-Range: RFC 9110 sections 13.1.5 and 14. What the preconditions
# say comes first, and a Range never gets an answer that they would not allow.
use strict;
use warnings;

use HTTP::Date qw(str2time time2str);
use Test::More;

use Apache::TestConditional ':all';

my $date = resource('/docs/range' => '"0123456789"')->last_modified;
my $length = 12;

# ---- Range ----
for (
    ['bytes=0-0',   'bytes 0-0/12',   '"'],
    ['bytes=1-3',   'bytes 1-3/12',   '012'],
    ['bytes=9-',    'bytes 9-11/12',  '89"'],
    ['bytes=-2',    'bytes 10-11/12', '9"'],
    ['bytes=-99',   'bytes 0-11/12',  '"0123456789"'],
    ['bytes=1-999', 'bytes 1-11/12',  '0123456789"'],
) {
    my ($range, $which, $bytes) = @$_;
    my $part = GET '/docs/range', range => $range;

    is $part, 206, "$range is answered 206";
    is $part->header('Content-Range'), $which, 'it says which part';
    is $part->body, $bytes, 'and is that part';
    is $part->etag, '"1"', 'under the tag of the whole';
}

my $parts = GET '/docs/range', range => 'bytes=0-0,4-5';
is $parts, 206, 'two ranges are answered 206';
like $parts->header('Content-Type'), qr{^multipart/byteranges; *boundary=}, 'in parts';
like $parts->body, qr{bytes 0-0/12.*bytes 4-5/12}s, 'both of them';

for my $range ('bytes=12-', 'bytes=12-13', 'bytes=99-100') {
    my $answer = GET '/docs/range', range => $range;
    is $answer, 416, "$range is beyond the end";
    is $answer->header('Content-Range'), "bytes */$length", 'which is said';
}
is GET('/docs/range', range => $_), 200, "$_ is no range of bytes"
    for 'lines=1-2', 'bytes', 'bytes=', 'bytes=x-y', 'bytes=3-1', 'bytes 0-1';

# ---- If-Range ----
my $later = time2str(str2time($date) + 1);
for (
    ['"1"',    206, 'the current tag'],
    ['"0"',    200, 'another tag'],
    ['W/"1"',  200, 'a weak tag'],
    ['"0", "1"', 200, 'a list, which is no If-Range'],
    ['*',      200, 'an asterisk'],
    ['1',      200, 'no tag'],
    ['"1',     200, 'half a tag'],
    [$date,    206, 'the date of the document'],
    [$later,   200, 'a later date'],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 200, 'an earlier date'],
    ["$date,", 200, 'no date'],
) {
    my ($value, $status, $sentence) = @$_;
    my $answer = GET '/docs/range', range => 'bytes=0-0', if_range => $value;

    is $answer, $status, "If-Range with $sentence is answered $status";
    is length $answer->body, $status == 206 ? 1 : $length, 'with as much';
}
is GET('/docs/range', if_range => $_), 200, "If-Range: $_ means nothing without Range" for '"1"', '"0"';
is GET('/docs/range', range => 'bytes=12-', if_range => '"1"'), 416, 'a range beyond the end, of this version';
is GET('/docs/range', range => 'bytes=12-', if_range => '"0"'), 200, 'and of another, which is sent whole';

resource '/weak/range' => '"0123456789"';
is GET('/weak/range', range => 'bytes=0-0', if_range => 'W/"1"'), 200, 'a weak tag says nothing of bytes';
resource '/tagless/range' => '"0123456789"';
is GET('/tagless/range', range => 'bytes=0-0', if_range => '"1"'), 200, 'nor does a tag where there are none';

# ---- with preconditions ----
is GET('/docs/range', range => 'bytes=0-0', if_none_match => $_), 304, "If-None-Match: $_ comes before Range"
    for '"1"', 'W/"1"', '*';
is GET('/docs/range', range => 'bytes=0-0', if_modified_since => $date), 304, 'and so does If-Modified-Since';
is GET('/docs/range', range => 'bytes=0-0', if_match => '"0"'), 412, 'and If-Match';
is GET('/docs/range', range => 'bytes=0-0', if_match => '"1"'), 206, 'which may hold';
is GET('/docs/range', range => 'bytes=12-', if_none_match => '"1"'), 304, '304 comes before 416';

# ---- other methods ----
my $head = HEAD '/docs/range', range => 'bytes=0-0';
is $head, 200, 'Range is for GET alone: HEAD is answered 200';
is $head->header('Content-Range'), undef, 'without a Content-Range';
is $head->header('Content-Length'), $length, 'and with the whole length';
is HEAD('/docs/range', range => 'bytes=12-'), 200, 'also beyond the end';
my $put = PUT '/docs/range', '"9876543210"', range => 'bytes=0-0';
is $put, 200, 'PUT is answered 200';
is $put->body, '"9876543210"', 'with all of the document';

done_testing;
