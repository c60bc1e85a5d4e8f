# What other modules put into an answer: a 304 has what the 200 has, an error
# has what httpd gives to errors and nothing of the 200, and what mod_mime takes
# for an extension is a part of a document's name.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

# The named fields of an answer, behind its status.
sub shown {
    my ($answer, @names) = @_;
    return join ' | ', $answer->code, map { $answer->header($_) // '-' } @names;
}

# ---- mod_headers ----

my $made = resource '/fields-header/a' => '{"n":1}';
my @added = qw(Cache-Control Vary Success Always);
my @asked = (
    # method, path, fields, body, expected, sentence
    [ 'GET', 'a', {}, undef,
      '200 | max-age=60 | Accept-Language | yes | yes', 'a 200 has what Header set and Header always say' ],
    [ 'HEAD', 'a', {}, undef,
      '200 | max-age=60 | Accept-Language | yes | yes', 'HEAD likewise' ],
    [ 'GET', 'a', { if_none_match => '"1"' }, undef,
      '304 | max-age=60 | Accept-Language | yes | yes', 'a 304 has the same' ],
    [ 'GET', 'a', { if_modified_since => $made->last_modified }, undef,
      '304 | max-age=60 | Accept-Language | yes | yes', 'by date, too' ],
    [ 'HEAD', 'a', { if_none_match => '"1"' }, undef,
      '304 | max-age=60 | Accept-Language | yes | yes', 'and to HEAD' ],
    [ 'GET', 'a', { range => 'bytes=0-1' }, undef,
      '206 | max-age=60 | Accept-Language | yes | yes', 'a 206 has it' ],
    [ 'PUT', 'b', {}, '{}',
      '201 | max-age=60 | Accept-Language | yes | yes', 'a 201 has it' ],
    [ 'DELETE', 'b', {}, undef,
      '204 | max-age=60 | Accept-Language | yes | yes', 'a 204 has it' ],
    [ 'OPTIONS', 'a', {}, undef,
      '200 | max-age=60 | Accept-Language | yes | yes', 'OPTIONS has it' ],
    [ 'GET', 'a', { if_match => '"0"' }, undef,
      '412 | - | - | - | yes', 'a 412 has what is for errors, and may not be cached like the 200' ],
    [ 'HEAD', 'a', { if_match => '"0"' }, undef, '412 | - | - | - | yes', 'HEAD likewise' ],
    [ 'PUT', 'a', { if_match => '"0"' }, '{}', '412 | - | - | - | yes', 'PUT likewise' ],
    [ 'PUT', 'a', { if_none_match => '*' }, '{}', '412 | - | - | - | yes', 'and for who would create' ],
    [ 'DELETE', 'a', { if_match => '"0"' }, undef, '412 | - | - | - | yes', 'DELETE likewise' ],
    [ 'PUT', 'a', { if_match => '1' }, '{}', '400 | - | - | - | yes', 'so has a 400' ],
    [ 'PUT', 'a', {}, '{', '400 | - | - | - | yes', 'for bad JSON, too' ],
    [ 'GET', 'none', {}, undef, '404 | - | - | - | yes', 'a 404' ],
    [ 'PUT', '', {}, '{}', '405 | - | - | - | yes', 'a 405' ],
    [ 'GET', '', {}, undef, '200 | max-age=60 | Accept,Authorization,Cookie,Accept-Language | yes | yes', 'a listing has what a document has' ],
    [ 'PUT', 'a', { content_type => 'text/plain' }, 'x', '415 | - | - | - | yes', 'a 415' ],
    [ 'GET', 'a', { range => 'bytes=100-' }, undef, '416 | - | - | - | yes', 'a 416' ],
    [ 'BREW', 'a', {}, undef, '501 | - | - | - | yes', 'a 501' ],
);
for my $row (@asked) {
    my ($method, $path, $fields, $body, $expected, $sentence) = @$row;
    is shown(request($method, "/fields-header/$path", $body, %$fields), @added), $expected, $sentence;
}
revalidation_ok '/fields-header/a', name => 'with fields of mod_headers a client is told so';
head_agrees_with_get '/fields-header/a', name => 'with fields of mod_headers HEAD says what GET says';

resource '/fields-edit/a' => '{}';
is shown(GET('/fields-edit/a'), 'ETag'), '200 | -', 'Header unset ETag unsets it';
is shown(GET('/fields-edit/a', if_none_match => '"1"'), 'ETag'), '304 | -', 'in a 304, too';
is PUT('/fields-edit/a', '{}', if_match => '"1"'), 200, 'and the tag is one nevertheless';

# ---- mod_expires ----

resource '/fields-expires/a' => '{}';
PUT '/fields-expires/text', 'x', content_type => 'text/plain';
for my $row (
    [ 'a',    {}, '200 | max-age=3600', 'a 200 expires in an hour' ],
    [ 'a',    { if_none_match => '"1"' }, '304 | max-age=3600', 'and a 304, although no field of it says a type' ],
    [ 'text', {}, '200 | -', 'another type expires as its own rule says' ],
    [ 'text', { if_none_match => '"1"' }, '304 | -', 'in a 304, too' ],
    [ 'a',    { if_match => '"0"' }, '412 | -', 'a 412 does not expire' ],
    [ 'none', {}, '404 | -', 'nor does a 404' ],
) {
    my ($path, $fields, $expected, $sentence) = @$row;
    my $answer = GET "/fields-expires/$path", %$fields;

    is shown($answer, 'Cache-Control'), $expected, $sentence;
    is defined $answer->header('Expires'), defined $answer->header('Cache-Control'), "$sentence: Expires";
}
revalidation_ok '/fields-expires/a', name => 'with mod_expires a client is told so';

# ---- CORS ----

my %from_app = (origin => 'https://app.example');
my @cors = qw(Access-Control-Allow-Origin Access-Control-Expose-Headers Vary);
resource '/fields-cors/a' => '{}';
for my $row (
    [ 200, 'GET', 'a', {} ],
    [ 304, 'GET', 'a', { if_none_match => '"1"' } ],
    [ 200, 'PUT', 'a', {} ],
    [ 412, 'PUT', 'a', { if_match => '"1"' } ],
    [ 412, 'GET', 'a', { if_match => '"1"' } ],
    [ 404, 'GET', 'none', {} ],
    [ 405, 'POST', 'a', {} ],
    [ 400, 'PUT', 'a', { if_match => 'x' } ],
    [ 200, 'OPTIONS', 'a', {} ],
) {
    my ($status, $method, $path, $fields) = @$row;
    my $body = $method =~ /^P/ ? '{}' : undef;

    is shown(request($method, "/fields-cors/$path", $body, %from_app, %$fields), @cors),
        "$status | https://app.example | ETag | Origin", "a page of that origin may read a $status to $method";
    is shown(request($method, "/fields-cors/$path", $body, origin => 'https://evil.example',
            if_match => '"0"', %$fields), $cors[0]) =~ s/^\d+ //r,
        '| -', "and a page of another origin no answer to $method";
}

# ---- what httpd's core would do to tag and type ----

resource '/fields-filetag/a' => '{}';
is shown(GET('/fields-filetag/a'), 'ETag'), '200 | "1"', 'FileETag None is about files, not documents';
is shown(GET('/fields-filetag/a', if_none_match => '"1"'), 'ETag'), '304 | "1"', 'in a 304, too';
is shown(PUT('/fields-filetag/a', '{}', if_match => '"1"'), 'ETag'), '200 | "2"', 'and in the answer to a PUT';
is PUT('/fields-filetag/a', '{}', if_match => '"1"')->json->{etag}, '"2"', 'and in a refusal';

resource '/fields-charset/a' => '{}';
PUT '/fields-charset/text', 'x', content_type => 'text/plain; charset=utf-8';
is shown(GET('/fields-charset/a'), 'Content-Type'), '200 | application/json',
    'AddDefaultCharset says nothing of JSON';
is shown(GET('/fields-charset/text'), 'Content-Type'), '200 | text/plain; charset=utf-8',
    'nor of text that says its own';
is shown(GET('/fields-charset/a', if_match => '"0"'), 'Content-Type'), '412 | application/problem+json',
    'nor of a problem document';

# ---- mod_mime's guesses ----

my @type = qw(Content-Type Content-Encoding Content-Language);
for my $name (qw(a.gz a.html a.php a.cgi a.json.de a.txt.gz a.de.latin1 a.tar.gz.html archive.de/a.gz)) {
    my $path = "/fields-mime/$name";
    is shown(PUT($path, '{"n":1}'), @type), '201 | application/json | - | -', "$name is a document's name";
    is shown(GET($path), @type), '200 | application/json | - | -', "$name is JSON, and nothing is guessed";
    is GET($path)->body, '{"n":1}', "$name is what was stored";
    is shown(GET($path, if_none_match => '"1"'), @type), '304 | - | - | -', "$name: 304 says no type";
    is shown(PUT($path, '{}', if_match => '"0"'), @type), '412 | application/problem+json | - | -',
        "$name: 412 is a problem document";
}
resource '/fields-forced/a' => '{}';
is shown(GET('/fields-forced/a'), 'Content-Type'), '200 | application/json',
    'ForceType is about files: a document has the type that it was stored with';
is shown(PUT('/fields-forced/a', '{}', if_match => '"0"'), 'Content-Type'), '412 | application/problem+json',
    'and a problem document has its own';

done_testing;
