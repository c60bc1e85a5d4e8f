package Bench::Load;

# A load: a program that makes requests when it is told to, and tells what came
# of them (bench/load/tally.h). Knows its two commands and their JSON.

use strict;
use warnings;

use IO::Handle;
use JSON::PP ();

use Bench::Process;

my $count = 0;

# @param place, core, command
sub start {
    my ($class, %given) = @_;
    my $log = $given{place}->root . '/load-' . ++$count . '.log';

    pipe my $to_read, my $to_write or die "pipe: $!\n";
    pipe my $from_read, my $from_write or die "pipe: $!\n";
    my $process = Bench::Process->start(
        command => $given{command},
        core    => $given{core},
        log     => $log,
        input   => $to_read,
        output  => $from_write,
    );
    $to_write->autoflush(1);
    return bless { process => $process, to => $to_write, from => $from_read }, $class;
}

sub process { $_[0]{process} }

# For a load that does a server's work itself.
sub cpu_us { my ($self) = @_; return $self->{process}->cpu_us }

sub _tell { my ($self, $line) = @_; print { $self->{to} } "$line\n"; return }

sub _hear {
    my ($self) = @_;
    my $line = readline $self->{from};

    $self->{process}->fail('said nothing') unless defined $line;
    return JSON::PP::decode_json($line);
}

# So many clients are connected, and each of them was answered once.
sub ready {
    my ($self, $clients) = @_;

    local $SIG{PIPE} = 'IGNORE';
    $self->_tell("ready $clients");
    $self->_hear;
    return;
}

sub go {
    my ($self, $seconds) = @_;

    local $SIG{PIPE} = 'IGNORE';
    $self->_tell("go $seconds");
    return;
}

# What came of it: see tally_print().
sub result { my ($self) = @_; return $self->_hear }

# At the end of its input a load cleans up and ends.
sub stop {
    my ($self) = @_;
    my $process = $self->{process};

    close $self->{to};
    eval { $process->wait_until('its end', sub { !$process->is_alive }) } if $process->is_alive;
    $process->stop;
    return;
}

1;
