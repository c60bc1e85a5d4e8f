# An httpd of its own for a test that tries what people copy: configuration
# files and commands from the documents.
# Knows how to start, ask and stop one; not what it is asked.
package OneHttpd;

use strict;
use warnings;

use File::Spec;
use File::Temp;
use HTTP::Tiny;
use IO::Socket::INET;
use POSIX qw(WNOHANG setsid);
use Sources qw(root read_file);
use Time::HiRes qw(sleep);

$ENV{PATH} .= ':/usr/sbin:/sbin';

sub build {
    return File::Spec->rel2abs($ENV{CONDREQ_BUILD} // root() . '/build');
}

sub module { return build() . '/mod_condreq.so' }

# The module with the store's test hooks; see t/crash/httpd/fault_board.h.
sub module_with_faults { return build() . '/faults/mod_condreq.so' }

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!";
    print $file $text;
    close $file or die "$path: $!";
    return $path;
}

# A directory that httpd's User can reach, whoever starts it.
sub scratch {
    my $directory = File::Temp->newdir('condreq-XXXXXX', TMPDIR => 1);
    chmod 0755, $directory;
    return $directory;
}

sub free_port {
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
        or die "no free port: $!";
    return $socket->sockport;
}

# What comes before any of our files: httpd with Debian's usual modules.
sub around {
    my ($directory, $port) = @_;
    my $modules = $ENV{CONDREQ_MODULES} // '/usr/lib/apache2/modules';
    my $loads = join '', map { "LoadModule ${_}_module $modules/mod_$_.so\n" }
        qw(mpm_event authz_core authz_host authz_user authn_core authn_file
           auth_basic alias dir);

    mkdir "$directory/htdocs";
    return <<"END";
ServerRoot $directory
ServerName localhost
Listen 127.0.0.1:$port
DefaultRuntimeDir $directory
PidFile httpd.pid
ErrorLog error.log
DocumentRoot $directory/htdocs
User www-data
Group www-data
${loads}StartServers 1
ServerLimit 1
ThreadsPerChild 8
ThreadLimit 8
MaxRequestWorkers 8
MinSpareThreads 1
<Directory />
    AllowOverride None
    Require all denied
</Directory>
END
}

sub load { return 'LoadModule condreq_module ' . module() . "\n" }

sub store {
    my ($directory) = @_;
    return "CondReqStore bdb:$directory/store cache=1M\n";
}

# apache2 -t: what it says, and whether it is content.
sub configtest {
    my ($configuration) = @_;
    my $directory = scratch();
    my $file = write_file("$directory/httpd.conf",
                          around($directory, 80) . $configuration);
    my $said = qx(apache2 -t -f $file 2>&1);
    return ($? == 0, $said);
}

# @param $prepare  is called with the directory and returns the configuration
sub start {
    my ($class, $prepare) = @_;
    my $directory = scratch();
    my $self = bless {
        directory => $directory,
        port => free_port(),
        client => HTTP::Tiny->new(timeout => 10, keep_alive => 0),
    }, $class;
    my $file = write_file("$directory/httpd.conf",
        around($directory, $self->{port}) . $prepare->("$directory"));

    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        # httpd signals its whole process group when it ends.
        setsid();
        exec 'apache2', '-DFOREGROUND', '-f', $file or die "apache2: $!";
    }
    for (1 .. 100) {
        return $self if -s "$directory/httpd.pid";
        last if waitpid($self->{pid}, WNOHANG) == $self->{pid};
        sleep 0.1;
    }
    die "httpd did not start\n" . $self->log;
}

sub log {
    my ($self) = @_;
    my $file = "$self->{directory}/error.log";
    return -e $file ? read_file($file) : '';
}

# @return what HTTP::Tiny returns
sub ask {
    my ($self, $method, $path, $fields, $content) = @_;
    my %options = (headers => { %{ $fields // {} } });
    my $credentials = delete $options{headers}{as};

    if (defined $content) {
        $options{content} = $content;
        $options{headers}{'Content-Type'} //= 'application/json';
    }
    return $self->{client}->request($method,
        'http://' . ($credentials ? "$credentials\@" : '')
            . "127.0.0.1:$self->{port}$path", \%options);
}

# A store that nobody opens again would keep its memory until the next boot.
sub forget_store {
    my ($directory) = @_;
    return unless -e "$directory/generation";

    my ($regions) = read_file("$directory/generation") =~ m{^(/dev/shm/condreq-[\w-]+)$}m;
    return unless $regions;
    unlink glob "$regions/__db.*";
    rmdir $regions;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    return unless $self->{pid};
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    forget_store("$self->{directory}/store");
    return;
}

1;
