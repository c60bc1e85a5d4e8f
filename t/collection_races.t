# Collections under many writers: of those who write with one tag of a
# collection one succeeds, and a removal takes what was there, or nothing.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional qw(:all race);

my $clients = 8;
my $rounds  = 20;

sub count_of { my ($status, @answers) = @_; return scalar grep { $_ == $status } @answers }

# @return how many rounds gave just these
sub rounds_with {
    my ($expected, $play) = @_;
    return scalar grep { $play->($_) eq $expected } 1 .. $rounds;
}

sub tally {
    my %count;
    $count{"$_"}++ for map { $_->code } @_;
    return join ' ', map { "$count{$_} x $_" } sort keys %count;
}

PUT '/docs/post-race/a', '{}';
is rounds_with('1 x 201 7 x 412', sub {
    my $tag = GET('/docs/post-race/')->etag;
    return tally(race('http/1.1', map { ['POST', '/docs/post-race/', '{}', if_match => $tag] } 1 .. $clients));
}), $rounds, "of $clients POSTs with one tag of the collection one creates, in $rounds rounds";

is rounds_with('1 x 201 7 x 412', sub {
    my ($round) = @_;
    return tally(race('http/1.1',
        map { ['POST', "/docs/first-race/$round/", '{}', if_none_match => '*'] } 1 .. $clients));
}), $rounds, "of $clients POSTs to an empty collection that should be empty one creates";

is rounds_with('1 x 204 7 x 404', sub {
    PUT "/docs/end-race/$_", '{}' for 1 .. 5, 'deep/a';
    return tally(race('http/1.1', map { ['DELETE', '/docs/end-race/'] } 1 .. $clients));
}), $rounds, "of $clients DELETEs one removes, in $rounds rounds";

is rounds_with('1 x 204 7 x 404', sub {
    PUT "/docs/end-race-tag/$_", '{}' for 1 .. 5, 'deep/a';
    my $tag = GET('/docs/end-race-tag/')->etag;
    return tally(race('http/1.1', map { ['DELETE', '/docs/end-race-tag/', undef, if_match => $tag] } 1 .. $clients));
}), $rounds, 'also with its tag';

# Against writers: with the tag, either the removal or no write before it.
my ($lost, $half, $won) = (0, 0, 0);
for my $round (1 .. $rounds) {
    my $at = "/docs/end-race-writers/$round";
    PUT "$at/$_", '{"n":0}' for 1 .. 4;
    my $tag = GET("$at/")->etag;
    my ($removal, @writes) = race('http/1.1', ['DELETE', "$at/", undef, if_match => $tag],
        map { ['PUT', "$at/" . ($_ % 4 + 1), qq({"n":$_}), if_match => '"1"'] } 1 .. $clients - 1);
    my @there = @{ GET("$at/")->json->{members} // [] };
    my $written = count_of(200, @writes);

    $won += $removal == 204;
    # Who was told that it is stored finds it, and who was told that all is
    # removed finds nothing.
    $lost += $removal == 204 ? $written + @there : $removal != 412 || !$written;
    $half += @there != 0 && @there != 4;
}
is $lost, 0, 'a removal with a tag and a write of a document never both succeed';
is $half, 0, 'nothing is ever half removed';
note "$won of $rounds removals were first";

# Without a tag all that was there goes, and what comes later stays.
my $wrong = 0;
for my $round (1 .. $rounds) {
    my $at = "/docs/end-race-posts/$round";
    PUT "$at/$_", '{}' for qw(a b c);
    my ($removal, @posts) = race('http/1.1', ['DELETE', "$at/"], map { ['POST', "$at/", '{}'] } 1 .. $clients - 1);
    my %there = map { $_->{href} => 1 } @{ GET("$at/")->json->{members} // [] };

    $wrong += $removal != 204 || count_of(201, @posts) != $clients - 1 || grep { m{/[abc]$} } keys %there;
    # What was created is there, or was and went with the others.
    for my $post (@posts) {
        my $place = $post->header('Location');
        $wrong += !$there{$place} && GET($place) != 404;
    }
}
is $wrong, 0, 'a removal without a tag takes what was there, and no POST fails';

done_testing;
