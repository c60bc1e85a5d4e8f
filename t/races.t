# Of those who write at the same time with one precondition, one succeeds: from
# eight clients, each with a connection of its own.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional qw(:checks PUT race);

one_winner '/docs/race';
one_winner '/members/race';
one_winner '/merge/race';
one_creator '/docs/race-create';
one_creator sub { "/docs/race-create-$_[0]" };
one_deleter '/docs/race-delete', lost => [404];
every_post_creates '/docs/race-post/';
every_post_creates '/members';
every_post_creates '/uuid', rounds => 5;
no_update_lost '/docs/race-count';
no_update_lost '/hash/race-count', increments => 10;
# One page of the store, several documents of it: neighbours get in nobody's way.
no_update_lost '/merge/race-count', clients => 16, increments => 10;

# A reader who meets a writer gets the fields of the version whose bytes it gets.
for my $uri ('/docs/race-read', '/gzip/race-read') {
    my (%tags_of_date, %bodies_of_tag);

    PUT $uri, '{"n":0}';
    for my $round (1 .. 20) {
        for my $answer (race('http/1.1', map {
            $_ % 2 ? ['PUT', $uri, qq({"n":"$round.$_"})] : ['GET', $uri, undef]
        } 1 .. 8)) {
            next unless $answer == 200;
            my $date = $answer->header('Last-Modified');
            $tags_of_date{$date}{ $answer->etag } = 1 if defined $date;
            $bodies_of_tag{ $answer->etag }{ $answer->body } = 1;
        }
    }
    ok keys %bodies_of_tag > 20, "$uri: versions were read while others were written";
    is_deeply [grep { keys %{ $bodies_of_tag{$_} } > 1 } keys %bodies_of_tag], [], "$uri: a tag names one content";
    is_deeply [grep { keys %{ $tags_of_date{$_} } > 1 } keys %tags_of_date], [], "$uri: a date names one version";
}

done_testing;
