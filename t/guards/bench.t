# The bench compares only what is the same work, and what docs/performance.md
# and its pictures show is what was measured.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../../bench/lib";
use Sources;
use Test::More;
use JSON::PP ();

use Bench::Chart qw(chart curves_chart);
use Bench::Curves qw(curve_rows curve_servers);
use Bench::Figures qw(compare goal_met median side_figures);
use Bench::Rows qw(rows servers);
use Bench::Table 'table';

# ---- figures ----

is median(3, 1, 2), 2, 'the median of three';
is median(4, 1, 2, 3), 2.5, 'and of four';

# Rounds of 100 requests, each of so many microseconds and bytes.
sub side {
    my ($name, $cpu, %changed) = @_;
    return { name => $name, rounds => [map { {
        seconds => 1, cpu_us => 100 * ($cpu + $_), payload => 102400, p50_us => 10, p99_us => 20,
        outcomes => { document => 100 }, statuses => { 200 => 100 }, %changed,
    } } 0 .. 4] };
}

my %row = (measure => 'cpu', outcome => 'document');
my $ours = side('ours', 8);
my $compared = compare(\%row, $ours, side('beside', 18));
is $compared->{ratio}, 0.5, 'a ratio is one of medians';
is sprintf('%.2f %.2f', @$compared{qw(low high)}), '0.44 0.55', 'its spread is that of the rounds';
is side_figures(\%row, $ours)->{rate}, 100, 'requests a second';

for (
    ['another outcome', outcomes => { document => 99, other => 1 }],
    ['no such outcome', outcomes => { unmodified => 100 }],
    ['fewer bytes',     payload => 102399],
) {
    my ($what, @changed) = @$_;
    ok compare(\%row, $ours, side('beside', 18, @changed))->{refused}, "$what: no ratio";
    ok compare(\%row, side('ours', 8, @changed), side('beside', 18))->{refused}, "$what of ours: no ratio";
}
my $contended = { measure => 'rate', outcome => 'document', may_be_refused => 1 };
my @refusals = (outcomes => { document => 100, refused => 5 });
ok !compare($contended, side('ours', 8, @refusals), side('beside', 8))->{refused}, 'refusals where a row is about them';
ok compare(\%row, side('ours', 8, @refusals), side('beside', 8))->{refused}, 'and nowhere else';
is goal_met(['<=', 0.5], { ratio => 0.5 }), 1, 'a goal that is met';
is goal_met(['>=', 1], { ratio => 0.99 }), 0, 'one that is not';
is goal_met(['>=', 1], { refused => 'why' }), undef, 'and one that nothing says anything about';

# ---- rows ----

my %known = (%{ servers('') }, %{ curve_servers() });
my @rows = (rows(), curve_rows(10_000_000));
my %seen;
for my $row (@rows) {
    my @names = map { $_->{name} } @{ $row->{sides} };

    ok !$seen{ $row->{id} }++, "$row->{id}: the only one of that name";
    is_deeply [grep { defined && !$known{$_} } map { $_->{server} } @{ $row->{sides} }], [], "$row->{id}: its servers are known";
    ok scalar(grep { $_ eq $row->{ours} } @names), "$row->{id}: ours is a side";
    is_deeply [grep { my $goal = $_; !grep { $_ eq $goal } @names } sort keys %{ $row->{goals} }], [],
        "$row->{id}: each goal is about a side";
}

# ---- what was measured ----

my $results = JSON::PP::decode_json(read_file('bench/record.json'));
my $page = read_file('docs/performance.md');
my ($shown) = $page =~ /<!-- bench\/record\.json -->\n```text\n(.*?)```/s;

cmp_ok $results->{rounds}, '>=', 5, 'medians are of five rounds or more';
is $shown, table({ rows => [grep { !defined $_->{curve} } @{ $results->{rows} }] }), 'docs/performance.md shows what was measured';
is read_file('docs/performance.svg'), chart($results), 'docs/performance.svg too';
is read_file('docs/growth.svg'), curves_chart($results), 'docs/growth.svg too';

done_testing;
