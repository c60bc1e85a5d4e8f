# 503: where the store cannot be reached httpd says so, and changes nothing; when
# it can be reached again, all of it is there.
use strict;
use warnings;

use Apache::Test ();
use Test::More;

use Apache::TestConditional ':all';

my $vars  = Apache::Test::vars();
my $place = "$vars->{t_state}/unavailable";
my $store = "$place/store";
my $site  = "http://127.0.0.1:$vars->{spare_port}";

# An httpd of its own, since this one goes down.
sub write_conf {
    mkdir $_ or die "$_: $!" for $place, "$place/htdocs";
    open my $conf, '>', "$place/httpd.conf" or die "$place: $!";
    print $conf <<"END";
Include "$vars->{t_conf}/mpm.conf"
LoadModule authz_core_module "$vars->{modules_dir}/mod_authz_core.so"
LoadModule condreq_module "$vars->{top_dir}/mod_condreq.so"
ServerRoot "$place"
ServerName localhost
Listen 127.0.0.1:$vars->{spare_port}
DefaultRuntimeDir "$place"
PidFile "$place/httpd.pid"
ErrorLog "$place/error_log"
DocumentRoot "$place/htdocs"
CondReqStore "bdb:$store" cache=1M
<Location /docs>
    SetHandler condreq
</Location>
END
    close $conf or die "$place: $!";
    return;
}

sub start_httpd { return !system $vars->{httpd}, '-f', "$place/httpd.conf" }

sub parent {
    open my $file, '<', "$place/httpd.pid" or return;
    return (readline($file) // '') =~ /(\d+)/ ? $1 : undef;
}

sub until_true {
    my ($is_true) = @_;
    for (1 .. 300) {
        return 1 if $is_true->();
        select undef, undef, undef, 0.1;
    }
    return 0;
}

sub stop_httpd {
    my $parent = parent() or return;
    kill TERM => $parent;
    return until_true(sub { !kill 0, $parent });
}

# The status, or nothing while nobody listens.
sub status { my $answer = eval { GET("$site/docs/one") }; return $answer ? $answer->code : 0 }

write_conf;
ok start_httpd(), 'an httpd of its own starts';
ok until_true(sub { status() == 404 }), 'and answers';
is PUT("$site/docs/one", '{"n":1}'), 201, 'a document is stored';

# The store's housekeeper has it open: it is its work that fails.
sub housekeeper_is_inside {
    for my $process (glob '/proc/[0-9]*') {
        open my $name, '<', "$process/comm" or next;
        next unless (readline($name) // '') eq "condreq-house\n";
        return 1 if grep { (readlink // '') =~ m{^\Q$store\E/data/} } glob "$process/fd/*";
    }
    return 0;
}
ok until_true(\&housekeeper_is_inside), 'its housekeeper is at work';

# The keeper finds that it cannot write to the disk what is in memory.
chmod 0, $store;
ok until_true(sub { PUT("$site/docs/other", '{}') == 503 }), 'its store goes away';
for (
    GET("$site/docs/one"),
    HEAD("$site/docs/one"),
    PUT("$site/docs/one", '{"n":2}'),
    PUT("$site/docs/one", '{"n":2}', if_match => '"0"'),
    POST("$site/docs/", '{}'),
    DELETE("$site/docs/one"),
) {
    is $_, 503, 'it answers 503';
    ok $_->header('Retry-After'), 'and when to come again';
    is $_->header('Content-Type'), 'application/problem+json', 'in a problem document';
    unlike $_->body, qr/\Q$place\E|BDB|DB_|denied/, 'that says nothing of the inside';
}

# Nobody does anything but to give back what was taken away.
chmod 0700, $store;
ok until_true(sub { status() == 200 }), 'the store comes back by itself';
is GET("$site/docs/one")->body, '{"n":1}', 'the document is there, as it was';
is PUT("$site/docs/one", '{"n":2}', if_match => '"1"'), 200, 'and can be written';
ok stop_httpd(), 'the httpd ends';

done_testing;
