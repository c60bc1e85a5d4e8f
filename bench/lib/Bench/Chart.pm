package Bench::Chart;

# Results as a picture: of each comparison how many times better or worse ours
# does, on a logarithmic axis, with the spread of the rounds and the goal.
# Knows figures and SVG; measures nothing.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(first max min);

use Bench::Figures qw(compare goal_met);

our @EXPORT_OK = qw(chart curves_chart);

my $WIDTH = 900;
my $NAMES = 330;
my $RIGHT = 110;
my $LINE = 20;
my $HEAD = 30;
my ($LEAST, $MOST) = (0.25, 32);

my $STYLE = <<'END';
<style>
text { font: 12px sans-serif; fill: #222 }
.title { font-weight: bold }
.small { font-size: 11px; fill: #555 }
.grid { stroke: #ddd }
.equal { stroke: #888 }
.spread { stroke-width: 3 }
.better { fill: #1a7f37; stroke: #1a7f37 }
.worse { fill: #b3261e; stroke: #b3261e }
.goal { stroke: #222; stroke-width: 2 }
.line { fill: none; stroke-width: 2 }
</style>
END

sub _escape { my ($text) = @_; return $text =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr }

sub _text {
    my ($x, $y, $text, %with) = @_;
    return sprintf qq(<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>\n), $x, $y,
        $with{anchor} // 'start', $with{class} // '', _escape($text);
}

sub _svg {
    my ($height, $title, @parts) = @_;
    return join '', qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $WIDTH $height" role="img">\n),
        '<title>', _escape($title), "</title>\n", $STYLE,
        qq(<rect width="$WIDTH" height="$height" fill="#fff"/>\n), @parts, "</svg>\n";
}

# ---- ratios ----

# Where better ends up on the right, whatever was measured.
sub _advantage {
    my ($row, $ratio) = @_;
    return $row->{measure} eq 'rate' ? $ratio : 1 / $ratio;
}

sub _x {
    my ($advantage) = @_;
    my $within = min($MOST, max($LEAST, $advantage));
    return $NAMES + ($WIDTH - $NAMES - $RIGHT) * log($within / $LEAST) / log($MOST / $LEAST);
}

sub _comparison {
    my ($row, $side, $compared, $y) = @_;
    my ($at, @ends) = map { _advantage($row, $_) } @$compared{qw(ratio low high)};
    my $class = $at >= 1 ? 'better' : 'worse';
    my $goal = $row->{goals}{ $side->{name} };
    my $svg = _text($NAMES - 10, $y + 4, $side->{name}, anchor => 'end');

    $svg .= sprintf qq(<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="spread %s"/>\n),
        (sort { $a <=> $b } map { _x($_) } @ends), $y, $y, $class;
    $svg .= sprintf qq(<circle cx="%.1f" cy="%.1f" r="5" class="%s"/>\n), _x($at), $y, $class;
    $svg .= sprintf qq(<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="goal"/>\n),
        (_x(_advantage($row, $goal->[1]))) x 2, $y - 8, $y + 8 if $goal;
    my $mark = $goal ? (goal_met($goal, $compared) ? ', goal met' : ', goal missed') : '';
    return $svg . _text($WIDTH - $RIGHT + 8, $y + 4, sprintf('%.2f%s', $compared->{ratio}, $mark), class => 'small');
}

sub _row {
    my ($row, $y) = @_;
    my $ours = first { $_->{name} eq $row->{ours} } @{ $row->{sides} } or return ('', $y);
    my $what = { cpu => 'CPU a request', rate => 'requests a second', p99 => '99th percentile' }->{ $row->{measure} };
    my $svg = '';

    return ('', $y) unless $what;
    for my $side (grep { $_ != $ours } @{ $row->{sides} }) {
        my $compared = compare($row, $ours, $side);
        next if $compared->{refused};
        $svg .= _comparison($row, $side, $compared, $y + $HEAD + 4);
        $y += $LINE;
    }
    return ('', $y) unless $svg;
    my $height = () = $svg =~ /<circle/g;
    my $top = $y - $height * $LINE + 18;
    my $subject = $row->{ours} eq 'mod_condreq' ? '' : ", $row->{ours}";
    return (_text(10, $top, sprintf('%s%s: %s, %d client%s', $row->{title}, $subject, $what, $row->{clients},
        $row->{clients} == 1 ? '' : 's'), class => 'title') . $svg, $y + $HEAD + 6);
}

sub _axis {
    my ($height) = @_;
    my $svg = '';

    for my $times (0.25, 0.5, 1, 2, 4, 8, 16, 32) {
        $svg .= sprintf qq(<line x1="%.1f" x2="%.1f" y1="44" y2="%d" class="%s"/>\n),
            (_x($times)) x 2, $height - 10, $times == 1 ? 'equal' : 'grid';
        $svg .= _text(_x($times), 38, $times < 1 ? sprintf('1/%d', 1 / $times) : "$times x",
            anchor => 'middle', class => 'small');
    }
    return $svg;
}

# @param results  what bench/run writes as JSON
sub chart {
    my ($results) = @_;
    my ($y, $rows) = (46, '');

    for my $row (@{ $results->{rows} }) {
        (my $svg, $y) = _row($row, $y);
        $rows .= $svg;
    }
    my $height = $y + 10;
    return _svg($height, 'mod_condreq beside others',
        _text(10, 20, "How many times better (right) or worse (left) than what is named at the left; the figure is the ratio itself",
            class => 'small'),
        _axis($height), $rows);
}

1;
