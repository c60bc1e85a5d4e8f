package Bench::Figures;

# From raw results to figures: medians, ratios of medians with their spread,
# and whether two sides did the same work at all. Knows arithmetic; no server.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(max min sum0);

our @EXPORT_OK = qw(median side_figures compare goal_met);

sub median {
    my @sorted = sort { $a <=> $b } @_;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# ---- one side ----

# A side may be there for scale, with an outcome of its own.
sub _outcome { my ($row, $side) = @_; return $side->{outcome} // $row->{outcome} }

sub _successes { my ($round, $outcome) = @_; return $round->{outcomes}{$outcome} // 0 }

# What a round measured, by name.
my %value_of = (
    rate => sub { my ($round, $outcome) = @_; return _successes($round, $outcome) / $round->{seconds} },
    cpu => sub { my ($round, $outcome) = @_; return $round->{cpu_us} / (_successes($round, $outcome) || 1) },
    p99 => sub { my ($round) = @_; return $round->{p99_us} },
    p50 => sub { my ($round) = @_; return $round->{p50_us} },
);
$value_of{more_cpu} = $value_of{cpu};

sub _values {
    my ($row, $side, $measure) = @_;
    my $outcome = _outcome($row, $side);
    return map { $value_of{$measure}->($_, $outcome) } @{ $side->{rounds} };
}

# @return {rate, cpu, p50, p99}: medians of the rounds
sub side_figures {
    my ($row, $side) = @_;
    return { map { $_ => median(_values($row, $side, $_)) } qw(rate cpu p50 p99) };
}

# ---- the same work ----

# What was not as the row wants it, in words, or nothing.
sub _fault {
    my ($row, $side) = @_;
    my $outcome = _outcome($row, $side);

    for my $round (@{ $side->{rounds} }) {
        my %outcomes = %{ $round->{outcomes} };

        delete $outcomes{$outcome} or return "no request came to '$outcome'";
        delete $outcomes{refused} if $row->{may_be_refused};
        for my $other (sort keys %outcomes) {
            return "$outcomes{$other} requests came to '$other', statuses "
                . join ', ', map { "$_ x $round->{statuses}{$_}" } sort keys %{ $round->{statuses} };
        }
    }
    return;
}

# Bytes of documents that each request carried.
sub _payload {
    my ($row, $side) = @_;
    my $successes = sum0(map { _successes($_, _outcome($row, $side)) } @{ $side->{rounds} });
    return sum0(map { $_->{payload} } @{ $side->{rounds} }) / ($successes || 1);
}

sub _not_the_same_work {
    my ($row, $ours, $beside) = @_;

    return 'for scale, not the same work' if _outcome($row, $ours) ne _outcome($row, $beside);
    for my $side ($ours, $beside) {
        my $fault = _fault($row, $side);
        return "$side->{name}: $fault" if $fault;
    }
    my ($a, $b) = map { _payload($row, $_) } $ours, $beside;
    return "a request carried $a and $b bytes" if $a != $b;
    return;
}

# ---- two sides ----

# @return {refused} with a reason, or {ratio, low, high}; for more_cpu
#         {difference, low, high} in microseconds
sub compare {
    my ($row, $ours, $beside) = @_;
    my $measure = $row->{measure};
    my $refused = _not_the_same_work($row, $ours, $beside);

    return { refused => $refused } if $refused;
    my @ours = _values($row, $ours, $measure);
    my @beside = _values($row, $beside, $measure);
    my $minus = $measure eq 'more_cpu';
    my @of_rounds = map { $minus ? $ours[$_] - $beside[$_] : $ours[$_] / $beside[$_] } 0 .. $#ours;
    my ($a, $b) = (median(@ours), median(@beside));

    return {
        ($minus ? (difference => $a - $b) : (ratio => $a / $b)),
        low  => min(@of_rounds),
        high => max(@of_rounds),
    };
}

# @return 1 or 0; undef where there is no goal, or no figure
sub goal_met {
    my ($goal, $compared) = @_;
    my $figure = $compared->{ratio} // $compared->{difference};

    return unless $goal && defined $figure;
    return ($goal->[0] eq '<=' ? $figure <= $goal->[1] : $figure >= $goal->[1]) ? 1 : 0;
}

1;
