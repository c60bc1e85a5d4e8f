# GET of a collection: what it lists, in which order and which form, page by
# page, and its own validators.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';
use JSON::PP 'decode_json';

my @ndjson = (accept => 'application/x-ndjson');

sub members { return GET(@_)->json->{members} }
sub names   { return [map { $_->{name} } @{ members(@_) }] }
sub lines   { return map { decode_json($_) } split /\n/, GET(@_, @ndjson)->body }

# The URL of a link of this relation.
sub link_to {
    my ($answer, $relation) = @_;
    for my $link ($answer->header('Link')) {
        return $1 if $link =~ /<([^>]*)>;\s*rel="\Q$relation\E"/;
    }
    return undef;
}

# All pages, as links lead from one to the next.
sub walked {
    my ($url, @fields) = @_;
    my (@names, $pages);

    while (defined $url) {
        my $page = GET $url, @fields;
        push @names, map { $_->{name} } @{ $page->json->{members} };
        $url = link_to($page, 'next');
        die 'too many pages' if ++$pages > 200;
    }
    return (\@names, $pages);
}

# ---- what is in it, in which order ----
is GET('/docs/list/'), 404, 'a collection without documents is none';
like GET('/docs/list/')->json->{detail}, qr/no document in this collection/, 'as is said';
POST '/docs/list/', qq({"n":$_}) for 1 .. 12;
PUT "/docs/list/$_", '{}' for qw(b a abc 007 1a sub/1 sub/deep/2 sub-), 'caf%C3%A9';
my @all = (1 .. 12, qw(007 1a a abc b), "caf\x{e9}", qw(sub- sub/));
is_deeply names('/docs/list/'), \@all, 'numbers by their value, then the others; collections with a slash';
is_deeply names('/docs/list/sub/'), [qw(1 deep/)], 'what is deeper is in a collection of its own';
DELETE '/docs/list/3';
DELETE '/docs/list/sub/1';
@all = grep { $_ ne 3 } @all;
is_deeply names('/docs/list/'), \@all, 'what was removed is not there';
DELETE '/docs/list/sub/deep/2';
@all = grep { $_ ne 'sub/' } @all;
is_deeply names('/docs/list/'), \@all, 'nor is a collection whose last document was';

# ---- what is said of each ----
PUT '/docs/list/sub/1', '{}';
for my $member (@{ members('/docs/list/') }) {
    my $answer = GET $member->{href};
    is $answer, 200, "$member->{href} is there";
    is $answer->etag, $member->{etag}, 'with the tag that the listing says';
    like $member->{modified}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'and a date';
    is $member->{media_type}, $member->{name} =~ m{/$} ? undef : 'application/json', 'and a type';
    ok !exists $member->{document}, 'and no more';
}
is members('/docs/list/')->[0]{version}, 1, 'a version is a number';
is_deeply [map { @$_{qw(name href)} } @{ members('/docs/list/?prefix=caf') }], ["caf\x{e9}", '/docs/list/caf%C3%A9'],
    'a name reads decoded, a place is a URI';
PUT '/docs/percent/100%25', '{}';
is_deeply [map { @$_{qw(name href)} } @{ members('/docs/percent/') }], ['100%', '/docs/percent/100%25'],
    'also with a percent sign';
is_deeply names('/docs/percent/?prefix=100%25'), ['100%'], 'that a prefix may have';
PUT '/docs/percent/%FF', '{}';
is GET('/docs/percent/?prefix=%FF')->json->{members}[0]{name}, "\x{fffd}", 'what is no UTF-8 does not break JSON';
PUT "/hash/list/$_", qq("$_") for qw(a b c);
is_deeply [map { $_->{etag} } @{ members('/hash/list/') }], [map { GET($_->{href})->etag } @{ members('/hash/list/') }],
    'tags are of the strategy that is configured';

# ---- documents ----
POST '/docs/embed/', '{ "number": 1.10,
 "text": "a\nb" }';
