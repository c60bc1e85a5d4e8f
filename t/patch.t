# PATCH, RFC 5789: merge patches (RFC 7396) and JSON patches (RFC 6902) of
# documents whose every other byte stays.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';
use Apache::TestConditional::Race 'together';

my $merge_type = 'application/merge-patch+json';
my $json_type  = 'application/json-patch+json';
my $both_types = "$merge_type, $json_type";
my $prefix     = 'tag:mod-condreq,2026:';

# A document of its own for each row: what is there, what is sent, and what is
# there then, or [status, operation, pointer] of a refusal, which has a sentence
# and changes nothing.
sub patched {
    my ($type, $sentence, $there, $sent, $then) = @_;
    my $uri = '/docs/patch/' . ++our $count;

    resource $uri => $there;
    my $answer = PATCH $uri, $sent, content_type => $type, if_match => '"1"';
    return refused($sentence, $uri, $there, $answer, @$then) if ref $then;
    is $answer, 200, "$sentence: $sent" or return diag $answer->as_string;
    is $answer->body, $then, "$sentence: what comes of it";
    is $answer->etag, $then eq $there ? '"1"' : '"2"', 'a version where something has changed';
    is GET($uri)->body, $then, 'GET shows the same';
    return;
}

sub refused {
    my ($sentence, $uri, $there, $answer, $status, $operation, $pointer) = @_;
    my $said = $answer->json;

    is $answer, $status, "$sentence is answered $status" or diag $answer->as_string;
    is $answer->header('Content-Type'), 'application/problem+json', 'in a problem document';
    is $said->{operation}, $operation, 'which says which operation it was';
    is $said->{pointer}, $pointer, 'and which pointer';
    my $after = GET $uri;
    is $after->body, $there, 'and nothing has changed';
    is $after->etag, '"1"', 'nor is there a version more';
    return;
}

# ---- RFC 7396, appendix A, where the server sets no members ----

patched($merge_type, 'RFC 7396', @$_) for (
    # what is there           what is sent                  what is there then
    ['{"a":"b"}',             '{"a":"c"}',                  '{"a":"c"}'],
    ['{"a":"b"}',             '{"b":"c"}',                  '{"a":"b","b":"c"}'],
    ['{"a":"b"}',             '{"a":null}',                 '{}'],
    ['{"a":"b","b":"c"}',     '{"a":null}',                 '{"b":"c"}'],
    ['{"a":["b"]}',           '{"a":"c"}',                  '{"a":"c"}'],
    ['{"a":"c"}',             '{"a":["b"]}',                '{"a":["b"]}'],
    ['{"a":{"b":"c"}}',       '{"a":{"b":"d","c":null}}',   '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}',     '{"a":[1]}',                  '{"a":[1]}'],
    ['["a","b"]',             '["c","d"]',                  '["c","d"]'],
    ['{"a":"b"}',             '["c"]',                      '["c"]'],
    ['{"a":"foo"}',           'null',                       'null'],
    ['{"a":"foo"}',           '"bar"',                      '"bar"'],
    ['{"e":null}',            '{"a":1}',                    '{"e":null,"a":1}'],
    ['[1,2]',                 '{"a":"b","c":null}',         '{"a":"b"}'],
    ['{}',                    '{"a":{"bb":{"ccc":null}}}',  '{"a":{"bb":{}}}'],
);
patched($merge_type, 'RFC 7396 section 3',
    '{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},'
        . '"tags":["example","sample"],"content":"This will be unchanged"}',
    '{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}',
    '{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],'
        . '"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}');

# ---- RFC 6902, appendix A ----

