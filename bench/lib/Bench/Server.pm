package Bench::Server;

# What all servers here have in common: a name, a place, one process with
# children, a port. Each kind is a package below this one.

use strict;
use warnings;

use IO::Socket::INET;

use Bench::Process;

# @param place, name: a word, for files; the rest is for the kind
sub new {
    my ($class, %given) = @_;
    return bless { %given, port => Bench::Place->free_port }, $class;
}

# Name of what is missing, and which package brings it; nothing if all is there.
sub missing { return }

sub port    { $_[0]{port} }
sub process { $_[0]{process} }
sub place   { $_[0]{place} }

sub directory { my ($self) = @_; return $self->{place}->directory($self->{name}) }

sub stop {
    my ($self) = @_;
    $self->{process}->stop($self->stop_signal) if $self->{process};
    return;
}

sub stop_signal { 'TERM' }

# All of the server's processes together.
sub cpu_us         { my ($self) = @_; return $self->{process}->cpu_us }
sub resident_bytes { my ($self) = @_; return $self->{process}->resident_bytes }

sub _run {
    my ($self, %given) = @_;

    $self->{process} = Bench::Process->start(
        core => $self->{place}->server_core,
        log  => $self->{place}->root . "/$self->{name}.log",
        %given,
    );
    return;
}

sub _wait_for_port {
    my ($self) = @_;
    my $port = $self->{port};

    $self->{process}->wait_until(
        'it listened',
        sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) },
    );
    return;
}

# The first of these that is there, or nothing.
sub _found { my ($self, @paths) = @_; return (grep { -e } @paths)[0] }

# Static documents 0 to count - 1, below this directory.
sub _write_documents {
    my ($self, $directory) = @_;
    my $document = $self->{place}->document($self->{bytes} // 1024);

    for my $number (0 .. ($self->{documents} // 1000) - 1) {
        open my $file, '>', "$directory/$number.json" or die "$directory: $!\n";
        print $file $document;
        close $file or die "$directory: $!\n";
    }
    return;
}

1;
