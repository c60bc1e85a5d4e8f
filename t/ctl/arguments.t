# What condreqctl is asked, and what it answers: exit codes as in its manual,
# and a sentence that says what to do.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Ctl;
use Test::More;

my $root   = "$FindBin::Bin/../..";
my $place  = scratch();
my $loaded = write_store("$place/store", 20);
my $store  = $loaded->{store};

mkdir "$place/$_" for qw(empty full);
mkdir "$place/full/something";
condreqctl('--store', $store, 'backup', "$place/backup");

# ---- a table ----

my $number = qr/\d+/;
my @rows = (
    # arguments                                   code  out, err
    [[],                                            2, qr/^$/, qr/say what to do/],
    [['--help'],                                    0, qr/^usage: condreqctl .*\n\n  stat /, qr/^$/],
    [['-h'],                                        0, qr/^usage: /, qr/^$/],
    [['--version'],                                 0, qr/^condreqctl \d+\.\d+\n$/, qr/^$/],
    [['--nonsense', 'stat'],                        2, qr/^$/, qr/--nonsense is no option/],
    [['--store'],                                   2, qr/^$/, qr/--store needs an argument/],
    [['nonsense'],                                  2, qr/^$/, qr/'nonsense' is none of its commands/],
    [[qw(stat more)],                               2, qr/^$/, qr/stat takes no 'more'/],
    [['get'],                                       2, qr/^$/, qr/get needs a KEY/],
    [[qw(get a b)],                                 2, qr/^$/, qr/get takes no 'b'/],
    [[qw(get a%zz)],                                2, qr/^$/, qr/'a%zz' is no key/],
    [['get', 'k' x 1281],                           2, qr/^$/, qr/is no key/],
    [['backup'],                                    2, qr/^$/, qr/backup needs a DIRECTORY/],
    [['restore'],                                   2, qr/^$/, qr/restore needs a DIRECTORY/],
    [['salvage'],                                   2, qr/^$/, qr/salvage needs a DIRECTORY/],
    [[qw(--prefix a stat)],                         2, qr/^$/, qr/--prefix is for list, not for stat/],
    [[qw(list --prefix %1)],                        2, qr/^$/, qr/no key begins with '%1'/],
    [['--store', "$place/none", 'stat'],            3, qr/^$/, qr{no store is in \Q$place\E/none: No such file}],
    [['--store', "$place/none", 'list'],            3, qr/^$/, qr/no store is in/],
    [['--store', "$place/empty", 'stat'],           3, qr/^$/, qr/no store is in/],
    [['--store', "$place/store.ledger", 'stat'],    3, qr/^$/, qr/it is no directory/],
    [['--store', "$place/backup", 'stat'],          3, qr/^$/, qr/is a backup/],
    [['--store', $store, 'stat'],                   0, qr/^documents +20$/m, qr/^$/],
    [['--store', "bdb:$store/", 'stat'],            0, qr/^incarnation +0$/m, qr/^$/],
    [['stat', '--store', $store],                   0, qr/^durability +sync$/m, qr/^$/],
    [['--store', $store, 'get', 'localhost/none'],  3, qr/^$/, qr{no document is at localhost/none}],
    [['--store', $store, 'get', 'localhost/load/7'], 0, qr{^7/$number\n(?:7/$number\n)*}, qr/^$/],
    [['--store', $store, 'get', 'localhost/%6coad/7'], 0, qr{^7/$number\n}, qr/^$/],
    [['--store', $store, 'list', '--prefix', 'localhost/load/1'],
        0, qr{\A(?:localhost/load/1\d?\t$number\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\t$number\ttext/plain\n){11}\z}, qr/^$/],
    [['--store', $store, 'list', '--prefix', 'other'], 0, qr/^$/, qr/^$/],
    [['--store', $store, 'verify'],                 0, qr/^20 documents, $number bytes were read; 0 things are wrong$/m, qr/^$/],
    [['--store', "$place/backup", 'verify'],        0, qr/^20 documents, $number bytes were read; 0 things/m, qr/^$/],
    [['--store', $store, 'backup', "$place/full"],  7, qr/^$/, qr/is there and not empty/],
    [['--store', $store, 'backup', "$place/backup"], 7, qr/^$/, qr/is there and not empty/],
    [['--store', $store, 'backup', "$place/none/backup"], 7, qr/^$/, qr{making \Q$place\E/none/backup: No such}],
    [['--store', "$place/none", 'backup', "$place/b"], 3, qr/^$/, qr/no store is in/],
    [['--store', $store, 'restore', "$place/none"], 3, qr/^$/, qr/there is no/],
    [['--store', $store, 'restore', "$place/full"], 3, qr/^$/, qr/is no backup, or one that was not finished/],
    [['--store', $store, 'restore', $store],        3, qr/^$/, qr/is no backup/],
    [['--store', $store, 'salvage', "$place/full"], 7, qr/^$/, qr/is there and not empty/],
);
for my $row (@rows) {
    my ($arguments, $code, $out, $err) = @$row;
    my $name = join ' ', map { s{\Q$place\E/}{}gr } @$arguments;
    $name = substr($name, 0, 40) . '...' if length $name > 60;
    my $said = condreqctl(@$arguments);

    is $said->{code}, $code, "'$name' exits with $code" or diag "$said->{out}$said->{err}";
    like $said->{out}, $out, "'$name': what it says";
    like $said->{err}, $err, "'$name': and what is wrong";
}
ok !-e "$place/b", 'no directory is made for a backup of no store';

