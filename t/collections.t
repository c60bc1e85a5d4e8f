# POST to a collection: ids, places, and preconditions on the collection.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

sub place_of { return scalar POST(@_)->header('Location') }

# ---- the sequence ----
is place_of('/docs/seq/', "$_"), "/docs/seq/$_", "the sequence says $_" for 1 .. 3;
PUT "/docs/seq/$_", '{}' for 4, 6;
is place_of('/docs/seq/', '{}'), '/docs/seq/5', 'it steps over a name that a PUT took';
is place_of('/docs/seq/', '{}'), '/docs/seq/7', 'and over the next';
DELETE "/docs/seq/$_" for 6, 7;
is place_of('/docs/seq/', '{}'), '/docs/seq/8', 'an id is not used again after its removal';
is place_of('/docs/other/', '{}'), '/docs/other/1', 'each collection has its own';
is place_of('/docs/seq/in/', '{}'), '/docs/seq/in/1', 'also one in another';

# ---- where documents are created ----
my ($first) = place_of('/walked', '{}') =~ m{^/walked/(\d+)$};
ok $first, 'the Location itself is a collection';
is place_of('/walked/', '{}'), '/walked/' . ($first + 1), 'with or without the slash';
is place_of('/docs/a%20b%C3%A9/', '{}'), '/docs/a%20b%C3%A9/1', 'a place is a URI reference';
is place_of('/docs/100%25/', '{}'), '/docs/100%25/1', 'with a percent sign encoded';
is GET('/docs/100%25/1')->body, '{}', 'where the document is';
is POST('/docs/posted/', '{}', host => 'elsewhere.example')->header('Location'), '/docs/posted/1',
    'it names no host: a proxy in front may have another';
is POST('/docs/no-slash', '{}'), 405, 'what has no slash at its end is a document';

# ---- UUIDs ----
my $uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $made = POST '/uuid', '{"n":1}';
like $made->header('Location'), qr{^/uuid/$uuid$}, 'ids may be UUIDs of version 4';
is $made->json->{id}, ($made->header('Location') =~ m{([^/]+)$})[0], 'as the document says';
isnt place_of('/uuid', '{}'), $made->header('Location'), 'each another';

# ---- preconditions of the collection ----
is POST('/docs/cond/', '{}', if_match => '*'), 412, 'If-Match: * fails of a collection without documents';
is POST('/docs/cond/', '{}', if_none_match => '*'), 201, 'If-None-Match: * holds of it';
is POST('/docs/cond/', '{}', if_none_match => '*'), 412, 'and not of one with documents';
is POST('/docs/cond/', '{}', if_match => '*'), 201, 'for which If-Match: * holds';
my $tag = GET('/docs/cond/')->etag;
is POST('/docs/cond/', '{}', if_match => '"1"'), 412, 'a tag that it never had is not its own';
is POST('/docs/cond/', '{}', if_none_match => $tag), 412, 'nor does it lack its own';
is POST('/docs/cond/', '{}', if_match => $tag), 201, 'with its own tag one may add to it';
is POST('/docs/cond/', '{}', if_match => $tag), 412, 'and no second one';
is POST('/docs/cond/', '{}', if_none_match => $tag), 201, 'which is another now';
is POST('/docs/cond/', '{}', if_match => $_->etag), 201, 'whichever representation it came with'
    for GET('/docs/cond/?limit=1');
is POST('/docs/cond/', '{}', if_match => $_->etag), 201, 'line by line'
    for GET('/docs/cond/', accept => 'application/x-ndjson');
is POST('/docs/cond/', '{}', if_unmodified_since => 'Sun, 06 Nov 1994 08:49:37 GMT'), 412, 'it has a date, too';
is POST('/docs/cond/', '{}', if_unmodified_since => 'Thu, 31 Dec 2099 00:00:00 GMT'), 201, 'that may be compared';
my $said = POST('/docs/cond/', '{}', if_match => $tag);
is $said->json->{etag}, GET('/docs/cond/')->etag, 'a 412 says which tag it has';
is POST('/docs/cond/', '{}', if_match => $said->json->{etag}), 201, 'with which one may go on';
DELETE "/docs/cond/$_" for 1 .. 9;
is POST('/docs/cond/', '{}', if_match => '*'), 412, 'when its documents are removed it is no more';

