# README.md: each command that it shows is run, in its order, against what
# "make -f Makefile.apxs run" starts, or against conf/auth.conf; the answer is
# the one that the page shows, but for dates and the server's name.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use OneHttpd;
use Sources;
use Test::More;
use Time::HiRes qw(sleep);

die "no module is built\n" unless -e OneHttpd::module();
die "no curl\n" unless grep { -x "$_/curl" } split /:/, $ENV{PATH};

my $http_date = qr/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/;
my $root = root();

sub demo_starts {
    my ($build, $port) = @_;
    my $pid = fork // die "fork: $!";

    if (!$pid) {
        @ENV{qw(BUILD PORT)} = ($build, $port);
        open STDOUT, '>', "$build/said" or die "said: $!";
        exec "$root/conf/demo" or die "conf/demo: $!";
    }
    for (1 .. 150) {
        return $pid if read_file("$build/said") =~ /Ctrl-C ends/;
        sleep 0.1;
    }
    die "the demo does not start\n";
}

sub auth_starts {
    return OneHttpd->start(sub {
        my ($directory) = @_;
        my $auth = read_file("$root/conf/auth.conf");

        # The password is "secret".
        OneHttpd::write_file("$directory/passwd",
                             "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
        $auth =~ s{/etc/apache2/condreq\.passwd$}{$directory/passwd}m;
        return OneHttpd::load() . OneHttpd::store($directory) . $auth;
    });
}

# [command, what it shows] in the order of the page.
sub commands {
    my ($page) = @_;
    my @commands;

    for my $block ($page =~ /^```console\n(.*?)^```/gms) {
        push @commands, [$1, $2]
            while $block =~ /^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)/gm;
    }
    return @commands;
}

# Whether Last-Modified can be told depends on how fast the commands come.
sub comparable {
    my ($text, $command) = @_;

    $text =~ s/\r//g;
    $text =~ s/^Last-Modified: .*\n//mg unless $command =~ m{/dated/};
    $text =~ s/$http_date/a date/g;
    $text =~ s/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/a time/g;
    $text =~ s/"change": "\d+"/"change": "a number"/g;
    $text =~ s/^Server: .*/Server: some/mg;
    $text =~ s/\n*\z/\n/;
    return $text;
}

my $page = read_file("$root/README.md");
my $build = OneHttpd::scratch();
my $port = OneHttpd::free_port();
symlink OneHttpd::module(), "$build/mod_condreq.so" or die "symlink: $!";
OneHttpd::write_file("$build/said", '');

my $demo = demo_starts("$build", $port);
END {
    if ($demo) {
        local $?;
        kill TERM => $demo;
        waitpid $demo, 0;
        OneHttpd::forget_store("$build/demo-$>/store");
    }
}
my $auth = auth_starts();
my $last_modified = '';

for (commands($page)) {
    my ($command, $shown) = @$_;
    my $run = $command;

    $run =~ s{127\.0\.0\.1:8080}{127.0.0.1:$port}g;
    $run =~ s{http://localhost}{http://127.0.0.1:$auth->{port}}g;
    $run =~ s{Since: $http_date}{Since: $last_modified};
    local $ENV{no_proxy} = '*';
    my $said = qx($run 2>/dev/null);
    $last_modified = $1 if $said =~ /^Last-Modified: (.*?)\r?$/m;
    is comparable($said, $command), comparable($shown, $command), $command;
}

# The Perl test that the page shows passes.
{
    my ($test) = $page =~ /^```perl\n(.*?)^```/ms;

    $test =~ s{127\.0\.0\.1:8080}{127.0.0.1:$port};
    OneHttpd::write_file("$build/shown.t", $test);
    my $said = qx($^X -I$root/perl $build/shown.t 2>&1);
    ok $? == 0 && $said =~ /^1\.\.4$/m, 'the test of one\'s own URLs passes' or diag $said;
}

# The configurations that the page shows are those in conf/, without comments.
my %shown_of = (
    'auth.conf' => '/documents',
    'blog.conf' => '/posts',
);
for my $name (sort keys %shown_of) {
    my $text = read_file("$root/conf/$name");
    my ($shown) = $page =~ m{^(<Location \Q$shown_of{$name}\E>\n.*?^</Location>)}ms;

    for ($text, $shown) {
        s/^\s*#.*\n//mg;
        s/^\s*\n//mg;
    }
    # sequence is the default, which the page does not repeat
    $text =~ s/^\s*CondReqIds sequence\n//m;
    is "$shown\n", $text, "the page shows $name as it is";
}

done_testing;
