# Which spellings of a path are one document, and which virtual hosts share one.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use Test::More;

use Apache::TestConditional ':all';

my $hosts = 'http://127.0.0.1:' . Apache::Test::vars('hosts_port');
my $slow  = 'http://127.0.0.1:' . Apache::Test::vars('slow_port');

# The request target as it is written, which a client library might tidy up.
sub ask {
    my ($method, $target, $body, %option) = @_;
    my $wire = wire $option{at};
    my @fields = map { "Host: $_" } grep { defined } $option{host};

    push @fields, 'Content-Type: application/json', 'Content-Length: ' . length $body if defined $body;
    $wire->send_head("$method $target HTTP/1.1", 'Connection: close', @fields);
    return $wire->send($body // '')->answer // 'nothing';
}

sub at { my ($host) = @_; return (at => $hosts, host => $host) }

# ---- one document ----

my $port = Apache::Test::vars('port');
for my $place ('/keys', '/keys-walked') {
    resource "$place/one/Aa", '{"n":1}';
    my ($first) = $place =~ m{^/(.)};
    for my $target (
        "$place/one/Aa", "$place/one/%41a", "$place/one/A%61", "$place/%6fne/Aa", "$place/%6Fne/Aa",
        sprintf('/%%%02x%s/one/Aa', ord $first, substr $place, 2),
        "$place/./one/Aa", "$place/one/./Aa", "$place/x/../one/Aa", "$place/x/y/../../one/Aa", "/x/..$place/one/Aa",
        "$place/%00/../one/Aa", "$place/x/%2e%2e/one/Aa", "$place/%2E/one/Aa", "$place/.%2e$place/one/Aa",
        "/$place/one/Aa", "$place//one/Aa", "$place/one//Aa", "//$place///one////Aa",
        "$place/one/Aa?", "$place/one/Aa?x=1", "$place/one/Aa?/../b",
        "http://127.0.0.1:$port$place/one/Aa",
    ) {
        my $answer = ask GET => $target;
        is $answer && ref $answer && $answer->body, '{"n":1}', "$target is that document";
    }

    # ---- another document ----

    my @others = (
        "$place/one/aa", "$place/one/Aa.", "$place/one/Aaa", "$place/one/A", "$place/one/Aa%20", "$place/one/%20Aa",
        "$place/one/Aa;v=1", "$place/one/Aa%3F", "$place/one/Aa%3Fx=1", "$place/one/Aa%23", "$place/one/%2541a",
        "$place/one/%252541a", "$place/one/Aa%0A", "$place/one/A%C3%A9", "$place/one/Ae%CC%81", "$place/one/A%E9",
        "$place/one/Aa%5C", "$place/one/Aa%22", "$place/one/...", "$place/One/Aa", "$place/one/%E2%88%9E",
        "$place/one/Aa/b", "$place/one/%FF%FE", "$place/one/Aa%25", "$place/one/%252F", "$place/one/%25252F",
    );
    for my $index (0 .. $#others) {
        is ask(PUT => $others[$index], qq({"other":$index})), 201, "$others[$index] is another document";
    }
    for my $index (0 .. $#others) {
        my $answer = ask GET => $others[$index];
        is ref $answer && $answer->body, qq({"other":$index}), "$others[$index] is still itself";
    }
    is ask(GET => "$place/one/Aa")->etag, '"1"', "$place/one/Aa is what it was";

    # ---- no document at all ----

    for my $row (
        [ qr/^40[04]$/, "$place/one/Aa%00",    'NUL at the end' ],
        [ qr/^40[04]$/, "$place/one/Aa%00b",   'NUL inside' ],
        [ qr/^400$/,    "$place/one/%zz",      'no hexadecimal digits' ],
        [ qr/^400$/,    "$place/one/Aa%4",     'too few of them' ],
        [ qr/^400$/,    "$place/one/Aa%",      'none' ],
        [ qr/^400$/,    "$place/../../Aa",     'above the root' ],
        [ qr/^404$/,    "$place%2Fone/Aa",     'a slash that AllowEncodedSlashes does not allow' ],
        [ qr/^404$/,    "$place/one%2fAa",     'wherever it be' ],
        [ qr/^40[04]$/, substr("$place/one/Aa", 1), 'no slash at the beginning' ],
    ) {
        my ($status, $target, $sentence) = @$row;
        like ask(GET => $target), $status, "$target: $sentence";
        like ask(PUT => $target, '{"bad":1}'), $status eq qr/^404$/ ? qr/^40[45]$/ : qr/^40[045]$/, "$target: $sentence, to PUT";
    }
    is ask(PUT => "$place/../outside", '{}'), 405, 'a path that leaves the Location is not in it';
    is ask(PUT => "${place}x/a", '{}'), 405, 'nor is one that begins alike';
    is ask(GET => "$place/one/Aa")->etag, '"1"', "$place/one/Aa is what it was, still";

    # ---- the path in Location and Content-Location ----

    for my $row (
        [ 'a%20b',        'a%20b' ],
        [ '%c3%a9',       '%C3%A9' ],
        [ '%41%7E%2D',    'A~-' ],
        [ 'a;b=c,d@e:f',  'a;b=c,d@e:f' ],
        [ "it's(1)!*",    "it's(1)!*" ],
        [ '%22%3C%3E',    '%22%3C%3E' ],
        [ '100%25',       '100%25' ],
        [ '%252f',        '%252f' ],
        [ '%3F%23',       '%3F%23' ],
        [ '%FF',          '%FF' ],
        [ '%0D%0ASet-Cookie:%20a', '%0D%0ASet-Cookie:%20a' ],
        [ './a/../b',     'b' ],
    ) {
        my ($sent, $said) = @$row;
        my $put = ask PUT => "$place/said/$sent", '{"said":1}';

        is $put, 201, "$place/said/$sent is made";
        is $put->header('Location'), "$place/said/$said", "as $place/said/$said";
        is $put->header('Content-Location'), "$place/said/$said", 'which it is shown under, too';
        is $put->header('Set-Cookie'), undef, 'and no more is said';
        is ask(GET => $put->header('Location'))->body, '{"said":1}', 'there it is';
    }

    # ---- how long a path may be ----

    my $room = 1024 - length "$place/";
    for my $row (
        [ 201, 'x' x $room,                 '1024 bytes in one segment' ],
        [ 414, 'x' x ($room + 1),           'one more' ],
        [ 414, 'x' x 6000,                  'many more' ],
        [ 201, 'x' x 255,                   'as long as a file\'s name may be' ],
        [ 201, 'x' x 256,                   'longer than a file\'s name may be' ],
        [ 201, join('/', ('y' x 100) x 9),  'in many segments' ],
        [ 201, 'y/' x 400 . 'y',            'in very many' ],
        [ 201, '%41' x $room,               '1024 bytes that were encoded' ],
        [ 414, '%C3%A9' x ($room / 2 + 1),  'characters count as bytes' ],
    ) {
        my ($status, $path, $sentence) = @$row;
        my $put = ask PUT => "$place/$path", '{}';

        is $put, $status, "$place: $sentence";
        is ask(GET => "$place/$path"), $status == 201 ? 200 : $status, "$place: $sentence, to GET";
        is $put->header('Content-Type'), 'application/problem+json', "$place: $sentence, as a problem document"
            if $status != 201;
        is ask(DELETE => "$place/$path"), $status == 201 ? 204 : $status, "$place: $sentence, to DELETE";
    }
    is ask(POST => "$place/" . 'z' x 900 . '/', '{}'), 201, "$place: a long collection";
    is ask(POST => "$place/" . 'z' x 1010 . '/', '{}'), 414, "$place: one without room for a name below it";
    is ask(GET => '/' . 'x' x 9000), 414, 'a line that httpd itself finds too long';
}

# ---- ids ----

for my $row (
    [ 'abc', 'abc' ], [ '7', '7' ], [ '%C3%A9', "\x{e9}" ], [ 'a%20b', 'a b' ], [ 'a%22b', 'a"b' ],
    [ 'a%5Cb', 'a\\b' ], [ 'a%09b', "a\tb" ], [ '100%25', '100%' ], [ '%252F', '%2F' ],
) {
    my ($path, $id) = @$row;
    is PUT("/keys-members/$path", '{}')->json->{id}, $id, "/keys-members/$path: its id is the path's last segment";
}
my $put = PUT '/keys-members/%FF', '{}';
ok $put == 400 || $put == 404 || defined $put->json, 'an id that is no UTF-8 makes no bad JSON';

# ---- own paths ----

make_path Apache::Test::vars('documentroot') . '/keys-directory';
for my $place (qw(/keys/own /keys-walked/own)) {
    is GET($place), 404, "$place is a document below an own path";
}
for my $place (qw(/keys /keys-walked /keys-directory /keys-alias)) {
    my @made = map { POST $_, '{}' } $place, "$place/", "$place/.", "$place?x", "/$place", "$place/x/..";
    is_deeply [map { scalar $_->header('Location') } @made], [map { "$place/$_" } 1 .. 6],
        "$place is a collection, with and without slash, in every spelling, and with one sequence";
    for my $own ($place, "$place/") {
        my $listed = GET $own;
        is_deeply [map { $_->{href} } grep { $_->{name} =~ /^[1-6]$/ } @{ $listed->json->{members} }],
            [map { "$place/$_" } 1 .. 6], "$own: GET";
        is PUT($own, '{}'), 405, "$own: PUT";
        is DELETE($own, if_match => '"0"'), 412, "$own: DELETE";
        is OPTIONS($own)->header('Allow'), 'GET, HEAD, POST, DELETE, OPTIONS', "$own: OPTIONS";
    }
}
is POST('/keys-slash/', '{}')->header('Location'), '/keys-slash/1', 'a Location with a slash at its end';
is POST('/keys-slash', '{}')->header('Content-Type') =~ s/;.*//r, 'text/html', 'does not reach the path without';
for my $who (qw(ann bob)) {
    my $own = "/keys-wild/$who/notes";
    is POST($own, '{}')->header('Location'), "$own/1", "$own: each path that a wildcard matches is a collection";
    is POST("$own/", '{}')->header('Location'), "$own/2", "$own: with its slash, too";
    is GET("$own/1"), 200, "$own: in which there are documents";
}
is PUT('/keys-star/a', '{}'), 201, 'a wildcard may stand for the documents, too: <Location "/keys-star/*">';
is GET('/keys-star/a'), 200, 'which are served';

# ---- a slash that was sent encoded ----

for my $row (
    # host, what is sent, what is said of it
    [ 'keys-decode.test',   '/keys/a/b',       '/keys/a/b' ],
    [ 'keys-decode.test',   '/keys/c%2Fd',     '/keys/c/d' ],
    [ 'keys-decode.test',   '/keys%2Fe',       '/keys/e' ],
    [ 'keys-decode.test',   '/keys/a%252Fb',   '/keys/a%252Fb' ],
    [ 'keys-decode.test',   '/keys/a%25252Fb', '/keys/a%25252Fb' ],
    [ 'keys-decode.test',   '/keys/x%2F..%2Ff', '/keys/f' ],
    [ 'keys-nodecode.test', '/keys/a/b',       '/keys/a/b' ],
    [ 'keys-nodecode.test', '/keys/a%2Fb',     '/keys/a%2Fb' ],
    [ 'keys-nodecode.test', '/keys/a%252Fb',   '/keys/a%252Fb' ],
    [ 'keys-nodecode.test', '/keys/a%252fb',   '/keys/a%252fb' ],
    [ 'keys-nodecode.test', '/keys/a%25252Fb', '/keys/a%25252Fb' ],
    [ 'keys-nodecode.test', '/keys/a%2F',      '/keys/a%2F' ],
    [ 'keys-nodecode.test', '/keys/a%2F%41%20%25', '/keys/a%2FA%20%25' ],
    [ 'keys-nodecode.test', '/keys/x/../a%2F%2Fb', '/keys/a%2F%2Fb' ],
) {
    my ($host, $sent, $said) = @$row;
    my $made = ask PUT => $sent, qq({"sent":"$sent"}), at $host;
    is $made, 201, "$host: $sent is a document of its own";
    is $made && $made->header('Location'), $said, "$host: under $said";
    is ask(GET => $said, undef, at $host)->body, qq({"sent":"$sent"}), "$host: there it is";
    is ask(GET => $sent, undef, at $host)->body, qq({"sent":"$sent"}), "$host: and where it was sent to";
}
is ask(GET => '/keys/a%2fb', undef, at 'keys-nodecode.test')->body, '{"sent":"/keys/a%2Fb"}', 'NoDecode: %2f is %2F';
is ask(GET => '/keys/a%2Fb?x', undef, at 'keys-nodecode.test')->body, '{"sent":"/keys/a%2Fb"}', 'NoDecode: before a query';
is ask(GET => "$hosts/keys/a%2Fb", undef, at 'keys-nodecode.test') =~ /^(?:200|404)$/, 1, 'NoDecode: in a whole URL';
is ask(PUT => '/keys%2Fz', '{}', at 'keys-nodecode.test'), 405, 'NoDecode: what is not below /keys is not in it';
is ask(PUT => '/keys/a%2F..%2Fb', '{"n":1}', at 'keys-nodecode.test'), 201, 'NoDecode: dots between are no segment';
is ask(GET => '/keys/b', undef, at 'keys-nodecode.test'), 404, 'NoDecode: and lead nowhere else';
is ask(POST => '/keys/a%2F/', '{}', at 'keys-nodecode.test')->header('Location'), '/keys/a%2F/1', 'NoDecode: a collection';

# ---- slashes that are not merged ----

# httpd itself takes several at the beginning for one.
my @unmerged = ('/keys/a', '/keys//a', '/keys///a', '/keys/a//b', '/keys//a//b');
is ask(PUT => $_, qq({"sent":"$_"}), at 'keys-unmerged.test'), 201, "MergeSlashes Off: $_ is a document of its own"
    for @unmerged;
for my $target (@unmerged) {
    my $got = ask GET => $target, undef, at 'keys-unmerged.test';
    is $got->body, qq({"sent":"$target"}), "MergeSlashes Off: $target is itself";
    my $put = ask PUT => $target, qq({"sent":"$target"}), at 'keys-unmerged.test';
    my $said = $put->header('Content-Location');
    is ask(GET => $said, undef, at 'keys-unmerged.test')->body, qq({"sent":"$target"}), "MergeSlashes Off: $said leads to $target";
}

# ---- who shares ----

resource "$hosts/keys/host", '{"host":"a"}', host => 'keys-a.test';
for my $row (
    # at, Host, status, sentence
    [ $hosts, 'keys-a.test',     200, 'a virtual host has its documents' ],
    [ $hosts, 'KEYS-A.Test',     200, 'in any case' ],
    [ $hosts, 'keys-a.test:80',  200, 'with any port' ],
    [ $hosts, 'keys-a.test.',    200, 'with the dot of a full name' ],
    [ $hosts, 'www.keys-a.test', 200, 'under its other names, too' ],
    [ $hosts, 'keys-b.test',     404, 'another has not' ],
    [ $hosts, 'apart.test',      404, 'nor one with a store of its own' ],
    [ $hosts, 'shared.test',     404, 'nor a third' ],
    [ undef,  'keys-a.test',     404, 'nor the main server' ],
) {
    my ($at, $host, $status, $sentence) = @$row;
    is ask(GET => '/keys/host', undef, at => $at, host => $host), $status, "$host: $sentence";
}
is ask(PUT => '/keys/host', '{"host":"b"}', at 'keys-b.test'), 201, 'another host may have a document of that name';
is ask(DELETE => '/keys/host', undef, at 'keys-b.test'), 204, 'and delete it';
is ask(GET => '/keys/host', undef, at 'keys-a.test')->body, '{"host":"a"}', 'which takes nothing from the first';
is ask(POST => '/keys/ids/', '{}', at $_)->header('Location'), '/keys/ids/1', "$_: a sequence of its own"
    for qw(keys-a.test keys-b.test);

resource "$hosts/keys/http", '{"by":"http"}', host => 'shared.test';
is ask(GET => '/keys/http', undef, at => $slow, host => 'shared.test')->body, '{"by":"http"}',
    'one ServerName on two ports is one site';
is ask(PUT => '/keys/http', '{}', at => $slow, host => 'shared.test')->etag, '"2"', 'which is written to by either';

# mod_vhost_alias: each name has a document root of its own.
for my $name (qw(one two)) {
    is ask(PUT => '/keys/alias', qq({"name":"$name"}), at "$name.alias.test"), 201, "$name.alias.test has its documents";
}
for my $row (
    [ 'one.alias.test',      '{"name":"one"}', 'and keeps them' ],
    [ 'two.alias.test',      '{"name":"two"}', 'likewise' ],
    [ 'ONE.Alias.test',      '{"name":"one"}', 'in any case' ],
    [ 'one.alias.test:8080', '{"name":"one"}', 'with any port' ],
    [ 'one.alias.test.',     '{"name":"one"}', 'with the dot of a full name' ],
) {
    my ($host, $body, $sentence) = @$row;
    is ask(GET => '/keys/alias', undef, at $host)->body, $body, "$host: $sentence";
    is ask(GET => '/keys-walked/alias', undef, at $host), 404, "$host: elsewhere nothing is";
}
is ask(GET => '/keys/alias', undef, at 'three.alias.test'), 404, 'a third name has nothing';
is ask(PUT => '/keys-walked/alias', '{"name":"one"}', at 'one.alias.test'), 201, 'with the directory walk, too';
is ask(GET => '/keys-walked/alias', undef, at 'two.alias.test'), 404, 'each has its own';
is ask(POST => '/keys/x/', '{}', at 'one.alias.test')->header('Location'), '/keys/x/1', 'and its sequences';

done_testing;
