# configtest, a directive after the other: what makes no sense is refused with a
# sentence that says what to write, and what makes sense is not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use OneHttpd;
use Test::More;

die "no module is built\n" unless -e OneHttpd::module();

sub configtest {
    my ($configuration) = @_;
    my ($right, $said) = OneHttpd::configtest(OneHttpd::load() . $configuration);
    return ($right, $said =~ s/\s+/ /gr);
}

sub accepted {
    my ($configuration, $sentence) = @_;
    my ($right, $said) = configtest($configuration);
    return ok($right, "accepted: $sentence") || diag "$configuration\n$said";
}

sub refused {
    my ($configuration, $with, $sentence) = @_;
    my ($right, $said) = configtest($configuration);
    ok !$right, "refused: $sentence" or diag $configuration;
    return like $said, $with, "and the sentence says what to write";
}

# In which sections a directive may stand.
sub section {
    my ($open, @lines) = @_;
    my ($name) = $open =~ /^(\w+)/;
    return join "\n", "<$open>", @lines, "</$name>", '';
}
sub location { return section('Location /d', 'SetHandler condreq', @_) }

# ---- one directive ----

# Arguments that make sense, and those that do not with what is said of them.
my @directives = (
    [ 'CondReqETag',
      [ 'version', 'hash', 'timestamp', 'none', 'VERSION', 'version weak', 'hash Weak',
        '"%{id}-v%{version}"', '"%{hash}"', '"%{path}:%{timestamp}" weak', '"%{version}%{version}"' ],
      [ 'etag',              qr/'etag': write version, hash, timestamp, none, or a format such as/ ],
      [ q{""},               qr/CondReqETag takes/ ],
      [ '"%{id}"',           qr/put %\{version\}, %\{hash\} or %\{timestamp\} into it/ ],
      [ '"%{id}-%{path}"',   qr/put %\{version\}, %\{hash\} or %\{timestamp\} into it/ ],
      [ '"%{version}-%{x}"', qr/write %\{id\}, %\{version\}, %\{hash\}, %\{timestamp\} or %\{path\} at '%\{x\}'/ ],
      [ '"%{version"',       qr/write %\{id\}, %\{version\}/ ],
      [ '"%version"',        qr/write %\{id\}, %\{version\}/ ],
      [ '"%{version}%"',     qr/write %\{id\}, %\{version\}.*at '%'/ ],
      [ '"100%%{version}"',  qr/write %\{id\}, %\{version\}/ ],
      [ 'version strong',    qr/after the strategy write weak or nothing, not 'strong'/ ],
      [ 'none weak',         qr/write none alone/ ],
      [ '',                  qr/CondReqETag takes/ ],
      [ 'version weak weak', qr/CondReqETag takes/ ] ],
    [ 'CondReqLastModified',
      [ 'On', 'Off', 'off' ],
      [ 'maybe', qr/CondReqLastModified must be On or Off/ ],
      [ '',      qr/CondReqLastModified must be On or Off/ ] ],
    [ 'CondReqEvaluate',
      [ 'rfc9110', 'both', 'RFC9110' ],
      [ 'rfc7232',      qr/'rfc7232': write rfc9110 or both/ ],
      [ '',             qr/CondReqEvaluate takes one argument/ ],
      [ 'both rfc9110', qr/CondReqEvaluate takes one argument/ ] ],
    [ 'CondReqRequire',
      [ 'none', 'etag', 'any', 'Any', 'etag PUT', 'any PUT PATCH DELETE', 'etag POST' ],
      [ '',          qr/write none, or etag or any with the methods that it is for/ ],
      [ 'tag',       qr/write none, or etag or any with the methods that it is for/ ],
      [ 'PUT',       qr/write none, or etag or any with the methods that it is for/ ],
      [ 'none PUT',  qr/write none, or etag or any with the methods that it is for/ ],
      [ 'etag GET',  qr/'GET' is no method that it knows; write PUT, PATCH, DELETE or POST/ ],
      [ 'etag put',  qr/'put' is no method that it knows; write PUT, PATCH, DELETE or POST/ ],
      [ 'any PUT BREW', qr/'BREW' is no method that it knows/ ] ],
    [ 'CondReqPut',
      [ 'replace', 'merge', 'replace create', 'merge update', 'Merge Update' ],
      [ 'update',       qr/'update': write replace or merge/ ],
      [ 'merge patch',  qr/after merge write create, update or nothing, not 'patch'/ ],
      [ '',             qr/CondReqPut takes/ ],
      [ 'merge create update', qr/CondReqPut takes/ ] ],
    [ 'CondReqPatch',
      [ 'On', 'Off', 'on', 'On create', 'ON Create' ],
      [ 'maybe',      qr/CondReqPatch 'maybe': write On or Off/ ],
      [ 'create',     qr/CondReqPatch 'create': write On or Off/ ],
      [ 'On update',  qr/after On write create or nothing, not 'update'/ ],
      [ 'Off create', qr/after Off write nothing, not 'create'/ ],
      [ '',           qr/CondReqPatch takes/ ],
      [ 'On create create', qr/CondReqPatch takes/ ] ],
    [ 'CondReqConflict',
      [ 'validators', 'document', 'Document' ],
      [ 'all', qr/'all': write validators or document/ ],
      [ '',    qr/CondReqConflict takes one argument/ ],
      [ 'validators document', qr/CondReqConflict takes one argument/ ] ],
    [ 'CondReqIds',
      [ 'sequence', 'uuid', 'UUID' ],
      [ 'random', qr/'random': write sequence or uuid/ ],
      [ '',       qr/CondReqIds takes one argument/ ] ],
    [ 'CondReqMembers',
      [ 'none', 'id', 'id version updated_at', 'updated_at id', 'id=_id version=rev', '"version=the version"',
        'id=version version=id', 'id=none' ],
      [ '',            qr/write none, or some of id, version, updated_at/ ],
      [ 'name',        qr/'name': write none, or each of id, version and updated_at once at most/ ],
      [ 'id id',       qr/'id': write none, or each of id, version and updated_at once at most/ ],
      [ 'id id=x',     qr/'id=x': write none, or each/ ],
      [ 'none id',     qr/write none, or each/ ],
      [ 'id=',         qr/'id=': write none, or each/ ],
      [ 'ids',         qr/'ids': write none, or each/ ],
      [ "id=\xFF",     qr/write none, or each/ ],
      [ 'id=x version=x',  qr/two members cannot have one name; give each its own/ ],
      [ 'id=version version', qr/two members cannot have one name; give each its own/ ] ],
    [ 'CondReqTypes',
      [ 'text/plain', 'image/* text/html', '*/*', 'JSON', 'application/vnd.x+xml' ],
      [ '',            qr/write the media types that may be stored besides JSON/ ],
      [ 'text',        qr{'text': write a media type such as text/plain, image/\*, \*/\*, or JSON} ],
      [ 'text/',       qr{'text/': write a media type} ],
      [ '/plain',      qr{'/plain': write a media type} ],
      [ '*/plain',     qr{write a media type} ],
      [ 'text/plain/x', qr{write a media type} ],
      [ '"text/plain; charset=utf-8"', qr{write a media type} ],
      [ '"te xt/plain"', qr{write a media type} ],
      [ 'text/plain text', qr{'text': write a media type} ] ],
    [ 'CondReqMaxBody',
      [ '1', '65536', '64K', '64k', '2M', '64M' ],
      [ '0',     qr/'0': write bytes from 1 to 64M, such as 65536, 64K or 2M/ ],
      [ '-1',    qr/write bytes from 1 to 64M/ ],
      [ '65M',   qr/write bytes from 1 to 64M/ ],
      [ '1.5M',  qr/write bytes from 1 to 64M/ ],
      [ '1G',    qr/write bytes from 1 to 64M/ ],
      [ '1KB',   qr/write bytes from 1 to 64M/ ],
      [ 'large', qr/write bytes from 1 to 64M/ ],
      [ '99999999999999999999', qr/write bytes from 1 to 64M/ ],
      [ '',      qr/CondReqMaxBody takes one argument/ ] ],
    [ 'CondReqMaxDepth',
      [ '1', '512', '100000' ],
      [ '0',      qr/'0': write how many arrays and objects may stand in one another, from 1 to 100000/ ],
      [ '-3',     qr/from 1 to 100000/ ],
      [ '100001', qr/from 1 to 100000/ ],
      [ 'deep',   qr/from 1 to 100000/ ],
      [ '',       qr/CondReqMaxDepth takes one argument/ ] ],
    [ 'CondReqLocks',
      [ 'On', 'Off', 'on', 'On default=600', 'On max=24h', 'Off max=10min default=60s', 'On per-user=1 per-host=1000000',
        'On Default=1 MAX=1 Per-User=5', 'On max=366' ],
      [ '',                qr/write On or Off first, then options such as max=24h/ ],
      [ 'max=1h',          qr/write On or Off first/ ],
      [ 'maybe',           qr/write On or Off first/ ],
      [ 'On forever',      qr/'forever' is no option; write default=, max=, per-user= or per-host= and a number/ ],
      [ 'On max',          qr/'max' is no option/ ],
      [ 'On max=',         qr/'max=': write a time from 1 second to 366 days, such as 600, 10min or 24h/ ],
      [ 'On max=0',        qr/'max=0': write a time/ ],
      [ 'On max=-1',       qr/write a time/ ],
      [ 'On max=Infinite', qr/write a time/ ],
      [ 'On max=1ms',      qr/write a time/ ],
      [ 'On max=9999h',    qr/write a time/ ],
      [ 'On max=99999999999999999999', qr/write a time/ ],
      [ 'On default=x',    qr/'default=x': write a time/ ],
      [ 'On default=2h max=1h', qr/default is over max; write a smaller default/ ],
      [ 'On per-user=0',   qr/'per-user=0': write how many there may be, from 1 to 1000000/ ],
      [ 'On per-user=1K',  qr/write how many there may be/ ],
      [ 'On per-host=1000001', qr/write how many there may be/ ],
      [ 'On per-host=-1',  qr/write how many there may be/ ],
      [ 'On per-host=18446744073709551617', qr/write how many there may be/ ] ],
);

