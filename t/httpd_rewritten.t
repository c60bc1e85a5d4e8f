# Front controllers, rewriting and aliases: the path that counts is the client's,
# so that a site that is all one /index.php is not all one document.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use Test::More;

use Apache::TestConditional ':all';

my $root = Apache::Test::vars('documentroot') . '/rewritten';

sub directory {
    my ($name, %files) = @_;

    make_path "$root/$name";
    for my $file (keys %files) {
        open my $to, '>', "$root/$name/$file" or die "$root/$name/$file: $!";
        print $to $files{$file};
        close $to or die "$root/$name/$file: $!";
    }
    return;
}

my $script = "not a document\n";

directory 'controller', 'index.php' => $script, '.htaccess' => <<'END';
SetHandler condreq
RewriteEngine On
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^ index.php [L]
END
directory 'everything', 'index.php' => $script, '.htaccess' => <<'END';
SetHandler condreq
RewriteEngine On
RewriteRule ^(.*)$ /rewritten/everything/index.php?path=$1 [END,QSA]
END
directory 'base', 'index.php' => $script, '.htaccess' => <<'END';
SetHandler condreq
RewriteEngine On
RewriteBase /rewritten/base/
RewriteRule ^index\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . index.php [L]
END
directory 'resource', 'index.php' => $script, '.htaccess' => <<'END';
SetHandler condreq
FallbackResource /rewritten/resource/index.php
END
directory 'index', 'index.php' => $script, '.htaccess' => <<'END';
SetHandler condreq
DirectoryIndex index.php
END
directory 'server',   'index.php' => $script;
directory 'fallback', 'index.php' => $script;

# ---- each way, the same documents ----

my %ways = (
    '/rewritten/controller'    => 'mod_rewrite in .htaccess, as frameworks have it',
    '/rewritten/everything'    => 'mod_rewrite in .htaccess, by a full path',
    '/rewritten/base'          => 'mod_rewrite in .htaccess, as blogs have it',
    '/rewritten/resource'      => 'FallbackResource where the handler is ours',
    '/rewritten/index'         => 'DirectoryIndex',
    '/rewritten/fallback'      => 'FallbackResource to another section',
    '/rewritten-file'          => 'mod_rewrite in the server, to a file',
    '/rewritten-url'           => 'mod_rewrite in the server, to a URL',
    '/rewritten-guarded/url'   => 'the same without the walk',
    '/rewritten-ahead'         => 'mod_rewrite with a look ahead',
    '/rewritten-alias'         => 'Alias',
    '/rewritten-match'         => 'AliasMatch of everything to one file',
);

for my $way (sort keys %ways) {
    subtest "$ways{$way}: $way" => sub {
        my $one = PUT "$way/one", '{"n":1}';

        is $one, 201, 'a document is made';
        is $one->header('Location'), "$way/one", 'under the path that the client named';
        is $one->header('Content-Location'), "$way/one", 'which it is told is that';
        is PUT("$way/two", '{"n":2}'), 201, 'another path is another document';
        is GET("$way/one")->body, '{"n":1}', 'the first is what it was';
        is GET("$way/two")->body, '{"n":2}', 'and so is the second';
        is GET("$way/three"), 404, 'and a third is none';
        is GET("$way/three")->header('Content-Type'), 'application/problem+json', 'as a problem document says';
        is GET("$way/one", if_none_match => '"1"'), 304, 'If-None-Match is heard';
        is PUT("$way/one", '{"n":3}', if_match => '"2"'), 412, 'If-Match is';
        is PUT("$way/one", '{"n":3}', if_none_match => '*'), 412, 'and so for who would create';
        is PUT("$way/one", '{"n":3}', if_match => '"1"'), 200, 'a writer with the tag is let';
        is PUT("$way/deep/er", '{}'), 201, 'further down, too';
        is DELETE("$way/two", if_match => '"1"'), 204, 'DELETE deletes';
        is GET("$way/two"), 404, 'that document';
        is GET("$way/one")->body, '{"n":3}', 'and no other';
        is_deeply [map { $_->{name} } @{ GET("$way/")->json->{members} }], ['deep/', 'one'],
            'a path that ends in a slash is a collection, and lists';
        my $posted = POST "$way/", '{"n":4}';
        is $posted, 201, 'which POST adds to';
        is $posted->header('Location'), "$way/1", 'with a path below it';
        is GET("$way/1")->body, '{"n":4}', 'where the document is';
    };
}

for my $way (qw(controller everything resource index)) {
    is POST("/rewritten/$way", '{}'), 201, "the own path of /rewritten/$way/.htaccess is a collection without slash, too";
}

is GET('/rewritten-target/index.php'), 404, 'nothing is under what was rewritten to';
is GET('/rewritten/controller/index.php'), 404, 'nor does a file show where documents are';
is PUT('/rewritten/controller/index.php', '{"n":5}'), 201, 'that name is free for a document';
is GET('/rewritten/controller/one')->body, '{"n":3}', 'which is no other one';

# ---- redirects of mod_rewrite and mod_alias come first ----

is GET('/rewritten-target/old/a'), 308, 'a redirect is one';
is GET('/rewritten-target/old/a', if_none_match => '*'), 308, 'whatever is asked about it';
is PUT('/rewritten-target/moved/a', '{}'), 301, 'by mod_alias, too';
is PUT('/rewritten-target/there/a', '{}'), 201, 'and nothing was made on the way';

done_testing;
