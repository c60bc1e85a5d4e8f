package Bench::Process;

# A program that runs beside us on a core of its own, and the time that it and
# its children have spent there. Knows /proc; not what the program is for.

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep time);

# Of all that is started here; below 0, which only root may, others on this
# machine stand back meanwhile.
our $NICENESS = 0;

my $PATIENCE_S = 60;
my $TICK_US = 1e6 / POSIX::sysconf(POSIX::_SC_CLK_TCK());

# @param command      array
# @param core         a number
# @param log          file for what it prints
# @param user         to become, where we are root
# @param environment  hash, added to ours
# @param input, output  handles instead of none and the log
sub start {
    my ($class, %given) = @_;
    my @command = ('taskset', '-c', $given{core}, @{ $given{command} });

    if ($given{user} && $> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam $given{user} or die "no user $given{user}\n";
        unshift @command, 'setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups';
    }
    my $pid = fork() // die "fork: $!\n";
    _become(\@command, %given) unless $pid;
    return bless { pid => $pid, log => $given{log}, name => $given{command}[0] }, $class;
}

sub _become {
    my ($command, %given) = @_;

    POSIX::setsid();
    _take_niceness() if $NICENESS;
    %ENV = (%ENV, %{ $given{environment} // {} });
    open STDIN, '<&', $given{input} // do { open my $none, '<', '/dev/null'; $none };
    open STDERR, '>>', $given{log} or POSIX::_exit(127);
    open STDOUT, '>&', $given{output} // \*STDERR;
    chdir '/';
    { no warnings 'exec'; exec @$command }
    POSIX::_exit(127);
}

# Where Linux groups processes by session, the group's niceness is what counts.
sub _take_niceness {
    setpriority 0, 0, $NICENESS;
    if (open my $group, '>', '/proc/self/autogroup') {
        print $group $NICENESS;
    }
    return;
}

sub pid { $_[0]{pid} }

sub is_alive {
    my ($self) = @_;

    if (!$self->{ended} && waitpid($self->{pid}, POSIX::WNOHANG()) != 0) {
        $self->{ended} = 1;
        $self->{status} = $?;
    }
    return !$self->{ended};
}

# Until the code says so. A program that ends before has said why in its log.
sub wait_until {
    my ($self, $what, $code) = @_;
    my $end = time + $PATIENCE_S;

    while (!$code->()) {
        $self->fail("ended before $what") unless $self->is_alive;
        $self->fail("took a minute and more: $what") if time > $end;
        sleep 0.02;
    }
    return;
}

# Until it has ended as it should.
sub wait_for_end {
    my ($self, $patience_s) = @_;
    my $end = time + $patience_s;

    while ($self->is_alive) {
        $self->fail("took more than $patience_s seconds") if time > $end;
        sleep 0.02;
    }
    $self->fail("ended with $self->{status}") if $self->{status};
    return;
}

sub fail {
    my ($self, $why) = @_;
    my $log = '';

    if (open my $file, '<', $self->{log}) {
        my @lines = <$file>;
        $log = join '', splice @lines, @lines > 10 ? -10 : 0;
    }
    die "$self->{name} $why\n$log";
}

sub stop {
    my ($self, $signal) = @_;

    return unless $self->is_alive;
    kill $signal // 'TERM', $self->{pid};
    my $end = time + 20;
    sleep 0.02 while $self->is_alive && time < $end;
    if ($self->is_alive) {
        kill 'KILL', -$self->{pid};
        waitpid $self->{pid}, 0;
        $self->{ended} = 1;
    }
    return;
}

# ---- time on the processor ----

sub _stat {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or return;
    my $line = <$file> // return;
    return split ' ', $line =~ s/.*\)\s//sr;
}

# @return this process and all below it
sub _tree {
    my @tree = @_;

    for (my $at = 0; $at < @tree; $at++) {
        for my $path (glob "/proc/$tree[$at]/task/*/children") {
            open my $file, '<', $path or next;
            push @tree, split ' ', <$file> // '';
        }
    }
    return @tree;
}

# Of threads that live, to the nanosecond.
sub _threads_us {
    my ($pid) = @_;
    my $us = 0;

    for my $path (glob "/proc/$pid/task/*/schedstat") {
        open my $file, '<', $path or next;
        my ($ns) = (<$file> // '') =~ /^(\d+)/;
        $us += ($ns // 0) / 1000;
    }
    return $us;
}

# Of this process and all below it, those that have ended included.
# @return microseconds
sub cpu_us {
    my ($self) = @_;
    my $us = 0;

    for my $pid (_tree($self->{pid})) {
        my @stat = _stat($pid) or next;
        $us += _threads_us($pid) + ($stat[13] + $stat[14]) * $TICK_US;
    }
    return $us;
}

# What is resident, all processes together. Pages that they share count once a
# process.
sub resident_bytes {
    my ($self) = @_;
    my $pages = 0;

    for my $pid (_tree($self->{pid})) {
        $pages += (_stat($pid))[21] // 0;
    }
    return $pages * POSIX::sysconf(POSIX::_SC_PAGESIZE());
}

1;
