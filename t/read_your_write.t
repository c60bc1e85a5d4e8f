# What one child has answered, every other child knows: whatever is done for
# speed, no reader is told of a version that was replaced before it asked.
use strict;
use warnings;

use Test::More;

use Apache::Test ();
use Apache::TestConditional qw(PUT GET raw resource wire);
use Apache::TestConditional::Race 'together';

# ---- two children ----

my $log = Apache::Test::vars('t_logs') . '/children_log';

# The child of each connection, by the path that it asked for.
sub children {
    open my $file, '<', $log or die "$log: $!";
    return map { m{^(\d+) /docs/read-your-write/which-(\d+)$} ? ($2 => $1) : () } <$file>;
}

# Connections stay with the child that took them.
sub connections_to_two_children {
    my (@wires, %child_of);

    for my $number (1 .. 200) {
        push @wires, wire();
        raw($wires[-1], "GET /docs/read-your-write/which-$number HTTP/1.1", 'Host: localhost');
        # The log is written after the answer.
        select undef, undef, undef, 0.05 while !exists { %child_of = children() }->{$number};
        for my $other (grep { $child_of{$_} != $child_of{$number} } 1 .. $number - 1) {
            return ($wires[$other - 1], $wires[$number - 1]);
        }
    }
    return;
}

my ($one, $other) = connections_to_two_children();
ok $other, 'two children serve' or BAIL_OUT('one child has taken 200 connections');

sub get_by {
    my ($wire, @fields) = @_;
    return raw($wire, 'GET /docs/read-your-write/doc HTTP/1.1', 'Host: localhost', @fields);
}

sub put_by {
    my ($wire, $tag, $body) = @_;
    return raw($wire, 'PUT /docs/read-your-write/doc HTTP/1.1', 'Host: localhost', "If-Match: $tag",
        'Content-Type: application/json', 'Content-Length: ' . length $body, \$body);
}

my $tag = resource('/docs/read-your-write/doc', '{"n":0}')->etag;
my @wrong;
for my $n (1 .. 60) {
    my ($writer, $reader) = $n % 2 ? ($one, $other) : ($other, $one);
    my $old = $tag;
    # The reader's child has just answered from what is replaced now.
    my $before = get_by($reader, "If-None-Match: $old");
    my $written = put_by($writer, $old, qq({"n":$n}));
    $tag = $written->etag;
    my $after = get_by($reader, "If-None-Match: $old");
    my $same = get_by($reader, "If-None-Match: $tag");
    my $late = put_by($reader, $old, '{"n":"late"}');
    push @wrong, "round $n: $before $written $after $same $late, " . $after->body
        unless $before == 304 && $written == 200 && $after == 200 && $same == 304 && $late == 412
            && $after->etag eq $tag && $after->body eq qq({"n":$n});
}
is_deeply \@wrong, [], 'a write through one child is what the other answers next';

# ---- while writers are at work ----

# The last version that was answered, where all clients see it.
open my $acknowledged, '+>', undef or die $!;

sub acknowledge {
    my ($version) = @_;
    sysseek $acknowledged, 0, 0;
    syswrite $acknowledged, sprintf '%09d', $version;
    return;
}

# Clients share the descriptor's position, so each opens the file anew.
sub acknowledged {
    open my $file, '<', "/proc/$$/fd/" . fileno $acknowledged or die $!;
    return 0 + readline $file;
}

sub version_of { return (($_[0] // '') =~ /^"(\d+)"$/)[0] // die "no tag in an answer\n" }

my $WRITES = 300;
resource('/docs/read-your-write/busy', '{}');
acknowledge(1);

sub write_on {
    my ($wait) = @_;
    my $last = '"1"';

    $wait->();
    for my $n (2 .. $WRITES) {
        my $answer = PUT('/docs/read-your-write/busy', qq({"n":$n}), if_match => $last);
        $last = $answer->etag;
        acknowledge(version_of($last));
    }
    return;
}

# @return what was stale, and how many answers of each status there were
sub read_on {
    my ($wait) = @_;
    my ($known, $stale, %answers) = (GET('/docs/read-your-write/busy')->etag, 0);

    $wait->();
    while (1) {
        my $least = acknowledged();
        my $answer = GET('/docs/read-your-write/busy', if_none_match => $known);

        $known = $answer->etag;
        $answers{"$answer"}++;
        $stale++ if version_of($known) < $least;
        return { stale => $stale, %answers } if $least >= $WRITES;
    }
}

my (undef, @readers) = together(\&write_on, (\&read_on) x 6);
is_deeply [map { $_->{stale} } @readers], [(0) x 6], 'six readers are never told of an older version';
is_deeply [grep { !$_->{200} || keys %$_ > 3 } @readers], [], 'and are answered 200 and 304, no more';

done_testing;
