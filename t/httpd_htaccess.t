# .htaccess: each directive of the table works in it where AllowOverride FileInfo
# lets it, nonsense is answered 500 and explained in the log, and limits are only
# lowered.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Apache::TestConditional ':all';
use Locks 'LOCK';

my $root = Apache::Test::vars('documentroot') . '/htaccess';
my $log  = Apache::Test::vars('t_logs') . '/error_log';

# An .htaccess of these lines. Returns the URL of its directory.
sub htaccess {
    my ($name, @lines) = @_;

    make_path "$root/$name";
    open my $file, '>', "$root/$name/.htaccess" or die "$root/$name: $!";
    print $file map { "$_\n" } @lines;
    close $file or die "$root/$name: $!";
    return "/htaccess/$name";
}

# What the error log says from here on.
my $read_to = 0;
sub logged {
    open my $file, '<', $log or die "$log: $!";
    seek $file, $read_to, 0;
    my $text = do { local $/; <$file> } // '';
    $read_to = tell $file;
    return $text;
}

sub long { return '{"a":"' . 'x' x ($_[0] - 8) . '"}' }

# ---- an own directory, an own set of documents ----

my $plain = htaccess 'plain', 'SetHandler condreq';
is PUT("$plain/a", '{"n":1}'), 201, 'SetHandler in .htaccess makes documents below its directory';
is GET("$plain/a")->etag, '"1"', 'with tags';
is PUT("$plain/a", '{"n":2}', if_match => '"0"'), 412, 'that are compared';
is GET("$plain/a", if_none_match => '"1"'), 304, 'and revalidated';
is PUT("$plain/deep/er/a", '{}'), 201, 'at any depth';
for my $own ($plain, "$plain/") {
    my $posted = POST $own, '{}';
    is $posted, 201, "POST $own creates: the directory's own path is a collection";
    like $posted->header('Location'), qr{^\Q$plain\E/[12]$}, 'of documents below it';
    is GET($own), 200, "GET $own lists it, without a redirect to the slash";
}
is GET("$plain/.htaccess"), 404, 'the .htaccess file itself does not show';

my $inner = htaccess 'plain/inner', 'CondReqETag hash';
like PUT("$inner/a", '{}')->etag, qr/^"[\w-]{22}"$/, 'an inner .htaccess adds to the outer one';
is POST($inner, '{}'), 405, 'and its directory has no path of its own unless it says SetHandler';
htaccess 'plain/files', 'SetHandler none';
is PUT('/htaccess/plain/files/a', '{}'), 405, 'SetHandler none in an inner one ends it';

# ---- every directive ----

my $number = 0;
sub place { return htaccess 'one' . ++$number, 'SetHandler condreq', @_ }

for my $row (
    [ 'CondReqETag "%{id}.%{version}"', sub { PUT("$_[0]/a", '{}')->etag }, '"a.1"' ],
    [ 'CondReqETag version weak', sub { PUT("$_[0]/a", '{}')->etag }, 'W/"1"' ],
    [ 'CondReqLastModified Off', sub { PUT("$_[0]/a", '{}')->last_modified }, undef ],
    [ 'CondReqEvaluate both', sub {
        PUT "$_[0]/a", '{}';
        GET("$_[0]/a", if_none_match => '"1"', if_modified_since => 'Thu, 01 Jan 1998 00:00:00 GMT')->code;
    }, 200 ],
    [ 'CondReqRequire etag', sub { PUT("$_[0]/a", '{}')->code }, 428 ],
    [ 'CondReqRequire any DELETE', sub { PUT("$_[0]/a", '{}')->code }, 201 ],
    [ 'CondReqPut merge', sub { PUT "$_[0]/a", '{"a":1}'; PUT("$_[0]/a", '{"b":2}')->body }, '{"a":1,"b":2}' ],
    [ 'CondReqPut replace update', sub { PUT("$_[0]/a", '{}')->code }, 404 ],
    [ 'CondReqPatch Off', sub { PUT "$_[0]/a", '{}'; PATCH("$_[0]/a", '{}')->code }, 405 ],
    [ 'CondReqPatch On create', sub { PATCH("$_[0]/a", '{}')->code }, 201 ],
    [ 'CondReqConflict document', sub { PUT "$_[0]/a", '[]'; PUT("$_[0]/a", '{}', if_match => '"0"')->json->{document} }, [] ],
    [ 'CondReqIds uuid', sub { POST("$_[0]/", '{}')->header('Location') =~ /-.*-/ ? 'uuid' : 'sequence' }, 'uuid' ],
    [ 'CondReqMembers version=rev', sub { PUT("$_[0]/a", '{}')->body }, '{"rev": 1}' ],
    [ 'CondReqTypes text/*', sub { PUT("$_[0]/a", 'x', content_type => 'text/plain')->code }, 201 ],
    [ 'CondReqMaxBody 100', sub { PUT("$_[0]/a", long(101))->code }, 413 ],
    [ 'CondReqMaxDepth 2', sub { PUT("$_[0]/a", '[[[]]]')->code }, 400 ],
    [ 'CondReqLocks On default=7s', sub {
        LOCK("$_[0]/a")->body =~ /Second-(\d+)/ ? $1 : 'none';
    }, 7 ],
) {
    my ($line, $seen, $expected) = @$row;
    is_deeply $seen->(place $line), $expected, $line;
}

