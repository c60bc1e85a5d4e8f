# The races over HTTP/2: eight requests of one connection at once, which mod_http2
# runs on threads of its own.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

my @over = (over => 'h2c');

one_winner '/docs/h2-race', @over;
one_winner '/members/h2-race', @over;
one_creator '/docs/h2-create', @over;
one_creator sub { "/docs/h2-create-$_[0]" }, @over;
one_deleter '/docs/h2-delete', @over, lost => [404];
every_post_creates '/docs/h2-post/', @over;
# More streams than a child has threads for them.
one_winner '/docs/h2-many', @over, clients => 60, rounds => 3;

# Patches with one tag, and patches without, of which each counts.
{
    my $uri = '/docs/h2-patch';
    my @merge = (content_type => 'application/merge-patch+json');
    PUT $uri, '{"list":[]}';
    for my $round (1 .. 20) {
        my $tag = GET($uri)->etag;
        my @answers = race('h2c', map { ['PATCH', $uri, qq({"n":"$round.$_"}), if_match => $tag, @merge] } 1 .. 8);
        is scalar(grep { $_ == 200 } @answers), 1, "round $round: of eight patches with one tag one wins";
        is scalar(grep { $_ == 412 } @answers), 7, 'and seven are late';
        race('h2c', map {
            ['PATCH', $uri, qq([{"op":"add","path":"/list/-","value":"$round.$_"}]),
                content_type => 'application/json-patch+json']
        } 1 .. 8);
    }
    is scalar @{ GET($uri)->json->{list} }, 160, 'of those without a tag none is lost';
}

# HTTP/2 marks the end of a content without a length or chunks.
my ($put) = race('h2c', ['PUT', '/docs/h2-length', '{"n":1}', content_length => undef]);
is $put, 201, 'content without a length is content';
is GET('/docs/h2-length')->body, '{"n":1}', 'and stored';

# What is answered is what HTTP/1.1 is answered.
for (
    [304, 'GET',    undef,   if_none_match => '"1"'],
    [200, 'GET',    undef,   if_none_match => '"0"'],
    [206, 'GET',    undef,   range => 'bytes=0-0'],
    [412, 'PUT',    '{}',    if_match => '"0"'],
    [400, 'PUT',    '{',     if_match => '"1"'],
    [415, 'PUT',    '{}',    content_type => 'text/html'],
    [405, 'POST',   '{}'],
    [204, 'DELETE', undef,   if_match => '"1"'],
    [404, 'DELETE', undef],
) {
    my ($status, $method, $body, @fields) = @$_;
    my ($answer) = race('h2c', [$method, '/docs/h2-length', $body, @fields]);
    is $answer, $status, "$method { @fields } is answered $status";
}

done_testing;