POST '/docs/embed/', '[1e400]';
like GET('/docs/embed/?documents=true')->body, qr/"document": \{ "number": 1\.10,\n "text": "a\\nb" \}/,
    'documents come in the bytes that were stored';
unlike GET('/docs/embed/?documents=false')->body, qr/"document"/, 'or not';
like GET('/docs/embed/?documents=true', @ndjson)->body, qr/"document": \{ "number": 1\.10,  "text": "a\\nb" \}\}\n/,
    'in lines without what would end the line';
PUT '/types/embed/text', 'plain', content_type => 'text/plain';
PUT '/types/embed/json', '{}', content_type => 'application/ld+json; charset=utf-8';
is_deeply [map { exists $_->{document} ? 1 : 0 } @{ members('/types/embed/?documents=true') }], [1, 0],
    'what is no JSON is not in JSON';
is members('/types/embed/')->[1]{media_type}, 'text/plain', 'but its type is';

# ---- pages ----
for my $limit (1, 2, 3, 7, 19, 20, 1000) {
    my ($names, $pages) = walked("/docs/list/?limit=$limit");
    is_deeply $names, [@all, 'sub/'], "pages of $limit have all of it";
    is $pages, int((@all + $limit) / $limit), 'in as many as are needed';
}
my $page = GET '/docs/list/?limit=2&documents=true&prefix=1';
like link_to($page, 'next'), qr/limit=2&prefix=1&documents=true/, 'a link says again what was asked';
is_deeply [map { $_->{name} } map { @{ GET(link_to($page, 'next'))->json->{members} } } 1], [11, 12],
    'and goes on from there';
POST '/docs/many/', '{}' for 1 .. 101;
is scalar @{ members('/docs/many/') }, 100, 'a page is of 100 unless the client says otherwise';
is scalar(my @lines = lines('/docs/many/')), 101, 'lines have no end of their own';
is link_to(GET('/docs/many/', @ndjson), 'next'), undef, 'and so no next page';
is link_to(GET('/docs/many/?limit=100', @ndjson), 'next'), '/docs/many/?cursor=AAMxMDAA&limit=100',
    'unless the client wants pages';
POST '/docs/heavy/', '"' . 'x' x 400_000 . '"' for 1 .. 4;
my ($heavy, $pages) = walked('/docs/heavy/?documents=true');
is_deeply $heavy, [1 .. 4], 'large documents all come';
ok $pages > 1, 'in more than one page';
is scalar(@lines = lines('/docs/heavy/?documents=true')), 4, 'or lines';

# ---- prefixes ----
my $listed = names('/docs/list/');
for my $prefix ('1', '12', '13', '0', '00', 'a', 'ab', 'sub', 'sub/', 'caf', 'z', '') {
    is_deeply names("/docs/list/?prefix=$prefix"), [grep { index($_, $prefix) == 0 } @$listed],
        "with the prefix '$prefix'";
    is_deeply +(walked("/docs/list/?limit=1&prefix=$prefix"))[0], [grep { index($_, $prefix) == 0 } @$listed],
        'also one by one';
}

# ---- lines ----
is_deeply [lines('/docs/list/')], members('/docs/list/'), 'a line says what a member says';
is GET('/docs/list/', @ndjson)->header('Content-Type'), 'application/x-ndjson', 'under its type';
is GET('/docs/list/', accept => 'application/json, application/x-ndjson')->header('Content-Type'), 'application/json',
    'JSON, where that is as welcome';
is GET('/docs/list/', accept => 'text/html')->header('Content-Type'), 'application/json', 'or where nothing is';
like $_, qr/\bAccept\b/, 'caches are told of it'
    for GET('/docs/list/')->header('Vary'), GET('/docs/list/', if_none_match => '*')->header('Vary');

