# docs/messages.md has each number that the log can show, once, and
# docs/problems.md each kind of problem document with its members.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Sources;
use Test::More;

my %source_of = map { $_ => read_file($_) } files('*.c', 'httpd/*.c');
my $all = join "\n", map { $source_of{$_} } sort keys %source_of;

# ---- log messages ----

my %times;
$times{$_}++ for $all =~ /CONDREQ_LOGNO\(\s*(\d+)\s*\)/g;
my @documented = read_file('docs/messages.md') =~ /^## CR(\d+)$/gm;

is_deeply [grep { $times{$_} > 1 } sort keys %times], [], 'no number is used twice';
is_deeply [grep { !/^\d{4}$/ } sort keys %times], [], 'each has four digits';
is_deeply \@documented, [sort keys %times],
    'docs/messages.md has each number of the code once, in order';

for my $file (sort keys %source_of) {
    my @calls = $source_of{$file} =~ /\b(ap_log_\w*error\(.*?\));/gs;
    my @without = grep { !/CONDREQ_LOGNO/ && !/"%s", sentence/ } @calls;

    is_deeply \@without, [], "$file: each message has a number" if @calls;
}

# ---- problem documents ----

my $problems = read_file('docs/problems.md');
my ($prefix) = $all =~ /#define TYPE_PREFIX "(.*)"/;
my %kinds = map { $_ => 1 } $all =~ /condreq_refuse\(\s*[^,]+,\s*[^,]+,\s*"([a-z-]+)"/g,
    $all =~ /\bproblem\.kind = "([a-z-]+)"/g;
my @sections = $problems =~ /^## \Q$prefix\E(\S+)$/gm;

is_deeply [sort @sections], [sort keys %kinds], 'each kind of problem has its section';

# What a listing says is no problem's member.
delete @source_of{qw(httpd/listing_text.c httpd/collection_get.c)};
my %listed = map { $_ => 1 } map { /[{,] ?\\"(\w+)\\": /g } map { read_file($_) } 'httpd/listing_text.c';
my %members = map { $_ => 1 } map { /, \\"(\w+)\\": /g } values %source_of;
delete @members{qw(type title status detail)};
my %described = map { $_ => 1 } $problems =~ /^\| `(\w+)` \|/gm;

is_deeply [sort keys %described], [sort keys %members], 'each member is described';

# ---- listings ----

my ($table) = read_file('docs/collections.md') =~ /^\| member \| meaning \|\n(.*?)\n\n/ms;
my %of_listing = map { $_ => 1 } $table =~ /^\| `(\w+)` \|/gm;
is_deeply [sort keys %of_listing], [sort keys %listed], 'docs/collections.md describes each member of a listing';

done_testing;
