package Bench::Rows;

# What is compared with what, and what the aim is. Rows are tables: a row names
# sides, a side names a server and a load. Knows no process and no clock.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(rows servers);

my $DURABLE_DOCUMENTS = 10000;

# ---- servers: kind, and what it is made with ----

sub servers {
    my ($script) = @_;
    return {
        condreq          => [Httpd => serves => 'condreq'],
        'condreq-debian' => [Httpd => serves => 'condreq', modules => 'debian'],
        'condreq-worker' => [Httpd => serves => 'condreq', mpm => 'worker'],
        'condreq-4'      => [Httpd => serves => 'condreq', processes => 4, threads => 32],
        empty            => [Httpd => serves => 'empty'],
        'empty-debian'   => [Httpd => serves => 'empty', modules => 'debian'],
        'empty-worker'   => [Httpd => serves => 'empty', mpm => 'worker'],
        'empty-hooks'    => [Httpd => serves => 'with-hooks'],
        files            => [Httpd => serves => 'files'],
        'files-debian'   => [Httpd => serves => 'files', modules => 'debian'],
        'files-worker'   => [Httpd => serves => 'files', mpm => 'worker'],
        dav              => [Httpd => serves => 'dav', documents => $DURABLE_DOCUMENTS],
        nginx            => [Nginx => documents => $DURABLE_DOCUMENTS],
        lighttpd         => [Lighttpd => documents => $DURABLE_DOCUMENTS],
        etcd             => [Etcd => ()],
        postgres         => [Postgres => ()],
        'fastify-sqlite' => [Fastify => over => 'sqlite', script => $script],
        'fastify-postgres' => [Fastify => over => 'postgres', script => $script],
    };
}

# ---- sides ----

# @param load  of http_load: its options; else the load's name and arguments
sub side {
    my ($name, $server, @load) = @_;
    return { name => $name, server => $server, load => \@load };
}

sub reads {
    my ($name, $server, $operation, @more) = @_;
    return side($name, $server, http => -o => $operation, -k => 1000, @more);
}

