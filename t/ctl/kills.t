# condreqctl killed at any moment of any command, while others write: no write
# that was acknowledged is lost, service is back at once, and what it was making
# is whole or counts as nothing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Ctl;
use Test::More;
use Time::HiRes qw(sleep time);

use constant KILLS => $ENV{CONDREQ_CTL_KILLS} // 30;

my $place = scratch();
srand 1;

sub median_and_worst {
    my @sorted = sort { $a <=> $b } @_;
    return sprintf 'p50 %.3f s, worst %.3f s', $sorted[@sorted / 2], $sorted[-1];
}

# How long a command takes when it is left alone.
sub duration {
    my ($prepare, @arguments) = @_;
    $prepare->(0);
    my $begun = time;
    my $code  = ended(started("$place/said", map { s/NUMBER/0/r } @arguments));
    is $code, 0, "@arguments[2 .. $#arguments]: it succeeds" =~ s{\Q$place\E/}{}gr;
    return time - $begun;
}

# Kills it KILLS times. @return how long until ten more writes each time
sub kill_often {
    my ($loaded, $prepare, $after, @arguments) = @_;
    my $longest = duration($prepare, @arguments);
    my @outages;

    for my $number (1 .. KILLS) {
        $prepare->($number);
        my $pid = started("$place/said", map { s/NUMBER/$number/r } @arguments);
        sleep rand 1.2 * $longest;
        kill KILL => $pid;
        my $struck = time;
        ended($pid);
        push @outages, load_until_written($loaded, 10) ? time - $struck : 'none' if $loaded;
        $after->($number);
    }
    return @outages;
}

my $nothing = sub { };

# ---- while a store is written ----

{
    my $loaded = load_begin("$place/store", 4, 300);
    my @store  = ('--store', $loaded->{store});
    my ($finished, $unfinished) = (0, 0);

    load_until_written($loaded, 2000);
    my %commands = (
        stat   => [['stat'], $nothing],
        list   => [['list'], $nothing],
        get    => [[qw(get localhost/load/7)], $nothing],
        verify => [['verify'], $nothing],
        backup => [['backup', "$place/backup-NUMBER"], sub {
            my $code = condreqctl('--store', "$place/backup-$_[0]", 'verify')->{code};

            $code eq '0' ? $finished++ : $code eq '3' ? $unfinished++ : fail "a backup exits with $code";
            File::Path::remove_tree("$place/backup-$_[0]");
        }],
    );
    for my $command (sort keys %commands) {
        my ($arguments, $after) = @{ $commands{$command} };
        my @outages = kill_often($loaded, $nothing, $after, @store, @$arguments);

        is scalar(grep { $_ eq 'none' } @outages), 0, "$command is killed ${\KILLS} times: service goes on";
        cmp_ok scalar(grep { $_ > 3 } @outages), '<', 2, "$command: within seconds";
        diag "$command: " . median_and_worst(@outages);
    }
    is $finished + $unfinished, KILLS, 'each backup that was killed is whole, or none';
    cmp_ok $unfinished, '>', 3, 'of which some are none';
    load_end($loaded);
    is load_check($loaded->{store}, $loaded, load_now(), load_now()), '', 'no acknowledged write is lost';
    is condreqctl(@store, 'verify')->{code}, 0, 'and the store verifies';
}

# ---- restore: the store is the old one or the new one ----

{
    my $loaded = write_store("$place/restored", 100);
    my $store  = $loaded->{store};
    condreqctl('--store', $store, 'backup', "$place/old");
    my $written = load_begin($store, 2, 100);
    load_until_written($written, 500);
    load_end($written);
    my $new = condreqctl('--store', $store, 'list')->{out};
    system('cp', '-r', $store, "$place/kept") == 0 or die "cp: $?";
    my %seen;

    kill_often(undef, sub {
        remove_store($store);
        system('cp', '-r', "$place/kept", $store) == 0 or die "cp: $?";
    }, sub {
        my $listed = condreqctl('--store', $store, 'list')->{out};
        my $stat   = condreqctl('--json', '--store', $store, 'stat')->{json}[0];
        my $is_new = $listed eq $new;

        $seen{$is_new ? 'as it was' : 'restored'}++;
        $seen{wrong}++ unless $is_new ? $stat->{incarnation} == 0 : $stat->{incarnation} > 0;
        $seen{wrong}++ if condreqctl('--store', $store, 'verify')->{code};
        $seen{wrong}++ unless $stat->{documents} == 100;
    }, '--store', $store, 'restore', "$place/old");
    is $seen{wrong}, undef, 'a restore that is killed leaves a store that is whole, old or new';
    cmp_ok $seen{'as it was'} // 0, '>', 0, 'sometimes the one that was there';
    cmp_ok $seen{restored} // 0, '>', 0, 'sometimes the other';
    is condreqctl('--store', $store, 'restore', "$place/old")->{code}, 0, 'and it can be restored afterwards';
}

# ---- salvage: the damaged store is as it was ----

{
    my $loaded = write_store("$place/damaged", 100);
    my $files  = sizes($loaded->{store});

    kill_often(undef, $nothing, sub {
        my $out  = "$place/salvaged-$_[0]";
        my $code = condreqctl('--store', $out, 'verify')->{code};

        fail "what a salvage left: verify exits with $code" unless $code =~ /^[03]$/;
        remove_store($out);
    }, '--store', $loaded->{store}, 'salvage', "$place/salvaged-NUMBER");
    is_deeply sizes($loaded->{store}), $files, 'a salvage that is killed changes nothing';
}

# ---- a store that nobody uses ----

{
    my $loaded = write_store("$place/unused", 100);
    my $store  = $loaded->{store};

    kill_often(undef, $nothing, $nothing, '--store', $store, 'stat');
    is condreqctl('--json', '--store', $store, 'stat')->{json}[0]{documents}, 100,
        'killed while it prepares and keeps a store: the next one finds all of it';
    is load_check($store, $loaded, load_now(), load_now()), '', 'as it was acknowledged';
}

done_testing;