# ---- validators ----
my $first = GET '/docs/tag/' . (POST('/docs/tag/', '{}') ? '' : '');
like $first->etag, qr/^"\d+-[\w.]{8}"$/, 'a collection has a strong tag';
is GET('/docs/tag/')->etag, $first->etag, 'which stays';
my %seen = ($first->etag => 'the first');
for (
    ['a creation',            sub { PUT '/docs/tag/a', '{}' }],
    ['an update',             sub { PUT '/docs/tag/a', '{"n":1}' }],
    ['the same bytes again',  sub { PUT '/docs/tag/a', '{"n":1}' }],
    ['a creation below',      sub { PUT '/docs/tag/deep/er/b', '{}' }],
    ['an update below',       sub { PUT '/docs/tag/deep/er/b', '[]' }],
    ['a removal below',       sub { DELETE '/docs/tag/deep/er/b' }],
    ['a removal',             sub { DELETE '/docs/tag/a' }],
    ['the same name again',   sub { PUT '/docs/tag/a', '{}' }],
    ['a POST',                sub { POST '/docs/tag/', '{}' }],
) {
    my ($what, $write) = @$_;
    $write->();
    my $tag = GET('/docs/tag/')->etag;
    is $seen{$tag}, undef, "$what makes another tag";
    $seen{$tag} = $what;
}
my $before = GET('/docs/tag/')->etag;
PUT '/docs/tagged', '{}';
PUT '/docs/tag', '{}';
PUT '/docs/tags/a', '{}';
is GET('/docs/tag/')->etag, $before, 'what is beside it does not';
is PUT('/docs/tag/a', '{', if_match => '"1"'), 412, 'nor what was refused';
is GET('/docs/tag/')->etag, $before, 'as is to be seen';
my %forms = map { $_->etag => 1 } GET('/docs/tag/'), GET('/docs/tag/', @ndjson), GET('/docs/tag/?limit=1'),
    GET('/docs/tag/?documents=true'), GET('/docs/tag/?prefix=a'), GET('/docs/tag/?since=0');
is scalar keys %forms, 6, 'each representation has a tag of its own';

for my $url ('/docs/tag/', '/docs/tag/?limit=1', '/docs/tag/?since=0') {
    my $answer = GET $url;
    my $again  = GET $url, if_none_match => $answer->etag;
    is $again, 304, "$url: whoever polls with its tag gets a 304";
    is $again->body, '', 'without a content';
    is $again->etag, $answer->etag, 'with the tag';
    is GET($url, if_none_match => '"0"'), 200, 'and a 200 with another';
    is GET($url, if_match => '"0"'), 412, 'If-Match of another fails';
    is GET($url, if_match => $answer->etag), 200, 'of its own holds';
    my $head = HEAD $url;
    is $head, 200, 'HEAD';
    is $head->body, '', 'has no content';
    is_deeply [map { scalar $head->header($_) } qw(ETag Content-Type Content-Length Vary Link)],
        [map { scalar $answer->header($_) } qw(ETag Content-Type Content-Length Vary Link)], 'but the fields of GET';
    is HEAD($url, if_none_match => $answer->etag), 304, 'and its 304';
}
is HEAD('/docs/tag/', @ndjson)->etag, GET('/docs/tag/', @ndjson)->etag, 'HEAD of lines, too';

# A date is that of the last write, once its second is over.
PUT '/docs/dated/a', '{}';
is GET('/docs/dated/')->header('Last-Modified'), undef, 'a date that may be shared is not sent';
sleep 2;
my $date = GET('/docs/dated/')->header('Last-Modified');
ok defined $date, 'once it cannot be it is';
is GET('/docs/dated/', if_modified_since => $date), 304, 'and polls for a 304';
PUT '/docs/dated/deep/b', '{}';
is GET('/docs/dated/', if_modified_since => $date), 200, 'until something is written below';
is POST('/docs/dated/', '{}', if_unmodified_since => $date), 412, 'whoever wrote then is told so';
is GET('/dateless/')->header('Last-Modified'), undef, 'where there are no dates a collection has none'
    if PUT '/dateless/a', '{}';