patched($json_type, @$_) for (
    ['A.1', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]', '{"foo":"bar","baz":"qux"}'],
    ['A.2', '{"foo":["bar","baz"]}', '[{"op":"add","path":"/foo/1","value":"qux"}]', '{"foo":["bar","qux","baz"]}'],
    ['A.3', '{"baz":"qux","foo":"bar"}', '[{"op":"remove","path":"/baz"}]', '{"foo":"bar"}'],
    ['A.4', '{"foo":["bar","qux","baz"]}', '[{"op":"remove","path":"/foo/1"}]', '{"foo":["bar","baz"]}'],
    ['A.5', '{"baz":"qux","foo":"bar"}', '[{"op":"replace","path":"/baz","value":"boo"}]',
        '{"baz":"boo","foo":"bar"}'],
    ['A.6', '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
        '[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]',
        '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}'],
    ['A.7', '{"foo":["all","grass","cows","eat"]}', '[{"op":"move","from":"/foo/1","path":"/foo/3"}]',
        '{"foo":["all","cows","eat","grass"]}'],
    ['A.8', '{"baz":"qux","foo":["a",2,"c"]}',
        '[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]',
        '{"baz":"qux","foo":["a",2,"c"]}'],
    ['A.9', '{"baz":"qux"}', '[{"op":"test","path":"/baz","value":"bar"}]', [422, 0, '/baz']],
    ['A.10', '{"foo":"bar"}', '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
        '{"foo":"bar","child":{"grandchild":{}}}'],
    ['A.11', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux","xyz":123}]', '{"foo":"bar","baz":"qux"}'],
    ['A.12', '{"foo":"bar"}', '[{"op":"add","path":"/baz/bat","value":"qux"}]', [422, 0, '/baz/bat']],
    ['A.13', '{"foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux","op":"remove"}]', [400]],
    ['A.14', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":10}]', '{"/":9,"~1":10}'],
    ['A.15', '{"/":9,"~1":10}', '[{"op":"test","path":"/~01","value":"10"}]', [422, 0, '/~01']],
    ['A.16', '{"foo":["bar"]}', '[{"op":"add","path":"/foo/-","value":["abc","def"]}]',
        '{"foo":["bar",["abc","def"]]}'],
);

# ---- what breaks known libraries ----

my $exact = '{ "z":1.10, "big":9007199254740993,"huge":1e400, "t\u0065xt":"\u00e9\/",' . "\n\t" . '"last":[1 , -0.0] }';
my $numbers = '{"n":[1.10,100,0,9007199254740993,1e400,1E2]}';

sub tested { return qq([{"op":"test","path":"/n/$_[0]","value":$_[1]}]) }
sub pointed { return qq([{"op":"remove","path":"$_[0]"}]) }

patched(@$_) for (
    # order, numbers and escapes of what is not named
    [$merge_type, 'a new member leaves the text', $exact, '{"new":1e-0}', $exact =~ s/ }$/,"new":1e-0 }/r],
    [$json_type, 'so it does by an operation', $exact, '[{"op":"add","path":"/new","value":1e-0}]',
        $exact =~ s/ }$/,"new":1e-0 }/r],
    [$merge_type, 'a value is replaced in its place', $exact, '{"big":1}', $exact =~ s/9007199254740993/1/r],
    [$json_type, 'and so it is added over', $exact, '[{"op":"add","path":"/big","value":1}]',
        $exact =~ s/9007199254740993/1/r],
    [$json_type, 'a name keeps its spelling', $exact, '[{"op":"replace","path":"/text","value":0}]',
        $exact =~ s/"\\u00e9\\\/"/0/r],
    [$merge_type, 'in a merge too', $exact, '{"text":0}', $exact =~ s/"\\u00e9\\\/"/0/r],
    [$json_type, 'a number is moved as it is spelt', '{"a":1.10,"b":[]}',
        '[{"op":"move","from":"/a","path":"/b/-"}]', '{"b":[1.10]}'],
    [$json_type, 'and copied', '{"a":1e400}', '[{"op":"copy","from":"/a","path":"/b"}]', '{"a":1e400,"b":1e400}'],
    [$json_type, 'and added', '{}', '[{"op":"add","path":"/a","value":-0.0E+00}]', '{"a":-0.0E+00}'],
    [$json_type, 'white space is kept', " [ 1 , 2 ]\n", '[{"op":"remove","path":"/0"}]', " [ 2 ]\n"],

    # test, by value
    [$json_type, '1.1 is 1.10', $numbers, tested(0, '1.1'), $numbers],
    [$json_type, '1e2 is 100', $numbers, tested(1, '1e2'), $numbers],
    [$json_type, '-0.0 is 0', $numbers, tested(2, '-0.0'), $numbers],
    [$json_type, '...992 is not ...993', $numbers, tested(3, '9007199254740992'), [422, 0, '/n/3']],
    [$json_type, '...993.0 is', $numbers, tested(3, '9007199254740993.0'), $numbers],
    [$json_type, '2e400 is not 1e400', $numbers, tested(4, '2e400'), [422, 0, '/n/4']],
    [$json_type, '10e399 is', $numbers, tested(4, '10e399'), $numbers],
    [$json_type, '1e401 is not', $numbers, tested(4, '1e401'), [422, 0, '/n/4']],
    [$json_type, 'a number is no string', $numbers, tested(1, '"100"'), [422, 0, '/n/1']],
    [$json_type, '0 is not false', '{"n":[0]}', tested(0, 'false'), [422, 0, '/n/0']],
    [$json_type, 'null is not missing', '{"n":[null]}', tested(1, 'null'), [422, 0, '/n/1']],
    [$json_type, 'escapes mean what they mean', '{"n":["\u00e9\/"]}', tested(0, '"é/"'), '{"n":["\u00e9\/"]}'],
    [$json_type, 'members have no order, and none is made', '{"n":[{"b":1,"a":2}]}', tested(0, '{"a":2,"b":1}'),
        '{"n":[{"b":1,"a":2}]}'],
    [$json_type, 'elements have one', '{"n":[[1,2]]}', tested(0, '[2,1]'), [422, 0, '/n/0']],
    [$json_type, 'more members are not the same', '{"n":[{"a":1,"b":2}]}', tested(0, '{"a":1}'), [422, 0, '/n/0']],

    # names
    [$json_type, 'an escaped name is found', '{"\u0061":1,"b":2}', pointed('/a'), '{"b":2}'],
    [$json_type, 'by an escaped pointer', '{"a":1,"b":2}', pointed('/\u0061'), '{"b":2}'],
    [$json_type, 'NUL is part of a name', '{"a":1,"a\u0000b":2,"a\u0000c":3}', pointed('/a\u0000b'),
        '{"a":1,"a\u0000c":3}'],
    [$merge_type, 'in a merge too', '{"a":1,"a\u0000b":2}', '{"a\u0000c":3,"a\u0000b":null}', '{"a":1,"a\u0000c":3}'],
    [$json_type, 'the empty name', '{"":1,"b":2}', pointed('/'), '{"b":2}'],
    [$json_type, 'names that look like numbers', '{"0":1,"01":2,"-":3}', pointed('/01'), '{"0":1,"-":3}'],
    [$json_type, '- is a name in an object', '{"-":3,"a":1}', pointed('/-'), '{"a":1}'],
    [$json_type, '__proto__ is a name', '{}', '[{"op":"add","path":"/__proto__","value":1}]', '{"__proto__":1}'],
    [$merge_type, 'in a merge too', '{}', '{"__proto__":{"a":null},"constructor":1}', '{"__proto__":{},"constructor":1}'],

    # pointers
    [$json_type, '~1 is a slash', '{"a/b":1,"c":2}', pointed('/a~1b'), '{"c":2}'],
    [$json_type, '~0 is a tilde', '{"a~b":1,"c":2}', pointed('/a~0b'), '{"c":2}'],
    [$json_type, '~2 is nothing', '{"a~2":1}', pointed('/a~2'), [400, 0, '/a~2']],
    [$json_type, 'nor is a tilde at the end', '{"a~":1}', pointed('/a~'), [400, 0, '/a~']],
    [$json_type, 'no slash', '{"a":1}', pointed('a'), [400, 0, 'a']],
    [$json_type, 'an index has no zero before it', '[1,2]', pointed('/01'), [422, 0, '/01']],
    [$json_type, 'nor a sign', '[1,2]', pointed('/-1'), [422, 0, '/-1']],
    [$json_type, 'nor an exponent', '[1,2]', pointed('/1e0'), [422, 0, '/1e0']],
    [$json_type, 'nor white space', '[1,2]', pointed('/1 '), [422, 0, '/1 ']],
    [$json_type, 'nor is it empty', '[1,2]', pointed('/'), [422, 0, '/']],
    [$json_type, '2^32 is not 0', '[1,2]', pointed('/4294967296'), [422, 0, '/4294967296']],
    [$json_type, '2^64 is not 0', '[1,2]', pointed('/18446744073709551616'), [422, 0, '/18446744073709551616']],
    [$json_type, '- is behind the last', '[1,2]', pointed('/-'), [422, 0, '/-']],
    [$json_type, 'behind that nothing is added', '[1]', '[{"op":"add","path":"/2","value":3}]', [422, 0, '/2']],
    [$json_type, 'a number has no members', '{"a":1}', pointed('/a/0'), [422, 0, '/a/0']],
    [$json_type, 'a string has none', '{"a":"xyz"}', pointed('/a/0'), [422, 0, '/a/0']],

    # operations
    [$json_type, 'all or nothing', '{"a":1}',
        '[{"op":"add","path":"/b","value":2},{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]',
        [422, 2, '/a']],
    [$json_type, 'a broken operation behind good ones', '{"a":1}', '[{"op":"remove","path":"/a"},{"op":"sit"}]',
        [400, 1]],
    [$json_type, 'a value is not moved into itself', '{"a":{"b":1}}', '[{"op":"move","from":"/a","path":"/a/b/c"}]',
        [422, 0, '/a']],
    [$json_type, 'but into a name that it begins', '{"a":1,"ab":{}}', '[{"op":"move","from":"/a","path":"/ab/c"}]',
        '{"ab":{"c":1}}'],
    [$json_type, 'a copy is a value of its own', '{"a":{"b":1}}',
        '[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]', '{"a":{"b":1},"c":{"b":2}}'],
    [$json_type, 'what is copied may be the whole', '{"a":1}', '[{"op":"copy","from":"","path":"/b"}]',
        '{"a":1,"b":{"a":1}}'],
    [$json_type, 'the whole may be replaced', '{"a":1}', '[{"op":"replace","path":"","value":[null]}]', '[null]'],
    [$json_type, 'replace needs something', '{"a":1}', '[{"op":"replace","path":"/b","value":1}]', [422, 0, '/b']],
    [$json_type, 'from is needed', '{"a":1}', '[{"op":"copy","path":"/b"}]', [400, 0, '/b']],
    [$json_type, 'value is needed', '{"a":1}', '[{"op":"add","path":"/b"}]', [400, 0, '/b']],
    [$json_type, 'null is a value', '{"a":1}', '[{"op":"add","path":"/b","value":null}]', '{"a":1,"b":null}'],
    [$json_type, 'a patch is an array', '{"a":1}', '{"op":"remove","path":"/a"}', [400]],
    [$json_type, 'of objects', '{"a":1}', '["remove"]', [400, 0]],
    [$json_type, 'two members of one name', '{"a":1}', '[{"op":"add","path":"/b","value":1,"\u0070ath":"/c"}]', [400]],
    [$merge_type, 'in a merge too', '{"a":1}', '{"b":1,"\u0062":2}', [400]],
    [$merge_type, 'a merge is JSON', '{"a":1}', "{'b':1}", [400]],
    [$merge_type, 'null in an array is an element', '{"a":[1]}', '{"a":[null,{"b":null}]}', '{"a":[null,{"b":null}]}'],

    # bombs
    [$json_type, 'a document that doubles thirty times', '[0]',
        '[' . join(',', ('{"op":"copy","from":"","path":"/-"}') x 30) . ']', [413, 17, '/-']],
    [$json_type, 'one that is put into itself', '{"a":0}',
        '[' . join(',', ('{"op":"copy","from":"","path":"/a"}') x 600) . ']', [413, 511, '/a']],
    [$json_type, 'more than 10,000 operations', '[0]',
        '[' . join(',', ('{"op":"test","path":"/0","value":0}') x 10_001) . ']', [413, 10_000]],
    [$json_type, 'a pointer of 100,000 tokens', '{"a":1}', pointed('/a' x 100_000), [422, 0, '/a' x 100_000]],
    [$merge_type, '100,000 open brackets', '{"a":1}', '{"a":' . '[' x 100_000, [400]],
);
patched($json_type, 'what is too deep by and by', '{"a":' . '[' x 500 . ']' x 500 . '}',
    '[{"op":"add","path":"/a' . '/0' x 499 . '/-","value":' . '[' x 20 . ']' x 20 . '}]',
    [413, 0, '/a' . '/0' x 499 . '/-']);
{
    # Within the limits: what is quadratic elsewhere.
    my $merged = join ',', map { qq("k$_":$_) } 1 .. 60_000;
    resource '/docs/patch/many' => '{}';
    is PATCH('/docs/patch/many', "{$merged}")->body, "{$merged}", 'a merge of 60,000 new names';
    is PATCH('/docs/patch/many', '{' . join(',', map { qq("k$_":null) } 1 .. 60_000) . '}')->body, '{}',
        'and all of them away';
    resource '/docs/patch/long' => '[' . '0,' x 200_000 . '0]';
    is length PATCH('/docs/patch/long', '[' . join(',', ('{"op":"add","path":"/100000","value":1}') x 10_000) . ']')->body,
        400_003 + 20_000, '10,000 elements into the middle of 200,000';
}

