# What a damaged page costs: the rest comes out, and what is lost is named.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Ctl;
use Test::More;

use constant PAGE => 4096;

my $place  = scratch();
my $loaded = write_store("$place/store", 600);
my %before = map { $_->{key} => $_ } @{ condreqctl(qw(--json --store), $loaded->{store}, 'list')->{json} };
is scalar(keys %before), 600, 'a store of 600 documents';

# Its own files, in a directory of another name.
sub copied {
    my ($name) = @_;
    system('cp', '-r', $loaded->{store}, "$place/$name") == 0 or die "cp: $?";
    return "$place/$name";
}

sub page_type {
    my ($file, $page) = @_;
    open my $handle, '<:raw', $file or die "$file: $!";
    seek $handle, $page * PAGE + 25, 0;
    read $handle, my $type, 1;
    return ord $type;
}

# The first leaf of a tree from some page on.
sub leaf {
    my ($file, $from) = @_;
    $from++ until page_type($file, $from) == 5;
    return $from;
}

sub internal {
    my ($file) = @_;
    my $page = 1;
    $page++ until page_type($file, $page) == 3;
    return $page;
}

# Salvages, and holds what came out against what was there.
# @return { said, lost: keys, changed: keys }
sub salvaged {
    my ($name, $store) = @_;
    my $files = sizes($store);
    my $said  = condreqctl('--store', $store, 'salvage', "$place/$name-out");
    my %after = map { $_->{key} => $_ } @{ condreqctl(qw(--json --store), "$place/$name-out", 'list')->{json} };

    is_deeply sizes($store), $files, "$name: the damaged store is left as it is";
    is condreqctl('--store', "$place/$name-out", 'verify')->{code}, 0, "$name: the new store verifies";
    is condreqctl(qw(--json --store), "$place/$name-out", 'stat')->{json}[0]{incarnation}, 1,
        "$name: it is a new incarnation";
    my @lost    = sort grep { !$after{$_} } keys %before;
    my @changed = sort grep {
        $after{$_} && join(' ', @{ $after{$_} }{qw(version modified length type)})
            ne join(' ', @{ $before{$_} }{qw(version modified length type)})
    } keys %before;
    return { said => $said, lost => \@lost, changed => \@changed };
}

# A document's own bytes, version by version.
sub is_whole {
    my ($store, $key) = @_;
    my ($number) = $key =~ m{/(\d+)$};
    my $version = $before{$key}{version};
    my $line    = "$number/$version\n";
    my $wanted  = ($number * 977 + $version * 131) % 6000;
    my $bytes   = $line x (1 + $wanted / length $line);

    $wanted = length $line if $wanted < length $line;
    return condreqctl('--store', $store, 'get', $key)->{out} eq substr $bytes, 0, $wanted;
}

# ---- nothing is damaged ----

my $sound = salvaged('sound', copied('sound'));
is $sound->{said}{code}, 0, 'a sound store: nothing is wrong';
like $sound->{said}{out}, qr/^600 documents, \d+ bytes were brought out; 0 things are wrong$/m, 'and all of it comes out';
is_deeply [@$sound{qw(lost changed)}], [[], []], 'as it was';
ok is_whole("$place/sound-out", 'localhost/load/77'), 'byte for byte';

# ---- bytes of bodies ----

{
    my $store = copied('bodies');
    my $file  = "$store/data/bodies.db";
    my $page  = leaf($file, 100);

    damage($file, $page * PAGE + PAGE - 100);
    my $verified = condreqctl('--store', $store, 'verify');
    is $verified->{code}, 1, 'a byte of a body: verify notices';
    like $verified->{out}, qr/^bodies\.db: page $page is damaged$/m, 'and names the page';
    is condreqctl('--store', $store, 'backup', "$place/bodies-backup")->{code}, 1, 'no backup is made of it';

    my $out = salvaged('bodies', $store);
    is $out->{said}{code}, 1, 'a byte of a body: salvage says that something is lost';
    is scalar(@{ $out->{lost} }), 1, 'one document is';
    like $out->{said}{out}, qr/^\Q$out->{lost}[0]\E: lost: its body is not the one that was stored$/m, 'it says which';
    is_deeply $out->{changed}, [], 'all others are as they were';
    is scalar(() = glob "$place/bodies-out/lost+found/*"), 1, 'what is left of its body is kept as a file';
}

# ---- a page of bodies, as a disk may return it ----

