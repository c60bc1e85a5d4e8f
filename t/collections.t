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

done_testing;
