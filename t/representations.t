# What answers carry: HEAD as GET has it, OPTIONS, and what a writer prefers
# (RFC 9110 sections 8.8, 9.3, 10.2; RFC 7240).
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

# ---- HEAD ----
{
    resource '/docs/head' => '{"n":1}';
    resource '/docs/head-large' => '"' . 'x' x 200_000 . '"';
    resource '/weak/head' => '{}';
    resource '/tagless/head' => '{}';
    resource '/fields/head' => '{}';
    resource '/members/head' => '{}';
    head_agrees_with_get $_
        for '/docs/head', '/docs/head-large', '/weak/head', '/tagless/head', '/fields/head',
        '/members/head', '/docs/head-none', '/docs/';
    head_agrees_with_get '/docs/head', fields => { if_none_match => '"1"' },
        name => 'also of a 304';
    is HEAD('/docs/head')->header('Content-Length'), 7, 'HEAD says how long the document is';
    is HEAD('/docs/head', if_none_match => '"1"'), 304, 'HEAD is answered 304';
    is HEAD('/docs/head', if_match => '"0"'), 412, 'and 412';
}

# ---- the longest and the shortest ----
{
    my $long = '"' . 'x' x (1024 * 1024 - 2) . '"';
    is PUT('/docs/longest', $long), 201, 'a document may have 1 MiB';
    ok GET('/docs/longest')->body eq $long, 'which comes back';
    is PUT('/docs/shortest', '1'), 201, 'or one byte';
    is GET('/docs/shortest')->body, '1', 'which comes back';
    my $longer = '"' . 'y' x 300_000 . '"';
    is PUT('/docs/shortest', $longer, if_match => '"1"'), 200, 'it may grow';
    ok GET('/docs/shortest')->body eq $longer, 'by much';
    is PUT('/docs/shortest', '2', if_match => '"2"'), 200, 'and shrink';
    is GET('/docs/shortest')->body, '2', 'as much';
}

# ---- what a write says ----
{
    my $put = PUT '/docs/said', ' {"n" : 1} ';
    is $put->body, ' {"n" : 1} ', 'an answer shows what was stored';
    is $put->header('Content-Location'), '/docs/said', 'and says that it is the document';
    my $get = GET '/docs/said';
    is $put->header($_), $get->header($_), "PUT and GET agree on $_"
        for qw(ETag Content-Type Content-Length);
    is PUT('/docs/said', '{}', content_type => 'application/vnd.api+json; charset=utf-8')
        ->header('Content-Type'), 'application/vnd.api+json; charset=utf-8', 'a type is kept as it was sent';
    is GET('/docs/said')->header('Content-Type'), 'application/vnd.api+json; charset=utf-8', 'also for GET';
    is PUT('/docs/said', '{}', content_type => undef)->header('Content-Type'), 'application/json',
        'without a type it is JSON';
    is PUT('/types/said', "no JSON\0\xff", content_type => 'text/plain'), 201, 'other types may be allowed';
    is GET('/types/said')->body, "no JSON\0\xff", 'any bytes are';
    is PUT('/types/said', 'x', content_type => 'image/png'), 200, 'a whole family of them';
    is PUT('/types/said', 'x', content_type => 'text/html'), 415, 'and others not';
    is PUT('/types/said', '{', content_type => 'application/json'), 400, 'JSON is still checked';
    for my $type ('json', '/json', 'application/', 'a b/c', 'text/plain/x', 'application/json-patch+json',
        'application/merge-patch+json', 'application/json; charset=iso-8859-1', 'x/' . 'y' x 300)
    {
        is PUT('/docs/said', '{}', content_type => $type), 415, substr("$type is refused", 0, 60);
    }
}

# ---- Prefer ----
{
    my $minimal = PUT '/docs/prefer', '{"n":1}', prefer => 'return=minimal';
    is $minimal, 201, 'a creation is answered 201';
    is $minimal->body, '', 'without the document where that is not wanted';
    is $minimal->header('Preference-Applied'), 'return=minimal', 'which is said';
    is $minimal->etag, '"1"', 'with the tag: it was stored as it was sent';
    is $minimal->header('Content-Location'), undef, 'and without Content-Location';
    is $minimal->header('Location'), '/docs/prefer', 'but with the place';

    my $again = PUT '/docs/prefer', '{"n":2}', prefer => 'return=minimal';
    is $again, 204, 'a replacement is answered 204 then';
    is $again->etag, '"2"', 'with its tag';

    my $full = PUT '/docs/prefer', '{"n":3}', prefer => 'return=representation';
    is $full, 200, 'or 200';
    is $full->body, '{"n":3}', 'with the document, which is what happens anyway';
    is $full->header('Preference-Applied'), 'return=representation', 'which is said, too';

    my $spliced = PUT '/members/prefer', '{"n":1}', prefer => 'return=minimal';
    is $spliced, 201, 'where the server has members';
    is $spliced->etag, undef, 'there is no tag: the client does not have these bytes';
    is $spliced->last_modified, undef, 'nor a date';

    my $posted = POST '/docs/preferred/', '{"n":1}', prefer => 'return=minimal';
    is $posted, 201, 'POST may be answered without the document too';
    is $posted->body, '', 'and is';
    is GET($posted->header('Location'))->body, '{"n":1}', 'but with the place';

    for (
        ['return = minimal',                     204],
        ['return="minimal"',                     204],
        ['RETURN=minimal',                       204],
        ['respond-async, return=minimal; x=1',   204],
        ['wait=10, return=minimal',              204],
        ['foo="a, return=representation", return=minimal', 204],
        ['foo="return=minimal"',                 200],
        ['return=nothing',                       200],
        ['return',                               200],
        ['returns=minimal',                      200],
        ['return=representation, return=minimal', 200],
        ['',                                     200],
    ) {
        my ($prefer, $status) = @$_;
        is PUT('/docs/prefer', '{"n":4}', prefer => $prefer), $status, "Prefer: $prefer is answered $status";
    }
    is PUT('/docs/prefer', '{"n":5}', prefer => ['wait=1', 'return=minimal']), 204, 'two lines are one list';
}

# ---- OPTIONS ----
{
    my $options = OPTIONS '/docs/options', if_match => '"0"';
    is $options, 200, 'OPTIONS takes no notice of preconditions';
    is $options->body, '', 'and has no content';
    is raw('OPTIONS * HTTP/1.1'), 200, 'OPTIONS * is httpd\'s';
    is raw('TRACE /docs/options HTTP/1.1'), 405, 'and so is TRACE';
}

done_testing;
