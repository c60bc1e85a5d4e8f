# Locks under load: eight clients at once, twenty rounds.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Apache::TestConditional qw(GET PUT race);
use Locks;

my $rounds = 20;
my @xml = (content_type => 'application/xml', depth => 0);

# ---- LOCK against LOCK ----
for my $over ('new', 'old') {
    my ($winners, $losers, $held) = (0, 0, 0);

    for my $round (1 .. $rounds) {
        my $uri = "/locks/race-$over$round";
        PUT $uri, '{}' if $over eq 'old';
        my @answers = race('http/1.1', map { ['LOCK', $uri, lockinfo('exclusive'), @xml] } 1 .. 8);
        my @won = grep { $_->is_success } @answers;

        $winners += @won == 1;
        $losers += 7 == grep { $_ == 423 } @answers;
        $held += @won && PUT($uri, '{}', if => '(<' . token($won[0]) . '>)') == 200;
        UNLOCK $uri, token($won[0]) if @won;
    }
    is $winners, $rounds, "$over: of eight exclusive locks one is granted";
    is $losers, $rounds, 'the others are refused';
    is $held, $rounds, 'and its token is the one that counts';
}
{
    my $granted = 0;
    my @tokens;
    for my $round (1 .. $rounds) {
        my @answers = race('http/1.1',
            map { ['LOCK', '/locks/race-shared', lockinfo('shared'), @xml] } 1 .. 4);
        $granted += grep { $_->is_success } @answers;
        UNLOCK '/locks/race-shared', token($_) for @answers;
    }
    is $granted, 4 * $rounds, 'shared ones are all granted';
}

# ---- LOCK against PUT ----
# What the lock's holder sees, once he has it, is what stays.
{
    my ($crossed, $locked, $written) = (0, 0, 0);

    for my $round (1 .. $rounds) {
        my $uri = "/locks/race-put$round";
        PUT $uri, '{"n":0}';
        my ($lock, @puts) = race('http/1.1',
            ['LOCK', $uri, lockinfo('exclusive'), @xml],
            map { ['PUT', $uri, qq({"n":$_})] } 1 .. 7);
        my $version = GET($uri)->etag;
        my $next = PUT $uri, '{"n":9}', if => '(<' . token($lock) . '>)';

        $locked += $lock == 200;
        $written += grep { $_ == 200 } @puts;
        $crossed += grep { $_ != 200 && $_ != 423 } @puts;
        # 1 and one for each PUT that was answered 200.
        $crossed++ if $version ne '"' . (1 + grep { $_ == 200 } @puts) . '"';
        $crossed++ if $next != 200;
        $crossed++ if PUT($uri, '{}') != 423;
    }
    is $locked, $rounds, 'a LOCK among PUTs is granted';
    is $crossed, 0, 'and no PUT without its token comes behind it';
    ok $written < 7 * $rounds, 'some came too late' or diag "$written of " . 7 * $rounds;
}

# ---- refresh against expiry ----
# Each lock lives a second or two; who refreshes it in time has it, and a LOCK of
# another is granted only if it has died.
{
    my ($both, $neither) = (0, 0);

    for my $round (1 .. $rounds) {
        my $uri = "/locks-brief/race$round";
        my $lock = LOCK $uri, timeout => 'Second-1';
        select undef, undef, undef, 0.95 + $round * 0.004;
        my ($refresh, @locks) = race('http/1.1',
            ['LOCK', $uri, undef, if => '(<' . token($lock) . '>)'],
            map { ['LOCK', $uri, lockinfo('exclusive'), @xml] } 1 .. 7);
        my $granted = grep { $_->is_success } @locks;

        $both++ if $granted + ($refresh == 200) > 1;
        $neither++ if !$granted && $refresh != 200
            && LOCK($uri, refresh => token($lock)) != 412;
    }
    is $both, 0, 'a lock is refreshed or taken by another, never both';
    is $neither, 0, 'and what is neither has died';
}

# ---- If over two documents, in opposite order ----
{
    my ($done, $wrong) = (0, 0);

    for my $round (1 .. $rounds) {
        my ($left, $right) = map { "/locks/race-$_$round" } qw(left right);
        PUT $_, '{}' for $left, $right;
        # Each writes one on the condition that the other is as it was.
        my @answers = race('http/1.1', map {
            my ($own, $other) = $_ % 2 ? ($left, $right) : ($right, $left);
            ['PUT', $own, '{"n":1}', if => "<$other> ([\"1\"])", if_match => '"1"']
        } 1 .. 8);

        $done += 1 == grep { $_->is_success } @answers;
        $wrong += grep { $_ != 200 && $_ != 412 } @answers;
    }
    is $done, $rounds, 'of eight who each need both as they were, one writes';
    is $wrong, 0, 'and the others are told so';
}

done_testing;
