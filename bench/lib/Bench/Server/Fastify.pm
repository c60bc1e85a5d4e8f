package Bench::Server::Fastify;

# What one would write instead: an application in Node.js over Fastify, with
# SQLite in the process or PostgreSQL beside it.

use strict;
use warnings;

use parent 'Bench::Server';

use Bench::Server::Postgres;

# @param over   sqlite or postgres
# @param script fastify.js
sub new {
    my ($class, %given) = @_;
    my $self = $class->SUPER::new(documents => 10000, bytes => 1024, %given);

    $self->{modules} = $self->place->built('node_modules');
    $self->{postgres} = Bench::Server::Postgres->new(%given, name => "$self->{name}-db")
        if $self->{over} eq 'postgres';
    return $self;
}

sub missing {
    my ($self) = @_;
    my $module = $self->{over} eq 'sqlite' ? 'better-sqlite3' : 'pg';

    return ('Node.js', 'nodejs') unless $self->_found('/usr/bin/node', '/usr/local/bin/node');
    for my $needed ('fastify', $module) {
        return ("$needed of npm", "'make -f Makefile.apxs bench-peers'") unless -d "$self->{modules}/$needed";
    }
    return $self->{postgres} ? $self->{postgres}->missing_server : ();
}

sub start {
    my ($self) = @_;
    my $database = $self->directory . '/documents.sqlite';

    if ($self->{postgres}) {
        $self->{postgres}->start;
        $database = "postgres://bench\@127.0.0.1:$self->{postgres}{port}/postgres";
    }
    $self->_run(
        command => ['node', $self->{script}, $self->{port}, $self->{over}, $database,
            $self->{documents}, $self->{bytes}],
        environment => { NODE_PATH => $self->{modules}, NODE_ENV => 'production' },
    );
    $self->_wait_for_port;
    return;
}

sub stop {
    my ($self) = @_;
    $self->SUPER::stop;
    $self->{postgres}->stop if $self->{postgres};
    return;
}

sub cpu_us {
    my ($self) = @_;
    return $self->SUPER::cpu_us + ($self->{postgres} ? $self->{postgres}->cpu_us : 0);
}

1;
