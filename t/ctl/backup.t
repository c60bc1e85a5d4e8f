# Backups while others write, and what is put back of them: every write that was
# acknowledged before a backup began is in it, none that was begun after it
# ended, and all that is in it is of one moment.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Ctl;
use Test::More;

my $place = scratch();

# @return the restored store's path
sub restored {
    my ($name, $backup) = @_;
    my $said = condreqctl('--store', "$place/$name", 'restore', $backup);

    is $said->{code}, 0, "$name is restored" or diag $said->{err};
    return "$place/$name";
}

sub logs {
    my ($store) = @_;
    my @logs = sort map { m{(log\.\d+)$} } glob "$store/log/log.*";
    return @logs;
}

for my $durability ('', 'nosync') {
    my $name   = "load$durability";
    my $loaded = load_begin("$place/$name", 4, 500, $durability || ());
    my @backups;

    ok load_until_written($loaded, 2000), "$name: four processes write";
    for my $number (1 .. 4) {
        my $backup = "$place/$name-backup-$number";
        my $from   = load_now();
        my $said   = condreqctl('--store', $loaded->{store}, 'backup', $backup);

        is $said->{code}, 0, "$name: backup $number is made" or diag $said->{err};
        push @backups, [$backup, $from, load_now()];
        load_until_written($loaded, 300);
    }

    # Two at once, of which one ends first.
    my @pids = map { started("$place/$name-said-$_", '--store', $loaded->{store}, 'backup', "$place/$name-twin-$_") } 1, 2;
    is_deeply [map { ended($_) } @pids], [0, 0], "$name: two backups at once";

    my $stat = condreqctl('--json', '--store', $loaded->{store}, 'stat')->{json}[0];
    is $stat->{recoveries}, 0, "$name: no backup cost anybody a recovery";
    is $stat->{durability}, $durability ? 'write_nosync' : 'sync', "$name: its durability is known";
    load_end($loaded);

    for my $number (1 .. @backups) {
        my ($backup, $from, $to) = @{ $backups[$number - 1] };

        is condreqctl('--store', $backup, 'verify')->{code}, 0, "$name: backup $number verifies";
        my $store = restored("$name-$number", $backup);
        is load_check($store, $loaded, $from, $to), '', "$name: backup $number is of one moment";
    }
}

# ---- processes that die meanwhile ----

# Their writes are undone by recoveries, of which a backup sees pages from before
# and after.
{
    my $loaded = load_begin("$place/dying", 4, 500);
    my $killer = fork // die "fork: $!";
    my @backups;

    if (!$killer) {
        while (1) {
            kill KILL => (load_writers($loaded))[-1];
            select undef, undef, undef, 0.2;
        }
    }
    load_until_written($loaded, 500);
    for my $number (1 .. 5) {
        my $from = load_now();
        my $said = condreqctl('--store', $loaded->{store}, 'backup', "$place/dying-backup-$number");

        is $said->{code}, 0, "backup $number while processes die" or diag $said->{err};
        push @backups, ["$place/dying-backup-$number", $from, load_now()];
    }
    kill KILL => $killer;
    waitpid $killer, 0;
    load_until_written($loaded, 100);
    my $stat = condreqctl('--json', '--store', $loaded->{store}, 'stat')->{json}[0];
    cmp_ok $stat->{recoveries}, '>', 2, "$stat->{recoveries} recoveries meanwhile";
    load_end($loaded);
    for my $number (1 .. 5) {
        my ($backup, $from, $to) = @{ $backups[$number - 1] };

        is condreqctl('--store', $backup, 'verify')->{code}, 0, "backup $number of them verifies";
        is load_check(restored("dying-$number", $backup), $loaded, $from, $to), '', "and is of one moment";
    }
}

# ---- logs ----