# ---- media types ----

resource '/docs/patch/type' => '{"a":1}';
for (
    # what is announced                             status
    [undef,                                         415],
    ['application/json',                            415],
    ['text/plain',                                  415],
    ['application/merge-patch',                     415],
    ['application/json-patch-query+json',           415],
    ["$merge_type; charset=iso-8859-1",             415],
    ['Application/Merge-Patch+JSON ; charset=utf-8', 200],
) {
    my ($type, $status) = @$_;
    my $answer = PATCH '/docs/patch/type', '{"a":2}', content_type => $type;
    is $answer, $status, defined $type ? "'$type' is answered $status" : "no type is answered $status";
    is $answer->header('Accept-Patch'), $both_types, 'which says what would be taken' if $status == 415;
}
is PATCH('/docs/patch/type', '{}', content_encoding => 'gzip'), 415, 'no coding is taken';
is PATCH('/docs/patch/type', '{}', content_range => 'bytes 0-1/2'), 400, 'nor a part';
is OPTIONS('/docs/patch/type')->header('Accept-Patch'), $both_types, 'OPTIONS says what is taken';
is OPTIONS('/docs/patch/nothing')->header('Accept-Patch'), $both_types, 'also where nothing is';
is OPTIONS('/docs/')->header('Accept-Patch'), undef, 'a collection takes none';
is PATCH('/docs/', '{}'), 405, 'and has no PATCH';

