# CondReqEvaluate both: the page's stricter rule, by which a 304 needs both the
# tag and the date to say that nothing has changed. RFC 9110 lets the tag decide.
use strict;
use warnings;

use HTTP::Date qw(str2time time2str);
use Test::More;

use Apache::TestConditional ':all';

my %modified = map { $_ => resource("/$_/eval" => '{}')->last_modified } qw(both docs);
my $old = 'Sun, 06 Nov 1994 08:49:37 GMT';

# the tag, the date: unchanged or changed or not said     and GET at /both, /docs
my @rows = (
    ['"1"', 'same', 304, 304],
    ['"1"', 'old',  200, 304],
    ['"0"', 'same', 200, 200],
    ['"0"', 'old',  200, 200],
    ['"1"', undef,  304, 304],
    ['"0"', undef,  200, 200],
    [undef, 'same', 304, 304],
    [undef, 'old',  200, 200],
    ['*',   'old',  200, 304],
    ['"1"', 'no date', 304, 304],
);
for (@rows) {
    my ($tag, $date, %status) = ($_->[0], $_->[1], both => $_->[2], docs => $_->[3]);

    for my $place (qw(both docs)) {
        my %date = (same => $modified{$place}, old => $old);
        my %field = (
            if_none_match     => $tag,
            if_modified_since => defined $date ? $date{$date} // $date : undef,
        );
        for my $method (qw(GET HEAD)) {
            is request($method, "/$place/eval", undef, %field), $status{$place},
                sprintf '%s at %s, If-None-Match: %s, the date is %s', $method, $place, $tag // 'absent',
                $date // 'absent';
        }
    }
}

# Writers are not readers.
is PUT('/both/eval', '{}', if_none_match => '"1"', if_modified_since => $old), 412,
    'for PUT the tag decides in either mode';
is PUT('/both/eval', '{}', if_none_match => '"0"', if_modified_since => $old), 200, 'and lets it pass';

done_testing;