# ---- JSON ----

my ($stat) = @{ condreqctl('--json', '--store', $store, 'stat')->{json} };
is_deeply [sort keys %$stat],
    [sort qw(store documents tombstones bytes data_bytes log_bytes cache_bytes cache_hits cache_misses
             cache_hit_rate durability incarnation generation recoveries last_recovery_s processes_ended
             processes threads_inside keeper)], 'stat --json has these members';
is $stat->{documents}, 20, 'and the number of documents';
is $stat->{processes}, 0, 'nobody else has the store open';

my $listed = condreqctl(qw(--json --store), $store, 'list')->{json};
is scalar(@$listed), 20, 'list --json: an object a document';
my ($seventh) = grep { $_->{key} eq 'localhost/load/7' } @$listed;
my ($got) = @{ condreqctl(qw(--json --store), $store, qw(get localhost/load/7))->{json} };
is length condreqctl('--store', $store, 'get', 'localhost/load/7')->{out}, $got->{length},
    'get --json: the length of what get writes';
like delete $got->{sha256}, qr/^[0-9a-f]{64}$/, 'and its SHA-256';
is_deeply $got, $seventh, 'and what list says';
my ($made) = @{ condreqctl(qw(--json --store), $store, 'backup', "$place/second")->{json} };
is $made->{incarnation}, 0, 'backup --json';
my ($restored) = @{ condreqctl(qw(--json --store), "$place/new", 'restore', "$place/second")->{json} };
is_deeply [@$restored{qw(moment incarnation kept)}], [$made->{moment}, 1, undef], 'restore --json: the same moment';
my ($verified) = @{ condreqctl(qw(--json --store), $store, 'verify')->{json} };
is_deeply $verified, { documents => 20, bytes => $stat->{bytes}, wrong => 0 }, 'verify --json';

# ---- looking changes nothing ----

condreqctl('--store', $store, 'stat');
my $before = sizes("$place/backup");
condreqctl('--store', "$place/backup", 'verify');
is_deeply sizes("$place/backup"), $before, 'verify leaves a backup as it is';
is_deeply [glob "$place/empty/*"], [], 'what is no store is not made one';

# ---- a reader that has seen enough ----

my $tool = tool();
is qx($tool --store $store list | head -n 1 | wc -l) + 0, 1, 'a reader may stop early';

# ---- the manual ----

open my $page, '<', "$root/docs/condreqctl.8" or die "the manual: $!";
my $manual = do { local $/; <$page> };
my %help = condreqctl('--help')->{out} =~ /^  (\w+) +(.*)$/mg;
ok %help, 'help lists commands';
is_deeply [sort $manual =~ /^\.It Cm (\w+)/mg], [sort keys %help], 'the manual has each command of --help';
open my $header, '<', "$root/ctl/condreqctl.h" or die "the header: $!";
my @codes = do { local $/; <$header> } =~ /^    CTL_\w+ = (\d),?$/mg;
is_deeply [sort $manual =~ /^\.It (\d)$/mg], [sort @codes], 'and each exit code';
my ($readme) = do { local (@ARGV, $/) = "$root/README.md"; <> };
like $readme, qr/condreqctl[^\n]* \Q$_\E\b/, "README.md shows $_" for sort keys %help;

done_testing;