# ---- what stays what it is ----
{
    my $hal = 'application/hal+json; profile=x';
    resource '/docs/patch/hal' => '{"a":1}', content_type => $hal;
    is PATCH('/docs/patch/hal', '{"b":2}')->header('Content-Type'), $hal, 'a document keeps its media type';
    is GET('/docs/patch/hal')->header('Content-Type'), $hal, 'as GET says';

    resource '/types/patch' => '{"a":1}', content_type => 'text/plain';
    is PATCH('/types/patch', '{"b":2}'), 415, 'a text is not patched, even if it looks so';
    is PATCH('/types/patch', '{"b":2}', if_match => '"0"'), 415, 'which counts before the precondition';
    is GET('/types/patch')->body, '{"a":1}', 'and stays';
}

# ---- nothing to change ----
{
    my $made = resource '/docs/patch/same' => '{"a": 1}';
    for my $sent ('[]', '{}', '[{"op":"test","path":"/a","value":1}]', '{"a":1}', '{"b":null}',
        '[{"op":"add","path":"/b","value":1},{"op":"remove","path":"/b"}]') {
        my $answer = PATCH '/docs/patch/same', $sent, if_match => '"1"';
        is $answer, 200, "$sent changes nothing";
        is $answer->etag, '"1"', 'and makes no version';
        is $answer->body, '{"a": 1}', 'the answer shows what is there';
    }
    is PATCH('/docs/patch/same', '{"a":1.0}')->etag, '"2"', 'the same number in other words is a change';
    is PUT('/docs/patch/same', '{"a":1.0}')->etag, '"3"', 'PUT makes a version whatever comes';
    is PATCH('/docs/patch/same', '{}', if_match => '"2"'), 412, 'nothing is not changed upon a stale tag either';
}

