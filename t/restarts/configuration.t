# Changed configurations, by graceful and hard restarts and across a stop:
# options of a store, a store more, a store less, and one that another httpd
# may have then. No document is lost by any of it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../guards";
use RestartedHttpd;
use Test::More;
use Writers;

my $mpm = RestartedHttpd::mpm();
my $served = $RestartedHttpd::SERVED;

sub hosts {
    my (@lines) = @_;
    return join '', map { "<VirtualHost *:*>\nServerName $_->[0]\n$_->[1]\n$served</VirtualHost>\n" } @lines;
}

sub put_to {
    my ($httpd, $host, $path, $content) = @_;
    my $socket = $httpd->connect or return 0;

    print $socket join("\r\n", "PUT $path HTTP/1.1", "Host: $host", 'Content-Type: application/json',
        'Content-Length: ' . length $content, 'Connection: close', '', $content);
    return (<$socket> // '') =~ m{^HTTP/1.1 (\d+)} ? $1 : 0;
}

sub get_from {
    my ($httpd, $host, $path) = @_;
    my $socket = $httpd->connect or return '';

    print $socket join("\r\n", "GET $path HTTP/1.1", "Host: $host", 'Connection: close', '', '');
    local $/;
    return (<$socket> // '') =~ /\r\n\r\n(.*)/s ? $1 : '';
}

# ---- options of one store ----

my $httpd = RestartedHttpd->new(lines => "CondReqStore bdb:DIRECTORY/store cache=1M\n$served");
ok $httpd->start, "$mpm: an httpd starts";
is $httpd->put('/docs/first', '{"number":1}'), 201, 'a document is stored';

for my $row (
    ['USR1', 'cache=4M'],
    ['USR1', 'cache=4M durability=write_nosync'],
    ['HUP',  'cache=2M durability=sync'],
    ['HUP',  'durability=write_nosync'],
    ['stop', 'cache=1M'],
    ['stop', 'cache=128M durability=write_nosync'],
    ['USR1', ''],
) {
    my ($how, $options) = @$row;
    my $clients = $how eq 'stop' ? undef : Writers->start($httpd, paths => ["/docs/$how"]);

    !$clients or ok $clients->go_on, 'clients write';
    $httpd->configure(lines => "CondReqStore bdb:DIRECTORY/store $options\n$served");
    ok $how eq 'stop' ? $httpd->stop && $httpd->start : $httpd->restart($how), "$how: CondReqStore with '$options'";
    $clients //= Writers->start($httpd, paths => ["/docs/$how"]);
    ok $clients->go_on, 'clients go on';
    $clients->end;
    my $failures = $clients->failures;
    delete @$failures{qw(599 412)} if $how eq 'HUP';
    is_deeply $failures, {}, 'no request failed';
    is_deeply [$clients->lost], [], 'and nothing is lost';
    is $httpd->get('/docs/first'), '{"number":1}', 'the first document is there';
}
unlike $httpd->log, qr/CR1[12]0[13]/, 'nothing was wrong with the store';
undef $httpd;

# ---- a store more, a store less ----

my $one = hosts(['a.test', 'CondReqStore bdb:DIRECTORY/a cache=1M']);
my $two = hosts(['a.test', 'CondReqStore bdb:DIRECTORY/a cache=1M'], ['b.test', 'CondReqStore bdb:DIRECTORY/b cache=1M']);
my $b = hosts(['b.test', 'CondReqStore bdb:DIRECTORY/b cache=1M']);

for my $signal (qw(USR1 HUP)) {
    my $several = RestartedHttpd->new(lines => $one);
    my $directory = $several->{directory};

    ok $several->start, "$signal: an httpd with one store";
    is put_to($several, 'a.test', '/docs/a', '{"a":1}'), 201, 'has a document';
    $several->configure(lines => $two);
    ok $several->restart($signal), 'it restarts with a second store';
    is put_to($several, 'b.test', '/docs/b', '{"b":1}'), 201, 'which is written';
    is get_from($several, 'a.test', '/docs/a'), '{"a":1}', 'the first is as it was';
    ok RestartedHttpd::until_true(sub { $several->keepers == 4 }), 'each has its keepers';

    $several->configure(lines => $b);
    ok $several->restart($signal), 'it restarts without the first';
    is get_from($several, 'b.test', '/docs/b'), '{"b":1}', 'the second is as it was';
    ok RestartedHttpd::until_true(sub { $several->keepers == 2 }), 'the first has no keepers any more';

    my $other = RestartedHttpd->new(lines => hosts(['a.test', "CondReqStore bdb:$directory/a cache=1M"]));
    ok RestartedHttpd::until_true(sub { $other->start }, 12), 'another httpd may have it now';
    is get_from($other, 'a.test', '/docs/a'), '{"a":1}', 'with what is in it';
    is put_to($other, 'a.test', '/docs/a', '{"a":2}'), 200, 'and writes it';
    ok $other->stop, 'until it ends';

    $several->configure(lines => $two);
    ok $several->restart($signal), 'the first httpd takes it back';
    is get_from($several, 'a.test', '/docs/a'), '{"a":2}', 'as the other left it';
    is put_to($several, 'a.test', '/docs/a', '{"a":3}'), 200, 'and writes it';
    is get_from($several, 'b.test', '/docs/b'), '{"b":1}', 'and its own is as it was';
    ok $several->stop, 'it ends';
}

# ---- a store that moves, and a configuration that is wrong ----

my $moved = RestartedHttpd->new(lines => "CondReqStore bdb:DIRECTORY/here cache=1M\n$served");
ok $moved->start, 'an httpd';
is $moved->put('/docs/here', '{}'), 201, 'with a document';
$moved->configure(lines => "CondReqStore bdb:DIRECTORY/there cache=1M\n$served");
ok $moved->restart('USR1'), 'is given another store';
is $moved->put('/docs/there', '{}'), 201, 'which is written';
is $moved->ask('GET', '/docs/here')->{status}, 404, 'and is another';
$moved->configure(lines => "CondReqStore bdb:DIRECTORY/here cache=1M\n$served");
ok $moved->restart('USR1'), 'and the first one again';
is $moved->get('/docs/here'), '{}', 'which is as it was';
$moved->configure(lines => "CondReqStore bdb:DIRECTORY/here cache=nonsense\n$served");
kill USR1 => $moved->{pid};
ok RestartedHttpd::until_true(sub { $moved->says('AH00526|cache=') }), 'nonsense is refused';
ok RestartedHttpd::until_true(sub { $moved->has_ended || $moved->ask('GET', '/docs/here')->{status} == 200 }),
    'and httpd ends, or goes on as it was';
$moved->has_ended and ok RestartedHttpd::until_true(sub { !$moved->processes_left }, 15), 'nobody is left of it';
$moved->configure(lines => "CondReqStore bdb:DIRECTORY/here cache=1M\n$served");
$moved->has_ended and ok $moved->start, 'put right it starts';
is $moved->get('/docs/here'), '{}', 'and everything is there';

done_testing;
