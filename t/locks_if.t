# The If field of RFC 4918 section 10.4 over the wire: its examples, other
# resources, hosts, and what is no If.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use URI;

use Apache::TestConditional ':all';
use Apache::TestConditional::Request 'absolute_url';
use Locks;

my $nobody = 'urn:uuid:00000000-0000-4000-8000-000000000000';
my $here = absolute_url('/');
$here =~ s{/$}{};

# ---- entity-tags and what is always false ----
{
    resource '/locks/if1' => '{"n":1}';

    for (
        [200, '10.4.3: a tag that is current', '(["NOW"])'],
        [412, 'one that is not', '(["99"])'],
        [412, '10.4.4: weak tags match nothing', '([W/"NOW"])'],
        [200, 'one of two lists', '(["99"]) (["NOW"])'],
        [412, 'none of two', '(["99"]) (["98"])'],
        [200, '10.4.7: Not', '(Not ["99"])'],
        [412, 'Not of what holds', '(Not ["NOW"])'],
        [412, '10.4.8: DAV:no-lock never holds', '(<DAV:no-lock>)'],
        [200, 'Not of it always does', '(Not <DAV:no-lock>)'],
        [412, 'a token that nothing has', "(<$nobody>)"],
        [200, 'or what is always true', "(<$nobody>) (Not <DAV:no-lock>)"],
        [412, 'a tag with a parenthesis in it', '(["a)b"])'],
        [200, 'Not of that', '(Not ["a)b"])'],
        [412, "10.4.6's own tags", '(["I am an ETag"]) (["I am another ETag"])'],
    ) {
        my ($status, $sentence, $value) = @$_;
        my $tag = GET('/locks/if1')->etag =~ tr/"//dr;
        is PUT('/locks/if1', '{"n":2}', if => $value =~ s/NOW/$tag/r), $status, "$sentence: $value";
    }
    is PUT('/locks/if-new', '{}', if => '(["1"])'), 412, 'what is not there has no tag';
    is PUT('/locks/if-new', '{}', if => '(Not ["1"])'), 201, '10.4.11: Not of that holds';
    is GET('/locks/if1', if => '(["99"])'), 412, 'GET: If counts too';
    is GET('/locks/if1', if => '(Not ["99"])'), 200, 'as it says';
    is HEAD('/locks/if1', if => '()'), 400, 'be it malformed';
    is DELETE('/locks/if1', if => '(["99"])'), 412, 'DELETE';
    is POST('/locks/if-posts/', '{}', if => "(<$nobody>)"), 412, 'POST';
    is OPTIONS('/locks/if1', if => '(["99"])'), 200, 'OPTIONS asks for no state';
    is PUT('/docs/if1', '{}', if => '(["99"])'), 412, 'where there are no locks it counts all the same';
}

# ---- what is no If ----
{
    resource '/locks/if2' => '{"n":1}';

    is PUT('/locks/if2', '{}', if => $_), 400, "If: $_ is malformed"
        for '', '()', '( )', "<$nobody>", '(["1"]) ()', '([1])', '(["1"]', 'x', '(["1"]), (["1"])',
        "(<$nobody>) </locks/if2> (<$nobody>)", '</locks/if2>', '(Not)', '(Not Not ["1"])', '*',
        '</locks/if2> () (["1"])';
    is PUT('/locks/if2', '{}', if => ['(["1"])', '(["1"])']), 400, 'and two fields are';
    is PUT('/locks/if2', '{}', if => '(["1"])' x 65), 400, 'and more lists than anybody needs';
    is LOCK('/locks/if2', if => '()'), 400, 'LOCK';
    is UNLOCK('/locks/if2', $nobody, if => '()'), 400, 'UNLOCK';
    is GET('/locks/if2')->etag, '"1"', 'none of these has written';
}

# ---- other resources ----
{
    resource '/locks/if3' => '{"n":1}';
    resource '/locks/if4' => '{"n":1}';
    resource '/locks/hashed/if' => '{"n":1}';
    my $hash = GET('/locks/hashed/if')->etag;

    for (
        ['/locks/if4 is as said', '</locks/if4> (["1"])', 1],
        ['and not otherwise', '</locks/if4> (["2"])', 0],
        ['10.4.9: one of them is', '</locks/if4> (["2"]) </locks/if3> (Not ["99"])', 1],
        ['none of them is', '</locks/if4> (["2"]) </locks/if3> (["99"])', 0],
        ['by its absolute URI', "<$here/locks/if4> ([\"1\"])", 1],
        ['with other spelling', '</locks/%69f4> (["1"])', 1],
        ['with another', '</locks/./x/../if4> (["1"])', 1],
        ['with a query', '</locks/if4?x=y> (["1"])', 1],
        ['its tags are made as it says itself', "</locks/hashed/if> ([$hash])", 1],
        ['and not as the request\'s', '</locks/hashed/if> (["1"])', 0],
        ['of another host nothing is known', '<http://other.example/locks/if4> (["1"])', 0],
        ['so Not of it holds', '<http://other.example/locks/if4> (Not ["1"])', 1],
        ['another port is another host', '<http://127.0.0.1:1/locks/if4> (["1"])', 0],
        ['a user in it is nobody we know', '<http://me@127.0.0.1/locks/if4> (["1"])', 0],
        ['a network-path reference is none of ours', '<//127.0.0.1/locks/if4> (["1"])', 0],
        ['another scheme neither', '<ftp://127.0.0.1/locks/if4> (["1"])', 0],
        ['what another handler serves has no state', '</index.html> (["1"])', 0],
        ['what is not there has none', '</locks/if-none> (["1"])', 0],
        ['what may not be read has none', '</locks-users/if-guarded> (["1"])', 0],
    ) {
        my ($sentence, $value, $holds) = @$_;
        is PUT('/locks/if3', '{"n":2}', if => $value), $holds ? 200 : 412, "$sentence: $value";
    }

    my $lock = LOCK '/locks/if4';
    my $token = token($lock);
    is PUT('/locks/if3', '{"n":3}', if => "</locks/if4> (<$token>)"), 200, 'the token of another is there';
    is PUT('/locks/if3', '{"n":3}', if => "(<$token>)"), 412, 'and not here';
    is PUT('/locks/if4', '{"n":3}', if => "</locks/if3> (Not <$token>)"), 200,
        '10.4.1: a token is submitted wherever it stands';
    is PUT('/locks/if4', '{"n":3}', if => '(Not ["99"])'), 423, 'and has to be';
}

done_testing;
