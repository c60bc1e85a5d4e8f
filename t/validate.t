# The hook condreq_validate, taken by a module that apxs has built
# (t/modules/mod_example_validate.c): what it objects to is not stored.
use strict;
use warnings;

use Apache::Test ();
use Test::More;
use Time::HiRes qw(time);

use Apache::TestConditional ':all';
use Apache::TestConditional::Race 'together';

my $type = 'https://example.com/problems/forbidden-word';

# ---- an objection is a problem document ----
{
    my $uri = '/judged/a';
    is PUT($uri, '{"title":"forbidden"}'), 422, 'what the module objects to is not stored';
    is GET($uri), 404, 'and nothing is there';
    my $made = PUT $uri, '{"title":"fine"}';
    is $made, 201, 'what it does not is';
    my $answer = PUT $uri, '{"title":"forbidden"}', if_match => '"1"';
    my $said = $answer->json;
    is $answer, 422, 'nor does it replace';
    is $answer->header('Content-Type'), 'application/problem+json', 'the answer is a problem document';
    is_deeply $said, {
        type    => $type,
        title   => 'A word that is not wanted here',
        status  => 422,
        detail  => qq($uri would go on to version 2 with "forbidden" in it.),
        pointer => '/title',
        word    => 'forbidden',
    }, 'with what the module says';
    is GET($uri)->body, $made->body, 'and what is there stays';
    is GET($uri)->etag, '"1"', 'as it was';
}

# ---- each method, and what is judged: the document as it will be stored ----
{
    my $post = POST '/judged/posts/', '{"title":"forbidden"}';
    is $post, 422, 'POST is judged';
    like $post->json->{detail}, qr{^/judged/posts/\d+ would begin at version 1}, 'under the name that it would have';
    is POST('/judged/posts/', '{"title":"fine"}'), 201, 'and goes on without a fault';

    my $uri = '/judged/patched';
    resource $uri => '{"a":"for"}';
    is PATCH($uri, '{"b":"forbidden"}'), 422, 'a merge patch is judged';
    is PATCH($uri, '[{"op":"add","path":"/b","value":"forbidden"}]'), 422, 'and a JSON patch';
    is PATCH($uri, '[{"op":"add","path":"/b","value":"\u0066orbidden"}]'), 200, 'by the bytes that will be there';
    is PATCH($uri, '[{"op":"add","path":"/c","value":"forbidden"},{"op":"remove","path":"/c"}]'), 200,
        'and not by those that came';
    is PATCH($uri, '[{"op":"test","path":"/a","value":"forbidden"}]')->json->{operation}, 0,
        'what is refused anyhow is not asked about';
    is PUT('/judged/forbidden', '{}'), 422, 'the server\'s members are in it';
    is DELETE($uri), 204, 'DELETE stores nothing';

    resource '/judged-merge/a' => '{"a":1}';
    my $merged = PUT '/judged-merge/a', '{"b":2}';
    is $merged, 409, 'so is what a merge makes, with the status that the module chose';
    is_deeply [sort keys %{ $merged->json }], [qw(detail status title type)], 'and no members where it gives none';
    is PUT('/judged-merge/a', '{"c":2}'), 200, 'another is not';
    is GET('/judged-merge/a')->body, '{"a":1,"c":2}', 'and the refusal has changed nothing';
}

# ---- the order of things ----
{
    my $uri = '/judged/order';
    resource $uri => '{}';
    is PUT($uri, '{"t":"forbidden"}', if_match => '"0"'), 412, 'a precondition comes first';
    is PUT($uri, '{"t":"forbidden"', if_match => '"1"'), 400, 'and the syntax';
    is PUT($uri, '["forbidden"]'), 422, 'and what a document has to be';
    unlike PUT($uri, '["forbidden"]')->json->{type}, qr/example/, 'by our own words';
    is PATCH('/judged/none', '{"t":"forbidden"}'), 404, 'and whether there is one';
    is PUT('/docs/validate', '{"t":"forbidden"}'), 201, 'a module that declines is not heard';
}

# ---- modules that do not keep to the rules ----
{
    my $odd = PUT '/judged-badly/a', '"forbidden"';
    is $odd, 500, 'a status that is no refusal is trouble';
    is GET('/judged-badly/a'), 404, 'and stores nothing';
    $odd = PUT '/judged-badly/unknown', '"forbidden"';
    is $odd, 500, 'so is one that httpd does not know';
    is $odd->json->{status}, 500, 'and the problem says the same';
    $odd = PUT '/judged-oddly/a', '"forbidden"';
    is $odd, 400, 'members whose names are taken';
    is $odd->json->{status}, 400, 'are left out';
    open my $log, '<', Apache::Test::vars('t_logs') . '/error_log' or die "error_log: $!";
    my $said = do { local $/; <$log> };
    like $said, qr/CR2103: .*answers 200/, 'the log says the one';
    like $said, qr/CR2104: /, 'and the other';
}

# ---- what is judged is what is stored, whoever writes meanwhile ----
{
    my $uri = '/judged-slowly/race';
    resource $uri => '{"n":0}';
    my $tag = GET($uri)->etag;
    my @answers = race('http/1.1', map { ['PUT', $uri, qq({"n":$_}), if_match => $tag] } 1 .. 8);
    is scalar(grep { $_ == 200 } @answers), 1, 'of eight with one tag one wins';
    is scalar(grep { $_ == 412 } @answers), 7, 'the others are late, also those whose document was judged';

    # Patches without a precondition: each is judged upon what it is stored upon.
    $uri = '/judged-merge/patches';
    resource $uri => '{}';
    for my $round (1 .. 20) {
        PUT $uri, '{"a":null,"b":null}';
        my @two = race('http/1.1', map {
            ['PATCH', $uri, $_, content_type => 'application/merge-patch+json']
        } '{"a":1}', '{"b":2}');
        unlike GET($uri)->body, qr/"a":1,"b":2/, "round $round: what was forbidden was not made by two together";
        ok !(grep { $_ != 200 && $_ != 409 } @two), 'each was stored or refused';
    }

    # Who is never in time hears that in the end, and not that it was stored.
    $uri = '/judged-contended/a';
    resource $uri => '{"n":0}';
    my ($never) = together(
        sub { $_[0]->(); return PATCH $uri, '{"m":1}', x_judge => 'yes' },
        sub {
            $_[0]->();
            my $until = time + 3;
            for (my $n = 1; time < $until; $n++) { PUT $uri, qq({"n":$n}); select undef, undef, undef, 0.005 }
            return 1;
        },
    );
    is $never, 503, 'a patch that is overtaken each time while it is judged';
    is $never->header('Retry-After'), 1, 'may be tried again';
    unlike GET($uri)->body, qr/"m"/, 'and was not stored';
    is PATCH($uri, '{"m":1}', x_judge => 'yes'), 200, 'alone it is';

    # No lock is held while a module takes its time.
    $uri = '/judged-slowest/slow';
    resource $uri => '{"n":0}';
    my @times = together(
        sub { $_[0]->(); my $begun = time; PUT($uri, '{"n":1}'); return time - $begun },
        sub { $_[0]->(); my $begun = time; select undef, undef, undef, 0.15; PUT('/docs/validate-fast', '{}') for 1 .. 3; return time - $begun - 0.15 },
        sub { $_[0]->(); select undef, undef, undef, 0.15; my $begun = time; GET($uri); return time - $begun },
    );
    cmp_ok $times[0], '>', 0.4, 'a module takes its time';
    cmp_ok $times[$_], '<', $times[0], 'and others do not wait for it' for 1, 2;
}

done_testing;
