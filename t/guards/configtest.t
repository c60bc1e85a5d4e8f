# What the documents show of configuration is what httpd takes and says: each
# example is accepted, and each sentence that the manual quotes is said.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use OneHttpd;
use Sources;
use Test::More;

die "no module is built\n" unless -e OneHttpd::module();

# What may not stand in a section, and sections, stand alone.
sub in_place {
    my ($lines) = @_;
    return $lines =~ /^\s*(?:<|CondReqStore\b)/m
        ? $lines
        : "<Location /example>\n$lines</Location>\n";
}

sub without_line_ends {
    my ($text) = @_;
    $text =~ s/\s+/ /g;
    return $text;
}

for my $page (files('*.md', 'docs/*.md', 'docs/directives/*.md')) {
    my ($shown, $refused) = split /^## What configtest says$/m, read_file($page), 2;

    for my $lines ($shown =~ /^```apache\n(.*?)^```/gms) {
        my ($right, $said) = OneHttpd::configtest(OneHttpd::load() . in_place($lines));
        my ($first) = $lines =~ /(\S.*)/;

        ok $right, "$page: the example with $first is accepted" or diag $said;
    }
    my @pairs = ($refused // '') =~ /^```apache\n(.*?)^```\n\n?```text\n(.*?)^```/gms;
    while (my ($lines, $sentence) = splice @pairs, 0, 2) {
        my ($right, $said) = OneHttpd::configtest(OneHttpd::load() . in_place($lines));

        chomp $sentence;
        ok !$right, "$page: refused, with: $sentence";
        like without_line_ends($said), qr/\Q$sentence\E/, 'in just these words';
    }
}

done_testing;
