package Bench::Server::Postgres;

# A PostgreSQL as it comes, durable: a commit returns when its log is flushed.

use strict;
use warnings;

use parent 'Bench::Server';

sub _bin {
    my ($self) = @_;
    return (sort glob '/usr/lib/postgresql/*/bin/postgres')[-1] =~ s{/postgres$}{}r;
}

sub missing_server {
    my @found = glob '/usr/lib/postgresql/*/bin/postgres';
    return @found ? () : ('PostgreSQL', 'postgresql');
}

sub missing {
    my ($self) = @_;
    my @missing = $self->missing_server;

    return @missing if @missing;
    return ('the load for PostgreSQL, built where libpq is', 'libpq-dev')
        unless -x $self->place->built('pg_load');
    return;
}

sub start {
    my ($self) = @_;
    my $place = $self->place;
    my $directory = $self->directory;
    my $log = $place->root . "/$self->{name}-initdb.log";

    $place->give_to('postgres', $directory);
    my $initdb = Bench::Process->start(
        command => [$self->_bin . '/initdb', '-D', "$directory/db", '-A', 'trust', '-U', 'bench',
            '-E', 'UTF8', '--locale=C'],
        core => $place->client_core, log => $log, user => 'postgres',
    );
    $initdb->wait_for_end(120);
    $self->_run(
        user    => 'postgres',
        command => [$self->_bin . '/postgres', '-D', "$directory/db", '-p', $self->{port},
            '-k', $directory, '-h', '127.0.0.1', '-c', 'max_connections=200',
            '-c', 'synchronous_commit=on', '-c', 'fsync=on'],
    );
    # It listens before it lets anyone in.
    my $ready = join ' ', $self->_bin . '/pg_isready', '-q', '-h', '127.0.0.1', '-p', $self->{port};
    $self->{process}->wait_until('it was ready', sub { system($ready) == 0 });
    return;
}

sub stop_signal { 'INT' }

sub address { my ($self) = @_; return "host=127.0.0.1 port=$self->{port} user=bench dbname=postgres" }

1;
