package Bench::Server::Etcd;

# An etcd of one member, asked through its JSON gateway.

use strict;
use warnings;

use parent 'Bench::Server';

sub missing {
    my ($self) = @_;
    return $self->_found('/usr/bin/etcd') ? () : ('etcd', 'etcd-server');
}

sub start {
    my ($self) = @_;
    my $peer = $self->place->free_port;
    my $client = "http://127.0.0.1:$self->{port}";

    chmod 0700, $self->directory;
    $self->_run(command => [
        'etcd', '--data-dir', $self->directory, '--log-level', 'error', '--name', 'bench',
        '--listen-client-urls', $client, '--advertise-client-urls', $client,
        '--listen-peer-urls', "http://127.0.0.1:$peer",
        '--initial-advertise-peer-urls', "http://127.0.0.1:$peer",
        '--initial-cluster', "bench=http://127.0.0.1:$peer",
    ]);
    $self->_wait_for_port;
    # It listens before it has elected itself.
    sleep 2;
    return;
}

1;
