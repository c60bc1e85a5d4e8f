package Bench::Curves;

# How cost grows: one request, measured at several sizes of one thing. Knows
# which; the rows it makes are measured and kept as all others.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(curve_rows curve_servers);

my $OURS = 'mod_condreq';
my @CHILDREN = (1, 2, 4, 8, 16);
my @DOCUMENTS = (1000, 100_000, 1_000_000, 10_000_000);

# Servers that only curves need, named by what they differ in.
sub curve_servers {
    return {
        (map { ("children-$_" => [Httpd => serves => 'condreq', processes => $_, threads => 64]) } @CHILDREN),
        (map { ("documents-$_" => [Httpd => serves => 'condreq', filled => $_,
            store => 'cache=' . ($_ > 1_000_000 ? '6000M' : '256M')]) } @DOCUMENTS),
        many => [Httpd => serves => 'condreq', threads => 300],
        wide => [Httpd => serves => 'condreq', store => 'cache=512M'],
    };
}

# @param unit  what x counts
sub point {
    my ($curve, $unit, $x, %row) = @_;
    return {
        id => "$curve-$x", title => "$curve: $x $unit", curve => $curve, unit => $unit, x => $x,
        ours => $OURS, goals => {}, measure => 'cpu', clients => 16, %row,
    };
}

sub http {
    my ($server, $operation, @options) = @_;
    return { name => $OURS, server => $server, load => [http => -o => $operation, @options] };
}

sub writing { return ('put', -s => 'put', -f => 'Prefer: return=minimal', @_) }

# ---- curves ----

# The store is filled without httpd, so nobody waits for ten million requests.
sub documents {
    return map {
        my $documents = $_;
        my @known = (-k => $documents > 100_000 ? 100_000 : $documents, -u => '/documents/');
        (
            point('documents, 304', 'documents', $documents, outcome => 'unmodified',
                sides => [http("documents-$documents", 'revalidate', -s => 'get', @known, -b => 100)]),
            point('documents, PUT', 'documents', $documents, outcome => 'written', clients => 32,
                sides => [http("documents-$documents", 'put', -s => 'get', -f => 'Prefer: return=minimal',
                    @known, -b => 100)]),
        );
    } @DOCUMENTS;
}

sub bodies {
    return map {
        my ($bytes, $count) = @$_;
        my @size = (-k => $count, -b => $bytes);
        (
            point('body, GET', 'bytes', $bytes, outcome => 'document', clients => 4,
                sides => [http('wide', 'get', -s => 'put', @size, -u => "/documents/of-$bytes/")]),
            point('body, PUT', 'bytes', $bytes, outcome => 'written', clients => 4,
                sides => [http('wide', writing(@size, -u => "/documents/put-$bytes/"))]),
        );
    } [100, 1000], [1000, 1000], [10_000, 200], [100_000, 50], [1_000_000, 10], [16_000_000, 4],
        [64_000_000, 4];
}

sub clients {
    return map {
        point('clients, PUT', 'clients', $_, outcome => 'written', clients => $_, measure => 'rate',
            sides => [http('many', writing(-k => 10_000, -u => '/documents/written/'))]),
        point('clients, 304', 'clients', $_, outcome => 'unmodified', clients => $_, measure => 'rate',
            sides => [http('many', 'revalidate', -s => 'put', -k => 1000, -u => '/documents/read/')]),
    } 1, 4, 16, 64, 256;
}

sub keys_chosen {
    return map {
        point('keys, PUT', '', $_, outcome => 'written', clients => 32, measure => 'rate', may_be_refused => 1,
            sides => [http('condreq', writing(-k => 10_000, -u => "/documents/$_/", -c => $_))]),
    } qw(uniform zipf hot);
}

sub children {
    return map {
        point('children, PUT', 'processes', $_, outcome => 'written', clients => 32, measure => 'rate',
            sides => [http("children-$_", writing(-k => 10_000, -u => '/documents/written/'))]),
    } @CHILDREN;
}

# A precondition on the collection is what looks at its members.
sub collections {
    return map {
        point('members, POST', 'members', $_, outcome => 'written', clients => 16,
            sides => [http("documents-$_", 'post', -u => '/documents/', -b => 100,
                -f => 'Prefer: return=minimal', -f => 'If-Match: *')]),
    } @DOCUMENTS;
}

# Each curve's points one after another, the slowest curve last. What is of one
# number of documents stands together, so that its store is filled once.
# @param most_documents  leaves larger stores out
sub curve_rows {
    my ($most_documents) = @_;
    my @of_stores = sort { $a->{x} <=> $b->{x} } grep { $_->{x} <= $most_documents } documents(), collections();
    return (bodies(), clients(), keys_chosen(), children(), @of_stores);
}

1;
