# Each status that an answer may have, provoked: method, URI, what is sent, and
# what else the answer has to say.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

sub methods { return join ', ', sort split /, */, $_[0] // '' }

resource "/docs/status$_" => '{"n":1}' for 1 .. 9;
resource '/require-etag/status' => '{}', if_none_match => '*';
resource "/docs/removed-here/$_" => '{}' for 1 .. 3;
my $large = '"' . 'x' x 1023 . '"';
my $long  = 'x' x 1024;
my $form  = 'application/x-www-form-urlencoded';
# In whichever order: httpd itself writes the one of a 405.
my %of_document   = (Allow => methods('GET, HEAD, PUT, PATCH, DELETE, OPTIONS'));
my %of_collection = (Allow => methods('GET, HEAD, POST, DELETE, OPTIONS'));

# status, sentence, method, URI, body, {fields}, {fields of the answer}
my @rows = (
    [200, 'a document', 'GET', '/docs/status1', undef, {},
        { ETag => '"1"', 'Accept-Ranges' => 'bytes', 'Content-Length' => 7 }],
    [200, 'a replacement', 'PUT', '/docs/status2', '[]', {},
        { ETag => '"2"', 'Content-Location' => '/docs/status2', Location => undef }],
    [200, 'OPTIONS of a document', 'OPTIONS', '/docs/status1', undef, {}, \%of_document],
    [200, 'OPTIONS of nothing that is there', 'OPTIONS', '/docs/status-none', undef, {}, \%of_document],
    [200, 'OPTIONS of a collection', 'OPTIONS', '/docs/', undef, {}, \%of_collection],
    [200, 'a collection', 'GET', '/docs/', undef, {},
        { 'Content-Type' => 'application/json', Vary => 'Accept,Authorization,Cookie', 'Accept-Ranges' => undef }],
    [200, 'a Location itself', 'GET', '/docs', undef, {}, { Vary => 'Accept,Authorization,Cookie' }],
    [201, 'a creation by PUT', 'PUT', '/docs/status-new', '{}', {},
        { ETag => '"1"', Location => '/docs/status-new', 'Content-Location' => '/docs/status-new' }],
    [201, 'a creation by POST', 'POST', '/docs/posted-here/', '{}', {},
        { ETag => '"1"', Location => '/docs/posted-here/1', 'Content-Location' => '/docs/posted-here/1' }],
    [204, 'a removal', 'DELETE', '/docs/status3', undef, {}, { ETag => undef, 'Content-Length' => undef }],
    [204, 'a write whose result is not wanted', 'PUT', '/docs/status4', '[]', { prefer => 'return=minimal' },
        { ETag => '"2"', 'Preference-Applied' => 'return=minimal' }],
    [204, 'the removal of a collection', 'DELETE', '/docs/removed-here/', undef, {},
        { ETag => undef, 'Content-Length' => undef }],
    [206, 'a part', 'GET', '/docs/status1', undef, { range => 'bytes=1-3' },
        { 'Content-Range' => 'bytes 1-3/7', ETag => '"1"' }],
    [304, 'nothing new', 'GET', '/docs/status1', undef, { if_none_match => '"1"' }, { ETag => '"1"' }],
    [400, 'no JSON', 'PUT', '/docs/status1', '{"n":}', {}],
    [400, 'a part of a document', 'PUT', '/docs/status1', '1', { content_range => 'bytes 0-0/7' }],
    [400, 'a tag without quotes', 'PUT', '/docs/status1', '{}', { if_match => '1' }],
    [400, 'a parameter that there is not', 'GET', '/docs/?lim=1', undef, {}],
    [404, 'a collection without documents', 'GET', '/docs/status-none/', undef, {}],
    [404, 'nothing to read', 'GET', '/docs/status-none', undef, {}],
    [404, 'nothing to remove', 'DELETE', '/docs/status-none', undef, {}],
    [404, 'what was removed', 'GET', '/docs/status3', undef, {}],
    [404, 'nothing to update', 'PUT', '/update/status-none', '{}', {}],
    [405, 'POST to a document', 'POST', '/docs/status1', '{}', {}, \%of_document],
    [405, 'PUT to a collection', 'PUT', '/docs/', '{}', {}, \%of_collection],
    [405, 'PUT to a Location itself', 'PUT', '/docs', '{}', {}, \%of_collection],
    [405, 'a method for other resources', 'MKCOL', '/docs/status1', undef, {}, \%of_document],
    [410, 'changes since another time', 'GET', '/docs/?since=99999999999999999', undef, {}],
    [412, 'another state of a collection', 'POST', '/docs/status-some/', '{}', { if_match => '"0"' }],
    [412, 'another version', 'PUT', '/docs/status1', '{}', { if_match => '"0"' }],
    [412, 'a document where none should be', 'PUT', '/docs/status1', '{}', { if_none_match => '*' }],
    [412, 'a creation where one is', 'PUT', '/create/status', '{}', {}],
    [412, 'a read of another version', 'GET', '/docs/status1', undef, { if_match => '"0"' }],
    [413, 'more than may be stored', 'PUT', '/small/status', $large, {}],
    [414, 'a path of more than 1024 bytes', 'PUT', "/docs/$long", '{}', {}],
    [415, 'a type that is not stored', 'PUT', '/docs/status1', 'x', { content_type => 'text/plain' },
        { Accept => qr{application/json} }],
    [415, 'a form', 'PUT', '/docs/status1', 'a=b', { content_type => $form }, { Accept => qr{application/json} }],
    [415, 'no type with POST', 'POST', '/docs/', '{}', { content_type => undef }, { Accept => qr{application/json} }],
    [415, 'coded content', 'PUT', '/docs/status1', 'x', { content_encoding => 'gzip' },
        { 'Accept-Encoding' => 'identity' }],
    [416, 'a part that there is not', 'GET', '/docs/status1', undef, { range => 'bytes=7-' },
        { 'Content-Range' => 'bytes */7' }],
    [422, 'no object where the server has members', 'PUT', '/members/status', '[1]', {}],
    [422, 'no object to merge', 'PUT', '/merge/status', '"text"', {}],
    [428, 'no precondition where one is required', 'PUT', '/require-etag/status', '{}', {}],
    [501, 'a method that nobody knows', 'BREW', '/docs/status1', undef, {}],
);

PUT '/create/status', '{}';
for (@rows) {
    my ($status, $sentence, $method, $uri, $body, $field, $say) = @$_;
    my $answer = request $method, $uri, $body, %$field;

    is $answer, $status, "$status: $sentence ($method)" or diag $answer->as_string;
    for my $name (sort keys %{ $say || {} }) {
        my ($is, $should) = (scalar $answer->header($name), $say->{$name});
        $is = methods($is) if $name eq 'Allow';
        ref $should
            ? like($is, $should, "$status: $sentence: its $name")
            : is($is, $should, "$status: $sentence: its $name");
    }
    is $answer->header('Content-Type'), 'application/problem+json', "$status: $sentence: a problem document"
        if $status >= 400;
}

# A client library would say a length.
is raw('PUT /docs/status1 HTTP/1.1', 'Content-Type: application/json'), 411, '411: neither a length nor chunks';

is GET('/docs/status1')->body, '{"n":1}', 'whatever was refused has changed nothing';

done_testing;
