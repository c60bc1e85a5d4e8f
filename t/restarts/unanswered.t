# A write of which nobody can say in time whether it is there: the store is lost
# while it commits, and not brought back within ten seconds. It is not answered,
# the log says so, and it is there whole or not at all. Over HTTP/2 its stream
# ends so, and no other.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards", "$FindBin::Bin/../../perl";
use Apache::TestConditional::H2 'endings_of_streams';
use IO::Select;
use RestartedHttpd;
use Test::More;
use Time::HiRes qw(sleep time);

my $mpm = RestartedHttpd::mpm();
my ($CONDEMN, $PANIC) = (1, 2);
my ($WAITS_S, $MARGIN_S) = (10, 4);

# An httpd whose store's next commit has an accident, and nobody to look after
# it. It has a document.
sub start_unlucky {
    my ($action, %given) = @_;
    my $httpd = RestartedHttpd->new(module => OneHttpd::module_with_faults(), %given);
    my $board = "$httpd->{directory}/board";
    my $write = sub {
        my ($armed) = @_;
        OneHttpd::write_file($board, pack 'l4 q a48 a256', $armed, $action, 0, 0, 0, 'before commit',
            "$httpd->{directory}/store");
        chmod 0666, $board;
    };

    $write->(0);
    local $ENV{CONDREQ_FAULT_BOARD} = $board;
    ok $httpd->start, "$mpm: an httpd starts" or die $httpd->log;
    is $httpd->put('/docs/a', '{"n":1}'), 201, 'a document is stored';
    OneHttpd::write_file("$httpd->{directory}/htdocs/plain.txt", 'plain');
    ok RestartedHttpd::until_true(sub { $httpd->keepers == 2 }), 'its keepers stand still';
    kill STOP => $httpd->keepers, $httpd->named('condreq-house');
    $httpd->{arm} = sub { $write->(1) };
    return $httpd;
}

# @return the socket
sub ask {
    my ($httpd, $method, $path, $content, @fields) = @_;
    my $socket = $httpd->connect or die "no connection\n";

    $socket->autoflush(1);
    print $socket join("\r\n", "$method $path HTTP/1.1", 'Host: localhost', @fields,
        defined $content ? ('Content-Type: application/json', 'Content-Length: ' . length $content) : (),
        '', $content // '');
    return $socket;
}

sub all_that_comes {
    my ($socket) = @_;
    my $bytes = '';

    while (IO::Select->new($socket)->can_read($WAITS_S + $MARGIN_S)) {
        sysread($socket, $bytes, 65536, length $bytes) or return $bytes;
    }
    return "$bytes, and no end";
}

# What may be there: as it was before, and as the write makes it.
my @rows = (
    ['an update that was committed',  $CONDEMN, ['PUT', '/docs/a', '{"n":2}', 'If-Match: "1"'], [200, '{"n":2}', '"2"']],
    ['an update that was not',        $PANIC,   ['PUT', '/docs/a', '{"n":2}', 'If-Match: "1"'], [200, '{"n":1}', '"1"']],
    ['a new document, committed',     $CONDEMN, ['PUT', '/docs/b', '{"n":2}'],                  [200, '{"n":2}', '"1"']],
    ['a new document, not committed', $PANIC,   ['PUT', '/docs/b', '{"n":2}'],                  [404]],
    ['a deletion, committed',         $CONDEMN, ['DELETE', '/docs/a', undef],                   [404]],
    ['a deletion, not committed',     $PANIC,   ['DELETE', '/docs/a', undef],                   [200, '{"n":1}', '"1"']],
    ['a document in a collection',    $CONDEMN, ['POST', '/docs/', '{"n":2}'],                  [200, '{"n":2}', '"1"'], '/docs/1'],
);

# All at once, since each takes its ten seconds.
my @waiting = map {
    my ($name, $action, $request) = @$_;
    my $httpd = start_unlucky($action);

    $httpd->{arm}->();
    { httpd => $httpd, began => time, socket => ask($httpd, @$request) };
} @rows;

for my $i (0 .. $#rows) {
    my ($name, undef, $request, $expected, $path) = @{ $rows[$i] };
    my ($httpd, $socket) = @{ $waiting[$i] }{qw(httpd socket)};

    is all_that_comes($socket), '', "$name: the connection is closed without an answer";
    cmp_ok time - $waiting[$i]{began}, '<', $WAITS_S + $MARGIN_S + 2, 'within the time that a request waits';
    is $httpd->says('CR2102: \S+.* localhost/docs/\S*: .*the client gets no answer'), 1, 'the log says so, once';
    kill CONT => $httpd->keepers, $httpd->named('condreq-house');
    ok RestartedHttpd::until_true(sub { $httpd->ask('GET', '/docs/other')->{status} == 404 }), 'the store comes back';
    my $answer = $httpd->ask('GET', $path // $request->[1]);
    is $answer->{status}, $expected->[0], 'what is there is whole';
    is $answer->{content}, $expected->[1], 'in its content' if $expected->[1];
    is $answer->{headers}{etag}, $expected->[2], 'and its tag' if $expected->[2];
    like $httpd->put('/docs/a', '{"n":3}'), qr/^20[01]$/, 'and writers go on';
    ok $httpd->stop, 'httpd ends';
}

# ---- HTTP/2, which prefork does not have ----

if ($mpm ne 'prefork') {
    my $httpd = start_unlucky($CONDEMN,
        modules => ['http2'], lines => "Protocols h2c http/1.1\nCondReqStore bdb:DIRECTORY/store cache=1M\n$RestartedHttpd::SERVED");

    $httpd->{arm}->();
    my @endings = endings_of_streams('127.0.0.1', $httpd->{port},
        ['PUT', '/docs/a', '{"n":2}', ['content-type', 'application/json'], ['content-length', 7]],
        ['GET', '/plain.txt', undef],
        ['PUT', '/docs/a', '{"n":2', ['content-type', 'application/json'], ['content-length', 6]],
        ['GET', '/plain.txt', undef]);
    is $endings[0], 'reset', 'HTTP/2: the stream is reset';
    is_deeply [@endings[1, 3]], [200, 200], 'others of the connection are answered';
    like $endings[2], qr/^(?:400|503)$/, 'another write, too';
    is $httpd->says('CR2102'), 1, 'the log says so';
    kill CONT => $httpd->keepers, $httpd->named('condreq-house');
    ok RestartedHttpd::until_true(sub { $httpd->get('/docs/a') eq '{"n":2}' }), 'and what was written is there';
    ok $httpd->stop, 'httpd ends';
}

done_testing;