PUT '/tagless/a', '{}';
is GET('/tagless/')->etag, undef, 'where there are no tags it has none';
PUT '/weak/list/a', '{}';
like GET('/weak/list/')->etag, qr{^W/"}, 'where tags are weak its own is';
is GET('/weak/list/', if_none_match => GET('/weak/list/')->etag), 304, 'and good for a 304';
is POST('/weak/list/', '{}', if_match => GET('/weak/list/')->etag), 412, 'but for no write';

# ---- behind filters that code ----
for my $place (['/gzip/list', 'gzip'], ['/brotli/list', 'br']) {
    my ($at, $coding) = @$place;
    POST "$at/", '{}' for 1 .. 20;
    my @coded = (accept_encoding => $coding);
    my $coded = GET "$at/", @coded;
    is $coded->header('Content-Encoding'), $coding, "$at: coded";
    like $coded->etag, qr/-\Q$coding\E"$/, 'under a tag of its own';
    is GET("$at/", @coded, if_none_match => $coded->etag), 304, 'with which a client polls';
    is GET("$at/", @coded, if_none_match => $coded->etag)->etag, $coded->etag, 'and hears it again';
    is GET("$at/", if_none_match => $coded->etag), 200, 'that is not for whoever wants no coding';
    is GET("$at/", @coded, if_none_match => GET("$at/")->etag), 304, 'the tag without a coding is good, too';
    is POST("$at/", '{}', if_match => $coded->etag), 201, 'and a write may name either';
    next if $coding eq 'br';
    my $lines = GET "$at/", @coded, @ndjson;
    is $lines->header('Content-Encoding'), $coding, 'lines are coded';
    is GET("$at/", @coded, @ndjson, if_none_match => $lines->etag), 304, 'and polled for';
}

# ---- no ranges ----
my $ranged = GET '/docs/list/', range => 'bytes=0-1';
is $ranged, 200, 'a listing has no ranges';
is $ranged->header('Accept-Ranges'), undef, 'and says nothing else';

# ---- bad queries ----
for (
    'limit=0', 'limit=1001', 'limit=', 'limit=x', 'limit=-1', 'limit=1x', 'limit=99999999999999999999', 'limit',
    'limit=1&limit=2', 'cursor=', 'cursor=%20', 'cursor=A', 'cursor=*', 'since=', 'since=x', 'since=-1',
    'since=1.', 'since=1.x', 'since=1.2.3', 'since=99999999999999999999999', 'documents=', 'documents=yes',
    'documents=true&documents=true', 'since=0&cursor=AAMxMDAA', 'unknown=1', 'Limit=1', '=', 'prefix=%00', 'prefix=%zz',
    'prefix=' . 'x' x 1025, 'cursor=' . 'A' x 5000,
) {
    my $answer = GET "/docs/list/?$_";
    my $shown = length > 40 ? substr($_, 0, 40) . '...' : $_;
    is $answer, 400, "?$shown is refused";
    like $answer->json->{detail}, qr/\w/, 'in words';
}
is GET('/docs/list/?'), 200, 'an empty query is none';
is GET('/docs/list/?&limit=3&'), 200, 'and empty parameters neither';
is_deeply names('/docs/list/?limit=%31'), [1], 'a query is decoded';
is POST('/docs/list/?limit=0', '{}'), 201, 'what is not GET takes no notice';
is GET('/docs/list/1?limit=0'), 200, 'nor does a document';

# ---- a Location's own path ----
PUT '/create/own/a', '{}';
for my $own ('/create', '/create/') {
    my $answer = GET $own;
    ok scalar(grep { $_->{href} eq '/create/own/' } @{ $answer->json->{members} }), "$own lists";
    is GET($own, if_none_match => $answer->etag), 304, 'and is revalidated';
}
is GET('/create')->etag, GET('/create/')->etag, 'under one tag';

done_testing;
