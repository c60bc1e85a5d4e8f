package Bench::Chart;

# Results as a picture: of each comparison how many times better or worse ours
# does, on a logarithmic axis, with the spread of the rounds and the goal.
# Knows figures and SVG; measures nothing.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(first max min);

use Bench::Figures qw(compare goal_met side_figures);

our @EXPORT_OK = qw(chart curves_chart);

my $WIDTH = 900;
my $NAMES = 330;
my $RIGHT = 110;
my $LINE = 20;
my $HEAD = 30;
my ($LEAST, $MOST) = (0.125, 32);

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

    for my $times (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32) {
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

    for my $row (grep { !defined $_->{curve} } @{ $results->{rows} }) {
        (my $svg, $y) = _row($row, $y);
        $rows .= $svg;
    }
    my $height = $y + 10;
    return _svg($height, 'mod_condreq beside others',
        _text(10, 20, "How many times better (right) or worse (left) than what is named at the left; the figure is the ratio itself",
            class => 'small'),
        _axis($height), $rows);
}

# ---- curves ----

my ($PANEL_WIDTH, $PANEL_HEIGHT, $PANELS) = (300, 190, 3);

sub _short {
    my ($number) = @_;
    return $number unless $number =~ /^[\d.]+$/;
    return sprintf '%.3gM', $number / 1e6 if $number >= 1e6;
    return sprintf '%.3gk', $number / 1e3 if $number >= 1e3;
    return sprintf '%.3g', $number;
}

# Heights of a panel's values: from 0 up, or, where they are of different kinds
# of size, logarithmic.
# @return code that says where a value is, from 0 to 1, and the grid's values
sub _scale {
    my ($least, $most) = @_;

    return (sub { $_[0] / $most }, 0, $most / 2, $most) if $most < 50 * $least;
    my ($from, $to) = (log($least) / log(10), log($most) / log(10));
    return (sub { (log($_[0]) / log(10) - $from) / ($to - $from) },
        map { 10**$_ } $from, ($from + $to) / 2, $to);
}

# One small picture: points from left to right.
sub _panel {
    my ($name, $left, $top, @rows) = @_;
    my $measure = $rows[0]{measure};
    my @values = map { side_figures($_, $_->{sides}[0])->{$measure} } @rows;
    my ($height_of, @grid) = _scale(min(@values), max(@values) * 1.1);
    my $bottom = $top + $PANEL_HEIGHT - 50;
    my $y_of = sub { return $bottom - ($bottom - $top - 36) * $height_of->($_[0]) };
    my $x_of = sub { return $left + 50 + ($PANEL_WIDTH - 80) * $_[0] / max(1, $#rows) };
    my $what = $measure eq 'cpu' ? 'CPU a request, us' : 'requests a second';
    my $svg = _text($left + 10, $top + 12, $name, class => 'title') . _text($left + 10, $top + 26, $what, class => 'small');

    for my $value (@grid) {
        my $y = $y_of->($value);
        $svg .= sprintf qq(<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="grid"/>\n),
            $left + 45, $left + $PANEL_WIDTH - 20, $y, $y;
        $svg .= _text($left + 42, $y + 4, _short($value), anchor => 'end', class => 'small');
    }
    my @at = map { [$x_of->($_), $y_of->($values[$_])] } 0 .. $#rows;
    $svg .= sprintf qq(<polyline class="line better" style="fill:none" points="%s"/>\n),
        join ' ', map { sprintf '%.1f,%.1f', @$_ } @at;
    for my $point (0 .. $#rows) {
        $svg .= sprintf qq(<circle cx="%.1f" cy="%.1f" r="4" class="better"/>\n), @{ $at[$point] };
        $svg .= _text($at[$point][0], $bottom + 16, _short($rows[$point]{x}), anchor => 'middle', class => 'small');
    }
    return $svg . _text($left + $PANEL_WIDTH / 2, $bottom + 32, $rows[0]{unit}, anchor => 'middle', class => 'small');
}

# @param results  with curves in them
sub curves_chart {
    my ($results) = @_;
    my (%rows_of, @names);

    for my $row (grep { defined $_->{curve} && @{ $_->{sides} } } @{ $results->{rows} }) {
        push @names, $row->{curve} unless $rows_of{ $row->{curve} };
        push @{ $rows_of{ $row->{curve} } }, $row;
    }
    my @panels = map {
        _panel($names[$_], ($_ % $PANELS) * $PANEL_WIDTH, 10 + int($_ / $PANELS) * $PANEL_HEIGHT,
            @{ $rows_of{ $names[$_] } })
    } 0 .. $#names;
    my $height = 20 + $PANEL_HEIGHT * int((@names + $PANELS - 1) / $PANELS);
    return _svg($height, 'How the cost of a request grows', @panels);
}

1;