# ---- nonsense ----

for my $row (
    # lines, a part of the sentence in the log
    [ 'CondReqETag etag',            qr/'etag': write version, hash, timestamp, none, or a format/ ],
    [ 'CondReqETag "%{id}"',         qr/put %\{version\}, %\{hash\} or %\{timestamp\} into it/ ],
    [ 'CondReqETag none weak',       qr/write none alone/ ],
    [ 'CondReqLastModified maybe',   qr/must be On or Off/ ],
    [ 'CondReqEvaluate strict',      qr/write rfc9110 or both/ ],
    [ 'CondReqRequire all',          qr/write none, or etag or any/ ],
    [ 'CondReqRequire etag GET',     qr/write PUT, PATCH, DELETE or POST/ ],
    [ 'CondReqPut patch',            qr/write replace or merge/ ],
    [ 'CondReqPatch never',          qr/write On or Off/ ],
    [ 'CondReqConflict all',         qr/write validators or document/ ],
    [ 'CondReqIds random',           qr/write sequence or uuid/ ],
    [ 'CondReqMembers name',         qr/write none, or each of id, version and updated_at/ ],
    [ 'CondReqTypes text',           qr{write a media type such as text/plain} ],
    [ 'CondReqMaxBody 0',            qr/write bytes from 1 to 64M/ ],
    [ 'CondReqMaxDepth deep',        qr/write how many arrays and objects/ ],
    [ 'CondReqLocks maybe',          qr/write On or Off first/ ],
    [ 'CondReqLocks On max=1h',      qr/in an .htaccess write On or Off, and default=, and no more/ ],
    [ 'CondReqLocks On per-user=9',  qr/in an .htaccess write On or Off, and default=, and no more/ ],
    [ 'CondReqLocks On per-host=9',  qr/in an .htaccess write On or Off, and default=, and no more/ ],
    [ "SetHandler condreq-locks\nRequire all granted", qr/write it into a <Location> of the server's/ ],
    [ "CondReqETag none\nCondReqRequire etag", qr/write CondReqETag version, or CondReqRequire none/ ],
    [ "CondReqRequire etag\nCondReqETag version weak", qr/write CondReqETag without weak/ ],
    [ "CondReqRequire any\nCondReqLastModified Off", qr/write CondReqRequire etag, or CondReqLastModified On/ ],
    [ 'CondReqStore bdb:/tmp/mine',  qr/CondReqStore not allowed (?:in|here)/ ],
) {
    my ($lines, $sentence) = @$row;
    my $place = place $lines;
    (my $said = $lines) =~ s/\n/, /;

    logged;
    is PUT("$place/a", '{}'), 500, "$said: 500";
    like logged, $sentence, "$said: the log says what to write";
}

# ---- what the host allows ----

htaccess 'not-allowed', 'SetHandler condreq';
is PUT('/htaccess/not-allowed/a', '{}'), 500, 'AllowOverride without FileInfo refuses SetHandler';
like logged, qr/SetHandler not allowed here/, 'as the log says';
htaccess 'not-allowed', 'CondReqMaxBody 1K';
is GET('/htaccess/not-allowed/a'), 500, 'and our directives';
like logged, qr/CondReqMaxBody not allowed here/, 'as the log says';
my $listed = htaccess 'listed', 'SetHandler condreq', 'CondReqETag "listed-%{version}"';
is PUT("$listed/a", '{}')->etag, '"listed-1"', 'AllowOverrideList allows those that it names';
htaccess 'listed/more', 'CondReqIds uuid';
is PUT("$listed/more/a", '{}'), 500, 'and no others';
my $ignored = htaccess 'ignored', 'SetHandler condreq', 'CondReqNonsense';
is PUT("$ignored/a", '{}'), 405, 'AllowOverride None does not look';

# ---- limits are only lowered ----

for my $row (
    # directory, its .htaccess, bytes that go, bytes that do not, sentence
    [ 'capped/raises',  ['CondReqMaxBody 2K'],  1024, 1025, 'a host\'s limit is not raised' ],
    [ 'capped/lowers',  ['CondReqMaxBody 512'], 512, 513, 'but lowered' ],
    [ 'capped/lowers/raises', ['CondReqMaxBody 1K'], 512, 513, 'nor is an outer one raised by an inner one' ],
    [ 'capped/lowers/lowers', ['CondReqMaxBody 100'], 100, 101, 'which may lower it further' ],
    [ 'capped/silent',  ['CondReqETag hash'],   1024, 1025, 'without a word it stays' ],
    [ 'default',        ['CondReqMaxBody 2M'],  1048576, 1048577, 'the default is a limit, too' ],
    [ 'raised/silent',  ['CondReqETag hash'],   2097152, 2097153, 'a host may raise it' ],
    [ 'raised/more',    ['CondReqMaxBody 64M'], 2097152, 2097153, 'and that is the limit then' ],
    [ 'raised/less',    ['CondReqMaxBody 1500K'], 1536000, 1536001, 'below which any is right' ],
    [ 'capped/in-files', ['<Files "*">', 'CondReqMaxBody 2K', '</Files>'], 1024, 1025,
      'Files in .htaccess raise nothing' ],
    [ 'capped/in-if',   ['<If "true">', 'CondReqMaxBody 2K', '</If>'], 1024, 1025,
      'If in .htaccess raises nothing' ],
    [ 'capped/in-ifs',  ['<If "true">', 'CondReqMaxBody 2K', '</If>', '<If "true">', 'CondReqETag hash', '</If>'],
      1024, 1025, 'nor do two' ],
) {
    my ($name, $lines, $goes, $not, $sentence) = @$row;
    my $place = htaccess $name, 'SetHandler condreq', @$lines;

    is PUT("$place/a", long($goes)), 201, "$name: $sentence: $goes bytes";
    is PUT("$place/a", long($not)), 413, "$name: $sentence: not $not";
    is PUT("$place/a", long($not), x_if => 1), 413, "$name: $sentence: whatever If the host has";
}
my $generous = htaccess 'capped/generous', 'SetHandler condreq', 'CondReqMaxBody 2K';
is PUT("$generous/a.generous", long(4096)), 201, 'Files of the host come after .htaccess';
htaccess 'capped/generous', 'SetHandler condreq', '<Files "*">', 'CondReqETag hash', '</Files>';
is PUT("$generous/b.generous", long(4096)), 201, 'also where .htaccess has some that say another thing';
for my $row (
    [ 'capped/deeper',    ['CondReqMaxDepth 8'], 4 ],
    [ 'capped/shallower', ['CondReqMaxDepth 2'], 2 ],
    [ 'capped/as-deep',   ['CondReqETag hash'],  4 ],
    [ 'capped/deep-if',   ['<If "true">', 'CondReqMaxDepth 8', '</If>'], 4 ],
) {
    my ($name, $lines, $depth) = @$row;
    my $place = htaccess $name, 'SetHandler condreq', @$lines;
    my @nested = map { '[' x $_ . ']' x $_ } $depth, $depth + 1;

    is PUT("$place/a", $nested[0]), 201, "$name: depth $depth";
    is PUT("$place/a", $nested[1]), 400, "$name: and no more";
    is PUT("$place/a", $nested[1], x_if => 1), 400, "$name: whatever If the host has";
}

# ---- nobody gets at what is another's ----

resource '/docs/htaccess-secret' => '{"secret":true}';
my $mallory = htaccess 'mallory', 'SetHandler condreq', 'RewriteEngine On', 'RewriteRule ^(.*)$ /docs/$1 [PT]';
is GET("$mallory/htaccess-secret"), 404, 'rewriting to another\'s path does not read its documents';
is PUT("$mallory/htaccess-secret", '{"mine":true}'), 201, 'but own ones';
is GET('/docs/htaccess-secret')->body, '{"secret":true}', 'nor write';

done_testing;
