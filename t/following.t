# GET of a collection with since=: what was changed after a number, enough to
# keep a copy in step, also while others write.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';
use Apache::TestConditional::Race 'together';
use JSON::PP 'decode_json';

my $relation = 'tag:mod-condreq,2026:changes';

sub link_to {
    my ($answer, $wanted) = @_;
    for my $link ($answer->header('Link')) {
        return $1 if $link =~ /<([^>]*)>;\s*rel="\Q$wanted\E"/;
    }
    return undef;
}

# "name" for one that is there, "-name" for one that is gone.
sub changed { return [map { ($_->{deleted} ? '-' : '') . $_->{name} } @{ $_[0]->json->{changes} }] }

# ---- what is told ----
is GET('/docs/follow/?since=0'), 404, 'of what never was nothing can be told';
POST '/docs/follow/', qq({"n":$_}) for 1 .. 3;
my $start = GET '/docs/follow/';
my $since = $start->json->{change};
like $since, qr/^\d+$/, 'a listing says from which number on to follow';
is link_to($start, $relation), "/docs/follow/?since=$since", 'also as a link';
is link_to(GET('/docs/follow/', accept => 'application/x-ndjson'), $relation), "/docs/follow/?since=$since",
    'that lines have, too';

my $nothing = GET "/docs/follow/?since=$since";
is_deeply changed($nothing), [], 'nothing has changed yet';
is $nothing->json->{change}, $since, 'and the number stays';
is GET("/docs/follow/?since=$since", if_none_match => $nothing->etag), 304, 'which costs a 304';

PUT '/docs/follow/2', '{"n":22}';
PUT '/docs/follow/deep/er', '{}';
DELETE '/docs/follow/1';
PUT '/docs/following', '{}';
my $some = GET "/docs/follow/?since=$since";
is_deeply changed($some), [qw(2 deep/er -1)], 'changes come in their order, at any depth, deletions among them';
my ($update, $creation, $deletion) = @{ $some->json->{changes} };
is $update->{etag}, GET('/docs/follow/2')->etag, 'with the tag that there is now';
is $update->{href}, '/docs/follow/2', 'where it is';
is $creation->{href}, '/docs/follow/deep/er', 'wherever that is';
is $deletion->{deleted}, JSON::PP::true, 'a deletion says so';
is $deletion->{etag}, undef, 'and has no tag';
is $deletion->{version}, 2, 'but a version';
PUT '/docs/follow/2', '{"n":222}';
is_deeply changed(GET "/docs/follow/?since=$since"), [qw(deep/er -1 2)], 'each once, where it changed last';
is_deeply changed(GET '/docs/follow/?since=' . $some->json->{change}), [2], 'and from each number on what came later';
is_deeply changed(GET '/docs/follow/?since=0'), [qw(3 deep/er -1 2)], 'from 0 on everything';
is_deeply changed(GET "/docs/follow/?since=$since&prefix=deep"), ['deep/er'], 'or what begins like that';
is GET("/docs/follow/?since=$since&documents=true")->json->{changes}[2]{document}{n}, 222, 'with the documents';

# ---- page by page ----
my $page = GET '/docs/follow/?since=0&limit=2';
is_deeply changed($page), [qw(3 deep/er)], 'as many as are wanted';
is_deeply changed(GET link_to($page, 'next')), [qw(-1 2)], 'and the next';
is link_to(GET(link_to($page, 'next')), 'next'), undef, 'until there are no more';
my $lines = GET '/docs/follow/?since=0', accept => 'application/x-ndjson';
is_deeply [map { decode_json($_)->{name} } split /\n/, $lines->body], [qw(3 deep/er 1 2)], 'a line each, too';

# ---- the end, and after ----
$since = GET('/docs/follow/')->json->{change};
is DELETE('/docs/follow/'), 204, 'a collection is removed';
is GET('/docs/follow/'), 404, 'it is no more';
is_deeply [sort @{ changed(GET "/docs/follow/?since=$since") }], [qw(-2 -3 -deep/er)], 'and its followers hear of it';
PUT '/docs/follow/3', '{}';
is GET("/docs/follow/?since=$since")->json->{changes}[-1]{version}, 3, 'as of its return';

# ---- numbers of no use ----
my $gone = GET '/docs/follow/?since=9007199254740993';
is $gone, 410, 'a number that is still to come is none';
is $gone->json->{type}, 'tag:mod-condreq,2026:changes-forgotten', 'and it is said what to do';
is GET("/docs/follow/?since=$since.7"), 410, 'nor is one of a store that was brought back to another state';
is GET('/docs/follow/?since=0.7'), 200, 'but anyone may begin';

# ---- a copy, while others write ----
my $writers = 7;
my $rounds  = 60;

sub write_busily {
    my ($number) = @_;
    for my $round (1 .. $rounds) {
        my $url = '/docs/copied/' . ($round * 7 + $number) % 40;
        $url .= '/deep' if $round % 5 == 0;
        $round % 4 ? PUT $url, qq({"by":"$number.$round"}) : DELETE $url;
    }
    return 1;
}

sub follow {
    my ($copy, $url) = @_;
    my $change;
    while (defined $url) {
        my $answer = GET $url;
        for my $changed (@{ $answer->json->{changes} }) {
            $copy->{ $changed->{href} } = $changed->{deleted} ? undef : $changed->{document}{by};
        }
        $change = $answer->json->{change};
        $url = link_to($answer, 'next');
    }
    return $change;
}

# @return whether the copy is what is there, looks that it took, documents
sub keep_copy {
    my ($done) = @_;
    my ($change, %copy, $looks) = (0);

    for (1 .. 100_000) {
        my $last = -e $done;
        $change = follow(\%copy, "/docs/copied/?documents=true&limit=13&since=$change");
        $looks++;
        last if $last;
    }
    my %there = map { $_->{href} => $_->{document}{by} }
        map { @{ GET("/docs/copied/$_?documents=true&limit=1000")->json->{members} // [] } }
        '', map { "$_/" } 0 .. 39;
    delete $there{$_} for grep { m{/$} } keys %there;
    delete $copy{$_}  for grep { !defined $copy{$_} } keys %copy;
    return [join(' ', map { "$_=$there{$_}" } sort keys %there), join(' ', map { "$_=$copy{$_}" } sort keys %copy),
        $looks];
}

PUT '/docs/copied/0', '{"by":"nobody"}';
my $done = "/tmp/condreq-followed.$$";
my ($result) = together(
    sub { $_[0]->(); return keep_copy($done) },
    sub {
        $_[0]->();
        together(map { my $number = $_; sub { $_[0]->(); return write_busily($number) } } 1 .. $writers);
        open my $mark, '>', $done or die "$done: $!";
        return 1;
    });
unlink $done;
is $result->[1], $result->[0], 'a copy that follows seven writers ends equal';
ok length $result->[0] > 500, 'to much';
ok $result->[2] > 3, "in $result->[2] looks";

done_testing;
