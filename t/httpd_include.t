# Subrequests: a page that includes documents gets each as it is, whatever the
# client asked about the page.
use strict;
use warnings;

use Apache::Test ();
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot');

sub page {
    my ($name, @includes) = @_;
    open my $file, '>', "$root/$name.shtml" or die "$name: $!";
    print $file '<!--#config errmsg="(error)" -->',
        map { qq(<!--#include virtual="$_" -->;) } @includes;
    close $file or die "$name: $!";
    return "/$name.shtml";
}

my $first = resource '/included/a' => '{"n":1}';
resource '/included/b' => '{"n":2}';
resource '/included/b%20%C3%A9' => '{"n":3}';
resource '/included/large' => '"' . 'x' x 100_000 . '"';

my $page = page 'both', '/included/a', '/included/b';
my $both = '{"n":1};{"n":2};';

for my $row (
    [ {}, 'a page includes two documents' ],
    [ { if_none_match => '"1"' }, 'although the client has the tag of both' ],
    [ { if_none_match => '*' }, 'or asks whether there is anything' ],
    [ { if_none_match => 'W/"1", "2"' }, 'or has several' ],
    [ { if_none_match => 'no tag' }, 'or one that is none' ],
    [ { if_modified_since => $first->last_modified }, 'or their date' ],
    [ { if_modified_since => 'Thu, 31 Dec 2099 00:00:00 GMT' }, 'or a later one' ],
    [ { if_unmodified_since => 'Thu, 01 Jan 2099 00:00:00 GMT' }, 'or wants none later' ],
) {
    my ($fields, $sentence) = @$row;
    my $answer = GET $page, %$fields;

    is $answer, 200, $sentence;
    is $answer->body, $both, "$sentence: each is there";
    is $answer->etag, undef, "$sentence: the page has no tag of theirs";
}
unlike GET($page, range => 'bytes=0-9', if_range => '"1"')->body, qr/\(error\)/, 'a range of the page is none of theirs';
is HEAD($page), 200, 'HEAD of the page';
is POST($page, '', content_type => 'application/x-www-form-urlencoded')->body, $both, 'POST to the page reads them, too';

is GET(page 'encoded', '/included/b%20%C3%A9')->body, '{"n":3};', 'a path with encoded characters names its document';
is GET(page 'query', '/included/a?x=1')->body, '{"n":1};', 'a query does not count';
is GET(page 'dots', '/included/x/../a')->body, '{"n":1};', 'nor do dots';
is length GET(page 'large', '/included/large')->body, 100_003, 'a large document is there whole';

my $none = GET page('none', '/included/a', '/included/none', '/included/', '/included-never/a', '/included/b');
is $none, 200, 'what cannot be included does not spoil the page';
like $none->body, qr/^\{"n":1\};.*;\{"n":2\};$/s, 'and the others are there';
unlike $none->header('Content-Type'), qr/json/, 'nor does it make a problem document of it';

done_testing;
