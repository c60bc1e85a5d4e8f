# Behind mod_deflate and mod_brotli: a client that has a coded answer asks about
# it by the tag that the coding gave it, is told that nothing changed, and can
# write with that tag.
use strict;
use warnings;

use Apache::Test ();
use IO::Uncompress::Gunzip 'gunzip';
use Test::More;

use Apache::TestConditional ':all';

my $coded = 'http://127.0.0.1:' . Apache::Test::vars('hosts_port') . '/coded';

# JSON that coding makes smaller, but not small.
sub long_json {
    my $seed = shift;
    return sprintf '{"n":%d,"text":"%s"}', $seed,
        join ' ', map { ($_ * 7919 + $seed) % 10007 } 1 .. 600;
}

my %content = (
    long  => long_json(1),
    short => '{"n":1}',
    huge  => sprintf '[%s]', join ',', map { long_json($_) } 1 .. 40,
);

# What an answer says of its variant.
sub variant {
    my ($answer) = @_;
    return join ' ', $answer->code,
        map { $answer->header($_) // '-' } qw(ETag Content-Encoding Vary);
}

# ---- the tag that each client is given, and is told of again ----

for my $host (qw(suffix nochange remove)) {
    for my $place (qw(deflate deflate-type brotli brotli-type each chain provider html none)) {
        resource "$coded/$place/$_", $content{$_}, host => "$host.test" for keys %content;
    }
    resource "$coded/extension/long.json", $content{long}, host => "$host.test";
}

my @variants = (
    # host      path                 Accept-Encoding    its GET, and its 304
    # where the content is coded
    [ 'suffix', '/deflate/long',      'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/deflate-type/long', 'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/deflate/long',      'br;q=1, gzip;q=.5', '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/deflate/huge',      'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/brotli/huge',       'br',              '200 "1-br" br Accept-Encoding' ],
    [ 'suffix', '/brotli/long',       'br',              '200 "1-br" br Accept-Encoding' ],
    [ 'suffix', '/brotli-type/long',  'gzip, br',        '200 "1-br" br Accept-Encoding' ],
    [ 'suffix', '/each/long',         'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/each/long',         'gzip, br',        '200 "1-br" br Accept-Encoding' ],
    [ 'suffix', '/brotli/short',      'br',              '200 "1-br" br Accept-Encoding' ],
    [ 'suffix', '/chain/long',        'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/provider/long',     'gzip',            '200 "1-gzip" gzip Accept-Encoding' ],
    [ 'suffix', '/extension/long.json', 'gzip',          '200 "1-gzip" gzip Accept-Encoding' ],
    # where it would be, for another client
    [ 'suffix', '/deflate/long',      undef,             '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/deflate/long',      '',                '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/deflate/long',      'br',              '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/deflate/long',      'gzip;q=0',        '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/brotli/long',       'gzip',            '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/brotli/long',       'br;q=0',          '200 "1" - Accept-Encoding' ],
    [ 'suffix', '/each/long',         'gzip;q=0, br;q=0', '200 "1" - Accept-Encoding' ],
    # where it is not: too small, another type, no filter
    [ 'suffix', '/deflate/short',     'gzip',            '200 "1" - -' ],
    [ 'suffix', '/html/long',         'gzip',            '200 "1" - -' ],
    [ 'suffix', '/none/long',         'gzip, br',        '200 "1" - -' ],
    # DeflateAlterETag, BrotliAlterETag: NoChange and Remove
    [ 'nochange', '/deflate/long',    'gzip',            '200 "1" gzip Accept-Encoding' ],
    [ 'nochange', '/brotli/long',     'br',              '200 "1" br Accept-Encoding' ],
    [ 'nochange', '/each/long',       'gzip, br',        '200 "1" br Accept-Encoding' ],
    [ 'nochange', '/deflate/long',    undef,             '200 "1" - Accept-Encoding' ],
    [ 'remove', '/deflate/long',      'gzip',            '200 - gzip Accept-Encoding' ],
    [ 'remove', '/brotli/long',       'br',              '200 - br Accept-Encoding' ],
    [ 'remove', '/deflate/long',      undef,             '200 "1" - Accept-Encoding' ],
);

for my $row (@variants) {
    my ($host, $path, $accepts, $expected) = @$row;
    my %field = (host => "$host.test", accept_encoding => $accepts);
    my $answer = GET("$coded$path", %field);
    my $who = "$host, $path, to " . (defined $accepts ? "'$accepts'" : 'who says nothing');

    is variant($answer), $expected, "$who: $expected";
    head_agrees_with_get "$coded$path", fields => \%field,
        name => "$who: HEAD says what GET says";
    my ($not_modified) = map { s/^200/304/r =~ s/ (?:gzip|br) / - /r } $expected;
    is variant(GET("$coded$path", %field, if_modified_since => $answer->last_modified)),
        $not_modified, "$who: by its date, $not_modified";
    is variant(GET("$coded$path", %field, if_none_match => $answer->etag)),
        $not_modified, "$who: by its tag, $not_modified"
        if defined $answer->etag;
}

is GET("$coded/deflate/long", host => 'remove.test', accept_encoding => 'gzip',
        if_modified_since => GET("$coded/deflate/long", host => 'remove.test')->last_modified)
    ->last_modified,
    GET("$coded/deflate/long", host => 'remove.test')->last_modified,
    'a 304 whose tag was removed has its date instead';

# ---- each tag at each client, by a formula ----

# A client is told 304 for the tag of its own variant, for that of the
# content without coding, and for *; and for no other. The 304 names the
# variant that it stands for.
sub wrong_answers {
    my ($host, $path, %field) = @_;
    my $ok = GET("$coded$path", %field);
    my $own = $ok->etag // 'none';
    my @wrong;

    for my $tag ('"1"', '"1-gzip"', '"1-br"', '"1-gzip-gzip"', '"1-gzip-br"', 'W/"1"', '"2"', '*') {
        my $bare = $tag =~ s{^W/}{}r;
        my $stands_for = $tag eq '*' || $bare eq $own ? $ok->etag : $bare eq '"1"' ? '"1"' : undef;
        my $expected =
            $tag eq '*' || defined $stands_for
            ? join ' ', 304, $stands_for // '-', '-', $ok->header('Vary') // '-'
            : variant($ok);
        for my $method (qw(GET HEAD)) {
            my $said = variant(request($method, "$coded$path", undef, %field, if_none_match => $tag));
            push @wrong, "$method $path @{[%field]}, If-None-Match: $tag: $said, not $expected"
                if $said ne $expected;
        }
    }
    return @wrong;
}

for my $host (qw(suffix nochange remove)) {
    for my $place (qw(deflate brotli each)) {
        my @wrong;
        for my $size (qw(long short)) {
            for my $accepts (undef, 'gzip', 'br', 'gzip, br', 'gzip;q=0', 'br;q=0, gzip') {
                for my $variables (undef, 'no-gzip', 'no-brotli', 'no-gzip no-brotli') {
                    push @wrong, wrong_answers($host, "/$place/$size", host => "$host.test",
                        accept_encoding => $accepts, variables => $variables);
                }
            }
        }
        ok !@wrong, "$host, /$place: each tag at each client" or diag join "\n", splice @wrong, 0, 8;
    }
}

my %gzip = (host => 'suffix.test', accept_encoding => 'gzip');
is variant(GET("$coded/deflate/long", %gzip, variables => 'no-gzip', if_none_match => '"1-gzip"')),
    '200 "1" - -', 'no-gzip is heard: the coded variant is not what this client would get';
is variant(GET("$coded/brotli/long", host => 'suffix.test', accept_encoding => 'br',
        variables => 'no-brotli', if_none_match => '"1-br"')),
    '200 "1" - -', 'and so is no-brotli';
is variant(GET("$coded/deflate/long", host => 'suffix.test', variables => 'force-gzip',
        if_none_match => '"1-gzip"')),
    '304 "1-gzip" - Accept-Encoding', 'and force-gzip, which asks no client';
is variant(GET("$coded/deflate/long", %gzip, if_none_match => '"1", "1-gzip"')),
    '304 "1-gzip" - Accept-Encoding', 'who has both variants is told of the one that it would get';

# A remedy that many have in their configuration: it makes of "1-gzip" a list.
resource "$coded/remedy/a", $content{long}, host => 'suffix.test';
is variant(GET("$coded/remedy/a", %gzip, if_none_match => '"1-gzip"')),
    '304 "1-gzip" - Accept-Encoding', 'RequestHeader edit of If-None-Match does no harm';
is PUT("$coded/remedy/a", long_json(2), %gzip, if_match => '"1-gzip"'), 200, 'nor that of If-Match';

# ---- writing with the tag of a coded answer ----

# Rows share a document: path, method, If-Match, status, sentence.
my @writes = (
    [ '/deflate/w', 'PUT',  '"1-gzip"', 200, 'a tag with -gzip names the version that it was made of' ],
    [ '/deflate/w', 'PUT',  '"1-gzip"', 412, 'and no later one' ],
    [ '/deflate/w', 'PUT',  '"1"',      412, 'nor does that without' ],
    [ '/deflate/w', 'PUT',  '"2"',      200, 'a tag without suffix is good as well' ],
    [ '/deflate/w', 'PUT',  '"0", "3-gzip"', 200, 'in a list' ],
    [ '/deflate/w', 'PUT',  '"4-br"',   412, 'the suffix of a coding that nobody does here is none' ],
    [ '/deflate/w', 'PUT',  '"4-gzip-gzip"', 412, 'nor are two suffixes one' ],
    [ '/deflate/w', 'PUT',  'W/"4-gzip"', 412, 'If-Match compares strongly' ],
    [ '/deflate/w', 'PUT',  '"-gzip"',  412, 'a suffix alone is no tag of ours' ],
    [ '/deflate/w', 'GET',  '"4-gzip"', 200, 'GET with such a tag is of this version' ],
    [ '/deflate/w', 'GET',  '"3-gzip"', 412, 'or not' ],
    [ '/deflate/w', 'DELETE', '"3-gzip"', 412, 'DELETE with an old one is refused' ],
    [ '/deflate/w', 'DELETE', '"4-gzip"', 204, 'and with the current one deletes' ],
    [ '/deflate-type/w', 'PUT', '"1-gzip"', 200, 'by type, too' ],
    [ '/brotli/w',  'PUT',  '"1-br"',   200, 'a tag with -br likewise' ],
    [ '/brotli/w',  'PUT',  '"2-gzip"', 412, 'where only brotli is' ],
    [ '/brotli-type/w', 'PUT', '"1-br"', 200, 'by type, too' ],
    [ '/brotli-type/w', 'PUT', '"2-gzip"', 412, 'and no other suffix' ],
    [ '/each/w',    'PUT',  '"1-br"',   200, 'with both filters either suffix is good' ],
    [ '/each/w',    'PUT',  '"2-gzip"', 200, 'the other one, too' ],
    [ '/provider/w', 'PUT', '"1-gzip"', 200, 'by a FilterProvider, too' ],
    [ '/extension/w.json', 'PUT', '"1-gzip"', 200, 'by an extension, too' ],
    [ '/none/w',    'PUT',  '"1-gzip"', 412, 'without a filter no suffix was given' ],
);

for my $path (map({ "$_/w" } qw(deflate deflate-type brotli brotli-type each provider none)),
    'extension/w.json') {
    resource "$coded/$path", $content{long}, host => 'suffix.test';
}
for my $row (@writes) {
    my ($path, $method, $tag, $status, $sentence) = @$row;
    my $body = $method eq 'PUT' ? long_json(2) : undef;

    is request($method, "$coded$path", $body, host => 'suffix.test', if_match => $tag),
        $status, "$method $path, If-Match: $tag: $sentence";
}

# ---- what a write is answered ----

my $put = PUT("$coded/deflate/answer", $content{long}, %gzip);
is variant($put), '201 "1-gzip" gzip Accept-Encoding', 'the answer to a PUT is coded as that to a GET';
gunzip(\($put->body) => \my $plain);
is $plain, $content{long}, 'and is the document';
$put = PUT("$coded/deflate/answer", long_json(2), %gzip, if_match => $put->etag);
is variant($put), '200 "2-gzip" gzip Accept-Encoding', 'its tag lets one write again';
is GET("$coded/deflate/answer", %gzip, if_none_match => $put->etag), 304, 'and revalidates';
$put = PUT("$coded/deflate/answer", long_json(3), %gzip, prefer => 'return=minimal');
is variant($put), '204 "3" - -', 'an answer without content has the tag without suffix';
is variant(PUT("$coded/deflate/answer", long_json(4), %gzip, if_match => '"2-gzip"')) =~ s/ .*//r,
    412, 'a stale suffixed tag is refused whatever the client accepts';
my $refusal = PUT("$coded/deflate/answer", long_json(4), host => 'suffix.test', if_match => '"2-gzip"');
is $refusal->json->{etag}, '"3"', 'and the refusal says the tag without suffix';
is variant(POST("$coded/deflate/", $content{long}, %gzip)), '201 "1-gzip" gzip Accept-Encoding',
    'the answer to a POST is coded, too';

# ---- ranges are of the variant ----

my $whole = GET("$coded/deflate/long", %gzip);
my @ranges = (
    # Accept-Encoding, If-Range, status, tag, sentence
    [ 'gzip', undef,       206, '"1-gzip"', 'a range of the coded variant' ],
    [ 'gzip', '"1-gzip"',  206, '"1-gzip"', 'a range of the variant that the client has' ],
    [ 'gzip', '"1"',       200, '"1-gzip"', 'who has the other variant gets this one whole' ],
    [ undef,  '"1-gzip"',  200, '"1"',      'and so without a coding' ],
    [ undef,  '"1"',       206, '"1"',      'a range of the content without coding' ],
    [ 'gzip', 'W/"1-gzip"', 200, '"1-gzip"', 'If-Range compares strongly' ],
);
for my $row (@ranges) {
    my ($accepts, $if_range, $status, $tag, $sentence) = @$row;
    my $answer = GET("$coded/deflate/long", host => 'suffix.test', accept_encoding => $accepts,
        range => 'bytes=100-199', if_range => $if_range);
    my $of = $accepts ? $whole->body : $content{long};

    is join(' ', $answer, $answer->etag), "$status $tag", $sentence;
    ok $answer->body eq ($status == 206 ? substr $of, 100, 100 : $of), "$sentence: its bytes";
}
is variant(GET("$coded/deflate/long", %gzip, range => 'bytes=0-9', if_none_match => '"1-gzip"')),
    '304 "1-gzip" - Accept-Encoding', 'If-None-Match comes before Range';

# ---- CondReqEvaluate both, weak tags, no tags ----

resource "$coded/$_/a", $content{long}, host => 'suffix.test' for qw(both tagless weak);
my $date = GET("$coded/both/a", %gzip)->last_modified;
my $long_ago = 'Thu, 01 Jan 1998 00:00:00 GMT';
my @asked = (
    # path, fields, variant, sentence
    [ '/both/a', { if_none_match => '"1-gzip"', if_modified_since => $date },
      '304 "1-gzip" - Accept-Encoding', 'both: tag and date say that nothing changed' ],
    [ '/both/a', { if_none_match => '"1-gzip"', if_modified_since => $long_ago },
      '200 "1-gzip" gzip Accept-Encoding', 'both: the date says that something did' ],
    [ '/both/a', { if_none_match => '"0-gzip"', if_modified_since => $date },
      '200 "1-gzip" gzip Accept-Encoding', 'both: the tag says that something did' ],
    [ '/both/a', { if_none_match => '"1-gzip"' },
      '304 "1-gzip" - Accept-Encoding', 'both: the tag alone, where no date is sent' ],
    [ '/both/a', { if_none_match => '"1-gzip"', if_modified_since => 'yesterday' },
      '304 "1-gzip" - Accept-Encoding', 'both: or where it is none' ],
    [ '/deflate/long', { if_none_match => '"1-gzip"', if_modified_since => $long_ago },
      '304 "1-gzip" - Accept-Encoding', 'RFC 9110: the tag alone decides' ],
    [ '/deflate/long', { if_none_match => '"0-gzip"', if_modified_since => $date },
      '200 "1-gzip" gzip Accept-Encoding', 'RFC 9110: in either way' ],
    [ '/tagless/a', { if_none_match => '*' },
      '304 - - Accept-Encoding', 'without a tag nothing gets one from a coding' ],
    [ '/tagless/a', { if_none_match => '"-gzip"' },
      '200 - gzip Accept-Encoding', 'and no suffix alone is one' ],
    [ '/weak/a', { if_none_match => 'W/"1-gzip"' },
      '304 W/"1-gzip" - Accept-Encoding', 'a weak tag stays weak' ],
    [ '/weak/a', { if_none_match => '"1-gzip"' },
      '304 W/"1-gzip" - Accept-Encoding', 'If-None-Match compares weakly' ],
);
for my $row (@asked) {
    my ($path, $asked, $expected, $sentence) = @$row;
    is variant(GET("$coded$path", %gzip, %$asked)), $expected, $sentence;
}

done_testing;
