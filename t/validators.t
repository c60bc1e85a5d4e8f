# What a document is validated by: the strategies of CondReqETag, dates, and
# that neither ever names two contents.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

sub tag_of { return PUT(@_)->etag }

# ---- strategies ----
{
    is tag_of('/docs/valid', '{}'), '"1"', 'a version';
    is tag_of('/docs/valid', '{}'), '"2"', 'goes on with each write, whatever is written';

    my $hash = tag_of('/hash/valid', '{"a":1}');
    like $hash, qr/^"[\w-]{22}"$/, 'a hash';
    isnt tag_of('/hash/valid', '{"a":2}'), $hash, 'is another of other bytes';
    is tag_of('/hash/valid', '{"a":1}'), $hash, 'and the same of the same';
    is tag_of('/hash/other', '{"a":1}'), $hash, 'wherever they are';

    my ($first, $second) = map { (tag_of('/timestamp/valid', '{}') // '') =~ /^"(\d{16})"$/ } 1, 2;
    ok $first && $second && $first < $second, 'a time in microseconds goes forward';

    is tag_of('/format/valid', '{}'), '"valid-v1"', 'a format of id and version';
    is tag_of('/format/va%22l%20id%C3%A9%25', '{}'), qq("va%22l%20id\xc3\xa9%-v1"), 'is a tag whatever the id';
    is tag_of('/weak/valid', '{}'), 'W/"1"', 'a weak tag';
    is tag_of('/tagless/valid', '{}'), undef, 'no tag';
    is PUT('/dateless/valid', '{}')->last_modified, undef, 'no date';
}

# ---- each of them, by the checks that are for everybody ----
for my $place (qw(docs walked hash timestamp format weak tagless dateless members uuid)) {
    resource "/$place/revalid" => '{"n":1}';
    revalidation_ok "/$place/revalid";
    head_agrees_with_get "/$place/revalid";
}
for (['gzip', 'gzip'], ['brotli', 'br']) {
    my ($place, $coding) = @$_;
    resource "/$place/revalid" => '"' . 'x' x 2000 . '"';
    my @coded = (fields => { accept_encoding => $coding });
    like GET("/$place/revalid", accept_encoding => $coding)->etag, qr/^"1-$coding"$/, "coded as $coding";
    revalidation_ok "/$place/revalid", @coded;
    head_agrees_with_get "/$place/revalid", @coded;
    stale_writer_refused "/$place/revalid", @coded;
}
stale_writer_refused "/$_/stale"     for qw(docs walked hash timestamp format members merge);
tag_names_one_content "/$_/one-tag"  for qw(docs hash timestamp format weak members merge);
date_names_one_version "/$_/one-date" for qw(tagless weak members);

# ---- a tag never comes back ----
{
    is tag_of('/docs/again', '{"a":1}'), '"1"', 'a document';
    is DELETE('/docs/again', if_match => '"1"'), 204, 'is removed';
    is tag_of('/docs/again', '{"b":1}', if_none_match => '*'), '"3"', 'and made again, in a later version';
    is GET('/docs/again', if_none_match => '"1"'), 200, 'a reader of the first gets it';
    is PUT('/docs/again', '{}', if_match => '"1"'), 412, 'a writer of the first does not write';
    is DELETE('/docs/again', if_match => '"1"'), 412, 'or remove';
    is GET('/docs/again', range => 'bytes=0-0', if_range => '"1"'), 200, 'nor are parts of the two mixed';
    DELETE '/docs/again' for 1 .. 3;
    is tag_of('/docs/again', '{}'), '"5"', 'what does nothing is no version';

    # A, B, A: to a hash this is the same again, to a version it is not.
    my $a = tag_of('/hash/aba', '{"a":1}');
    PUT '/hash/aba', '{"b":1}';
    PUT '/hash/aba', '{"a":1}';
    is PUT('/hash/aba', '{"c":1}', if_match => $a), 200, 'a hash names bytes';
    my $first = tag_of('/docs/aba', '{"a":1}');
    PUT '/docs/aba', $_ for '{"b":1}', '{"a":1}';
    is PUT('/docs/aba', '{"c":1}', if_match => $first), 412, 'a version names one write';
}

# ---- one location's documents are another's by their path alone ----
{
    resource '/docs/twin' => '{}';
    is GET('/hash/twin'), 404, 'a document is where it was put';
}

done_testing;
