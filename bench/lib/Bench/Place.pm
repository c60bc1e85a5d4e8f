package Bench::Place;

# Where a bench runs: a scratch directory on a real disk, free ports of the
# loopback interface, and two cores, one for servers and one for their clients.
# Knows this machine; no server.

use strict;
use warnings;

use Cwd 'abs_path';
use File::Path 'remove_tree';
use File::Temp ();
use IO::Socket::INET;
use POSIX ();

# @param directory  where the scratch directory is made; must be on the disk
#                   whose flushes count
sub new {
    my ($class, %given) = @_;
    my @cores = _cores();
    my $root = File::Temp::tempdir('bench.XXXXXX', DIR => $given{directory});

    chmod 0755, $root;
    return bless {
        root        => abs_path($root),
        build       => abs_path($given{build}),
        server_core => $cores[0],
        client_core => $cores[-1],
        owner       => $$,
    }, $class;
}

# What this process may run on: under taskset or in a container that is not all.
sub _cores {
    open my $status, '<', '/proc/self/status' or die "/proc: $!\n";
    my ($list) = map { /^Cpus_allowed_list:\s*(\S+)/ } <$status>;
    my @cores = map { /(\d+)-(\d+)/ ? ($1 .. $2) : $_ } split /,/, $list;
    warn "bench: one core for servers and clients together\n" if @cores < 2;
    return @cores;
}

sub root        { $_[0]{root} }
sub build       { $_[0]{build} }
sub server_core { $_[0]{server_core} }
sub client_core { $_[0]{client_core} }

# A program or module that the Makefile has built.
sub built { my ($self, $name) = @_; return "$self->{build}/bench/$name" }

sub directory {
    my ($self, $name) = @_;
    my $path = "$self->{root}/$name";

    mkdir $path or die "$path: $!\n" unless -d $path;
    return $path;
}

sub write_file {
    my ($self, $name, $text) = @_;
    my $path = "$self->{root}/$name";

    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
    return $path;
}

# Root's servers become somebody else, who must own what they write.
sub is_root { return $> == 0 }

sub give_to {
    my ($self, $user, @paths) = @_;
    my (undef, undef, $uid, $gid) = getpwnam $user or die "no user $user\n";

    return unless is_root();
    chown $uid, $gid, @paths;
    return;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1, ReuseAddr => 1)
        or die "no port: $@\n";
    return $socket->sockport;
}

# A document of so many bytes, the same that the loads send.
sub document {
    my ($self, $bytes) = @_;
    return '{"text": "' . 'x' x ($bytes - 12) . '"}';
}

sub remove {
    my ($self) = @_;
    remove_tree($self->{root}) if $self->{owner} == $$;
    return;
}

1;
