package Apache::TestConditional::Precedence;

# The table of RFC 9110 section 13.2.2: each combination of presence and truth
# of the five fields, and what a server has to answer. The rule is one function,
# expected(); all else is there to ask.

use strict;
use warnings;

use Exporter 'import';

use Apache::TestConditional::Date qw(date_seconds imf_fixdate date_forms);
use Apache::TestConditional::Request qw(GET PUT DELETE request);

our $VERSION   = '1.00';
our @EXPORT_OK = qw(wrong_rows rows);

my $EARLIER_S = 784_111_777;
my $DAY_S     = 86_400;

# ---- the rule ----

# What a performed request may answer.
my %performed = (
    GET    => [200],
    HEAD   => [200],
    PUT    => [200, 204],
    DELETE => [200, 202, 204],
);

# The statuses that are right, and the step of section 13.2.2 that says so. A
# condition is undef where its field is absent or does not count.
sub expected {
    my ($method, $exists, %holds) = @_;
    my $safe = $method =~ /^(?:GET|HEAD)$/;

    # 13.2.1: what would be no 2xx anyway is answered without a look at them.
    return ([404, 410], '13.2.1') if !$exists && $method ne 'PUT';
    # 1
    if (defined $holds{if_match}) {
        return ([412], 1) unless $holds{if_match};
    }
    # 2
    elsif (defined $holds{if_unmodified_since}) {
        return ([412], 2) unless $holds{if_unmodified_since};
    }
    # 3
    if (defined $holds{if_none_match}) {
        return ([$safe ? 304 : 412], 3) unless $holds{if_none_match};
    }
    # 4
    elsif ($safe && defined $holds{if_modified_since}) {
        return ([304], 4) unless $holds{if_modified_since};
    }
    # 5
    if ($method eq 'GET' && $holds{range}) {
        return ([206], 5) if $holds{if_range} // 1;
    }
    # 6
    return ($exists ? $performed{$method} : [201], 6);
}

# ---- the fields ----