# A backup that stands still keeps what it needs, and not for ever.
{
    my $loaded = load_begin("$place/logs", 4, 500);

    load_until_written($loaded, 2000);
    my ($first) = logs($loaded->{store});
    my $pid = started("$place/said", '--store', $loaded->{store}, 'backup', "$place/halted");
    for (1 .. 2000) {
        last if -s "$place/halted/unfinished/data/bodies.db";
        select undef, undef, undef, 0.001;
    }
    kill STOP => -$pid;
    my ($kept) = logs($loaded->{store});
    load_until_written($loaded, 12000);
    is +(logs($loaded->{store}))[0], $kept, 'while a backup is made no log is removed';
    cmp_ok scalar(logs($loaded->{store})), '>', 3, 'of several';
    kill KILL => $pid;
    ended($pid);
    load_until_written($loaded, 3000);
    select undef, undef, undef, 1.5;
    cmp_ok +(logs($loaded->{store}))[0], 'gt', $kept, 'one that is killed keeps none any more';
    cmp_ok scalar(logs($loaded->{store})), '<', 8, 'and the log is short again';
    load_end($loaded);
    is condreqctl('--store', "$place/halted", 'verify')->{code}, 3, 'what it left is no backup';
    is condreqctl('--store', "$place/elsewhere", 'restore', "$place/halted")->{code}, 3, 'and is not restored';
}

# ---- restore ----

my $loaded = write_store("$place/store", 50);
my $store  = $loaded->{store};
is condreqctl('--store', $store, 'backup', "$place/one")->{code}, 0, 'a store that nobody uses is backed up';

my $again = load_begin($store, 2, 50);
load_until_written($again, 200);
like condreqctl('--store', $store, 'restore', "$place/one")->{err}, qr/in use/, 'a store in use is not replaced';
is condreqctl('--store', $store, 'salvage', "$place/salvaged")->{code}, 4, 'nor salvaged';
load_end($again);

sub incarnation { return condreqctl('--json', '--store', $_[0], 'stat')->{json}[0]{incarnation} }

for my $incarnation (1 .. 3) {
    my $said = condreqctl('--json', '--store', $store, 'restore', "$place/one")->{json}[0];

    is $said->{incarnation}, $incarnation, "restored to its place: incarnation $incarnation";
    is $said->{kept}, "$store/replaced-$incarnation", 'what was there is kept';
    is incarnation($store), $incarnation, 'the store says so itself';
}
is_deeply [map { s{.*/}{}r } glob "$store/replaced-1/*"], [qw(data log)], 'whole';
condreqctl('--store', $store, 'backup', "$place/two");
restored("third", "$place/two");
is incarnation("$place/third"), 4, 'a backup of a later incarnation goes on from there';
restored("fourth", "$place/two");
is incarnation("$place/fourth"), 5, 'elsewhere once more: no incarnation comes twice';
restored("fifth", "$place/one");
is incarnation("$place/fifth"), 4, 'of an older backup it is one more than was ever made of it';

# ---- backups that are none ----

my %harm = (
    'a byte that is another' => sub { damage("$_[0]/data/bodies.db", 5000) },
    'a file that is missing' => sub { unlink "$_[0]/data/counters.db" },
    'a file that is cut short' => sub { truncate "$_[0]/data/versions.db", 4096 },
    'a log too many' => sub { open my $file, '>', "$_[0]/log/log.0000099999" or die $! },
    'a manifest that is cut short' => sub { truncate "$_[0]/manifest", 100 },
    'a manifest of another format' => sub { damage("$_[0]/manifest", 15) },
    'a manifest of a later store' => sub {
        local ($^I, @ARGV) = ('', "$_[0]/manifest");
        while (<>) { s/^format \d+/format 99/; print }
    },
);
for my $name (sort keys %harm) {
    my $backup = "$place/" . $name =~ tr/ /-/r;
    my $code   = $name =~ /manifest/ ? 6 : 1;

    condreqctl('--store', $store, 'backup', $backup);
    $harm{$name}->($backup);
    is condreqctl('--store', $backup, 'verify')->{code}, $code, "$name: verify notices";
    my $before = sizes($store);
    is condreqctl('--store', $store, 'restore', $backup)->{code}, $code, "$name: it is not restored";
    is_deeply sizes($store), $before, "$name: the store is as it was";
}

done_testing;