# ---- RFC 5789: preconditions ----
{
    my $uri = '/docs/patch/pre';
    is PATCH($uri, '{"a":1}'), 404, 'where nothing is there is nothing to patch';
    is PATCH($uri, '{"a":1}', if_match => '*'), 404, 'whatever is asked';
    is PATCH($uri, '[]', if_none_match => '*'), 404, 'by either kind';
    my $date = resource($uri => '{"n":1}')->last_modified;
    my $late = PATCH $uri, '{"n":2}', if_match => '"0"';
    is $late, 412, 'a stale tag';
    is $late->json->{etag}, '"1"', 'is answered with the current one';
    is PATCH($uri, '{broken', if_match => '"0"'), 412, 'before its content is looked at';
    is PATCH($uri, '[{"op":"test","path":"/n","value":7}]', if_match => '"0"'), 412, 'or applied';
    is PATCH($uri, '{broken', if_match => '"1"'), 400, 'with the current one it is';
    is PATCH($uri, '{broken')->json->{offset}, 1, 'and the byte is named';
    is PATCH($uri, '{"n":2}', if_none_match => '"1"'), 412, 'If-None-Match with the current tag';
    is PATCH($uri, '{"n":2}', if_none_match => '*'), 412, 'or with any';
    is PATCH($uri, '{"n":2}', if_match => '1'), 400, 'a tag without quotes';
    is PATCH($uri, '{"n":2}', if_unmodified_since => 'Sun, 06 Nov 1994 08:49:37 GMT'), 412, 'an old date';
    is GET($uri)->body, '{"n":1}', 'nothing of that has changed it';
    my $patched = PATCH $uri, '[{"op":"replace","path":"/n","value":2}]', if_match => '"1"';
    is $patched, 200, 'the current tag lets one patch';
    is $patched->etag, '"2"', 'of which the answer has the tag';
    is $patched->header('Content-Location'), $uri, 'and whose document it is';
    is $patched->header('Content-Type'), 'application/json', 'of the document\'s type';
    is PATCH($uri, '{"n":3}', if_match => '"1"'), 412, 'and no second one';
    is PATCH($uri, '{"n":3}', range => 'bytes=0-1')->body, '{"n":3}', 'ranges are for GET';

    my $wire = wire;
    $wire->send_head("PATCH $uri HTTP/1.1", "Content-Type: $merge_type", 'Content-Length: 7',
        'If-Match: "0"', 'Expect: 100-continue');
    is $wire->answer, 412, 'a stale writer is not asked for the patch';

    my $brief = PATCH $uri, '{"n":4}', prefer => 'return=minimal';
    is $brief, 204, 'RFC 5789 section 2.1: an answer without the document';
    is $brief->etag, '"4"', 'has the tag to go on with';
    is $brief->header('Content-Location'), $uri, 'and says of what';
    is $brief->header('Preference-Applied'), 'return=minimal', 'as it was preferred';
    is PATCH($uri, '{"n":5}', if_match => $brief->etag), 200, 'with that the client goes on';

    resource '/require-etag/patch' => '{}', if_none_match => '*';
    my $without = PATCH '/require-etag/patch', '{"a":1}';
    is $without, 428, 'CondReqRequire is about PATCH too';
    is $without->json->{detail}, 'Send If-Match with the ETag that GET gave.', 'and says what to send';
    is PATCH('/require-etag/patch', '{"a":1}', if_match => '"1"'), 200, 'with that it succeeds';
    is PATCH('/require-etag/patch-none', '{"a":1}'), 404, 'nothing is required of nothing';
}

