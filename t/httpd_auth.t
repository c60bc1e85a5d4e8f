# Who may come in: httpd decides, by the sections that it would ask for a file,
# before anything of a document is looked at.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use MIME::Base64 'encode_base64';
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot');

# alice's password is in t/conf/passwords.
sub as { return (authorization => 'Basic ' . encode_base64(shift, '')) }
my %alice = as 'alice:secret';

sub file {
    my ($path, $text) = @_;
    make_path "$root/$path" =~ s{/[^/]*$}{}r;
    open my $to, '>', "$root/$path" or die "$root/$path: $!";
    print $to $text;
    return close $to;
}

# ---- anyone reads, alice writes ----

resource '/messages/401' => '{"message":401}';
# Where a Location both serves and guards, no .htaccess is even read.
file 'auth/readers/.htaccess', "This is no directive\n";

my $at = '/auth/readers';
for my $row (
    # status, method, path, fields, sentence
    [ 404, 'GET',  'a', {}, 'anyone may look' ],
    [ 401, 'PUT',  'a', {}, 'nobody creates without a password' ],
    [ 401, 'PUT',  'a', { as 'alice:guess' }, 'with a wrong one' ],
    [ 401, 'PUT',  'a', { as 'bob:secret' }, 'or as another' ],
    [ 401, 'POST', '',  {}, 'in the collection, too' ],
    [ 201, 'PUT',  'a', { %alice }, 'alice creates' ],
    [ 201, 'POST', '',  { %alice }, 'in the collection, too' ],
    [ 200, 'GET',  'a', {}, 'anyone reads' ],
    [ 200, 'HEAD', 'a', {}, 'or looks' ],
    [ 304, 'GET',  'a', { if_none_match => '"1"' }, 'or revalidates' ],
    [ 412, 'GET',  'a', { if_match => '"0"' }, 'or asks for a version' ],
    [ 200, 'OPTIONS', 'a', {}, 'or asks what can be done' ],
    [ 401, 'PUT',  'a', { if_match => '"0"' }, 'a stale writer without password learns nothing' ],
    [ 401, 'PUT',  'a', { if_match => '"1"' }, 'a tag is no password' ],
    [ 401, 'PUT',  'a', { if_match => 'x' }, 'nor is what is no tag' ],
    [ 401, 'PUT',  'none', { if_match => '"1"' }, 'not even whether something is there' ],
    [ 412, 'PUT',  'a', { %alice, if_match => '"0"' }, 'alice hears that she is late' ],
    [ 200, 'PUT',  'a', { %alice, if_match => '"1"' }, 'alice updates' ],
    [ 401, 'DELETE', 'a', {}, 'nobody deletes without a password' ],
    [ 401, 'PATCH', 'a', {}, 'nor does anything else' ],
    [ 401, 'BREW', 'a', {}, 'whatever it be' ],
    [ 204, 'DELETE', 'a', { %alice, if_match => '"2"' }, 'alice deletes' ],
) {
    my ($status, $method, $path, $fields, $sentence) = @$row;
    my $body = $method =~ /^P/ ? '{}' : undef;
    is request($method, "$at/$path", $body, %$fields), $status, "$method: $sentence";
}
my $refusal = PUT "$at/a", '{}', if_match => '"1"';
like $refusal->header('WWW-Authenticate'), qr/^Basic realm="documents"/, '401 says how to come in';
is $refusal->header('Content-Type'), 'application/problem+json', 'in a problem document';
is_deeply [sort keys %{ $refusal->json }], [qw(status title type)], 'that says nothing of what is there';
my $told = PUT "$at/told/a", '{}';
is $told, 401, 'an ErrorDocument of 401';
is $told->body, '{"message":401}', 'may be a document of ours';
like $told->header('WWW-Authenticate'), qr/^Basic/, 'and says how to come in, too';

my $wire = wire;
$wire->send_head("PUT $at/a HTTP/1.1", 'Content-Type: application/json', 'Content-Length: 100000', 'Expect: 100-continue');
is $wire->answer, 401, 'content is not asked for before the password';

# A <Directory> that is not there says nothing.
make_path "$root/auth/$_" for qw(denied compat);

# ---- what a directory says counts, unless a Location says otherwise ----

