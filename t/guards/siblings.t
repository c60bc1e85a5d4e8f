# A collection shows what its reader may GET, whatever it is that says so. Where
# httpd's answer could not differ from member to member none is asked for; the
# proof of that is tried here against configurations that break it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use MIME::Base64 'encode_base64';
use OneHttpd;
use Test::More;

die "no module is built\n" unless -e OneHttpd::module();

my $kept  = OneHttpd::scratch();
my @names = qw(hidden/1 hidden plain also-hidden deep/hidden deep/plain 1 2);
my $named = q(%{REQUEST_URI} =~ m#hidden#);
my $open  = 'Require all granted';

sub modules {
    my $from = $ENV{CONDREQ_MODULES} // '/usr/lib/apache2/modules';
    return join '', map { "LoadModule ${_}_module $from/mod_$_.so\n" } @_;
}

sub start {
    my ($section, $lines) = @_;
    return OneHttpd->start(sub {
        my ($directory) = @_;
        chmod 0777, $kept;
        OneHttpd::write_file("$directory/passwords", 'alice:$1$condreq$grQZJ5K0qXjdWHnNW5/JN.' . "\n");
        my $all = OneHttpd::load() . "LogLevel condreq:debug\nCondReqStore bdb:$kept/store cache=1M\n"
            . "<Location /docs>\nSetHandler condreq\n$section\n</Location>\n$lines\n";
        return $all =~ s/DIRECTORY/$directory/gr;
    });
}

sub listed {
    my ($httpd, $at, %fields) = @_;
    my $answer = $httpd->ask('GET', "/docs/$at", \%fields);

    return [] if $answer->{status} == 404;
    return undef if $answer->{status} != 200;
    return [sort map { $_->{name} } @{ decode_json($answer->{content})->{members} }];
}

# What is to be seen: each one's own answer.
sub visible {
    my ($httpd, $at, %fields) = @_;
    my %seen;

    for my $name (@names) {
        next unless $name =~ m{^\Q$at\E([^/]+)(/?)};
        $seen{"$1$2"} = 1
            if $httpd->ask('GET', "/docs/$at$1$2", \%fields)->{status} == 200;
    }
    return [sort keys %seen];
}

{
    my $httpd = start($open, '');
    is $httpd->ask('PUT', "/docs/$_", {}, '{}')->{status}, 201, "$_ is made" for @names;
}

my $auth = "AuthType Basic\nAuthName x\nAuthUserFile DIRECTORY/passwords";
my $all  = 'what is true of one member is true of all';
my $walk = 'no Location says both';
my $if   = 'there is an If';
my $some = 'a Location or LocationMatch may be about some of them';
my $url  = 'may look at the URL';

my @rows = (
    # what, of the Location, besides it, said in the log, is anything hidden
    ['nothing',            $open, '', $all, 0],
    ['a network',          'Require ip 127.0.0.1', '', $all, 0],
    ['a section above',    $open, "<Location />\n$open\n</Location>", $all, 0],
    ['one beside it',      $open, "<Location /doc>\nRequire all denied\n</Location>", $all, 0],
    ['files with a dot',   $open, "<FilesMatch \"^\\.\">\nRequire all denied\n</FilesMatch>", $all, 0],
    ['a switch',           $open, modules('rewrite') . "RewriteEngine On", $all, 0],
    ['no Require in it',   '', "<Directory DIRECTORY/htdocs>\n$open\n</Directory>", $walk, 0],
    ['a directory',        '', "<Directory DIRECTORY/htdocs>\n$open\n</Directory>\n"
        . "<DirectoryMatch hidden>\nRequire all denied\n</DirectoryMatch>", $walk, 0],
    ['files',              '', "<Directory DIRECTORY/htdocs>\n$open\n</Directory>\n"
        . "<Files *hidden>\nRequire all denied\n</Files>", $walk, 0],
    ['a section below',    $open, "<Location /docs/hidden>\nRequire all denied\n</Location>", $some, 1],
    ['one of a member',    $open, "<Location /docs/deep/hidden>\nRequire all denied\n</Location>", $some, 1],
    ['a pattern',          $open, "<LocationMatch hidden>\nRequire all denied\n</LocationMatch>", $some, 1],
    ['a wildcard',         $open, "<Location \"/docs/*hidden\">\nRequire all denied\n</Location>", $some, 1],
    ['a condition',        $open, "<If \"$named\">\nRequire all denied\n</If>", $if, 1],
    ['one in it',          "$open\n<If \"$named\">\nRequire all denied\n</If>", '', $if, 1],
    ['an expression',      "Require expr ! $named", '', $url, 1],
    ['one among others',   "<RequireAll>\n$open\nRequire expr ! $named\n</RequireAll>", '', $url, 1],
    ['a redirection',      $open, "RedirectMatch 403 hidden", $url, 1],
    ['a rewriting',        $open, modules('rewrite') . "RewriteEngine On\nRewriteRule hidden - [F]", $url, 1],
    ['an old Deny',        $open, modules('access_compat')
        . "<Location /docs/hidden>\nOrder allow,deny\nDeny from all\n</Location>", $walk, 1],
);
for my $row (@rows) {
    my ($what, $section, $lines, $said, $hides) = @$row;
    my $httpd = start($section, $lines);
    my $hidden = 0;

    for my $at ('', 'deep/', 'hidden/') {
        my $visible = visible($httpd, $at);
        my $listed  = listed($httpd, $at);

        # Where the collection itself is hidden so is all of it.
        next if !defined $listed;
        is_deeply $listed, $visible, "$what: /docs/$at shows what may be seen";
        $hidden += grep { my $name = $_; !grep { $_ eq $name } @$visible }
            ($at eq '' ? ('hidden', 'hidden/', 'also-hidden') : $at eq 'deep/' ? ('hidden') : ());
    }
    is !!$hidden, !!$hides, $hides ? "$what: which is not all" : "$what: which is all";
    like $httpd->log, qr/CR2004: \S+: .*\Q$said\E/, "$what: as the log says";
    next unless $hides;
    is $httpd->ask('DELETE', '/docs/')->{status}, 403, "$what: and so it cannot be removed";
}

# ---- by user ----
{
    my $httpd = start("$auth\nRequire valid-user", '');
    my %alice = (Authorization => 'Basic ' . encode_base64('alice:secret', ''));

    is listed($httpd, ''), undef, 'a guarded collection shows nothing to anybody';
    is_deeply listed($httpd, '', %alice), visible($httpd, '', %alice), 'and all of it to a user';
    like $httpd->log, qr/CR2004: .*\Q$all\E/, 'without asking for each member';
}
{
    my $httpd = start($open, "<Location /docs/hidden>\n$auth\nRequire valid-user\n</Location>");
    my %alice = (Authorization => 'Basic ' . encode_base64('alice:secret', ''));

    is_deeply listed($httpd, ''), [qw(1 2 also-hidden deep/ plain)],
        'a part that is guarded does not show to anybody';
    is_deeply listed($httpd, '', %alice), [sort qw(1 2 also-hidden deep/ hidden hidden/ plain)],
        'but to a user who could ask for it';
    isnt $httpd->ask('GET', '/docs/')->{headers}{etag},
        $httpd->ask('GET', '/docs/', {%alice})->{headers}{etag}, 'under another tag';
}
{
    my $httpd = start($open, "<Location /docs/hidden>\n$open\nCondReqETag hash\n</Location>");
    my %tags = map { $_->{name} => $_->{etag} } @{ decode_json($httpd->ask('GET', '/docs/')->{content})->{members} };

    for my $name (qw(hidden plain)) {
        is $tags{$name}, $httpd->ask('GET', "/docs/$name")->{headers}{etag},
            "$name is listed with the tag that it has by itself";
    }
}

# ---- and in the end ----
{
    my $httpd = start($open, '');
    is $httpd->ask('DELETE', '/docs/')->{status}, 204, 'nothing was removed until somebody might';
    is $httpd->ask('GET', '/docs/plain')->{status}, 404, 'and then all of it';
}
OneHttpd::forget_store("$kept/store");

done_testing;
