# Sections: which of them make a path one of ours, and how each directive merges,
# in httpd's order and as httpd's own directives do.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot');

sub file {
    my ($path, $text) = @_;
    make_path "$root/$path" =~ s{/[^/]*$}{}r;
    open my $to, '>', "$root/$path" or die "$root/$path: $!";
    print $to $text;
    return close $to;
}

# ---- a section in a section: each directive for itself ----

# What a directive does, seen from outside, for documents in a place.
my %seen = (
    'etag' => sub { PUT("$_[0]/etag", '{}', if_none_match => '*')->etag =~ /^"\d+"$/ ? 'version' : 'hash' },
    'last-modified' => sub {
        PUT("$_[0]/date", '{}', if_none_match => '*');
        defined GET("$_[0]/date")->last_modified ? 'On' : 'Off';
    },
    'require' => sub { PUT("$_[0]/required", '{}') == 428 ? 'etag' : 'none' },
    'put' => sub {
        my $made = PUT "$_[0]/put", '{"a":1}', if_none_match => '*';
        PUT("$_[0]/put", '{"b":2}', if_match => $made->etag)->json->{a} ? 'merge' : 'replace';
    },
    'ids' => sub { POST("$_[0]/", '{}')->header('Location') =~ /-.*-4/ ? 'uuid' : 'sequence' },
    'members' => sub { exists PUT("$_[0]/members", '{}', if_none_match => '*')->json->{id} ? 'id' : 'none' },
    'types' => sub {
        PUT("$_[0]/text", 'x', content_type => 'text/plain', if_none_match => '*') == 415 ? 'JSON' : 'text/plain';
    },
    'max-body' => sub {
        PUT("$_[0]/large", '{"a":"' . 'x' x 1500 . '"}', if_none_match => '*') == 413 ? '1K' : 'more';
    },
    'max-depth' => sub { PUT("$_[0]/deep", '{"a":[[[[[1]]]]]}', if_none_match => '*') == 400 ? '4' : 'more' },
);
sub seen { my ($place) = @_; return { map { $_ => $seen{$_}->($place) } keys %seen } }

my %outer = (
    'etag' => 'hash', 'last-modified' => 'Off', 'require' => 'etag', 'put' => 'merge', 'ids' => 'uuid',
    'members' => 'id', 'types' => 'text/plain', 'max-body' => '1K', 'max-depth' => '4',
);
my %inner = (
    'etag' => 'version', 'last-modified' => 'On', 'require' => 'none', 'put' => 'replace', 'ids' => 'sequence',
    'members' => 'none', 'types' => 'JSON', 'max-body' => 'more', 'max-depth' => 'more',
);
is_deeply seen('/sections-merged/outside'), \%outer, 'a section says everything';
is_deeply seen("/sections-merged/$_"), { %outer, $_ => $inner{$_} },
    "a section below it says $_ alone, and the rest is as outside"
    for sort keys %inner;

my $long_ago = 'Thu, 01 Jan 1998 00:00:00 GMT';
for my $row (
    [ 200, '/sections-evaluate/a',         'CondReqEvaluate both' ],
    [ 200, '/sections-evaluate/tagged/a',  'is inherited' ],
    [ 304, '/sections-evaluate/rfc9110/a', 'or taken back' ],
) {
    my ($status, $path, $sentence) = @$row;
    my $made = PUT $path, '{}';
    is GET($path, if_none_match => $made->etag, if_modified_since => $long_ago), $status, $sentence;
}
is PUT('/sections-put/a', '{}'), 404, 'CondReqPut merge update creates nothing';
is PUT('/sections-put/merge/a', '{}'), 201, 'CondReqPut merge inside it does: a directive is said whole';
is POST('/sections-require/', '{}'), 428, 'CondReqRequire etag POST is about POST';
is POST('/sections-require/others/', '{}'), 201, 'CondReqRequire etag inside it is about the others';
is PUT('/sections-require/others/a', '{}'), 428, 'PUT, for one';
is PUT('/sections-require/a', '{}'), 201, 'which the outer one was not';

# ---- Directory, then Files, then Location, then If ----

