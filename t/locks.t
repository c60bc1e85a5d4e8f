# LOCK and UNLOCK: the examples of RFC 4918 that concern locks, section by
# section, and what servers are known to get wrong.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Apache::TestConditional ':all';
use Locks;

my $nobody = 'urn:uuid:00000000-0000-4000-8000-000000000000';

# ---- 9.10.7: a simple lock request ----
{
    resource '/locks/simple' => '{"n":1}';
    my $owner = '<D:owner> <D:href>http://example.org/~ejw/contact.html</D:href> </D:owner>';
    my $lock = LOCK '/locks/simple', owner => $owner, timeout => 'Infinite, Second-4100000000';

    is $lock, 200, '9.10.7: a document is locked';
    like token($lock), qr/^urn:uuid:/, 'its token is in Lock-Token';
    is $lock->header('Content-Type'), 'application/xml; charset="utf-8"', 'the body is XML';
    like $lock->body, qr{^<\?xml.*\n<D:prop xmlns:D="DAV:"><D:lockdiscovery},
        'and the property lockdiscovery';
    my ($inside) = $lock->body =~ m{<D:activelock>(.*)</D:activelock>};
    is $inside, '<D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope>'
        . '<D:depth>0</D:depth>' . $owner =~ s/<D:owner>/<D:owner xmlns:D="DAV:">/r
        . '<D:timeout>Second-3600</D:timeout><D:locktoken><D:href>' . token($lock)
        . '</D:href></D:locktoken><D:lockroot><D:href>/locks/simple</D:href></D:lockroot>',
        'the owner as sent, Infinite come down to the maximum';

    my $put = PUT '/locks/simple', '{"n":2}';
    is $put, 423, '11.3: who has no token is refused';
    is condition($put), 'lock-token-submitted', '16: with the condition code';
    is_deeply hrefs($put), ['/locks/simple'], 'and the root of the lock';
    is $put->header('Content-Type'), 'application/xml; charset="utf-8"', 'in XML';
    like $put->body, qr{<C:lock xmlns:C="tag:mod-condreq,2026:"><C:owner>http://example.org/~ejw/contact.html</C:owner><C:until>20},
        'which says who, and until when';
    is DELETE('/locks/simple'), 423, 'DELETE too';
    my @merge = ('PATCH', '/locks/simple', '{"m":1}', content_type => 'application/merge-patch+json');
    is request(@merge), 423, 'PATCH too';
    is request('PATCH', '/locks/simple', '{"m":1}', content_type => 'text/plain'), 415,
        'where what it sends is no patch it is 415 first';
    is PUT('/locks/simple', '{"n":2}', if_match => '"9"'), 423, 'before a stale tag is noticed';
    is PUT('/locks/simple', '{"n":'), 423, 'and before the content is';
    is GET('/locks/simple'), 200, 'reading needs no token';
    is PUT('/locks/simple', '{"n":2}', if => '(<' . token($lock) . '>)'), 200, 'with it PUT succeeds';
    is request(@merge, if => '(<' . token($lock) . '>)'), 200, 'and PATCH';
    is PUT('/locks/simple', '{"n":3}', if => '(<' . token($lock) . '>)', if_match => '"1"'), 412,
        'if its tag is current';
    is PUT('/locks/simple', '{"n":3}', if => '(<' . token($lock) . '> ["3"])'), 200,
        '10.4.6: token and tag in one list';
    is PUT('/locks/simple', '{"n":4}', if => '(<' . token($lock) . '> ["3"])'), 412, 'not a stale tag';

    # ---- 9.11.1: UNLOCK ----
    is UNLOCK('/locks/simple', $nobody), 409, '9.11.1: another token unlocks nothing';
    is condition(UNLOCK('/locks/simple', $nobody)), 'lock-token-matches-request-uri', 'as the code says';
    is UNLOCK('/locks/other', token($lock)), 409, 'nor does its own at another URL';
    my $unlock = UNLOCK '/locks/simple', token($lock);
    is $unlock, 204, 'UNLOCK releases it';
    is $unlock->body, '', 'and says nothing';
    is UNLOCK('/locks/simple', token($lock)), 409, 'once';
    is PUT('/locks/simple', '{"n":5}'), 200, 'then anybody writes';
    is PUT('/locks/simple', '{"n":6}', if => '(<' . token($lock) . '>)'), 412, 'and the token is false';
    is request('UNLOCK', '/locks/simple'), 400, 'UNLOCK without Lock-Token';
    is request('UNLOCK', '/locks/simple', undef, lock_token => $nobody), 400, 'or without brackets';
}

# ---- 423 for those who ask for JSON ----
{
    resource '/locks/json' => '{"n":1}';
    my $lock = LOCK '/locks/json', owner => '<D:owner>Jane &amp; Joe</D:owner>';
    my $put = PUT '/locks/json', '{"n":2}', accept => 'application/json';

    is $put, 423, 'a client that asks for JSON';
    is $put->header('Content-Type'), 'application/problem+json', 'gets a problem document';
    is $put->json->{type}, 'tag:mod-condreq,2026:locked', 'of its kind';
    is $put->json->{lock}{root}, '/locks/json', 'with the root';
    is $put->json->{lock}{owner}, 'Jane & Joe', 'who';
    like $put->json->{lock}{until}, qr/^20\d\d-\d\d-\d\dT[\d:.]+Z$/, 'and until when';
    unlike $put->body, qr/urn:uuid/, 'and never the token';
    for (
        ['*/*' => 'application/xml'], ['text/html, */*' => 'application/xml'],
        ['application/problem+json' => 'application/problem+json'],
        ['application/json;q=0.5, text/xml' => 'application/xml'],
        ['application/json;q=0.5, text/xml;q=0.1' => 'application/problem+json'],
        ['application/json;q=0' => 'application/xml'],
    ) {
        my ($accept, $type) = @$_;
        like +PUT('/locks/json', '{"n":2}', accept => $accept)->header('Content-Type'),
            qr/^\Q$type\E/, "Accept: $accept";
    }
    is LOCK('/locks/json', accept => 'application/json')->json->{lock}{root}, '/locks/json',
        'a second LOCK hears the same';
    is UNLOCK('/locks/json', $nobody, accept => 'application/json')->header('Content-Type'),
        'application/problem+json', 'UNLOCK too';
}

# ---- 7.3: unmapped URLs ----
{
    my $lock = LOCK '/locks/new';

    is $lock, 201, '7.3: LOCK of an unmapped URL creates';
    is $lock->header('Location'), '/locks/new', 'and says what';
    is $lock->etag, '"1"', 'and its tag';
    my $get = GET '/locks/new';
    is $get, 200, 'an empty document, which GET then serves';
    is $get->body, '', 'without a byte';
    is $get->header('Content-Length'), 0, 'and says so';
    is $get->header('Content-Type'), undef, 'of no type';
    is $get->etag, '"1"', 'with a tag';
    is GET('/locks/new', if_none_match => '"1"'), 304, 'which revalidates';
    is HEAD('/locks/new'), 200, 'HEAD too';
    is GET('/locks/new', range => 'bytes=0-3'), 200, 'a range of nothing is the whole'
        or diag GET('/locks/new', range => 'bytes=0-3')->as_string;
    is PUT('/locks/new', '{"n":1}', if => '(<' . token($lock) . '>)'), 200, 'PUT with the token fills it';
    is GET('/locks/new')->header('Content-Type'), 'application/json', 'and gives it a type';
    is PUT('/locks/new', '{}', if_none_match => '*', if => '(<' . token($lock) . '>)'), 412,
        'it is there for If-None-Match';

    is LOCK('/locks-update/new'), 404, 'where only what is there may be written LOCK creates nothing';
    is GET('/locks-update/new'), 404, 'as is seen';
    is LOCK('/locks/never', if_match => '*'), 412, 'preconditions count for LOCK too';
    is GET('/locks/never'), 404, 'and nothing is created then';
    my $left = LOCK '/locks/left';
    is UNLOCK('/locks/left', token($left)), 204, 'an empty document is unlocked';
    is GET('/locks/left'), 200, 'and stays';
    is DELETE('/locks/left'), 204, 'until it is removed';
}

# ---- 9.10.8: refresh ----
{
    my $lock = LOCK '/locks/refreshed', timeout => 'Second-100';
    my $token = token($lock);

    like $lock->body, qr{Second-100<}, 'a lock of 100 seconds';
    my $refresh = LOCK '/locks/refreshed', refresh => $token,
        timeout => 'Infinite, Second-4100000000';
    is $refresh, 200, '9.10.8: is refreshed';
    is $refresh->header('Lock-Token'), undef, 'without a new token';
    like $refresh->body, qr{Second-3600<.*\Q$token\E}, 'for as long as may be';
    like +LOCK('/locks/refreshed', refresh => $token)->body, qr{Second-600<}, 'or the default';
    like +LOCK('/locks/refreshed', refresh => $token, timeout => 'Second-4294967297')->body,
        qr{Second-3600<}, 'a number that would wrap to 1 does not';
    like +LOCK('/locks/refreshed', refresh => $token, depth => 'infinity')->body,
        qr{<D:depth>0<}, '9.10.2: Depth is ignored';
    is LOCK('/locks/refreshed', refresh => $nobody), 412, 'another token is not';
    is condition(LOCK '/locks/refreshed', refresh => $nobody), 'lock-token-matches-request-uri',
        'as the code says';
    is LOCK('/locks/elsewhere', refresh => $token), 412, 'nor by another URL';
    is GET('/locks/elsewhere'), 404, 'which is not created by that';
    is request('LOCK', '/locks/refreshed'), 400, 'without If there is nothing to refresh';
    is request('LOCK', '/locks/refreshed', undef, if => "(<$token>) (<$nobody>)"), 400,
        'and with two tokens no one';
    is LOCK('/locks/refreshed', refresh => $token, if => "(<$token> [\"1\"])"), 200, 'a tag beside it may hold';
    is LOCK('/locks/refreshed', refresh => $token, if => "(<$token> [\"7\"])"), 412, 'or not';
}

# ---- expiry, without anybody's doing ----
{
    my $lock = LOCK '/locks-brief/a';

    like $lock->body, qr{Second-1<}, 'the default is the section\'s';
    is PUT('/locks-brief/a', '{}'), 423, 'a lock is held';
    sleep 2;
    is PUT('/locks-brief/a', '{}', if => '(<' . token($lock) . '>)'), 412, 'when its time is over its token is false';
    is LOCK('/locks-brief/a', refresh => token($lock)), 412, 'and it is not refreshed';
    is UNLOCK('/locks-brief/a', token($lock)), 409, 'nor released';
    is PUT('/locks-brief/a', '{}'), 200, 'and anybody writes';
    like +LOCK('/locks-brief/a', timeout => 'Infinite')->body, qr{Second-2<}, 'the maximum is too';
}

# ---- 6.2, 9.10.5: what can be held together ----
{
    my @rows = (
        [exclusive => exclusive => 423], [exclusive => shared => 423],
        [shared => exclusive => 423],    [shared => shared => 200],
    );
    for (@rows) {
        my ($held, $wanted, $status) = @$_;
        my $uri = "/locks/$held-$wanted";

        is LOCK($uri, scope => $held), 201, "9.10.5: $held is held";
        my $second = LOCK $uri, scope => $wanted;
        is $second, $status, "$wanted beside it";
        next if $status == 200;
        is condition($second), 'no-conflicting-lock', 'with the condition code';
        is_deeply hrefs($second), [$uri], 'and the root of the one that is held';
    }
    my $first = LOCK '/locks/shared', scope => 'shared';
    my $second = LOCK '/locks/shared', scope => 'shared';
    my @shown = $second->body =~ /<D:activelock>/g;
    is @shown, 2, '15.8: lockdiscovery shows all locks';
    unlike $second->body, qr/${\ token($first)}/, 'and not the token of another';
    is PUT('/locks/shared', '{}', if => '(<' . token($_) . '>)'), 200, 'each holder writes' for $first, $second;
    is PUT('/locks/shared', '{}'), 423, 'nobody else';
}

# ---- 7.4, 9.10.3: collections ----
{
    my $lock = LOCK '/locks/c/', depth => 'infinity';

    is $lock, 200, '9.10.3: a collection is locked';
    like $lock->body, qr{<D:depth>infinity</D:depth>.*<D:href>/locks/c/</D:href></D:lockroot>}, 'with all below it';
    is PUT('/locks/c/a', '{}'), 423, 'nothing is made below';
    is_deeply hrefs(PUT '/locks/c/a', '{}'), ['/locks/c/'], 'and the root is the collection';
    is POST('/locks/c/', '{}'), 423, 'nor by POST';
    is PUT('/locks/c/d/e', '{}'), 423, 'nor far below';
    is PUT('/locks/cc', '{}'), 201, 'what begins alike is free';
    my $token = token($lock);
    is PUT('/locks/c/a', '{}', if => "(<$token>)"), 201, 'with the token it is';
    is PUT('/locks/c/b', '{}', if => "</locks/c/> (<$token>)"), 201, '10.4.10: about the collection too';
    is POST('/locks/c/', '{}', if => "(<$token>)"), 201, 'POST too';
    is UNLOCK('/locks/c/a', $token), 204, '9.11: any URL that it covers releases all of it';

    my $below = LOCK '/locks/c/d/e';
    my $conflict = LOCK '/locks/c/', depth => 'infinity';
    is $conflict, 207, '9.10.9: a lock below is in the way';
    is_deeply hrefs($conflict), ['/locks/c/d/e', '/locks/c/'], 'it and the collection are named';
    like $conflict->body, qr{/locks/c/d/e</D:href><D:status>HTTP/1.1 423 Locked<.*/locks/c/</D:href><D:status>HTTP/1.1 424 },
        'with what became of either';
    is LOCK('/locks/c/', depth => 'infinity', accept => 'application/json'), 423, 'in JSON it is 423';
    is PUT('/locks/c/f', '{}'), 201, 'nothing is locked by that';

    my $members = LOCK '/locks/c/', depth => 0;
    is $members, 200, '7.4: with depth 0 it is locked beside that';
    is PUT('/locks/c/f', '{"n":2}'), 200, 'members may be changed';
    is PUT('/locks/c/g', '{}'), 423, 'and none made';
    is DELETE('/locks/c/f'), 423, 'nor removed';
    is DELETE('/locks/c/f', if => '</locks/c/> (<' . token($members) . '>)'), 204, 'without its token';
    is LOCK('/locks/c/new', %{ { if => '</locks/c/> (<' . token($members) . '>)' } }), 201, 'LOCK makes one with it';
    is LOCK('/locks/c/newer'), 423, 'and not without';

    my $top = LOCK '/locks-update', scope => 'shared';
    is_deeply [$top->body =~ m{<D:lockroot><D:href>(.*?)<}], ['/locks-update/'],
        'a section\'s own path is the collection, with or without its slash';
    is UNLOCK('/locks-update/', token($top)), 204, 'by either';
    is LOCK('/locks/depth', depth => 1), 400, '9.10.3: depth 1 is none';
    is LOCK('/locks/depth', depth => 'Infinity'), 201, 'infinity in any case, of a document too';
    is LOCK('/locks/depth2', depth => undef), 201, 'and where nothing is said';
    like +LOCK('/locks/depth3', depth => undef)->body, qr{<D:depth>infinity<}, 'it is infinity';
}

# ---- 9.6: DELETE ----
{
    resource '/locks/gone' => '{"n":1}';
    my $lock = LOCK '/locks/gone';

    is DELETE('/locks/gone', if => '(<' . token($lock) . '>)'), 204, '9.6: a locked document is deleted by its holder';
    is PUT('/locks/gone', '{}'), 201, 'and its lock is gone with it';
    is UNLOCK('/locks/gone', token($lock)), 409, 'as UNLOCK hears';
}

# ---- 9.6.1: DELETE of a collection ----
{
    resource "/locks/whole/$_" => '{"n":1}' for qw(a b deep/c);
    my $lock  = LOCK '/locks/whole/deep/c';
    my $token = token($lock);

    is DELETE('/locks/whole/'), 423, '9.6.1: a lock on anything below keeps a collection';
    is_deeply hrefs(DELETE '/locks/whole/'), ['/locks/whole/deep/c'], 'and it says which one';
    is GET("/locks/whole/$_"), 200, "$_ is left, as all is" for qw(a b deep/c);
    is DELETE('/locks/whole/', if => '</locks/whole/deep/c> (<urn:uuid:00000000-0000-0000-0000-000000000000>)'), 412,
        'another token is none';
    is GET('/locks/whole/', if => "</locks/whole/deep/c> (<$token>)"), 200, 'If counts where a collection is read';
    is GET('/locks/whole/', if => '(<DAV:no-lock>)'), 412, 'too';
    is DELETE('/locks/whole/', if => "</locks/whole/deep/c> (<$token>)"), 204, 'with its token all goes';
    is GET("/locks/whole/$_"), 404, "$_ is gone" for qw(a b deep/c);
    is PUT('/locks/whole/deep/c', '{}'), 201, 'and the lock with it';

    my $infinite = LOCK '/locks/whole/', depth => 'infinity';
    is DELETE('/locks/whole/'), 423, 'a lock on the collection keeps it';
    is DELETE('/locks/whole/', if => '(<' . token($infinite) . '>)'), 204, 'from all but its holder';
    is PUT('/locks/whole/a', '{}'), 201, 'and is gone with it';
}

# ---- the body of LOCK ----
{
    my @rows = (
        [400, 'no XML', 'lock'],
        [400, 'half of it', '<D:lockinfo xmlns:D="DAV:">'],
        [400, 'entities', '<!DOCTYPE l [<!ENTITY a "b">]>' . lockinfo('exclusive', '<D:owner>&a;</D:owner>') =~ s/<\?.*?\?>//r],
        [400, 'too deep', lockinfo('exclusive', '<D:owner>' . '<x>' x 40 . '</x>' x 40 . '</D:owner>')],
        [413, 'an owner too large', lockinfo('exclusive', '<D:owner>' . 'x' x 3000 . '</D:owner>')],
        [413, 'too large', lockinfo('exclusive', '<D:owner>' . 'x' x 70000 . '</D:owner>')],
        [422, 'another document', '<x/>'],
        [422, 'another scope', lockinfo('mine')],
    );
    for (@rows) {
        my ($status, $sentence, $body) = @$_;
        is LOCK('/locks/body', body => $body), $status, "$status: $sentence";
    }
    is LOCK('/locks/body', content_type => 'application/json'), 415, '415: another type';
    is GET('/locks/body'), 404, 'none of these has made anything';
    is LOCK('/locks/body', content_type => 'text/xml; charset=utf-8'), 201, 'text/xml is fine';
    is LOCK('/locks/body2', content_type => undef), 201, 'so is none';
}

# ---- OPTIONS, methods ----
{
    my $on = OPTIONS '/locks/a';

    is $on->header('DAV'), '2', '10.1: OPTIONS says that there are locks';
    is $on->header('Allow'), 'GET, HEAD, PUT, PATCH, DELETE, LOCK, UNLOCK, OPTIONS', 'and the methods';
    is OPTIONS('/locks/')->header('Allow'), 'GET, HEAD, POST, DELETE, LOCK, UNLOCK, OPTIONS', 'of a collection';
    is OPTIONS('/docs/a')->header('DAV'), undef, 'where there are none it says nothing';
    is LOCK('/docs/a'), 405, 'and LOCK is not allowed';
    unlike scalar LOCK('/docs/a')->header('Allow'), qr/LOCK/, 'as Allow says';
    is UNLOCK('/docs/a', $nobody), 405, 'nor UNLOCK';
    like scalar request('BREW', '/locks/a')->code, qr/^501$/, 'an unknown method stays one';
    like scalar POST('/locks/a', '{}')->header('Allow'), qr/\bLOCK\b.*\bUNLOCK\b/, '405 names them';
}

# ---- who took it ----
{
    resource '/locks-users/a' => '{"n":1}', as 'alice';
    my $lock = LOCK '/locks-users/a', as('alice');
    my %with = (if => '(<' . token($lock) . '>)');

    is $lock, 200, 'alice locks';
    is PUT('/locks-users/a', '{"n":2}', %with, as('carol')), 423, '6.4: her token lets nobody else pass';
    is LOCK('/locks-users/a', refresh => token($lock), as('carol')), 403, 'nor refresh';
    is UNLOCK('/locks-users/a', token($lock), as('carol')), 403, '9.11.1: nor unlock';
    is PUT('/locks-users/a', '{"n":2}', %with, as('alice')), 200, 'it does her';
    is PUT('/locks-users/a', '{"n":2}', accept => 'application/json', as('carol'))->json->{lock}{owner}, 'alice',
        'who said nothing of herself is called by her name';
    my $discovery = LOCK '/locks-users/shared', scope => 'shared', as('alice');
    like +LOCK('/locks-users/shared', scope => 'shared', as('alice'))->body,
        qr/${\ token($discovery)}/, 'her own tokens are shown to her';
    unlike +LOCK('/locks-users/shared', scope => 'shared', as('carol'))->body,
        qr/${\ token($discovery)}/, 'and to nobody else';
}

# ---- how many ----
{
    my @locks = map { LOCK "/locks-users/n$_", as('carol') } 1 .. 2;

    is $_, 201, 'carol locks' for @locks;
    is LOCK('/locks-few/n3', as('carol')), 507, 'as many as he may: no third one';
    is GET('/locks-few/n3', as('carol')), 404, 'and nothing is created';
    UNLOCK "/locks-users/n$_", token($locks[$_ - 1]), as('carol') for 1, 2;
    UNLOCK '/locks-users/shared', token($_), as('carol')
        for LOCK '/locks-users/shared', scope => 'shared', as('carol');
    is LOCK('/locks-full/a'), 507, 'nor where the host has as many as it may';
}

done_testing;
