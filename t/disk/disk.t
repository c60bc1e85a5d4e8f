# Disks that are full, or fail: nothing that was acknowledged is lost, what can
# be read is read, and once the disk is well again so is the store, with nobody's
# help. The disk is t/disk/disk.c's, put between httpd and the system.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../guards", "$FindBin::Bin/../../perl";
use OneHttpd;
use POSIX qw(EIO ENOSPC EROFS);
use Test::More;
use Time::HiRes qw(sleep time);

my $preload = OneHttpd::build() . '/t/disk.so';
die "no $preload is built\n" unless -e $preload;

my $document = '{"text":"' . 'x' x 59_988 . '"}';
my $served   = "<Location /docs>\nSetHandler condreq\nRequire all granted\n</Location>\n";

# An httpd with a store on a disk of this kind.
sub start {
    my ($trouble) = @_;
    my $httpd = OneHttpd->start(sub {
        my ($directory) = @_;
        $ENV{CONDREQ_DISK}         = "$directory/store";
        $ENV{CONDREQ_DISK_TROUBLE} = "$directory/trouble";
        $ENV{LD_PRELOAD}           = $preload;
        OneHttpd::write_file("$directory/trouble", $trouble);
        return OneHttpd::load() . "CondReqStore bdb:$directory/store cache=4M\n$served";
    });
    delete @ENV{qw(CONDREQ_DISK CONDREQ_DISK_TROUBLE LD_PRELOAD)};
    return $httpd;
}

sub disk_becomes {
    my ($httpd, $trouble) = @_;
    my $file = "$httpd->{directory}/trouble";
    OneHttpd::write_file("$file.new", $trouble);
    rename "$file.new", $file or die "$file: $!";
    return;
}

sub put    { my ($httpd, $name, $text) = @_; return $httpd->ask('PUT', "/docs/$name", {}, $text)->{status} }
sub status { my ($httpd, $name) = @_; return $httpd->ask('GET', "/docs/$name")->{status} }

sub until_true {
    my ($is_true, $times) = @_;
    for (1 .. $times // 200) {
        return 1 if $is_true->();
        sleep 0.1;
    }
    return 0;
}

# What was acknowledged and cannot be read as it was, also not once a recovery
# that is under way has come to its end.
sub lost {
    my ($httpd, $acknowledged) = @_;
    my $is_there = sub {
        my ($name) = @_;
        return $httpd->ask('GET', "/docs/$name")->{content} eq $acknowledged->{$name};
    };
    my @missed = grep { !$is_there->($_) } sort keys %$acknowledged;

    until_true(sub { @missed = grep { !$is_there->($_) } @missed; return !@missed });
    for my $name (@missed) {
        my $answer = $httpd->ask('GET', "/docs/$name");
        diag "$name: $answer->{status} ", substr $answer->{content}, 0, 200;
    }
    return @missed;
}

# ---- a small file system ----

{
    my $httpd = start('small ' . (64 << 20));
    my ($refused, %acknowledged, %answered) = 0;

    for my $number (1 .. 2000) {
        my $status = put($httpd, $number, $document);

        $answered{$status}++;
        $acknowledged{$number} = $document if $status == 201;
        $refused = $status == 507 ? $refused + 1 : 0;
        last if $refused == 10;
        sleep 0.2 if $refused;
    }
    is_deeply [sort keys %answered], [201, 507], '64 MiB: a document is stored, or there is no room for it';
    note scalar(keys %acknowledged) . ' documents';
    cmp_ok scalar(keys %acknowledged), '>=', 200, '64 MiB: 200 documents of 60 kB find room';
    is scalar(lost($httpd, \%acknowledged)), 0, '64 MiB, full: all of them are read';
    my $answer;
    ok until_true(sub { ($answer = $httpd->ask('POST', '/docs/', {}, $document))->{status} == 507 }),
        '64 MiB, full: POST finds no room';
    is $answer->{headers}{'content-type'}, 'application/problem+json', 'and says so in a problem document';
    unlike $httpd->log, qr/CR120[145]/, 'it was foreseen: the store needed no recovery';

    my ($begun, $said) = (time, scalar(() = $httpd->log =~ /CR2101.*No space left/g));
    cmp_ok $said, '>', 0, '64 MiB, full: the log says so';
    put($httpd, 'refused', $document) for 1 .. 100;
    cmp_ok scalar(() = $httpd->log =~ /CR2101/g), '<=', $said + 2 + time - $begun,
        '64 MiB, full: a hundred refusals do not fill the log';

    my @removed = (sort keys %acknowledged)[0 .. keys(%acknowledged) / 2];
    is_deeply [grep { my $name = $_; !until_true(sub { $httpd->ask('DELETE', "/docs/$name")->{status} == 204 }, 50) } @removed],
        [], '64 MiB, full: documents can be removed';
    delete @acknowledged{@removed};
    my $stored = 0;
    for my $number (1 .. @removed / 2) {
        next unless until_true(sub { put($httpd, "again-$number", $document) == 201 }, 50);
        $stored++;
        $acknowledged{"again-$number"} = $document;
    }
    is $stored, int(@removed / 2), 'whose room others then have';
    unlike $httpd->log, qr/CR1205.*recovery/, 'all that without a recovery';
    disk_becomes($httpd, 'small ' . (96 << 20));
    ok until_true(sub { put($httpd, 'later', '{}') == 201 }), 'there is more room: documents are stored again';
    is scalar(lost($httpd, \%acknowledged)), 0, 'and all others are there';
}

# ---- disks that fail ----

for my $row (
    [ 'log ' . EIO,    'the log cannot be written' ],
    [ 'all ' . EROFS,  'the file system is read-only all of a sudden' ],
    [ 'all ' . ENOSPC, 'there is no room although the file system says so' ],
    [ 'trees ' . EIO,  'the trees cannot be written' ],
) {
    my ($trouble, $name) = @$row;
    my $httpd = start('fine');
    my %acknowledged;

    for my $number (1 .. 50) {
        $acknowledged{$number} = $document if put($httpd, $number, $document) == 201;
    }
    is scalar(keys %acknowledged), 50, "$name: before that 50 documents are stored";

    disk_becomes($httpd, $trouble);
    my %answered;
    for my $number (51 .. 250) {
        my $status = put($httpd, $number, $document);

        $answered{$status}++;
        $acknowledged{$number} = $document if $status == 201;
        last if ($answered{503} // 0) == 3;
    }
    is_deeply [grep { $_ != 201 && $_ != 503 && $_ != 599 } keys %answered], [], "$name: writers get 503";
    cmp_ok $answered{503}, '==', 3, 'in the end';
    my $began = time;
    my $answer = $httpd->ask('GET', '/docs/1');
    is $answer->{status}, 503, 'readers get 503';
    ok $answer->{headers}{'retry-after'}, 'and when to come again';
    cmp_ok time - $began, '<', 11, 'before their patience ends';

    disk_becomes($httpd, 'fine');
    ok until_true(sub { status($httpd, 1) == 200 }), 'the disk is well: the store comes back by itself';
    is_deeply [lost($httpd, \%acknowledged)], [], 'and nothing is lost';
    ok until_true(sub { put($httpd, 'later', '{}') == 201 }), 'and documents are stored';
}

done_testing;