# ---- what cannot be created ----
is POST('/docs/bad/', '{'), 400, 'broken JSON creates nothing';
is POST('/docs/bad/', '{}', content_type => 'text/html'), 415, 'nor does another type';
is place_of('/docs/bad/', '{}'), '/docs/bad/1', 'and takes no id';
my $long = '/docs/' . 'x' x (1024 - length('/docs/') - 10) . '/';
is POST($long, '{}'), 414, 'a collection whose documents would have too long a path';

# ---- the end of a collection ----
sub there { return join ' ', map { $_->{name} } @{ GET($_[0])->json->{members} // [] } }

PUT "/docs/end/$_", '{}' for qw(a b deep/er/c deep/d);
PUT $_, '{}' for '/docs/end', '/docs/ends/a', '/docs/end-/a';
my $end = GET '/docs/end/';
PUT '/docs/end/a', '{}';
is DELETE('/docs/end/', if_match => $end->etag), 412, 'with a tag from before it stays';
is DELETE('/docs/end/', if_none_match => '*'), 412, 'or where it should not be there';
is DELETE('/docs/end/', if_match => 'no tag'), 400, 'or with no tag at all';
is there('/docs/end/'), 'a b deep/', 'all of it';
my $removed = DELETE '/docs/end/', if_match => GET('/docs/end/')->etag;
is $removed, 204, 'with its tag it is removed';
is $removed->body, '', 'which is all there is to say';
is GET($_), 404, "$_ is gone" for qw(/docs/end/ /docs/end/a /docs/end/b /docs/end/deep/ /docs/end/deep/er/c);
is GET($_), 200, "$_ is not" for qw(/docs/end /docs/ends/a /docs/end-/a);
is DELETE('/docs/end/'), 404, 'nobody removes it again';
is DELETE('/docs/end/', if_match => '"1"'), 404, 'whatever they ask';
is PUT('/docs/end/a', '{}')->etag, '"4"', 'a document goes on where it was';
isnt GET('/docs/end/')->etag, $end->etag, 'and so does the collection';
is DELETE('/require-delete/'), 404, 'what is not there needs no tag';
PUT '/require-delete/a', '{}';
is DELETE('/require-delete/'), 428, 'what is does, where that is said';
is DELETE('/require-delete/', if_match => GET('/require-delete/')->etag), 204, 'and with it, it goes';
is DELETE('/docs/end'), 204, 'without a slash it is a document';
is there('/docs/end/'), 'a', 'and nothing else';

# ---- more than is removed at once ----
POST '/docs/large/', '{}' for 1 .. 1001;
my $large = DELETE '/docs/large/', if_match => '"0"';
is $large, 409, 'of 1001 documents none is removed, whatever tag is sent';
is $large->json->{type}, 'tag:mod-condreq,2026:collection-too-large', 'as a problem';
is $large->json->{documents}, 1000, 'says, with how many would';
is GET('/docs/large/?limit=1000')->json->{members}[999]{name}, 1000, 'all are there';
is DELETE('/docs/large/1'), 204, 'one less';
is DELETE('/docs/large/', if_match => '"0"'), 412, 'and then the tag counts';
is DELETE('/docs/large/'), 204, 'and all may go';
is GET('/docs/large/'), 404, 'at once';
POST '/docs/fat/', '"' . 'x' x 1_000_000 . '"' for 1 .. 34;
is DELETE('/docs/fat/'), 409, 'nor is what is over 32 MiB';
DELETE '/docs/fat/34';
is DELETE('/docs/fat/'), 204, 'and what is not is';

done_testing;
