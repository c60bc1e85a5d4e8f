# Content-Digest and Repr-Digest, RFC 9530: checked on what comes, given on what
# goes where the client wants it.
use strict;
use warnings;

use Digest::SHA qw(sha256_base64 sha512_base64);
use Test::More;

use Apache::TestConditional ':all';

sub padded { my ($base64) = @_; return $base64 . '=' x (-length($base64) % 4) }
sub sha256 { return 'sha-256=:' . padded(sha256_base64($_[0])) . ':' }
sub sha512 { return 'sha-512=:' . padded(sha512_base64($_[0])) . ':' }

# The document of the RFC's examples, with its line feed.
my $hello = qq({"hello": "world"}\n);
is sha256($hello), 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:', 'RFC 9530 section 2: sha-256';
is sha512($hello),
    'sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:',
    'and sha-512';

# ---- what comes ----

my $other = $hello =~ s/world/xorld/r;
my @rows = (
    # fields' value                                    status, sentence
    [sha256($hello),                                    200, 'sha-256'],
    [sha512($hello),                                    200, 'sha-512'],
    [sha256($hello) . ', ' . sha512($hello),            200, 'both'],
    [[sha256($hello), sha512($hello)],                  200, 'in two lines'],
    [sha256($other),                                    400, 'of other content'],
    [sha512($other),                                    400, 'likewise'],
    [sha256($hello) . ', ' . sha512($other),            400, 'one of two is wrong'],
    [sha512($hello) . ', ' . sha256($other),            400, 'whichever'],
    [sha256($other) . ', ' . sha256($hello),            200, 'of one key twice the later counts (RFC 8941 section 3.2)'],
    [sha256($hello) . ', ' . sha256($other),            400, 'also where it is wrong'],
    ['unixsum=30637',                                   200, 'an algorithm that is not known'],
    ['md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, ' . sha256($hello), 200, 'beside one that is'],
    ['md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, ' . sha256($other), 400, 'that counts'],
    ['a=(1 "x" tok);p=?1, b, c="\"", d=1.5;q, *e=?0',   200, 'whatever it looks like'],
    [sha256($hello) . ';by="me"',                       200, 'parameters'],
    [sha256($hello) =~ s/=:$/:/r,                       200, 'without padding'],
    ['',                                                200, 'nothing'],
    ['sha-256=::',                                      400, 'no byte'],
    ['sha-256=:AAAA:',                                  400, 'too few'],
    ['sha-256=:' . 'AAAA' x 100 . ':',                  400, 'too many'],
    ['sha-512=' . (sha256($hello) =~ s/^sha-256=//r),   400, 'of the other algorithm'],
    ['SHA-256=' . (sha256($hello) =~ s/^sha-256=//r),   400, 'keys are in lower case'],
    ['sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=', 400, 'base64 without colons (RFC 3230)'],
    ['sha-256="RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="', 400, 'in quotes'],
    ['sha-256',                                         400, 'a Boolean'],
    ['sha-256=1',                                       400, 'a number'],
    ['sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=', 400, 'a colon too few'],
    ['sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:', 400, 'base64 for URLs'],
    ['sha-256=:=AAA:',                                  400, 'padding in front'],
    [sha256($hello) . ',',                              400, 'a comma at the end'],
    [',' . sha256($hello),                              400, 'or in front'],
    [sha256($hello) . ' ' . sha512($hello),             400, 'no comma'],
    ['a=b=c',                                           400, 'no dictionary'],
    ['é=1',                                             400, 'no key'],
);
for my $name (qw(content_digest repr_digest)) {
    my $uri = "/docs/$name";
    resource $uri => '{}';
    for (@rows) {
        my ($value, $status, $sentence) = @$_;
        my $before = GET $uri;
        my $answer = PUT $uri, $hello, $name => $value;
        my $shown  = ref $value ? join ' + ', @$value : $value;

        is $answer, $status, "$name: $sentence: $shown" or diag $answer->as_string;
        next if $status == 200;
        is $answer->header('Content-Type'), 'application/problem+json', 'is a problem';
        is GET($uri)->etag, $before->etag, 'and stores nothing';
    }
}
{
    my $wrong = PUT '/docs/content_digest', $hello, content_digest => sha256($other);
    is $wrong->json->{type}, 'tag:mod-condreq,2026:digest-mismatch', 'a mismatch has a type of its own';
    is $wrong->json->{field}, 'Content-Digest', 'and says which field';
    is PUT('/docs/content_digest', $hello, repr_digest => sha256($other))->json->{field}, 'Repr-Digest', 'or the other';
    is PUT('/docs/content_digest', $other, content_digest => sha256($other), repr_digest => sha256($hello)), 400,
        'both have to be right';
    is PUT('/docs/content_digest', '{broken', content_digest => sha256($hello))->json->{type},
        'tag:mod-condreq,2026:digest-mismatch', 'what was damaged is told so, and not that it is no JSON';
    is PUT('/docs/content_digest', $hello, content_digest => sha256($other), if_match => '"0"'), 412,
        'the precondition comes before the content';

    is POST('/docs/digests/', $hello, content_digest => sha512($hello)), 201, 'POST with its digest';
    is POST('/docs/digests/', $hello, content_digest => sha512($other)), 400, 'or with another';
    resource '/docs/digest-patch' => $hello;
    my $patch = '{"hello":"you"}';
    is PATCH('/docs/digest-patch', $patch, content_digest => sha256($hello)), 400, 'on PATCH the digest is the patch\'s';
    is PATCH('/docs/digest-patch', $patch, repr_digest => sha256($hello)), 400,
        'also that of the representation (section 3.1)';
    is PATCH('/docs/digest-patch', $patch, content_digest => sha256($patch), repr_digest => sha512($patch)), 200, 'so';
    is PUT('/members/digest', $hello, content_digest => sha256($hello)), 201, 'of what is sent, not of what is stored';

    # behind the content
    for ([$hello, 200], [$other, 400]) {
        my ($said, $status) = @$_;
        my $wire = wire;
        $wire->send_head('PUT /docs/content_digest HTTP/1.1', 'Content-Type: application/json',
            'Transfer-Encoding: chunked', 'Trailer: Content-Digest');
        $wire->send(sprintf("%x\r\n%s\r\n0\r\nContent-Digest: %s\r\n\r\n", length $hello, $hello, sha256($said)));
        is $wire->answer, $status, "a trailer is answered $status";
    }
}

# ---- what goes: which is wanted ----

resource '/docs/want' => $hello;
for (
    # the field                      gives
    ['sha-256=1',                     \&sha256],
    ['sha-512=1',                     \&sha512],
    ['sha-512=3, sha-256=10, unixsum=0', \&sha256],
    ['sha-512=10, sha-256=3',         \&sha512],
    ['sha-256=5, sha-512=5',          \&sha256],
    ['sha-256=0, sha-512=1',          \&sha512],
    ['sha-256=0',                     undef],
    ['sha-256=1, sha-256=0',          undef],
    ['md5=10, sha-512=1',             \&sha512],
    ['md5=10',                        undef],
    ['sha-256=11, sha-512=1',         \&sha512],
    ['sha-256=-1',                    undef],
    ['sha-256=1.5',                   undef],
    ['sha-256',                       undef],
    ['sha-256="1"',                   undef],
    ['sha-256=1,',                    undef],
    ['sha-256=1 sha-512=1',           undef],
    ['sha-256=1;x=y',                 \&sha256],
    ['',                              undef],
    [undef,                           undef],
) {
    my ($want, $function) = @$_;
    my $shown = $want // 'no field';
    my $given = $function && $function->($hello);

    for my $name (qw(Content-Digest Repr-Digest)) {
        my ($else) = grep { $_ ne $name } qw(Content-Digest Repr-Digest);
        my $answer = GET '/docs/want', "Want-$name" => $want;
        is $answer->header($name), $given, "Want-$name: $shown";
        is $answer->header($else), undef, "and no $else";
    }
}

# ---- what goes: with which answer ----

my @want = ('Want-Content-Digest' => 'sha-512=1', 'Want-Repr-Digest' => 'sha-256=1');
my %given = ('Content-Digest' => sha512($hello), 'Repr-Digest' => sha256($hello));

sub has_digests {
    my ($sentence, $answer, $status, @names) = @_;
    is $answer, $status, "$sentence: $status";
    for my $name (sort keys %given) {
        my $wanted = (grep { $_ eq $name } @names) ? $given{$name} : undef;
        is $answer->header($name), $wanted, "$sentence: $name";
    }
    return;
}

has_digests('GET', GET('/docs/want', @want), 200, keys %given);
has_digests('HEAD', HEAD('/docs/want', @want), 200, 'Repr-Digest');
has_digests('a part', GET('/docs/want', @want, range => 'bytes=1-3'), 206, 'Repr-Digest');
has_digests('two parts', GET('/docs/want', @want, range => 'bytes=1-3,6-8'), 206, 'Repr-Digest');
has_digests('all of it as a part', GET('/docs/want', @want, range => 'bytes=0-'), 206, 'Repr-Digest');
has_digests('a part that is not there', GET('/docs/want', @want, range => 'bytes=99-'), 416);
has_digests('nothing new', GET('/docs/want', @want, if_none_match => '"1"'), 304);
has_digests('a version that is not there', GET('/docs/want', @want, if_match => '"0"'), 412);
has_digests('nothing', GET('/docs/want-none', @want), 404);
has_digests('a creation', PUT('/docs/want-put', $hello, @want), 201, keys %given);
has_digests('a replacement', PUT('/docs/want-put', $hello, @want), 200, keys %given);
has_digests('POST', POST('/docs/want/', $hello, @want), 201, keys %given);
has_digests('a patch that makes just that', PATCH('/docs/want-put', '[]', @want), 200, keys %given);
has_digests('an answer without content', PUT('/docs/want-put', $hello, @want, prefer => 'return=minimal'), 204);
is HEAD('/docs/want', 'Want-Repr-Digest' => 'sha-512=1')->header('Repr-Digest'), sha512($hello), 'HEAD with sha-512';
{
    resource '/members/want' => '{"a":1}';
    my $put = PUT '/members/want', '{"a":2}', @want;
    is $put->header('Content-Digest'), sha512($put->body), 'of a PUT\'s answer it is what is stored';
    my $patched = PATCH '/members/want', '{"a":3}', @want;
    is $patched->header('Content-Digest'), sha512($patched->body), 'and of a PATCH\'s';
    is $patched->header('Repr-Digest'), sha256(GET('/members/want')->body), 'which GET shows';

    my $large = '"' . 'x' x 900_000 . '"';
    resource '/docs/want-large' => $large;
    is GET('/docs/want-large', @want)->header('Content-Digest'), sha512($large), 'a large document';
    is HEAD('/docs/want-large', 'Want-Repr-Digest' => 'sha-512=1')->header('Repr-Digest'), sha512($large),
        'whose digest HEAD says too';
    is GET('/docs/want', range => 'bytes=0-0', 'Want-Repr-Digest' => 'sha-512=1')->header('Repr-Digest'),
        sha512($hello), 'and a part';
}

# ---- neither where a filter may code the answer ----

my $long = '"' . 'long ' x 500 . '"';
for my $place (qw(gzip brotli)) {
    resource "/$place/want" => $long;
    for my $accepted ($place eq 'gzip' ? 'gzip' : 'br', 'identity') {
        for my $answer (
            GET("/$place/want", @want, accept_encoding => $accepted),
            HEAD("/$place/want", @want, accept_encoding => $accepted),
            PUT("/$place/want", $long, @want, accept_encoding => $accepted),
        ) {
            is $answer, 200, "$place, Accept-Encoding: $accepted";
            is $answer->header($_), undef, "has no $_" for sort keys %given;
        }
    }
    my $plain = GET "/$place/want", @want;
    is $plain->header('Content-Digest'), sha512($long), "$place: who accepts no coding gets none, and so a digest";
    is $plain->header('Content-Encoding'), undef, 'of the plain bytes';
    my $tag = $plain->etag;
    is GET("/$place/want", @want, if_none_match => $tag)->header('Repr-Digest'), undef, 'a 304 has none here either';
}
resource '/fields/want' => $hello;
is GET('/fields/want', @want)->header('Repr-Digest'), sha256($hello), 'filters that set fields are in nobody\'s way';

done_testing;
