package Bench::Table;

# Results as text, a block a row. Knows figures and columns; draws nothing.

use strict;
use warnings;

use Exporter 'import';
use List::Util 'first';

use Bench::Figures qw(compare goal_met median side_figures);

our @EXPORT_OK = qw(table row_text);

my %measured = (
    cpu      => "server's CPU a request",
    rate     => 'requests a second',
    p99      => '99 % of requests are faster than',
    more_cpu => "server's CPU a request, difference",
);

sub _us { my ($us) = @_; return sprintf($us < 100 ? '%.1f us' : '%.0f us', $us) }

sub _thousands {
    my ($number) = @_;
    my $text = sprintf '%.0f', $number;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

sub _comparison {
    my ($row, $goal, $compared) = @_;
    my $met = goal_met($goal, $compared);
    my $text;

    return "no ratio: $compared->{refused}" if $compared->{refused};
    $text = defined $compared->{ratio}
        ? sprintf 'x %.2f (%.2f to %.2f)', @$compared{qw(ratio low high)}
        : sprintf '%+.2f us (%+.2f to %+.2f)', @$compared{qw(difference low high)};
    $text .= sprintf '  goal %s %s: %s', @$goal, $met ? 'met' : 'MISSED' if $goal;
    return $text;
}

# A side that is not ours: what ours is of it.
sub _side_text {
    my ($row, $ours, $side) = @_;
    my $figures = side_figures($row, $side);
    my $disturbed = median(map { $_->{others} // 0 } @{ $side->{rounds} });
    my $values = sprintf '%9s %11s/s', _us($figures->{cpu}), _thousands($figures->{rate});
    my $last = $side == $ours ? '' : _comparison($row, $row->{goals}{ $side->{name} }, compare($row, $ours, $side));

    $values .= sprintf ' %9s', _us($figures->{p99}) if $row->{measure} eq 'p99';
    if ($side == $ours && $row->{limit_us}) {
        $last = sprintf 'goal <= %s us: %s', $row->{limit_us}, $figures->{cpu} <= $row->{limit_us} ? 'met' : 'MISSED';
    }
    $last = _fairness($side) if $side == $ours && $row->{may_be_refused};
    $last .= sprintf '  (others used %.1f cores)', $disturbed if $disturbed > 0.2;
    return sprintf '  %-42s %s  %s', $side->{name}, $values, $last;
}

# Of writers who all want one document: how the luckiest and the unluckiest did.
sub _fairness {
    my ($side) = @_;
    my ($fewest, $most, $refused) = (0, 0, 0);

    for my $round (@{ $side->{rounds} }) {
        $fewest += $round->{fewest};
        $most += $round->{most};
        $refused += $round->{outcomes}{refused} // 0;
    }
    return "each client wrote from $fewest to $most times; $refused refusals";
}

sub row_text {
    my ($row) = @_;
    my $ours = first { $_->{name} eq $row->{ours} } @{ $row->{sides} };
    my $text = sprintf "%s, %d client%s: %s\n", $row->{title}, $row->{clients},
        $row->{clients} == 1 ? '' : 's', $measured{ $row->{measure} };

    for my $side (@{ $row->{sides} }) {
        $text .= $ours ? _side_text($row, $ours, $side) =~ s/\s+$//r . "\n" : "  $side->{name}: not compared\n";
    }
    for my $skipped (@{ $row->{skipped} }) {
        my $why = $skipped->{why} ? $skipped->{why} =~ s/\s+/ /gr
            : "no $skipped->{name} here; $skipped->{package} brings it";
        $text .= sprintf "  %-42s not measured: %s\n", $skipped->{side}, $why;
    }
    return $text;
}

# @param results  what bench/run writes as JSON
sub table {
    my ($results) = @_;
    return join "\n", map { row_text($_) } @{ $results->{rows} };
}

1;