for my $directive (@directives) {
    my ($name, $sane, @nonsense) = @$directive;

    # All that makes sense at once, each in its own section.
    accepted join('', map { section("Location /$_", 'SetHandler condreq', "$name $$sane[$_]") } 0 .. $#$sane),
        "$name " . join ', ', @$sane;
    for my $row (@nonsense) {
        my ($arguments, $with) = @$row;
        refused location("$name $arguments"), $with, "$name $arguments";
    }
}
refused location('CondReqVersion 1'), qr/Invalid command 'CondReqVersion'/, 'a directive that is none';

# ---- where a directive may stand ----

my @anywhere = map { "$$_[0] $$_[1][0]" } @directives;
for my $section ('Location /', 'LocationMatch "^/d"', 'Directory /srv', 'DirectoryMatch "^/srv"', 'Files "*.json"',
    'FilesMatch "json$"', 'If "true"', 'VirtualHost 127.0.0.1:80') {
    accepted section($section, 'SetHandler condreq', @anywhere), "all directives in <$section>";
}
accepted join("\n", 'SetHandler condreq', @anywhere, ''), 'all directives for the whole server';
for my $section ('Location /', 'Directory /srv', 'Files "*.json"', 'If "true"') {
    refused section($section, 'CondReqStore bdb:/srv/condreq'), qr/CondReqStore (?:not allowed|cannot occur)/,
        "CondReqStore in <$section>";
}

# ---- who governs locks ----

my $says_who = qr/SetHandler condreq-locks shows everybody's locks.*with Require lines of its own/;
accepted section('Location /l', 'SetHandler condreq-locks', 'Require user alice'), 'locks, for whom';
accepted section('Location /l', 'SetHandler condreq-locks', section('RequireAll', 'Require local')), 'in a RequireAll';
accepted section('Directory /srv', 'Require local', 'SetHandler condreq-locks'), 'in a Directory';
refused section('Location /l', 'SetHandler condreq-locks'), $says_who, 'locks, for whomever';
refused section('Location /l', 'SetHandler condreq-locks') . section('Location /l', 'Require local'), $says_who,
    'or for whom another section says';
refused "SetHandler condreq-locks\n", $says_who, 'locks at every URL';

# ---- the store ----

for my $arguments ('bdb:/srv/condreq', 'bdb:/srv/condreq/', 'bdb:condreq', '"bdb:/srv/two words"',
    'bdb:/srv/condreq durability=sync', 'bdb:/srv/condreq durability=write_nosync cache=1M',
    'bdb:/srv/condreq Cache=1048576 Durability=SYNC') {
    accepted "CondReqStore $arguments\n", "CondReqStore $arguments";
}
for my $row (
    [ '',                          qr/write bdb: and a directory, such as bdb:\/var\/lib\/condreq/ ],
    [ '/srv/condreq',              qr/'\/srv\/condreq': write bdb: and a directory/ ],
    [ 'bdb:',                      qr/write bdb: and a directory/ ],
    [ 'mem:/srv/condreq',          qr/write bdb: and a directory/ ],
    [ 'bdb /srv/condreq',          qr/write bdb: and a directory/ ],
    [ 'bdb:/srv/condreq fast',     qr/'fast' is no option; write durability=sync, durability=write_nosync or cache=64M/ ],
    [ 'bdb:/srv/condreq quota=1G', qr/'quota=1G' is no option/ ],
    [ 'bdb:/srv/condreq durability=fast', qr/write durability=sync or durability=write_nosync/ ],
    [ 'bdb:/srv/condreq durability=', qr/write durability=sync or durability=write_nosync/ ],
    [ 'bdb:/srv/condreq cache=1K', qr/write bytes from 1M up, such as cache=64M/ ],
    [ 'bdb:/srv/condreq cache=all', qr/write bytes from 1M up, such as cache=64M/ ],
) {
    my ($arguments, $with) = @$row;
    refused "CondReqStore $arguments\n", $with, "CondReqStore $arguments";
}

# ---- two directives that cannot be meant together ----

for my $row (
    [ 'CondReqRequire etag', 'CondReqETag none',         qr/write CondReqETag version, or CondReqRequire none/ ],
    [ 'CondReqRequire any',  'CondReqETag none',         qr/write CondReqETag version, or CondReqRequire none/ ],
    [ 'CondReqRequire etag', 'CondReqETag version weak', qr/write CondReqETag without weak, or CondReqRequire none/ ],
    [ 'CondReqRequire any PUT', 'CondReqETag hash weak', qr/write CondReqETag without weak, or CondReqRequire none/ ],
    [ 'CondReqRequire any',  'CondReqLastModified Off',  qr/write CondReqRequire etag, or CondReqLastModified On/ ],
) {
    my ($one, $other, $with) = @$row;

    refused location($one, $other), $with, "$one with $other";
    refused location($other, $one), $with, "$other with $one";
    refused section('Directory /srv', $one, $other), $with, "$one with $other in a Directory";
    refused section('If "true"', $one, $other), $with, "$one with $other in an If";
    refused "$one\n" . location($other), $with, "$one for the server with $other in a Location";
    refused section('VirtualHost 127.0.0.1:80', 'ServerName a.test', $one, location($other)), $with,
        "$one for a virtual host with $other in a Location";
    refused "$one\n" . section('VirtualHost 127.0.0.1:80', 'ServerName a.test', location($other)), $with,
        "$one for the server with $other in a Location of a virtual host";
}
accepted location('CondReqRequire etag', 'CondReqLastModified Off'), 'CondReqRequire etag needs no date';
accepted "CondReqRequire etag\n" . location('CondReqRequire none', 'CondReqETag none'),
    'a section that takes back the one may say the other';
accepted location('CondReqRequire etag') . section('Location /e', 'CondReqETag none'),
    'two sections that have nothing to do with each other may say either';

# ---- virtual hosts that share a store ----

sub host { return section('VirtualHost 127.0.0.1:80', @_) }

my $nameless = qr/has no ServerName.*give each a ServerName, or a CondReqStore of its own/;
my $served   = location();
my $store    = "CondReqStore bdb:/srv/condreq\n";
accepted $store . host('ServerName a.test', $served) . host('ServerName b.test', $served), 'two hosts with names';
accepted $store . host('ServerName a.test', $served) . host('ServerName a.test', $served), 'two with one name';
accepted $store . host($served), 'one host without a name';
accepted $store . host($served) . host('ServerName b.test', $served), 'or one of several';
accepted $store . host($served) . host('CondReqStore bdb:/srv/b', $served), 'or one with a store of its own';
accepted host($served) . host('CondReqStore bdb:/srv/b', $served), 'or with the store that is there without a word';
accepted host() . host(), 'any number where nothing uses a store';
accepted $store . host('<IfModule core.c>', 'ServerName a.test', '</IfModule>')
    . host('<IfModule core.c>', 'ServerName b.test', '</IfModule>'), 'a name may stand in an IfModule';
refused $store . host($served) . host($served), $nameless, 'two hosts without a name';
refused host($served) . host($served), $nameless, 'two, with the store that is there without a word';
refused $store . $served . host() . host(), $nameless, 'two that have the main server\'s Locations';
refused $store . host('ServerAlias a.test') . host('ServerAlias b.test'), $nameless, 'a ServerAlias is no name';
refused host('CondReqStore bdb:/srv/b', $served) . host('CondReqStore bdb:/srv/b/', $served), $nameless,
    'two that write the same store';
refused "$store<IfModule core.c>\n" . host($served) . host($served) . "</IfModule>\n", $nameless, 'two in an IfModule';

# The same by mod_macro, as many have their hosts.
my $macro = "LoadModule macro_module /usr/lib/apache2/modules/mod_macro.so\n$store";
accepted $macro . section('Macro Host $name', host('ServerName $name', $served)) . "Use Host a.test\nUse Host b.test\n",
    'two hosts with names, by a macro';
refused $macro . section('Macro Host $port', section('VirtualHost 127.0.0.1:$port', $served)) . "Use Host 81\nUse Host 82\n",
    $nameless, 'two without, by a macro';

# ---- one store, one set of options ----

my $settings = qr/CondReqStore bdb:\S* is written twice with different options: write the same ones, or another directory/;
accepted $store . host('ServerName a.test', $store), 'one store, written twice alike';
accepted "CondReqStore bdb:/srv/a cache=8M\n" . host('ServerName a.test', 'CondReqStore bdb:/srv/b cache=9M'),
    'two stores with different options';
refused "CondReqStore bdb:/srv/a cache=8M\n" . host('ServerName a.test', 'CondReqStore bdb:/srv/a cache=9M'), $settings,
    'one store with two sizes of cache';
refused "CondReqStore bdb:/srv/a\n" . host('ServerName a.test', 'CondReqStore bdb:/srv/a durability=write_nosync'),
    $settings, 'one store with two durabilities';
refused "CondReqStore bdb:/srv/a cache=8M\n" . host('ServerName a.test', 'CondReqStore bdb:/srv/a/ cache=9M'), $settings,
    'whatever its slash';
refused "CondReqStore bdb:/srv/a cache=8M\n" . host('ServerName a.test', 'CondReqStore bdb:/srv/./x/../a cache=9M'),
    $settings, 'and its dots';

done_testing;
