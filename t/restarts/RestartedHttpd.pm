# An httpd of its own whose life is the test: it is started, told to restart,
# killed, and started again with other lines in the same directory.
# Knows processes and signals; not what is asked.
package RestartedHttpd;

use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__) . '/../guards';

use HTTP::Tiny;
use IO::Socket::INET;
use OneHttpd;
use POSIX qw(WNOHANG setsid);
use Sources 'read_file';
use Time::HiRes qw(sleep time);

our $SERVED = "<Location /docs>\nSetHandler condreq\nRequire all granted\n</Location>\n";

sub mpm { return $ENV{CONDREQ_MPM} // 'event' }

# As many processes and threads as a row asks for, else a few.
sub processes {
    my (%given) = @_;
    my $threads = $given{threads} // 8;
    my $limit = $given{thread_limit} // $threads;

    return <<'END' if mpm() eq 'prefork';
StartServers 8
MinSpareServers 4
MaxSpareServers 16
ServerLimit 24
MaxRequestWorkers 24
END
    return <<"END";
StartServers 2
ServerLimit 4
ThreadLimit $limit
ThreadsPerChild $threads
MaxRequestWorkers @{[4 * $threads]}
MinSpareThreads 4
MaxSpareThreads @{[4 * $threads]}
END
}

# @param lines  what stands behind the usual ones, in which DIRECTORY is its own
sub new {
    my ($class, %given) = @_;
    my $self = bless {
        directory => OneHttpd::scratch(),
        port => OneHttpd::free_port(),
        sessions => [],
    }, $class;

    mkdir "$self->{directory}/htdocs";
    $self->configure(%given);
    return $self;
}

sub configure {
    my ($self, %given) = @_;
    my $modules = $ENV{CONDREQ_MODULES} // '/usr/lib/apache2/modules';
    my $module = $given{module} // OneHttpd::module();
    my $loads = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" }
        'mpm_' . mpm(), 'authz_core', @{ $given{modules} // [] };
    my $lines = $given{lines} // "CondReqStore bdb:DIRECTORY/store cache=1M\n$SERVED";

    OneHttpd::write_file("$self->{directory}/httpd.conf",
        <<"END" . processes(%given) . $lines =~ s/DIRECTORY/$self->{directory}/gr);
ServerRoot $self->{directory}
ServerName localhost
Listen 127.0.0.1:$self->{port}
DefaultRuntimeDir $self->{directory}
PidFile httpd.pid
ErrorLog error.log
DocumentRoot $self->{directory}/htdocs
User www-data
Group www-data
${loads}LoadModule condreq_module $module
END
    return $self;
}

# Waits, as long as it may take a machine at work, until something is so.
sub until_true {
    my ($is_true, $seconds) = @_;
    my $until = time + ($seconds // 60);
    while (time < $until) {
        return 1 if $is_true->();
        sleep 0.02;
    }
    return 0;
}

sub log {
    my ($self) = @_;
    my $file = "$self->{directory}/error.log";
    return -e $file ? read_file($file) : '';
}

# @return how often the log says so
sub says { my ($self, $words) = @_; return scalar(() = $self->log =~ /$words/g) }

sub starts { return $_[0]->says('resuming normal operations') }

# @return does it run?
sub start {
    my ($self) = @_;
    my $before = $self->starts;

    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>>', "$self->{directory}/error.log";
        setsid();
        exec 'apache2', '-DFOREGROUND', '-f', "$self->{directory}/httpd.conf" or POSIX::_exit(127);
    }
    push @{ $self->{sessions} }, $self->{pid};
    return until_true(sub { $self->starts > $before || $self->has_ended }) && !$self->has_ended;
}

sub has_ended {
    my ($self) = @_;
    return 1 unless $self->{pid};
    return 0 if waitpid($self->{pid}, WNOHANG) == 0;
    $self->{pid} = 0;
    return 1;
}

# @return is it up again?
sub restart {
    my ($self, $signal) = @_;
    my $before = $self->starts;

    kill $signal => $self->{pid};
    return until_true(sub { $self->starts > $before });
}

# @return did it, with all of its processes, end within these seconds?
sub stop {
    my ($self, $seconds) = @_;
    kill TERM => $self->{pid} if $self->{pid};
    return until_true(sub { $self->has_ended && !$self->processes_left }, $seconds // 15);
}

sub kill_parent {
    my ($self) = @_;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = 0;
    return;
}

# ---- its processes: all of its sessions, so that orphans are among them ----

# @return a list of {pid, name, parent}
sub processes_left {
    my ($self) = @_;
    my %own = map { $_ => 1 } @{ $self->{sessions} };
    my @found;

    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid, $name, $state, $parent, $session) =
            (eval { read_file($stat) } // '') =~ /^(\d+) \((.*)\) (\S) (\d+) \d+ (\d+)/ or next;
        push @found, { pid => $pid, name => $name, parent => $parent }
            if $own{$session} && $state ne 'Z' && $state ne 'X';
    }
    return @found;
}

sub named {
    my ($self, $name) = @_;
    return map { $_->{pid} } grep { $_->{name} eq $name } $self->processes_left;
}

sub keepers { return $_[0]->named('condreq-keeper') }

# Those that serve, living or orphans.
sub children {
    my ($self) = @_;
    return map { $_->{pid} }
        grep { $_->{name} !~ /^condreq-/ && $_->{pid} != $self->{pid} } $self->processes_left;
}

# ---- to ask it ----

# @return what HTTP::Tiny returns; 599 where no answer comes
sub ask {
    my ($self, $method, $path, $fields, $content) = @_;
    my %options = (headers => { %{ $fields // {} } });

    if (defined $content) {
        $options{content} = $content;
        $options{headers}{'Content-Type'} //= 'application/json';
    }
    return HTTP::Tiny->new(timeout => 20, keep_alive => 0)
        ->request($method, "http://127.0.0.1:$self->{port}$path", \%options);
}

sub put { my ($self, $path, $content, %fields) = @_; return $self->ask('PUT', $path, \%fields, $content)->{status} }
sub get { my ($self, $path) = @_; return $self->ask('GET', $path)->{content} }

# @return a socket, or nothing where nobody takes connections
sub connect {
    my ($self) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    kill KILL => map { $_->{pid} } $self->processes_left;
    $self->has_ended or waitpid $self->{pid}, 0;
    OneHttpd::forget_store($_) for defined $self->{directory} ? glob "$self->{directory}/*" : ();
    return;
}

1;