# The values that make each condition true (1) and false (0) of what is there.
# Different forms of one truth take turns in the table.
sub _forms {
    my ($current) = @_;
    my $tag    = $current->{etag};
    my $strong = defined $tag && $tag !~ m{^W/};
    my ($weak) = defined $tag ? map { m{^W/} ? $_ : "W/$_" } $tag : ();
    # The date of the last write may not be known yet; one to come is later.
    my @dates = date_forms($current->{steady} ? $current->{modified_s} // 0 : time + $DAY_S);

    return (
        if_match => {
            1 => ['*', ($strong ? ($tag, qq("other", $tag)) : ())],
            0 => ['"other"', 'W/"other", "none"', grep { defined } $weak],
        },
        if_unmodified_since => {
            1 => [imf_fixdate(time + $DAY_S), @dates],
            0 => [date_forms($EARLIER_S)],
        },
        if_none_match => {
            1 => ['"other"', 'W/"other", "none"'],
            0 => ['*', (defined $tag ? ($tag, $weak, qq("other", $tag)) : ())],
        },
        if_modified_since => {
            1 => [date_forms($EARLIER_S)],
            0 => [@dates],
        },
        if_range => {
            1 => [$strong ? $tag : ()],
            0 => ['"other"', imf_fixdate($EARLIER_S), grep { defined } $weak],
        },
    );
}

my @CONDITIONS = qw(if_match if_unmodified_since if_none_match if_modified_since);

# Every combination: a condition absent (undef), false (0) or true (1), and for
# Range: absent, alone, with an If-Range that does not hold and one that does.
sub rows {
    my @rows = ({});

    for my $name (@CONDITIONS) {
        @rows = map { my $row = $_; map { { %$row, $name => $_ } } undef, 0, 1 } @rows;
    }
    return map {
        my $row = $_;
        map { { %$row, %$_ } }
            {}, { range => 1 }, { range => 1, if_range => 0 }, { range => 1, if_range => 1 }
    } @rows;
}

# A row's fields; undef where no value makes a condition so (no tag, a weak one).
sub _fields {
    my ($row, $turn, %forms) = @_;
    my %field = (range => $row->{range} && 'bytes=0-0');

    for my $name (@CONDITIONS, 'if_range') {
        my $truth = $row->{$name} // next;
        my @forms = @{ $forms{$name}{$truth} } or return;
        $field{$name} = $forms[$turn % @forms];
    }
    return \%field;
}

# What the conditions are, of this state: dates that are unknown do not count,
# and nothing matches where nothing is.
sub _holds {
    my ($row, $current) = @_;
    my %holds = %$row;

    if (!$current->{exists}) {
        $holds{if_match}      = 0 if defined $holds{if_match};
        $holds{if_none_match} = 1 if defined $holds{if_none_match};
    }
    delete @holds{qw(if_unmodified_since if_modified_since)}
        unless defined $current->{modified_s};
    delete $holds{range} unless $current->{ranges};
    return %holds;
}

# ---- asking ----

# A table is { url, fields, type, body, ranges, writes, dated }: the last three
# are whether there are ranges, whether it may be written, and whether its
# resource has a date, which is found out.

sub _get {
    my ($table, %field) = @_;
    return GET($table->{url}, %{ $table->{fields} }, %field);
}

# The state of the resource. A date that the server does not send yet, since its
# second is not over, is waited for only where that is asked.
sub _current {
    my ($table, $wait) = @_;
    my $answer = _get($table);

    for (1 .. ($wait && $table->{dated} ? 30 : 0)) {
        last if $answer != 200 || defined $answer->last_modified;
        select undef, undef, undef, 0.1;
        $answer = _get($table);
    }
    $table->{dated} &&= defined $answer->last_modified if $wait && $answer == 200;
    return {
        exists     => $answer == 200,
        etag       => $answer->etag,
        body       => $answer->body,
        modified_s => date_seconds($answer->last_modified),
        ranges     => $table->{ranges},
        steady     => $wait,
    };
}

# Makes the state that the rows of a method are about.
sub _restore {
    my ($table, $exists) = @_;
    my $answer =
        $exists
        ? PUT($table->{url}, $table->{body}->(), %{ $table->{fields} },
            content_type => $table->{type})
        : DELETE($table->{url}, %{ $table->{fields} });

    return if $answer->is_success || !$exists && $answer == 404;
    return ($exists ? 'PUT' : 'DELETE') . " without a precondition answers $answer";
}

sub _describe {
    my ($method, $field, $answer, $right, $step) = @_;
    my @fields = map { defined $field->{$_} ? "$_: $field->{$_}" : () }
        @CONDITIONS, 'range', 'if_range';
    my $codes = join ' or ', @$right;

    return "$method { @fields } answers $answer, and $codes is right (step $step)";
}

# Did a request that was refused change anything?
sub _changed {
    my ($table, $current) = @_;
    my $now = _get($table);

    return ($now->etag // '') ne ($current->{etag} // '')
        || $current->{exists} != ($now == 200)
        || $current->{exists} && $now->body ne $current->{body};
}

# One row: its answer, and what is wrong with that, if anything is.
sub _ask {
    my ($table, $method, $current, $row, $field) = @_;
    my ($right, $step) = expected($method, $current->{exists}, _holds($row, $current));
    my @body   = $method eq 'PUT' ? $table->{body}->() : undef;
    my %type   = $method eq 'PUT' ? (content_type => $table->{type}) : ();
    my $answer = request($method, $table->{url}, @body, %{ $table->{fields} }, %type, %$field);

    return ($answer, _describe($method, $field, $answer, $right, $step))
        unless grep { $answer == $_ } @$right;
    return ($answer, _describe($method, $field, "$answer and changes it", $right, $step))
        if $table->{writes} && $answer->code =~ /^4/ && _changed($table, $current);
    return ($answer);
}

# All rows of one method, with a resource that is there or one that is not.
# Returns how many were asked, and what was wrong.
sub wrong_rows {
    my ($table, $method, $exists) = @_;
    my $safe = $method =~ /^(?:GET|HEAD)$/;
    my ($asked, $current, @wrong) = (0);

    push @wrong, _restore($table, $exists) if $table->{writes};
    # Where the date of a write is not sent yet, it is still known to have one.
    my $modified_s = $exists ? _current($table, 1)->{modified_s} : undef;
    for my $row (rows()) {
        $current ||= { %{ _current($table, $safe) }, modified_s => $modified_s };
        my $field = _fields($row, $asked, _forms($current)) or next;
        my ($answer, @trouble) = _ask($table, $method, $current, $row, $field);
        $asked++;
        push @wrong, @trouble;
        next if $safe || !$answer->is_success && !@trouble;
        push @wrong, _restore($table, $exists) if $method eq 'DELETE' || !$exists;
        undef $current;
    }
    return ($asked, @wrong);
}

1;