file 'sections/text.txt', 'a file';
file 'sections/location/text.txt', 'a file';
for my $row (
    [ 'a',               {},          'directory',     'a Directory' ],
    [ 'a.file',          {},          'files',         'Files are merged after it' ],
    [ 'a.match.x',       {},          'filesmatch',    'FilesMatch, too' ],
    [ 'location/a',      {},          'location',      'Locations after those' ],
    [ 'location/a.file', {},          'location',      'even where Files match' ],
    [ 'location/match',  {},          'locationmatch', 'in the order in which they stand' ],
    [ 'location/if',     { x_if => 1 }, 'if',            'and If at last' ],
    [ 'if',              { x_if => 1 }, 'if',            'anywhere' ],
) {
    my ($path, $fields, $section, $sentence) = @$row;
    is PUT("/sections/$path", '{}', %$fields)->etag, qq("$section-1"), $sentence;
}
is GET('/sections/a', x_if => 1)->etag, '"if-1"', 'another configuration counts at once';
is PUT('/sections/a', '{}', if_match => '"if-1"'), 412, 'for one request and not for another';
is GET('/sections/text.txt')->body, 'a file', 'Files may take a file out of ours';

# ---- what is ours ----

file "sections-handler/$_/a.json", '"a file"' for qw(none default none/again);
file 'sections-files/a.txt', 'a file';
file 'sections-add/a.txt',   'a file';
for my $row (
    # path, what PUT and GET answer, sentence
    [ '/sections-handler/a',              201, 200, 'SetHandler in a Location' ],
    [ '/sections-handler/none/a.json',    405, 200, 'SetHandler none below it: files' ],
    [ '/sections-handler/none/b.json',    405, 404, 'or none' ],
    [ '/sections-handler/default/a.json', 405, 200, 'likewise another handler' ],
    [ '/sections-handler/none/again/a.json', 201, 200, 'and ours again' ],
    [ '/sections-files/a.json',           201, 200, 'SetHandler in Files' ],
    [ '/sections-files/a.txt',            405, 200, 'for those, and no others' ],
    [ '/sections-add/a.json',             201, 200, 'AddHandler' ],
    [ '/sections-add/a.txt',              405, 200, 'for that extension, and no others' ],
    [ '/sections-match/ann/a',            201, 200, 'SetHandler in a LocationMatch' ],
    [ '/sections-match/ann',              405, 404, 'for what it matches' ],
    [ '/sections-match/ANN/a',            405, 404, 'and nothing else' ],
    [ '/sections-exact',                  201, 200, 'which has no path of its own, so that this is a document' ],
    [ '/sections-exact/a',                405, 404, 'and what is below it is none' ],
    [ '/sections-tilde',                  201, 200, 'nor has a Location with ~' ],
    [ '/sections-tilde/a',                201, 200, 'which matches more' ],
    [ '/sections-if/a',                   201, 200, 'SetHandler in an If' ],
    [ '/sections-if/plain',               405, 404, 'where that is true' ],
    [ '/sections-if',                     201, 200, 'an If has no path of its own either' ],
) {
    my ($path, $put, $get, $sentence) = @$row;
    is PUT($path, '{"n":1}'), $put, "$path: $sentence";
    is GET($path), $get, "$path: GET";
    is GET($path)->etag, $get == 200 ? '"1"' : undef, "$path: with our tag" if $put == 201;
}
is GET('/sections-handler/none/again/a.json')->body, '{"n":1}', 'no file shows where documents are';
is POST('/sections-match/ann/', '{}')->header('Location'), '/sections-match/ann/1',
    'a path that ends in a slash is a collection, in a LocationMatch too';
is POST('/sections-if/', '{}')->header('Location'), '/sections-if/1', 'and in an If';

PUT '/sections-strict/a', '{}';
is PUT('/sections-strict/a', '{}'), 200, 'If: a request that it is not about';
is PUT('/sections-strict/a', '{}', strict => 'yes'), 428, 'and one that it is about';

# ---- SetHandler for a whole virtual host ----

my $hosts = 'http://127.0.0.1:' . Apache::Test::vars('hosts_port');
my %whole = (host => 'whole.test');
file 'files/a.txt', 'a file';

my $made = PUT "$hosts/a", '{}', %whole;
is $made, 201, 'SetHandler for a whole virtual host';
like $made->etag, qr/^"[\w-]{22}"$/, 'with a directive for all of it';
is PUT("$hosts/versions/a", '{}', %whole)->etag, '"1"', 'and another for a Location';
is POST("$hosts/", '{}', %whole)->header('Location'), '/1', 'its root is a collection';
is_deeply [map { $_->{name} } @{ GET("$hosts/", %whole)->json->{members} }], [qw(1 a versions/)],
    'which is listed, not the index.html of the document root';
is GET("$hosts/index.html", %whole), 404, 'which does not show';
is GET("$hosts/files/a.txt", %whole)->body, 'a file', 'SetHandler none shows files';
is wire($hosts)->send_head('OPTIONS * HTTP/1.1', 'Host: whole.test')->answer, 200, 'OPTIONS * is the server\'s';

done_testing;
