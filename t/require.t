# CondReqRequire: writers that must say which version they are about (RFC 6585
# section 3).
use strict;
use warnings;

use HTTP::Date 'time2str';
use Test::More;

use Apache::TestConditional ':all';

my $now = time2str(time + 60);

# location, fields, and what PUT is answered where a document "1" is
my @rows = (
    ['require-etag', {},                                        428],
    ['require-etag', { if_match => '"1"' },                     200],
    ['require-etag', { if_match => '"0"' },                     412],
    ['require-etag', { if_match => '"0", "1"' },                200],
    ['require-etag', { if_match => 'W/"1"' },                   412],
    ['require-etag', { if_match => '*' },                       428],
    ['require-etag', { if_match => '' },                        428],
    ['require-etag', { if_none_match => '*' },                  412],
    ['require-etag', { if_none_match => '"0"' },                428],
    ['require-etag', { if_match => '*', if_none_match => '"0"' }, 428],
    ['require-etag', { if_unmodified_since => $now },           428],
    ['require-etag', { if_modified_since => $now },             428],
    ['require-etag', { if_match => '1' },                       400],
    ['require-any',  {},                                        428],
    ['require-any',  { if_match => '"1"' },                     200],
    ['require-any',  { if_match => '*' },                       428],
    ['require-any',  { if_none_match => '*' },                  412],
    ['require-any',  { if_unmodified_since => $now },           200],
    ['require-any',  { if_unmodified_since => 'Sun, 06 Nov 1994 08:49:37 GMT' }, 412],
    ['require-any',  { if_unmodified_since => 'yesterday' },    428],
    ['require-any',  { if_match => '*', if_unmodified_since => $now }, 428],
    ['require-any',  { if_modified_since => $now },             428],
    ['require-delete', {},                                      200],
    ['require-post', {},                                        200],
    ['docs',         {},                                        200],
);
for (@rows) {
    my ($place, $field, $status) = @$_;
    my $uri  = "/$place/required" . ++our $count;
    my $said = join ', ', map { "$_ => $field->{$_}" } sort keys %$field;

    PUT $uri, '{"n":1}', if_none_match => '*';
    is PUT($uri, '{"n":2}', %$field), $status, "PUT at $place with { $said } is answered $status";
    is GET($uri)->etag, $status == 200 ? '"2"' : '"1"', 'and does as much';
}

# ---- where nothing is ----
is PUT('/require-etag/none', '{}'), 428, 'a creation has to say that it is one';
is PUT('/require-etag/none', '{}', if_match => '"1"'), 412, 'an update is none';
is PUT('/require-etag/none', '{}', if_none_match => '*'), 201, 'If-None-Match: * says it';

# ---- other methods ----
is GET('/require-etag/none'), 200, 'GET needs none';
is HEAD('/require-etag/none'), 200, 'nor HEAD';
is OPTIONS('/require-etag/none'), 200, 'nor OPTIONS';
is POST('/require-etag/', '{}'), 201, 'nor POST, which overwrites nothing';
is DELETE('/require-etag/none'), 428, 'DELETE does';
is DELETE('/require-etag/none', if_match => '*'), 428, 'with a tag';
is DELETE('/require-etag/none', if_match => '"1"'), 204, 'of what is there';
is DELETE('/require-etag/none'), 404, 'nothing is required of nothing';
is POST('/require-post/', '{}'), 428, 'POST does where that is said';
is POST('/require-post/', '{}', if_match => '*'), 428, 'and again, * is not enough';
is POST('/require-post/', '{}', if_none_match => '*'), 412, 'a collection that has documents is there';
resource '/require-delete/one' => '{}';
is DELETE('/require-delete/one'), 428, 'DELETE alone, where that is said';
is DELETE('/require-delete/one', if_match => '"1"'), 204, 'with its tag it succeeds';

like PUT('/require-etag/new', '{}')->json->{detail}, qr/If-Match.*ETag.*If-None-Match: \*/,
    'a 428 says what to send';
like PUT('/require-any/new', '{}')->json->{detail}, qr/If-Unmodified-Since/, 'each what it is for';

done_testing;
