# Problem documents, RFC 9457: what a refusal says, and what it must not say.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

my $prefix = 'tag:mod-condreq,2026:';

# A refusal's document, whatever else it says.
sub problem {
    my ($answer, $status, $title) = @_;
    my $said = $answer->json;

    is $answer, $status, "a refusal with $status";
    is $answer->header('Content-Type'), 'application/problem+json', 'has a problem document';
    is ref $said, 'HASH', 'which is a JSON object';
    is $said->{status}, $status, 'with the status';
    is $said->{title}, $title, 'and its title';
    # httpd's own filter refuses a range, without a word of ours.
    like $said->{detail}, qr/^[A-Z].*\.$/, 'and a sentence' unless $status == 416;
    unlike $answer->body, qr{/tmp|/var|\.c\b|bdb|DB_|htdocs}, 'and nothing of the inside';
    is $answer->header($_), undef, "no $_" for qw(ETag Last-Modified Cache-Control Expires);
    return $said;
}

resource '/docs/problem' => '{"n":1}';

# ---- 412 says what is there ----
{
    my $said = problem(PUT('/docs/problem', '{}', if_match => '"0"'), 412, 'Precondition Failed');
    is $said->{type}, "${prefix}precondition-failed", 'its type has a name';
    is $said->{etag}, '"1"', 'it gives the current tag';
    is $said->{version}, 1, 'the version';
    like $said->{modified}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/, 'and when it was made';
    is PUT('/docs/problem', '{"n":2}', if_match => $said->{etag}), 200, 'with that the client goes on';

    $said = problem(PUT('/docs/problem-none', '{}', if_match => '*'), 412, 'Precondition Failed');
    ok !exists $said->{$_}, "where nothing is there is no $_" for qw(etag version modified);

    resource '/tagless/problem' => '{}';
    $said = problem(PUT('/tagless/problem', '{}', if_match => '"1"'), 412, 'Precondition Failed');
    ok !exists $said->{etag}, 'nor a tag where there are none';
    is $said->{version}, 1, 'but a version';

    problem(POST('/docs/problems/', '{}', if_match => '*'), 412, 'Precondition Failed');
    problem(GET('/docs/problem', if_match => '"0"'), 412, 'Precondition Failed');
}

# ---- 400 says where ----
{
    for (['{"a":1,}', 7], ['', 0], ["\xef\xbb\xbf{}", 0], ['[1,2', 4], ['{"a":1,"\u0061":2}', 7]) {
        my ($sent, $offset) = @$_;
        my $said = problem(PUT('/docs/problem', $sent), 400, 'Bad Request');
        is $said->{type}, "${prefix}malformed-json", 'its type has a name';
        is $said->{offset}, $offset, "'$sent' is broken at byte $offset";
    }
    my $said = problem(PUT('/docs/problem', '{}', if_match => '1'), 400, 'Bad Request');
    is $said->{type}, 'about:blank', 'a malformed tag has no further members';
}

# ---- 405 says how else ----
{
    my $said = problem(POST('/docs/problem', '{}'), 405, 'Method Not Allowed');
    is $said->{type}, "${prefix}method-not-allowed", 'its type has a name';
    is $said->{allow}, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS', 'it names the methods of a document';
    is problem(PUT('/docs/', '{}'), 405, 'Method Not Allowed')->{allow}, 'GET, HEAD, POST, DELETE, OPTIONS',
        'and of a collection';
}

# ---- the others ----
problem(GET('/docs/problem-none'), 404, 'Not Found');
problem(PUT('/small/problem', 'x' x 2000), 413, 'Request Entity Too Large');
problem(PUT('/docs/' . 'x' x 1100, '{}'), 414, 'Request-URI Too Long');
like problem(PUT('/docs/problem', 'a=b', content_type => 'application/x-www-form-urlencoded'), 415,
    'Unsupported Media Type')->{detail}, qr{Content-Type: application/json}, 'a form is told what to send';
problem(GET('/docs/problem', range => 'bytes=99-'), 416, 'Requested Range Not Satisfiable');
problem(PUT('/members/problem', '1'), 422, 'Unprocessable Entity');
problem(PUT('/require-etag/problem', '{}'), 428, 'Precondition Required');
problem(request('BREW', '/docs/problem'), 501, 'Not Implemented');

# ---- HEAD ----
{
    my $head = HEAD '/docs/problem-none';
    is $head, 404, 'HEAD is refused as GET is';
    is $head->body, '', 'without the document';
}

# ---- what other modules say of a refusal ----
{
    resource '/fields/problem' => '{}';
    my $ok = GET '/fields/problem';
    is $ok->header('Cache-Control'), 'max-age=60, max-age=60', 'a 200 may be cached here'
        if $ok->header('Cache-Control') =~ /,/;
    ok $ok->header('Expires'), 'and has an end';
    for my $refused (PUT('/fields/problem', '{}', if_match => '"0"'), GET('/fields/none')) {
        is $refused->header('Cache-Control'), undef, "a $refused may not be cached";
        is $refused->header('Expires'), undef, 'nor has it an end';
        is $refused->header('Access-Control-Allow-Origin'), '*', 'but it has what is always said';
    }
}

# ---- ErrorDocument ----
{
    is GET('/own-errors/none')->body, 'nothing of that name', 'a text of the site is shown instead';
    resource '/own-errors/one' => '{}';
    resource '/docs/error-document' => '{"mine":true}';
    my $answer = PUT '/own-errors/one', '{}', if_match => '"0"';
    is $answer, 412, 'a document of the site';
    is $answer->body, '{"mine":true}', 'is shown too';
    is GET('/own-errors/one')->body, '{}', 'and the refusal was one';
    is PUT('/own-errors/one', '{'), 400, 'what it says nothing of';
    is PUT('/own-errors/one', '{')->header('Content-Type'), 'application/problem+json', 'has our document';
}

# ---- resources of others ----
is GET('/elsewhere')->header('Content-Type'), 'text/html; charset=iso-8859-1',
    'what is not ours is httpd\'s to say';

done_testing;
