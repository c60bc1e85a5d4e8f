package Apache::TestConditional::Date;

# HTTP-dates in the three forms of RFC 9110 section 5.6.7.

use strict;
use warnings;

use Exporter 'import';
use HTTP::Date ();

our $VERSION   = '1.00';
our @EXPORT_OK = qw(date_seconds imf_fixdate rfc850_date asctime_date date_forms);

my @DAYS   = qw(Sunday Monday Tuesday Wednesday Thursday Friday Saturday);
my @MONTHS = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);

# Seconds since the epoch, of any of the forms; undef for what is no date.
sub date_seconds { return defined $_[0] ? HTTP::Date::str2time($_[0]) : undef }

sub imf_fixdate { return HTTP::Date::time2str($_[0]) }

sub rfc850_date {
    my ($s, $min, $h, $day, $month, $year, $weekday) = gmtime $_[0];
    return sprintf '%s, %02d-%s-%02d %02d:%02d:%02d GMT',
        $DAYS[$weekday], $day, $MONTHS[$month], $year % 100, $h, $min, $s;
}

sub asctime_date {
    my ($s, $min, $h, $day, $month, $year, $weekday) = gmtime $_[0];
    return sprintf '%.3s %s %2d %02d:%02d:%02d %d',
        $DAYS[$weekday], $MONTHS[$month], $day, $h, $min, $s, 1900 + $year;
}

sub date_forms { return (imf_fixdate($_[0]), rfc850_date($_[0]), asctime_date($_[0])) }

1;
