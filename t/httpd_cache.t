# mod_cache before the documents: what it keeps is a document and never a 304's
# nothing, it revalidates with our tags, and forgets what was written over.
use strict;
use warnings;

use Apache::Test ();
use File::Path 'make_path';
use IO::Uncompress::Gunzip 'gunzip';
use Test::More;

use Apache::TestConditional ':all';

make_path Apache::Test::vars('t_state') . '/cache';

my $hosts = 'http://127.0.0.1:' . Apache::Test::vars('hosts_port');
my %caching;

sub long_json { my ($n) = @_; return sprintf '{"n":%d,"text":"%s"}', $n, join ' ', map { $_ * $n } 1000 .. 1400 }

sub plain {
    my ($answer) = @_;
    return $answer->body if ($answer->header('Content-Encoding') // '') ne 'gzip';
    gunzip(\($answer->body) => \my $plain);
    return $plain;
}

sub served {
    my ($url, $status, $content, $sentence, %field) = @_;
    my $answer = GET $url, %field;
    my ($cached) = ($answer->header('X-Cache') // '') =~ /^(\w+)/;

    $caching{$cached}++ if $cached;
    return is "$answer " . plain($answer), "$status $content", $sentence;
}

for my $host (qw(quick thorough)) {
    for my $place (qw(fresh/plain fresh/coded stale/plain stale/coded)) {
        for my $accepts (undef, 'gzip') {
            my $url  = "$hosts/cached/$place/" . ($accepts // 'identity');
            my %who  = (host => "$host.test", accept_encoding => $accepts);
            my @json = map { long_json($_) } 1, 2;

            subtest "$host.test, /cached/$place, to who accepts " . ($accepts // 'no coding') => sub {
                is PUT($url, $json[0], %who), 201, 'a document is made';
                served $url, 304, '', 'who has it already is the first to ask', %who, if_none_match => '"1"';
                served $url, 200, $json[0], 'and the next one gets it', %who;
                served $url, 200, $json[0], 'as does the one after', %who;
                my $tag = GET($url, %who)->etag;
                like $tag, qr/^"1(?:-gzip)?"$/, 'under its tag';
                served $url, 304, '', 'with which one need not get it again', %who, if_none_match => $tag;
                served $url, 200, $json[0], 'whoever has another tag gets it', %who, if_none_match => '"0"';
                served $url, 200, $json[0], 'and who has none', %who;
                is HEAD($url, %who), 200, 'HEAD likewise';
                served $url, 200, $json[0], 'a client with other codings gets it, too', %who,
                    accept_encoding => $accepts ? undef : 'gzip';
                is PUT($url, $json[1], %who, if_match => '"0"'), 412, 'a stale writer is refused';
                served $url, 200, $json[0], 'and nothing is forgotten', %who;
                is PUT($url, $json[1], %who, if_match => $tag), 200, 'who has the tag writes';
                served $url, 200, $json[1], 'and what is served is the new document', %who;
                served $url, 200, $json[1], 'again', %who;
                served $url, 200, $json[1], 'to who has the old one', %who, if_none_match => $tag;
                is GET($url, %who, if_match => $tag), 412, 'If-Match is not for a cache to ignore';
                is DELETE($url, %who), 204, 'the document is deleted';
                served $url, 404, GET($url, %who)->body, 'and gone', %who;
            };
        }
    }
}
ok $caching{HIT} && $caching{REVALIDATE}, 'the cache was at work' or diag explain \%caching;

done_testing;
