# No test is forgotten: what looks like one is built and run by "check".
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Sources;
use Test::More;

my $makefile = read_file('Makefile.apxs');
my $driver = read_file('t/run');

sub all_below {
    my ($directory, $suffix) = @_;
    my @found = files(map { "$directory/" . '*/' x $_ . "*.$suffix" } 0 .. 3);
    return grep { !m{/(?:logs|corpus)/} } @found;
}

# ---- C ----

my @programs = grep { read_file($_) =~ /^int main\(/m } all_below('t', 'c');
my @fuzzers = grep { read_file($_) =~ /\bLLVMFuzzerTestOneInput\(/ } all_below('t', 'c');

for my $pattern ('t/unit/test_*.c', 't/fuzz/fuzz_*.c', 't/unit/store/*.c') {
    ok $makefile =~ m{\$\((?:wildcard |call objects,)[^)]*\Q$pattern\E}, "the Makefile builds $pattern";
}
# The drivers that kill are built with the store's test hooks, each by its name.
my @drivers = grep { m{^t/crash/} } @programs;
for my $driver (@drivers) {
    my ($name) = $driver =~ m{(\w+)\.c$};

    ok $makefile =~ m{^check-crash-briefly: [^\n]*\$\(BUILD\)/$name\b}m, "$driver is built, and run";
}
# The load beside which condreqctl is tested.
like $makefile, qr{^check-ctl: [^\n]*\$\(BUILD\)/load\b}m, 't/ctl/load.c is built, and run';
is_deeply [grep { !m{^t/unit/test_\w+\.c$} && !m{^t/crash/} && $_ ne 't/ctl/load.c' } @programs], [],
    'each other test program is one of those';
is_deeply [grep { !m{^t/fuzz/fuzz_\w+\.c$} } @fuzzers], [], 'each fuzzer is one of those';
is_deeply [grep { my $file = $_; !grep { $_ eq $file } @programs, @fuzzers }
               files('t/unit/test_*.c', 't/fuzz/fuzz_*.c')],
    [], 'and each of those is a test or a fuzzer';

# A corpus that no fuzzer replays would rot.
is_deeply [map { s{.*/}{}r } files('t/fuzz/corpus/*')],
    [sort map { m{fuzz_(\w+)\.c$} } files('t/fuzz/fuzz_*.c')], 'each fuzzer has its corpus';

# ---- Perl ----

my %run_by = (
    't' => qr{\bt/\*\.t\b},
    't/h2c' => qr{\bt/h2c/\*\.t\b},
    't/restarts' => qr{\$\(PROVE\)[^\n]* t/restarts\b},
    't/ctl' => qr{\$\(PROVE\)[^\n]* t/ctl\b},
    't/disk' => qr{\$\(PROVE\)[^\n]* t/disk\b},
    't/guards' => qr{\$\(PROVE\)[^\n]* t/guards\b},
);
for my $test (all_below('t', 't')) {
    my ($directory) = $test =~ m{^(.*)/[^/]+$};
    my $run = $run_by{$directory};

    ok $run && "$makefile\n$driver" =~ $run, "$test is run";
}

# ---- check ----

my ($check) = $makefile =~ /^check:.*\n((?:\t.*\n)+)/m;
for my $part (qw(check-guards check-unit check-fuzz check-wire check-crash-briefly check-restarts check-disk check-ctl)) {
    like $check // '', qr/\b$part\b/, "check runs $part";
}

done_testing;