{
    my $store = copied('zeros');
    my $file  = "$store/data/bodies.db";
    my $page  = leaf($file, 60);

    open my $handle, '+<:raw', $file or die "$file: $!";
    seek $handle, $page * PAGE, 0;
    print $handle "\xa5" x PAGE;
    close $handle;
    my $out = salvaged('zeros', $store);
    is $out->{said}{code}, 1, 'a page of bodies';
    cmp_ok scalar(@{ $out->{lost} }), '<=', 4, 'costs four documents at most';
    cmp_ok scalar(@{ $out->{lost} }), '>', 0, 'and one at least';
    like $out->{said}{out}, qr/^\Q$_\E: lost: its body/m, "$_ is named" for @{ $out->{lost} };
    is_deeply $out->{changed}, [], 'all others are as they were';
}

# ---- inner pages: no way to a leaf ----

{
    my $store = copied('inner');

    for my $tree (qw(bodies versions)) {
        my $file = "$store/data/$tree.db";
        damage($file, internal($file) * PAGE + $_) for 40, 1000, 25;
    }
    my $out = salvaged('inner', $store);
    is $out->{said}{code}, 1, 'inner pages of both trees: it is said';
    is_deeply [@$out{qw(lost changed)}], [[], []], 'and costs no document';
}

# ---- the first page ----

{
    my $store = copied('meta');

    damage("$store/data/$_.db", 100) for qw(bodies versions);
    my $out = salvaged('meta', $store);
    is_deeply [@$out{qw(lost changed)}], [[], []], 'the first page of both trees costs no document';
}

# ---- records ----

{
    my $store = copied('records');
    my $file  = "$store/data/versions.db";
    my $page  = leaf($file, 5);

    damage($file, $page * PAGE + 25);
    my $out = salvaged('records', $store);
    is $out->{said}{code}, 1, 'the head of a page of records';
    is_deeply [@$out{qw(lost changed)}], [[], []], 'costs no document';
    my @looked = $out->{said}{out} =~ /^(\S+): its record stood on a damaged page: look at it$/mg;
    cmp_ok scalar(@looked), '>', 5, 'those that stood there are to be looked at';

    open my $handle, '+<:raw', $file or die "$file: $!";
    seek $handle, $page * PAGE, 0;
    print $handle "\0" x 100, "\xa5" x (PAGE - 100);
    close $handle;
    $out = salvaged('records-gone', $store);
    is_deeply $out->{lost}, [sort @looked], 'a whole page of records: those are lost, and no others';
    is scalar(() = glob "$place/records-gone-out/lost+found/*"), scalar(grep { $before{$_}{length} } @looked),
        'their bodies are kept as files';
}

# ---- counters ----

{
    my $store = copied('counters');

    damage("$store/data/counters.db", PAGE + PAGE - 3);
    my $said = condreqctl('--store', $store, 'salvage', "$place/counters-out");
    is $said->{code}, 1, 'a page of counters: it is said';
    my $stat = condreqctl(qw(--json --store), "$place/counters-out", 'stat')->{json}[0];
    is $stat->{documents}, 600, 'all documents are there';
    cmp_ok $stat->{incarnation}, '>', 1_000_000_000, 'the incarnation is one that nobody can have counted to';
}

# ---- the index ----

# Does each collection list what is there, and nothing else? verify knows both.
sub is_listed_whole {
    my ($store, $name) = @_;
    my $verified = condreqctl('--store', $store, 'verify');
    is $verified->{code}, 0, "$name: its index is made anew, and whole" or diag $verified->{out}, $verified->{err};
    return;
}

{
    my $store = copied('index');
    my $file  = "$store/data/index.db";
    my $page  = leaf($file, 1);

    damage($file, $page * PAGE + PAGE - 100);
    my $verified = condreqctl('--store', $store, 'verify');
    is $verified->{code}, 1, 'a page of the index: verify notices';
    like $verified->{out}, qr/^index\.db: page $page is damaged$/m, 'and names it';
    my $out = salvaged('index', $store);
    is_deeply [@$out{qw(lost changed)}], [[], []], 'it costs no document';
    is_listed_whole("$place/index-out", 'a damaged index');
    is_listed_whole("$place/bodies-out", 'lost bodies');
    is_listed_whole("$place/sound-out", 'a sound one');
    unlink $file;
    salvaged('no-index', $store);
    is_listed_whole("$place/no-index-out", 'no index at all');
}

# ---- the log ----

{
    my $store = copied('log');

    for my $log (glob "$store/log/*") { truncate $log, 0 }
    my $out = salvaged('log', $store);
    is_deeply [@$out{qw(lost changed)}], [[], []], 'a log that is lost costs no document that was checkpointed';
}

# ---- and it goes on ----

my $more = load_begin("$place/bodies-out", 2, 600);
ok load_until_written($more, 2000), 'the new store can be written';
load_end($more);
is load_check("$place/bodies-out", $more, load_now(), load_now()), '', 'and keeps what it is given';

done_testing;
