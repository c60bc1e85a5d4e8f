# Dates as clients send them: RFC 9110 sections 5.6.7, 13.1.3 and 13.1.4.
use strict;
use warnings;

use HTTP::Date qw(str2time time2str);
use Test::More;

use Apache::TestConditional ':all';
use Apache::TestConditional::Date qw(asctime_date date_forms imf_fixdate rfc850_date);

my $modified = resource('/docs/dates' => '{}')->last_modified;
my $modified_s = str2time($modified);
my $day_s = 24 * 60 * 60;

# ---- the three forms ----
for my $date (date_forms($modified_s)) {
    is GET('/docs/dates', if_modified_since => $date), 304, "If-Modified-Since: $date: it was not";
    is GET('/docs/dates', if_unmodified_since => $date), 200, "If-Unmodified-Since: $date: it was not";
}
for my $date (date_forms($modified_s - 1)) {
    is GET('/docs/dates', if_modified_since => $date), 200, "If-Modified-Since: $date: it was";
    is GET('/docs/dates', if_unmodified_since => $date), 412, "If-Unmodified-Since: $date: it was";
    is PUT('/docs/dates', '{}', if_unmodified_since => $date), 412, 'and so for PUT';
    is DELETE('/docs/dates', if_unmodified_since => $date), 412, 'and so for DELETE';
}

# ---- dates far away ----
is GET('/docs/dates', if_modified_since => imf_fixdate($modified_s + $day_s)), 304,
    'a date in the future is a date: nothing has changed since';
is GET('/docs/dates', if_unmodified_since => imf_fixdate($modified_s + $day_s)), 200, 'nor before';
is GET('/docs/dates', if_modified_since => 'Fri, 31 Dec 9999 23:59:59 GMT'), 304, 'to the last';
is GET('/docs/dates', if_unmodified_since => 'Thu, 01 Jan 1970 00:00:00 GMT'), 412, 'and to the first';
# Two digits that seem more than 50 years ahead are of the last century.
is GET('/docs/dates', if_unmodified_since => 'Sunday, 06-Nov-94 08:49:37 GMT'), 412,
    'a year of two digits, long past';

# ---- what is no date is as if it were not there ----
my $past   = imf_fixdate($modified_s - 1);
my $future = imf_fixdate($modified_s + $day_s);
my $asctime = asctime_date($modified_s - 1);
for my $text (
    'yesterday', '0', '', '784111777', "$past, $past", "$past;", "$past x", lc $past, $past =~ s/GMT/EST/r,
    $past =~ s/GMT/+0000/r, $past =~ s/GMT/UTC/r, $past =~ s/ GMT//r, $past =~ s/^\w+, //r,
    $past =~ s/,//r, $past =~ s/:\d\d GMT/ GMT/r, $past =~ s/:/./gr, $past =~ s/\d\d:\d\d:\d\d/24:00:00/r,
    $past =~ s/\d\d:\d\d:\d\d/12:60:00/r, $past =~ s/, \d\d/, 32/r, $past =~ s/, \d\d/, 00/r,
    'Sun, 6 Nov 1994 08:49:37 GMT', 'Wed, 30 Feb 1994 08:49:37 GMT', 'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT', '1994-11-06T08:49:37Z', '2094-11-06T08:49:37Z', "$asctime GMT",
) {
    is GET('/docs/dates', if_unmodified_since => $text), 200, "If-Unmodified-Since: '$text' is ignored";
    is GET('/docs/dates', if_modified_since => $text =~ s/1994/2094/r), 200, 'and If-Modified-Since';
}
is GET('/docs/dates', if_unmodified_since => [$past, $past]), 200, 'two lines are no date';
is GET('/docs/dates', if_modified_since => [$future, $future]), 200, 'in either field';
is GET('/docs/dates', if_modified_since => $future =~ s/GMT/EST/r), 200, 'nor is another time zone';
is PUT('/docs/dates-put', '{}', if_unmodified_since => 'garbage'), 201, 'PUT ignores garbage too';

# ---- where dates do not count ----
is PUT('/docs/dates-put', '{}', if_modified_since => $future), 200, 'If-Modified-Since is not for PUT';
is DELETE('/docs/dates-put', if_modified_since => $future), 204, 'nor for DELETE';
is PUT('/docs/dates-none', '{}', if_unmodified_since => $past), 201,
    'what is not there has no date: If-Unmodified-Since does not count';

resource '/dateless/dates' => '{}';
is GET('/dateless/dates')->last_modified, undef, 'a location may have no dates';
is GET('/dateless/dates', if_unmodified_since => $past), 200, 'If-Unmodified-Since does not count there';
is GET('/dateless/dates', if_modified_since => $future), 200, 'nor If-Modified-Since';

# ---- a date names one version ----
date_names_one_version '/docs/dates-named';
date_names_one_version '/tagless/dates-named';

# Faster than the clock: each of these has a date of its own, and none is sent
# before it has come.
my (%body_of, $ahead);
for my $n (1 .. 40) {
    PUT '/docs/dates-fast', qq({"n":$n});
    my $got  = GET '/docs/dates-fast';
    my $date = $got->last_modified // next;
    $ahead++ if str2time($date) > str2time($got->header('Date'));
    $body_of{$date}{ $got->body }++;
}
is_deeply [grep { keys %$_ > 1 } values %body_of], [], 'no date was sent with two versions';
ok !$ahead, 'no date was sent that had not come';

is GET('/docs/dates', if_modified_since => $modified), 304, 'whatever was refused has changed nothing';

done_testing;