# Ours: documents that a PUT has put there, one path a purpose.
sub our_reads {
    my ($name, $server, $operation, $path) = @_;
    return reads($name, $server, $operation, -u => $path // '/documents/read/', -s => 'put');
}

sub file_reads {
    my ($name, $server, $operation, $path) = @_;
    return reads($name, $server, $operation, -u => $path // '/documents/', -x => '.json', -s => 'get');
}

# An empty handler's answer is a 304 whatever is asked.
sub empty_reads {
    my ($name, $server, $path) = @_;
    return reads($name, $server, 'get', -u => $path // '/documents/');
}

# Answered with 204, as all others answer a PUT.
sub our_writes {
    my ($name, $server, $path, @more) = @_;
    return side($name, $server, http => -o => 'put', -s => 'put', -k => $DURABLE_DOCUMENTS,
        -u => $path // '/documents/written/', -f => 'Prefer: return=minimal', @more);
}

sub plain_writes {
    my ($name, $server) = @_;
    return side($name, $server, http => -o => 'put-plain', -k => $DURABLE_DOCUMENTS,
        -u => '/documents/', -x => '.json');
}

sub store_side {
    my ($name, $which, @more) = @_;
    return side($name, undef, store => -S => $which, -k => $DURABLE_DOCUMENTS, @more);
}

my $OURS = 'mod_condreq';
my $LIBDB = 'libdb alone, no HTTP';
my $FLUSHES = "the disk's flushes, one by one";

sub sqlite_writes {
    return side('Fastify, better-sqlite3 (WAL, FULL)', 'fastify-sqlite',
        http => -o => 'put', -s => 'get', -k => $DURABLE_DOCUMENTS);
}

sub fastify_postgres_writes {
    return side('Fastify, PostgreSQL', 'fastify-postgres',
        http => -o => 'put', -s => 'get', -k => $DURABLE_DOCUMENTS);
}

sub etcd_writes {
    return side("etcd's gateway", 'etcd',
        http => -o => 'etcd', -u => '/v3/kv/txn', -s => 'etcd', -k => $DURABLE_DOCUMENTS);
}

sub postgres_writes {
    return side('PostgreSQL alone, no HTTP', 'postgres', postgres => $DURABLE_DOCUMENTS, 1024);
}

sub durable_sides {
    return (
        our_writes($OURS, 'condreq'),
        store_side($LIBDB, 'bare'),
        store_side('the store alone, no HTTP', 'bdb'),
        postgres_writes(),
        fastify_postgres_writes(),
        etcd_writes(),
        sqlite_writes(),
        { %{ side($FLUSHES, undef, 'flush') }, outcome => 'step' },
    );
}

# ---- rows ----

# measure: cpu (of the server, a request), rate (requests a second), p99 (of a
# request's time), more_cpu (the difference). A goal is about ours / beside.

my %AHEAD = map { $_ => ['>=', 1] } 'PostgreSQL alone, no HTTP', 'Fastify, PostgreSQL', "etcd's gateway",
    'Fastify, better-sqlite3 (WAL, FULL)';

sub revalidation {
    my ($id, $title, $suffix, @more) = @_;
    return {
        id => $id, title => "304 by ETag, $title", clients => 16, outcome => 'unmodified',
        measure => 'cpu', ours => $OURS,
        goals => {
            'httpd, a static file' => ['<=', 0.85],
            'httpd, an empty handler' => ['<=', 1.2],
        },
        sides => [
            our_reads($OURS, "condreq$suffix", 'revalidate'),
            file_reads('httpd, a static file', "files$suffix", 'revalidate'),
            empty_reads('httpd, an empty handler', "empty$suffix"),
            empty_reads('the same with the directory walk', "empty$suffix", '/walked/'),
            @more,
        ],
    };
}

sub whole {
    my ($id, $title, $suffix, @more) = @_;
    return {
        id => $id, title => "200 of 1 KiB, $title", clients => 16, outcome => 'document',
        measure => 'cpu', ours => $OURS,
        goals => {
            'httpd, a static file' => ['<=', 0.65],
            'httpd, a static file, EnableMMAP Off' => ['<=', 0.85],
        },
        sides => [
            our_reads($OURS, "condreq$suffix", 'get'),
            file_reads('httpd, a static file', "files$suffix", 'get'),
            file_reads('httpd, a static file, EnableMMAP Off', "files$suffix", 'get', '/unmapped/'),
            @more,
        ],
    };
}

sub durable {
    my ($clients, $goal, $goals, @sides) = @_;
    return {
        id => "put-$clients", title => 'durable PUT with If-Match, 1 KiB', clients => $clients,
        outcome => 'written', measure => 'rate', ours => $OURS,
        goals => { $LIBDB => ['>=', $goal], %$goals },
        sides => [@sides],
    };
}

sub read_rows {
    my $application = 'Fastify, better-sqlite3';
    return (
        revalidation('304', 'few modules', '',
            file_reads('nginx, a static file', 'nginx', 'revalidate'),
            file_reads('lighttpd, a static file', 'lighttpd', 'revalidate'),
            reads($application, 'fastify-sqlite', 'revalidate', -s => 'get')),
        revalidation('304-debian', "Debian's modules, access log", '-debian'),
        revalidation('304-worker', 'few modules, MPM worker', '-worker'),
        whole('200', 'few modules', '',
            file_reads('nginx, a static file', 'nginx', 'get'),
            file_reads('lighttpd, a static file', 'lighttpd', 'get'),
            reads($application, 'fastify-sqlite', 'get', -s => 'get')),
        whole('200-debian', "Debian's modules, access log", '-debian'),
        {
            id => 'hooks', title => "what mod_condreq adds to others' requests", clients => 16,
            outcome => 'unmodified', measure => 'more_cpu', ours => 'with mod_condreq elsewhere',
            turns => 4,
            goals => { 'httpd, an empty handler' => ['<=', 0.3] },
            sides => [
                empty_reads('with mod_condreq elsewhere', 'empty-hooks'),
                empty_reads('httpd, an empty handler', 'empty'),
            ],
        },
    );
}

sub write_rows {
    my @not_durable = (
        plain_writes('mod_dav_fs, no If-Match, not durable', 'dav'),
        plain_writes('nginx DAV, no If-Match, not durable', 'nginx'),
        plain_writes('lighttpd DAV, no If-Match, not durable', 'lighttpd'),
        store_side('the store in memory, no HTTP, not durable', 'mem'),
    );
    return (
        durable(1, 0.55, \%AHEAD, durable_sides()),
        durable(8, 0.65, \%AHEAD, durable_sides()),
        durable(32, 0.52, {
            'Fastify, PostgreSQL' => ['>=', 3],
            "etcd's gateway" => ['>=', 4],
            'Fastify, better-sqlite3 (WAL, FULL)' => ['>=', 5],
            'mod_dav_fs, no If-Match, not durable' => ['>=', 5],
        }, durable_sides(), @not_durable),
        durable(64, 0.48, {}, our_writes($OURS, 'condreq'), store_side($LIBDB, 'bare'),
            store_side('the store alone, no HTTP', 'bdb')),
    );
}

sub contention_rows {
    my $paced = { name => 'nobody writes', server => 'condreq', clients => 4,
        load => [http => -o => 'get', -k => 1000, -u => '/documents/read/', -s => 'put', -w => 2000] };
    return (
        {
            id => 'processes', title => 'durable PUT, four processes beside one', clients => 32,
            outcome => 'written', measure => 'rate', ours => 'four processes',
            goals => { 'one process' => ['>=', 0.95] },
            sides => [our_writes('four processes', 'condreq-4'), our_writes('one process', 'condreq')],
        },
        {
            id => 'reads-while-writing', title => 'GET, 4 clients at 500 a second each', clients => 4,
            outcome => 'document', measure => 'p99', ours => 'while 8 clients write durably',
            goals => { 'nobody writes' => ['<=', 2] },
            sides => [
                { %$paced, name => 'while 8 clients write durably',
                    beside => our_writes('writers', 'condreq'), beside_clients => 8 },
                $paced,
            ],
        },
        {
            id => 'hot', title => 'one document, 32 writers who try again', clients => 32,
            outcome => 'written', may_be_refused => 1, measure => 'rate', ours => $OURS,
            goals => { 'libdb alone, one thread' => ['>=', 1] },
            sides => [
                our_writes($OURS, 'condreq', '/documents/hot/', -c => 'hot', -k => 1),
                { %{ store_side('libdb alone, one thread', 'bare') }, clients => 1 },
            ],
        },
        {
            id => 'neighbours', title => 'durable PUT, neighbouring keys', clients => 64,
            outcome => 'written', measure => 'rate', ours => 'neighbouring keys',
            goals => { 'spread keys' => ['>=', 0.9] },
            sides => [
                our_writes('neighbouring keys', 'condreq', '/documents/close/', -c => 'neighbours', -k => 256),
                our_writes('spread keys', 'condreq'),
            ],
        },
        {
            id => 'post', title => 'durable POST beside PUT', clients => 32,
            outcome => 'written', measure => 'rate', ours => 'POST', goals => {},
            sides => [
                side('POST', 'condreq', http => -o => 'post', -u => '/documents/posted/',
                    -f => 'Prefer: return=minimal'),
                our_writes('PUT', 'condreq'),
            ],
        },
        {
            id => 'content', title => 'JSON check and SHA-256 of 1 KiB', clients => 1,
            outcome => 'step', measure => 'cpu', ours => $OURS, goals => {}, limit_us => 5,
            sides => [side($OURS, undef, 'content')],
        },
    );
}

sub rows { return (read_rows(), write_rows(), contention_rows()) }

1;
