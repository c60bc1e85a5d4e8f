package Bench::Server::Httpd;

# An httpd: with mod_condreq, with an empty handler, with static files, with
# mod_dav_fs; with few modules or with those that Debian enables.

use strict;
use warnings;

use parent 'Bench::Server';

my $MODULES = '/usr/lib/apache2/modules';
my @FEW = qw(authz_core mime);
my @DEBIANS = qw(access_compat alias auth_basic authn_core authn_file authz_core authz_host
    authz_user autoindex deflate dir env filter mime negotiation reqtimeout setenvif status);

# @param serves     condreq, empty, files, dav, or with-hooks: the empty handler
#                   beside a mod_condreq that has nothing to do with it
# @param modules    few or debian
# @param mpm        event (or worker, prefork)
# @param processes, threads: how many, and of each how many
# @param store      options of CondReqStore
# @param filled     documents of 100 bytes that are there from the start
# @param user       to start as, where root would make it start as root
# @param under      a program and its options that runs httpd
sub new {
    my ($class, %given) = @_;
    return $class->SUPER::new(mpm => 'event', processes => 1, threads => 128, modules => 'few',
        store => '', documents => 1000, %given);
}

sub missing {
    my ($self) = @_;
    return ('apache2', 'apache2-bin') unless $self->_found('/usr/sbin/apache2');
    return ('the MPM as a module', 'apache2-bin') unless -e "$MODULES/mod_mpm_$self->{mpm}.so";
    return;
}

