# Files and directories that happen to be where documents are: mod_dir,
# mod_autoindex and mod_negotiation leave the documents alone, and no file shows.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot') . '/directory';
my @places = qw(walked guarded section);

sub file {
    my ($path, $text) = @_;
    open my $to, '>', "$root/$path" or die "$root/$path: $!";
    print $to $text;
    return close $to;
}

for my $place (@places) {
    make_path "$root/$place/real/inner";
    file "$place/real/index.html", 'an index';
    file "$place/real/file.txt",   'a file';
    file "$place/file.html",       'a file';
    file "$place/page.html.$_",    "a page in $_" for qw(en de);
    file "$place/typed.var",       "URI: page.html.en\nContent-language: en\n";
}

my $problem = 'application/problem+json';

for my $place (@places) {
    my $at = "/directory/$place";
    my $what = "$place:";

    # a directory
    is GET("$at/real"), 404, "$what a directory is no document, and nobody is redirected to its slash";
    is GET("$at/real")->header('Content-Type'), $problem, "$what as a problem document says";
    is PUT("$at/real", '{"n":1}'), 201, "$what a document may have its name";
    is GET("$at/real")->body, '{"n":1}', "$what and is served";
    is GET("$at/real", if_none_match => '"1"'), 304, "$what or not, where the client has it";
    is PUT("$at/real", '{"n":2}', if_match => '"0"'), 412, "$what or refused";
    is PUT("$at/real/", '{}'), 405, "$what with a slash it is a collection";
    is GET("$at/real/"), 404, "$what without index.html, and there is none without documents";
    my $posted = POST "$at/real/", '{"n":3}';
    is $posted, 201, "$what in which POST creates";
    is $posted->header('Location'), "$at/real/1", "$what below it";
    is_deeply [map { $_->{name} } @{ GET("$at/real/")->json->{members} }], [1],
        "$what and GET lists that, and no files";
    is GET("$at/real")->body, '{"n":1}', "$what besides the document of that name";
    is GET("$at/real/inner/"), 404, "$what an inner directory is none either";
    is OPTIONS("$at/real/")->header('Allow'), 'GET, HEAD, POST, DELETE, OPTIONS', "$what and OPTIONS says what can be done";

    # files
    for my $file (qw(file.html real/file.txt real/index.html)) {
        is GET("$at/$file"), 404, "$what $file does not show";
        is GET("$at/$file")->header('Content-Type'), $problem, "$what $file: as a problem document says";
        is PUT("$at/$file", '{"n":4}', if_none_match => '*'), 201, "$what $file: a document may have its name";
        is GET("$at/$file")->body, '{"n":4}', "$what $file: and is served";
        is GET("$at/$file")->etag, '"1"', "$what $file: under its own tag";
        is GET("$at/$file", if_modified_since => 'Thu, 01 Jan 1998 00:00:00 GMT'), 200,
            "$what $file: whose date is not the file's";
        is PUT("$at/$file/below", '{}'), 201, "$what $file: and one may be below it";
    }

    # a name like a file's, which mod_speling would correct
    for my $name (qw(file.htm File.html fiel.html real/fil.txt)) {
        is GET("$at/$name"), 404, "$what $name is nobody's slip";
        is PUT("$at/$name", '{"n":6}'), 201, "$what $name is a name";
        is GET("$at/$name")->body, '{"n":6}', "$what $name: and a document's";
    }

    # MultiViews and a type map
    my $page = PUT "$at/page", '{"n":5}', accept_language => 'de';
    is $page, 201, "$what page.html.de is no variant of a document";
    is $page->header('Content-Location'), "$at/page", "$what a document has its own name";
    my $got = GET "$at/page", accept_language => 'de';
    is $got->body, '{"n":5}', "$what and its own content";
    is_deeply [map { scalar $got->header($_) } qw(Content-Location Vary TCN Content-Language Content-Type)],
        [undef, undef, undef, undef, 'application/json'], "$what and nothing is said of variants";
    is GET("$at/page", accept_language => 'fr', accept => 'image/png'), 200, "$what nor is any negotiated";
    is GET("$at/page.html", accept_language => 'de'), 404, "$what no page of another name shows";
    is GET("$at/typed.var"), 404, "$what nor what a type map names";
}

done_testing;