for my $row (
    # status, method, path, fields, sentence
    [ 403, 'GET', 'silent/a',  {}, 'SetHandler in a Location without Require: the directory decides' ],
    [ 403, 'PUT', 'silent/a',  {}, 'for every method' ],
    [ 403, 'POST', 'silent',   {}, 'at its own path' ],
    [ 403, 'GET', 'silent/a',  { if_none_match => '*' }, 'whatever is asked' ],
    [ 403, 'GET', 'silent/%61', {}, 'in whatever spelling' ],
    [ 403, 'GET', '/silent/a', {}, 'with whatever slashes' ],
    [ 403, 'GET', 'match/a',   {}, 'LocationMatch likewise' ],
    [ 201, 'PUT', 'says/a',    {}, 'a Require of its own stands in the place of the directory\'s' ],
    [ 201, 'PUT', 'says/inner/a', {}, 'and for a Location inside that says nothing' ],
    [ 401, 'PUT', 'says/users/a', {}, 'one inside that does is heard' ],
    [ 201, 'PUT', 'says/users/a', { %alice }, 'and lets in whom it names' ],
    [ 200, 'GET', 'says/a',    {}, 'who is not asked is let in' ],
    [ 201, 'PUT', 'says/if/a', {}, 'an If that is not true changes nothing' ],
    [ 403, 'PUT', 'says/if/a', { x_if => 1 }, 'and one that is true is heard' ],
    [ 403, 'GET', 'adds/a',    {}, 'AuthMerging And adds to the directory\'s' ],
    [ 403, 'GET', 'says/added/a', {}, 'also in a Location inside one that guards itself' ],
    [ 201, 'PUT', 'apart/a',   {}, 'SetHandler and Require may stand in two sections' ],
    [ 201, 'PUT', 'limit/a',   {}, 'Limit lets in by method' ],
) {
    my ($status, $method, $path, $fields, $sentence) = @$row;
    my $body = $method =~ /^P/ ? '{}' : undef;
    is request($method, "/auth/denied/$path", $body, %$fields), $status, "$path: $sentence";
}

file 'auth/directory/htaccess/.htaccess', "Require user alice\n";
for my $row (
    [ 201, 'PUT', 'directory/a', {}, 'a directory that denies nothing' ],
    [ 403, 'GET', 'directory/secret', {}, 'Files with a Require are asked' ],
    [ 403, 'PUT', 'directory/secret.json', {}, 'for PUT, too' ],
    [ 401, 'PUT', 'directory/htaccess/a', {}, 'and an .htaccess' ],
    [ 201, 'PUT', 'directory/htaccess/a', { %alice }, 'which lets in whom it names' ],
    [ 401, 'PUT', 'directory/users/a', {}, 'a Location may say who, and the directory how: with no password 401' ],
    [ 201, 'PUT', 'directory/users/a', { %alice }, 'and with one, in' ],
    [ 403, 'GET', 'compat/silent/a', {}, 'Deny of a directory, in the old way' ],
    [ 403, 'GET', 'compat/says/a', {}, 'which no Require takes back' ],
) {
    my ($status, $method, $path, $fields, $sentence) = @$row;
    my $body = $method =~ /^P/ ? '{}' : undef;
    is request($method, "/auth/$path", $body, %$fields), $status, "$path: $sentence";
}

# ---- a document is shown to those who may GET it ----

my $box = '/auth/letterbox';
PUT "$box/a", '{"secret":1}', %alice;
my $blind = PUT "$box/a", '{"mine":2}';
ok $blind->is_success, 'who may PUT and not GET may merge';
is $blind->body, '', 'and sees nothing of the result';
is $blind->etag, undef, 'nor a tag of what was not sent';
is GET("$box/a", %alice)->body, '{"secret":1,"mine":2}', 'which is there';
is PUT("$box/a", '{"more":3}', prefer => 'return=representation')->body, '', 'asking for it does not help';
is PUT("$box/a", '{"more":4}', %alice)->body, '{"secret":1,"mine":2,"more":4}', 'who may GET sees it';
my $late = PUT "$box/a", '{}', if_match => '"1"';
is $late, 412, 'a stale writer is refused';
unlike $late->body, qr/secret/, 'and shown nothing either';
is GET("$box/a"), 401, 'GET is for alice';

done_testing;
