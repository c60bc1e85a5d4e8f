# ErrorDocument wins over the problem document, keeps the status, and where it is
# a document of ours, is read as itself: under its own path, and without what the
# client asked about another.
use strict;
use warnings;

use Apache::Test ();
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot');

sub file {
    my ($path, $text) = @_;
    open my $file, '>', "$root/$path" or die "$root/$path: $!";
    print $file $text;
    return close $file;
}

file 'sorry.html'  => "<p>Sorry.</p>\n";
file 'sorry.shtml' => '<!--#echo var="REDIRECT_STATUS" --> <!--#echo var="REDIRECT_URL" -->';

# Status, type and body: all that ErrorDocument may change, and may not.
sub shown {
    my ($answer) = @_;
    my $type = $answer->header('Content-Type') // '-';
    return join ' ', $answer->code, $type =~ s/;.*//r, $answer->body =~ s/\s+$//r;
}

resource "/errors-$_/a" => '{}' for qw(text text/own file script ours elsewhere);
resource '/errors-ours/required/a' => '{}', if_none_match => '*';
resource "/messages/$_" => qq({"message":$_}) for 404, 405, 412;

my @asked = (
    # method, path, fields, expected, sentence
    [ 'GET', 'text/none', {}, '404 text/html Nothing of that name.', 'a text' ],
    [ 'GET', 'text/a', { if_match => '"0"' }, '412 text/html Somebody else was faster.', 'on GET' ],
    [ 'PUT', 'text/a', { if_match => '"0"' }, '412 text/html Somebody else was faster.', 'on PUT' ],
    [ 'DELETE', 'text/a', { if_match => '"0"' }, '412 text/html Somebody else was faster.', 'on DELETE' ],
    [ 'GET', 'file/none', {}, '404 text/html <p>Sorry.</p>', 'a file' ],
    [ 'PUT', 'file/a', { if_match => '"0"' }, '412 text/html <p>Sorry.</p>', 'on PUT' ],
    [ 'GET', 'file/a', { if_match => '"0"', if_none_match => '*' }, '412 text/html <p>Sorry.</p>',
      'whatever else was asked' ],
    [ 'PUT', 'script/a', { if_match => '"0"' }, '412 text/html 412 /errors-script/a',
      'a page with mod_include, which hears of status and path' ],
    [ 'GET', 'ours/none', {}, '404 application/json {"message":404}', 'a document of ours' ],
    [ 'GET', 'ours/a', { if_match => '"0"' }, '412 application/json {"message":412}', 'for a GET' ],
    [ 'PUT', 'ours/a', { if_match => '"0"' }, '412 application/json {"message":412}', 'for a PUT' ],
    [ 'DELETE', 'ours/a', { if_match => '"0"' }, '412 application/json {"message":412}', 'for a DELETE' ],
    [ 'PUT', 'ours/', {}, '405 application/json {"message":405}', 'for a collection' ],
    [ 'GET', 'ours/none', { if_none_match => '"1"' }, '404 application/json {"message":404}',
      'whose own tag the client has: what was asked is not about it' ],
    [ 'GET', 'ours/none', { if_match => '"9"' }, '404 application/json {"message":404}',
      'or which is another than asked for' ],
    [ 'GET', 'ours/none', { if_modified_since => 'Thu, 31 Dec 2099 00:00:00 GMT' },
      '404 application/json {"message":404}', 'or which is older' ],
    [ 'GET', 'ours/none', { range => 'bytes=0-1' }, '404 application/json {"message":404}',
      'an error document is sent whole' ],
    [ 'GET', 'ours/a', { if_match => '"0"', range => 'bytes=0-1', if_range => '"1"' },
      '412 application/json {"message":412}', 'even where its tag is in If-Range' ],
    [ 'GET', 'files/none.html', {}, '404 application/json {"message":404}',
      'a document of ours for files that are not there' ],
    [ 'GET', 'files/none.html', { if_none_match => '"1"' }, '404 application/json {"message":404}',
      'whatever was asked of those' ],
);
for my $row (@asked) {
    my ($method, $path, $fields, $expected, $sentence) = @$row;
    my $body = $method eq 'PUT' ? '{"changed":true}' : undef;
    is shown(request($method, "/errors-$path", $body, %$fields)), $expected,
        "$method /errors-$path @{[%$fields]}: $sentence";
}

is shown(HEAD('/errors-ours/none')), '404 application/json ', 'HEAD has the status and no body';
is scalar(PUT('/errors-ours/', '{}')->header('Allow')), 'GET, HEAD, POST, DELETE, OPTIONS', 'a 405 keeps its Allow';
is scalar(PUT('/errors-ours/a', '{}', if_match => '"0"')->header('Cache-Control')), undef,
    'an error document says nothing of caching that nobody configured';

my $own = PUT '/errors-text/own/a', '{}', if_match => '"0"';
is $own->header('Content-Type'), 'application/problem+json', 'ErrorDocument default is our own again';
is $own->json->{etag}, '"1"', 'which says what is there';
is PUT('/errors-text/a', '{')->header('Content-Type'), 'application/problem+json',
    'a status without an ErrorDocument has a problem document';

my $missing = PUT '/errors-ours/required/a', '{}';
is $missing, 428, 'an error document that is missing keeps the status';
like $missing->header('Content-Type'), qr{^(?:application/problem\+json|text/html)}, 'and something is said';

is shown(GET('/errors-elsewhere/none')) =~ s/ .*//sr, 302, 'another site is redirected to, as httpd does';
is scalar(GET('/errors-elsewhere/none')->header('Location')), 'https://www.example/sorry', 'there';

is GET("/errors-$_/a")->body, '{}', "/errors-$_/a is unchanged" for qw(text file script ours);
is GET("/messages/$_")->body, qq({"message":$_}), "/messages/$_ is unchanged" for 404, 405, 412;

done_testing;
