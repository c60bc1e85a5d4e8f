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

my %members = map { $_ => 1 } $all =~ /, \\"(\w+)\\": /g;
delete @members{qw(type title status detail)};
my %described = map { $_ => 1 } $problems =~ /^\| `(\w+)` \|/gm;

is_deeply [sort keys %described], [sort keys %members], 'each member is described';

done_testing;