sub start {
    my ($self) = @_;
    my $place = $self->place;
    my $directory = $self->directory;
    my @writable = ($directory, map { my $d = "$directory/$_"; mkdir $d; $d }
        qw(htdocs htdocs/documents htdocs/unmapped run));

    if ($self->{serves} =~ /files|dav/) {
        $self->_write_documents("$directory/htdocs/$_") for qw(documents unmapped);
    }
    push @writable, glob "$directory/htdocs/*/*" if $self->{serves} eq 'dav';
    $place->give_to('www-data', @writable);
    $self->_fill($directory) if $self->{filled};
    my $conf = $place->write_file("$self->{name}.conf", $self->_conf($directory));
    $self->_run(user => $self->{user},
        command => [@{ $self->{under} // [] }, 'apache2', '-DFOREGROUND', '-f', $conf]);
    $self->_wait_for_port;
    return;
}

# A store that has its documents before httpd is there.
sub _fill {
    my ($self, $directory) = @_;
    my $place = $self->place;
    my ($cache) = $self->{store} =~ /cache=(\d+)M/;
    my $filling = Bench::Process->start(
        command => [$place->built('store_load'), '-S', 'bdb', '-P', '-d', $directory,
            '-k', $self->{filled}, '-b', 100, '-m', $cache],
        core => $place->server_core, log => $place->root . "/$self->{name}-fill.log", user => 'www-data',
    );

    $filling->wait_for_end(3600);
    return;
}

# A store that nobody opens again would keep its memory until the next boot.
sub stop {
    my ($self) = @_;
    my $store = $self->directory . '/store';

    $self->SUPER::stop;
    if (open my $file, '<', "$store/generation") {
        for my $regions (map { m{^(/dev/shm/condreq-[\w-]+)$} } <$file>) {
            system 'rm', '-rf', $regions;
        }
    }
    return;
}

sub _loads {
    my ($self) = @_;
    my @modules = ($self->{modules} eq 'debian' ? @DEBIANS : @FEW);

    push @modules, qw(dav dav_fs) if $self->{serves} eq 'dav';
    push @modules, 'http2' if $self->{http2};
    my %path_of = map { $_ => "$MODULES/mod_$_.so" } @modules;
    $path_of{condreq} = $self->place->build . '/mod_condreq.so'
        if $self->{serves} =~ /condreq|hooks/;
    $path_of{bench_empty} = $self->place->built('mod_bench_empty.so')
        if $self->{serves} =~ /empty|hooks/;
    return join "\n", "LoadModule mpm_$self->{mpm}_module $MODULES/mod_mpm_$self->{mpm}.so",
        map { "LoadModule ${_}_module $path_of{$_}" } sort keys %path_of;
}

sub _limits {
    my ($self) = @_;
    my ($processes, $threads) = @$self{qw(processes threads)};
    my $all = $processes * $threads;

    return <<"END" if $self->{mpm} eq 'prefork';
StartServers $all
MinSpareServers 1
MaxSpareServers $all
ServerLimit $all
MaxRequestWorkers $all
END
    return <<"END";
StartServers $processes
ServerLimit $processes
ThreadLimit $threads
ThreadsPerChild $threads
MinSpareThreads 1
MaxSpareThreads $all
MaxRequestWorkers $all
END
}

my %sections = (
    condreq => sub { <<"END" },
<Location /documents>
    SetHandler condreq
    Require all granted
    CondReqMaxBody 64M
</Location>
<Location /walked>
    SetHandler condreq
    CondReqMaxBody 64M
</Location>
END
    empty => sub { <<'END' },
<Location /documents>
    SetHandler bench-empty
    BenchSkipWalk On
    Require all granted
</Location>
<Location /walked>
    SetHandler bench-empty
    Require all granted
</Location>
END
    files => sub { my ($directory) = @_; <<"END" },
<Directory "$directory/htdocs/unmapped">
    EnableMMAP Off
</Directory>
END
    dav => sub { my ($directory) = @_; <<"END" },
DAVLockDB "$directory/run/locks"
<Directory "$directory/htdocs">
    Dav On
</Directory>
END
);
# The module is there and busy elsewhere.
$sections{'with-hooks'} = sub {
    my ($directory) = @_;
    return $sections{empty}->($directory) . <<"END";
<Location /elsewhere>
    SetHandler condreq
    Require all granted
</Location>
END
};

sub _conf {
    my ($self, $directory) = @_;
    my $loads = $self->_loads;
    my $limits = $self->_limits;
    my $section = $sections{ $self->{serves} }->($directory);
    my $user = $self->place->is_root ? "User www-data\nGroup www-data\n" : '';
    my $store = $self->{serves} =~ /condreq|hooks/
        ? "CondReqStore bdb:$directory/store $self->{store}" : '';
    my $debian = $self->{modules} eq 'debian' ? _debians_conf($directory) : '';
    my $protocols = $self->{http2} ? 'Protocols h2c http/1.1' : '';

    return <<"END";
ServerRoot "$directory"
ServerName localhost
DefaultRuntimeDir "$directory/run"
PidFile "$directory/run/pid"
ErrorLog "$directory/error.log"
Listen 127.0.0.1:$self->{port}
DocumentRoot "$directory/htdocs"
$loads
${user}ServerTokens Prod
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 120
TypesConfig /etc/mime.types
$protocols
$limits
$store
$debian
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory "$directory/htdocs">
    Require all granted
</Directory>
$section
END
}

# What Debian's apache2 has on for a fresh site, as far as it costs anything.
sub _debians_conf {
    my ($directory) = @_;
    return <<"END";
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog "$directory/access.log" combined
AddOutputFilterByType DEFLATE text/html text/plain text/xml text/css text/javascript
AddOutputFilterByType DEFLATE application/x-javascript application/javascript application/ecmascript
AddOutputFilterByType DEFLATE application/rss+xml application/wasm application/xml
BrowserMatch "Mozilla/2" nokeepalive
BrowserMatch "MSIE 4\\.0b2;" nokeepalive downgrade-1.0 force-response-1.0
BrowserMatch "RealPlayer 4\\.0" force-response-1.0
BrowserMatch "Java/1\\.0" force-response-1.0
BrowserMatch "JDK/1\\.0" force-response-1.0
BrowserMatch "Microsoft Data Access Internet Publishing Provider" redirect-carefully
BrowserMatch "MS FrontPage" redirect-carefully
BrowserMatch "^WebDrive" redirect-carefully
BrowserMatch "^WebDAVFS/1.[01234]" redirect-carefully
BrowserMatch "^gnome-vfs/1.0" redirect-carefully
BrowserMatch "^gvfs/1" redirect-carefully
BrowserMatch "^XML Spy" redirect-carefully
BrowserMatch "^Dreamweaver-WebDAV-SCM1" redirect-carefully
BrowserMatch " Konqueror/4" redirect-carefully
RequestReadTimeout header=20-40,minrate=500
RequestReadTimeout body=10,minrate=500
AccessFileName .htaccess
HostnameLookups Off
END
}

1;
