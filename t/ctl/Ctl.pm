# condreqctl as a test runs it, and a store under load beside it.
# Knows processes, files and exit codes; not what a command should say.
package Ctl;

use strict;
use warnings;

use Exporter 'import';
use File::Path ();
use File::Temp;
use FindBin;
use JSON::PP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(scratch tool condreqctl started ended load_begin load_until_written load_end
                 load_now load_check load_writers
                 write_store remove_store damage sizes);

my $build = $ENV{CONDREQ_BUILD} // "$FindBin::Bin/../../build";
my $tool  = "$build/condreqctl";
my $load  = "$build/load";
-x $_ or die "$_ is not built\n" for $tool, $load;

sub tool { return $tool }

# A directory that goes at the end, with what its stores have in memory.
sub scratch {
    my $directory = File::Temp::tempdir('condreq-ctl-XXXXXX', TMPDIR => 1);

    chmod 0755, $directory;
    return bless { directory => $directory }, 'Ctl::Scratch';
}

sub read_file {
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/;
    return scalar(<$file>) // '';
}

# Starts it, as a process group of its own. @return a pid
sub started {
    my ($files, @arguments) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    POSIX::setpgid(0, 0);
    open STDOUT, '>', "$files.out" or die "$files.out: $!";
    open STDERR, '>', "$files.err" or die "$files.err: $!";
    exec $tool, @arguments or POSIX::_exit(127);
}

# Waits for it, a minute at most. @return the exit code, or the signal's name
sub ended {
    my ($pid) = @_;
    my $until = time + 60;

    while (waitpid($pid, WNOHANG) == 0) {
        if (time > $until) {
            kill KILL => $pid;
            waitpid $pid, 0;
            return 'it hung';
        }
        sleep 0.005;
    }
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# Runs it. @return { code, out, err, json: a list of what --json gave }
sub condreqctl {
    my (@arguments) = @_;
    my $files = File::Temp->newdir;
    my $code  = ended(started("$files/said", @arguments));
    my ($out, $err) = map { read_file("$files/said.$_") } qw(out err);
    my @json;

    @json = map { JSON::PP::decode_json($_) } split /\n/, $out
        if grep { $_ eq '--json' } @arguments and $code =~ /^[01]$/;
    return { code => $code, out => $out, err => $err, json => \@json };
}

# ---- a store under load ----

# @return { store, ledger, pid }: it writes until load_end()
sub load_begin {
    my ($store, $writers, $documents, @more) = @_;
    my $loaded = { store => $store, ledger => "$store.ledger" };

    $loaded->{pid} = open $loaded->{said}, '-|', $load, $store, $loaded->{ledger}, 'write',
        $writers, $documents, 300, @more or die "$load: $!";
    readline($loaded->{said}) =~ /ready/ or die "the load does not begin\n";
    return $loaded;
}

# Waits until as many more writes have been acknowledged. @return were they?
sub load_until_written {
    my ($loaded, $more) = @_;
    my $wanted = (-s $loaded->{ledger} // 0) + 40 * $more;

    for (1 .. 1200) {
        return 1 if (-s $loaded->{ledger} // 0) >= $wanted;
        sleep 0.05;
    }
    return 0;
}

sub load_end {
    my ($loaded) = @_;
    kill TERM => $loaded->{pid};
    close $loaded->{said};
    return;
}

# The pids of its keepers and writers, as they were started: the last is a writer.
sub load_writers {
    my ($loaded) = @_;
    my %begun_of;

    for my $stat (map { read_file($_) } glob '/proc/[0-9]*/stat') {
        my ($pid, $parent, $begun) = $stat =~ /^(\d+) \(load\) \S (\d+) (?:\S+ ){17}(\d+)/ or next;
        $begun_of{$pid} = $begun if $parent == $loaded->{pid};
    }
    return sort { $begun_of{$a} <=> $begun_of{$b} || $a <=> $b } keys %begun_of;
}

sub load_now {
    chomp(my $now = qx($load now));
    return $now;
}

# Is the store of one moment between these two? @return '' or what is wrong
sub load_check {
    my ($store, $loaded, $from, $to) = @_;
    my $said = qx($load $store $loaded->{ledger} check $from $to);
    return $? ? $said || 'it does not open' : '';
}

# A store that is written and left. @return as load_begin()
sub write_store {
    my ($store, $documents, @more) = @_;
    my $loaded = load_begin($store, 2, $documents, @more);

    load_until_written($loaded, 2 * $documents) or die "nothing is written\n";
    load_end($loaded);
    return $loaded;
}

# With what it has in memory.
sub remove_store {
    my ($store) = @_;
    my ($regions) = read_file("$store/generation") =~ m{^(/dev/shm/condreq-[\w-]+)$}m;

    if ($regions) {
        unlink glob "$regions/__db.*";
        rmdir $regions;
    }
    File::Path::remove_tree($store);
    return;
}

# Changes one byte of a file.
sub damage {
    my ($path, $offset) = @_;
    open my $file, '+<:raw', $path or die "$path: $!";
    seek $file, $offset, 0;
    read $file, my $byte, 1;
    seek $file, $offset, 0;
    print $file chr(ord($byte) ^ 0x55);
    close $file or die "$path: $!";
    return;
}

# Name => size and time of all files below, but for the locks.
sub sizes {
    my ($directory) = @_;
    return { map { m{/(?:owner|users|backup|keeper)$} ? () : ($_ => join ' ', (stat)[7, 9]) }
            glob "$directory/* $directory/*/*" };
}

package Ctl::Scratch;

use overload '""' => sub { $_[0]{directory} }, fallback => 1;

# What is in memory goes with the store.
sub DESTROY {
    my ($self) = @_;
    my $directory = $self->{directory};
    local ($?, $!, $@);

    Ctl::remove_store($_ =~ s{/generation$}{}r)
        for glob("$directory/*/generation"), glob("$directory/*/*/generation");
    File::Path::remove_tree($directory);
    return;
}

1;