# ---- CondReqPatch ----
{
    my $made = PATCH '/patch-create/a', '{"a":1,"b":null}';
    is $made, 201, 'create: a merge patch creates';
    is $made->body, '{"a":1}', 'what it makes of nothing';
    is $made->header('Location'), '/patch-create/a', 'and where';
    is $made->header('Content-Type'), 'application/json', 'as JSON';
    is PATCH('/patch-create/b', '[{"op":"add","path":"","value":1}]'), 404, 'a JSON patch does not';
    is PATCH('/patch-create/a', '{"a":2}', if_none_match => '*'), 412, 'If-None-Match: * creates only';
    is PATCH('/patch-create/c', '{"a":2}', if_none_match => '*'), 201, 'where nothing is';
    is PATCH('/patch-create/d', '{"a":2}', if_match => '*'), 412, 'If-Match wants something';
    DELETE '/patch-create/a';
    my $again = PATCH '/patch-create/a', '{"c":3}';
    is $again->body, '{"c":3}', 'nothing is left of what was deleted';
    is $again->etag, '"3"', 'but its number';

    resource '/patch-off/a' => '{}';
    my $off = PATCH '/patch-off/a', '{"a":1}';
    is $off, 405, 'Off: there is none';
    unlike scalar($off->header('Allow')), qr/PATCH/, 'as Allow says';
    unlike $off->json->{allow}, qr/PATCH/, 'and the problem';
    is OPTIONS('/patch-off/a')->header('Accept-Patch'), undef, 'and nothing is said of patches';
}

# ---- the server's members ----
{
    my $uri = '/members/patch';
    resource $uri => '{"id":"x","a":1,"version":7,"updated_at":null}';
    my ($updated) = GET($uri)->body =~ /"updated_at":"([^"]+)"/;
    my $shown = qr/^\{"id":"patch","a":(.*?),"version":(\d+),"updated_at":"[^"]+"(.*)\}$/;
    # a merge ignores them
    my $merged = PATCH $uri, '{"a":2,"id":1,"\u0069d":null}';
    is $merged, 400, 'two spellings are one name';
    $merged = PATCH $uri, '{"a":2,"\u0069d":null,"version":99,"updated_at":{"deep":1}}';
    like $merged->body, $shown, 'a merge does not touch them';
    is_deeply [$merged->body =~ $shown], [2, 2, ''], 'but goes on to the next version';
    isnt $merged->json->{updated_at}, $updated, 'and its time';
    is PATCH($uri, '{"id":null,"version":1}')->etag, '"2"', 'nothing else is nothing';

    # a JSON patch may read them, and not write them by any spelling
    my @rows = (
        ['test',                    '[{"op":"test","path":"/version","value":2}]', 200],
        ['test, escaped',           '[{"op":"test","path":"/\u0069d","value":"patch"}]', 200],
        ['copy from',               '[{"op":"copy","from":"/version","path":"/seen"},{"op":"remove","path":"/seen"}]', 200],
        ['add',                     '[{"op":"add","path":"/id","value":"y"}]', [0, '/id']],
        ['replace',                 '[{"op":"replace","path":"/version","value":9}]', [0, '/version']],
        ['remove',                  '[{"op":"remove","path":"/updated_at"}]', [0, '/updated_at']],
        ['escaped in the pointer',  '[{"op":"replace","path":"/\u0069\u0064","value":"y"}]', [0, '/id']],
        ['copy onto',               '[{"op":"copy","from":"/a","path":"/id"}]', [0, '/id']],
        ['move onto',               '[{"op":"move","from":"/a","path":"/version"}]', [0, '/version']],
        ['move away',               '[{"op":"move","from":"/id","path":"/b"}]', [0, '/id']],
        ['inside',                  '[{"op":"add","path":"/id/x","value":1}]', [0, '/id/x']],
        ['behind what is allowed',  '[{"op":"add","path":"/b","value":1},{"op":"remove","path":"/id"}]', [1, '/id']],
    );
    for (@rows) {
        my ($name, $sent, $then) = @$_;
        my $answer = PATCH $uri, $sent;
        is $answer, ref $then ? 422 : 200, "$name: $sent" or diag $answer->as_string;
        is_deeply [@{ $answer->json }{qw(operation pointer)}], $then, "$name: which operation" if ref $then;
        is GET($uri)->etag, '"2"', "$name: and nothing has changed";
    }
    my $inner = PATCH $uri, '[{"op":"add","path":"/a","value":{"id":1,"version":2}}]';
    is_deeply $inner->json->{a}, { id => 1, version => 2 }, 'deeper down the names are anybody\'s';
    my $root = PATCH $uri, '[{"op":"replace","path":"","value":{"n":1,"version":99}}]';
    like $root->body, qr/^\{"id": "patch", "n":1,"version":4, "updated_at": "[^"]+"\}$/, 'after a replaced root they are set again';
    for my $scalar ('[{"op":"replace","path":"","value":[1]}]', '"text"', '[{"op":"add","path":"","value":null}]') {
        my $operates = $scalar =~ /^\[/;
        my $answer = PATCH $uri, $scalar, content_type => $operates ? $json_type : $merge_type;
        is $answer, 422, "$scalar: it stays an object";
        is_deeply [@{ $answer->json }{qw(operation pointer)}], $operates ? [0, ''] : [undef, undef],
            'and the operation that ended it is named';
    }
    is PATCH('/members/patch', '{"n":2}', if_match => '"4"')->json->{version}, 5, 'with the tag it goes on';
    my $made = PATCH '/patch-create-members/a', '{"a":1,"id":7}';
    is $made, 201, 'a creation by PATCH';
    like $made->body, qr/^\{"a":1,"id":"a"|^\{"id": "a", "a":1/, 'has its members';
}

# ---- limits ----
{
    my $half = 'x' x 600;
    resource '/small/patch' => qq({"a":"$half"});
    is PATCH('/small/patch', qq({"b":"$half"})), 413, 'a merge that would be over CondReqMaxBody';
    my $over = PATCH '/small/patch', '[{"op":"copy","from":"/a","path":"/b"}]';
    is $over, 413, 'a patch that would be';
    is_deeply [@{ $over->json }{qw(type operation pointer)}], ["${prefix}patch-too-large", 0, '/b'], 'and which operation';
    is PATCH('/small/patch', qq([{"op":"add","path":"/b","value":"$half$half"}])), 413, 'or whose own content is';
    is PATCH('/small/patch', qq([{"op":"remove","path":"/a"},{"op":"add","path":"/b","value":"$half"}])), 200,
        'unless something gives way before';
    is GET('/small/patch')->etag, '"2"', 'refusals were no versions';

    resource '/shallow/patch' => '{"a":{"b":{}}}';
    my $deep = PATCH '/shallow/patch', '[{"op":"add","path":"/a/b/c","value":[[]]}]';
    is $deep, 413, 'a patch that goes deeper than CondReqMaxDepth';
    is PATCH('/shallow/patch', '[{"op":"add","path":"/a/b/c","value":[1]}]'), 200, 'and one that goes as deep';
    is PATCH('/shallow/patch', '[{"op":"replace","path":"","value":[[[[1]]]]}]'), 200, 'a value may be as deep as a document';
    is PATCH('/shallow/patch', '[{"op":"replace","path":"","value":[[[[[1]]]]]}]'), 400, 'and no deeper';
}

# ---- who may see it ----
{
    my @alice = (authorization => 'Basic YWxpY2U6c2VjcmV0');
    my $box = '/auth/letterbox/patch';
    PUT $box, '{"secret":1}', @alice;
    my $blind = PATCH $box, '{"mine":2}';
    is $blind, 204, 'who may PATCH and not GET sees nothing of the result';
    is $blind->body, '', 'at all';
    is PATCH($box, '{"mine":3}', prefer => 'return=representation')->body, '', 'asking for it does not help';
    is PATCH($box, '{"mine":4}', @alice)->body, '{"secret":1,"mine":4}', 'who may GET does';
}

# ---- races ----

# Of eight who patch with one tag, one succeeds.
for my $kind (
    [merge => sub { qq({"n":"$_[0]"}) }, '"%s"'],
    [json => sub { qq([{"op":"replace","path":"/n","value":"$_[0]"}]) }, '"%s"'],
) {
    my ($name, $body) = @$kind;
    my $uri = "/docs/patch/race-$name";
    my ($wins, $losses) = (0, 0);

    resource $uri => '{"n":0,"big":9007199254740993}';
    for my $round (1 .. 20) {
        my $tag = GET($uri)->etag;
        my @answers = race('http/1.1', map {
            ['PATCH', $uri, $body->("$round.$_"), if_match => $tag, content_type => $name eq 'merge' ? $merge_type : $json_type]
        } 1 .. 8);
        my @won = grep { $answers[$_ - 1] == 200 } 1 .. 8;
        $wins   += @won;
        $losses += grep { $_ == 412 } @answers;
        is GET($uri)->body, qq({"n":"$round.@won","big":9007199254740993}), "$name, round $round: the winner's patch is there";
    }
    is "$wins of 160, $losses late", '20 of 160, 140 late', "$name: one winner a round";
}

# Read, patch, again: eight clients, and nothing is lost. Each client also adds
# to a list without a precondition; two such meet in the transaction.
{
    my $uri = '/docs/patch/chain';
    my ($clients, $each) = (8, 25);

    resource $uri => '{"n":0,"list":[]}';
    together(map {
        my $client = $_;
        sub {
            $_[0]->();
            for my $step (1 .. $each) {
                my $patched;
                do {
                    my $read = GET $uri;
                    my $next = $read->json->{n} + 1;
                    $patched = PATCH $uri, $step % 2 ? qq({"n":$next}) : qq([{"op":"replace","path":"/n","value":$next}]),
                        if_match => $read->etag;
                } until $patched == 200;
                PATCH($uri, qq([{"op":"add","path":"/list/-","value":"$client.$step"}])) == 200 or return 0;
            }
            return 1;
        }
    } 1 .. $clients);
    my $end = GET($uri);
    is $end->json->{n}, $clients * $each, 'a chain of read, modify, PATCH by 8 clients loses none';
    is_deeply [sort @{ $end->json->{list} }],
        [sort map { my $client = $_; map { "$client.$_" } 1 .. $each } 1 .. $clients], 'nor do patches without a precondition';
    is $end->etag, '"' . (2 * $clients * $each + 1) . '"', 'each is a version';
}

done_testing;
