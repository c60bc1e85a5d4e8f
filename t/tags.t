# Entity-tags as clients send them: RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

# Fields as they are written: a client library might mend them.
sub answer_to {
    my ($method, $uri, @fields) = @_;
    my @content = ('Content-Type: application/json', 'Content-Length: 2', \'{}');

    return raw("$method $uri HTTP/1.1", 'Connection: close', @fields,
        $method =~ /^P/ ? @content : ());
}

resource '/docs/tags' => '{}';

# ---- lists that name the current tag, "1" ----
for my $list (
    '"1"', ' "1" ', "\t\"1\"\t", '"0","1"', '"1","0"', '"0" , "1"', ',"1"', '"1",', ', ,"1", ,',
    'W/"0", "1"', '"a,b", "1"', '"a", ",", "1"', '"\\", "1"', '"a\\" , "1"', '"!#~", "1"',
    "\"\x80\xff\", \"1\"", '"", "1"', '"*", "1"', join(',', map { qq("x$_") } 1 .. 400) . ',"1"',
) {
    my $shown = length $list > 40 ? 'four hundred and one tags' : $list;
    is answer_to(GET => '/docs/tags', "If-Match: $list"), 200, "If-Match: $shown holds";
    is answer_to(GET => '/docs/tags', "If-None-Match: $list"), 304, "If-None-Match: $shown does not";
    is answer_to(PUT => '/docs/tags', "If-None-Match: $list"), 412, "and so for PUT";
}

is answer_to(GET => '/docs/tags', 'If-Match: "0"', 'If-Match: "1"'), 200, 'two lines are one list';
is answer_to(GET => '/docs/tags', 'If-None-Match: "0"', 'If-None-Match: "1"'), 304,
    'also of If-None-Match';
is answer_to(GET => '/docs/tags', 'if-none-match: "1"'), 304, 'names of fields have no case';

# ---- lists that do not ----
for my $list ('"0"', '"0", "11"', '"W/1"', '""', '"*"', '', ' , ,', '"\\1"', '"%31"') {
    is answer_to(GET => '/docs/tags', "If-Match: $list"), 412, "If-Match: $list fails";
    is answer_to(PUT => '/docs/tags', "If-Match: $list"), 412, 'and so for PUT';
    is answer_to(GET => '/docs/tags', "If-None-Match: $list"), 200, "If-None-Match: $list holds";
}

# ---- weak and strong comparison ----
is answer_to(GET => '/docs/tags', 'If-None-Match: W/"1"'), 304, 'If-None-Match compares weakly';
is answer_to(PUT => '/docs/tags', 'If-None-Match: W/"1"'), 412, 'also for PUT';
is answer_to(GET => '/docs/tags', 'If-Match: W/"1"'), 412, 'If-Match compares strongly';
is answer_to(PUT => '/docs/tags', 'If-Match: W/"1"'), 412, 'also for PUT';
is answer_to(GET => '/docs/tags', 'If-Match: W/"1", "1"'), 200,
    'a weak tag does not hide a strong one behind it';

resource '/weak/tags' => '{}';
is GET('/weak/tags')->etag, 'W/"1"', 'a location may have weak tags';
is answer_to(GET => '/weak/tags', "If-None-Match: $_"), 304, "which $_ matches in If-None-Match"
    for '"1"', 'W/"1"';
is answer_to(PUT => '/weak/tags', "If-Match: $_"), 412, "and $_ does not in If-Match" for '"1"', 'W/"1"';

# ---- the asterisk ----
is answer_to(GET => '/docs/tags', 'If-Match: *'), 200, 'If-Match: * holds of what is there';
is answer_to(GET => '/docs/tags', 'If-None-Match: *'), 304, 'If-None-Match: * does not';
is answer_to(PUT => '/docs/tags-none', 'If-Match: *'), 412, 'If-Match: * fails where nothing is';
is answer_to(PUT => '/docs/tags-none', 'If-Match: "1"'), 412, 'and so does any tag';
is answer_to(PUT => '/docs/tags-none', 'If-None-Match: *'), 201, 'If-None-Match: * holds there';
resource '/tagless/tags' => '{}';
is GET('/tagless/tags')->etag, undef, 'a location may have no tags';
is answer_to(GET => '/tagless/tags', 'If-Match: *'), 200, 'If-Match: * holds there too';
is answer_to(GET => '/tagless/tags', 'If-Match: "1"'), 412, 'and a tag does not';
is answer_to(GET => '/tagless/tags', 'If-None-Match: "1"'), 200, 'in either field';

# ---- what is no list of tags ----
for my $list (
    '1', '"1', '1"', "'1'", 'W/1', 'w/"1"', 'W"1"', 'W/ "1"', 'W /"1"', '"1" "2"', '"1""2"', '"1";"2"',
    '"1 "', "\"\t1\"", '"a b", "1"', '"1", 2', '"1", x"2"', '"1"x', '*, "1"', '"1", *', '*, *', '**',
    '*foo', 'W/*', '"*',
) {
    my $shown = $list =~ s/\t/\\t/r;
    is answer_to(PUT => '/docs/tags', "If-Match: $list"), 400, "PUT with If-Match: $shown is refused";
    is answer_to(PUT => '/docs/tags', "If-None-Match: $list"), 400, 'and with If-None-Match';
    is answer_to(DELETE => '/docs/tags', "If-Match: $list"), 400, 'and DELETE';
    is answer_to(GET => '/docs/tags', "If-Match: $list"), 412, 'for GET it matches nothing';
    is answer_to(GET => '/docs/tags', "If-None-Match: $list"), 200, 'in either field';
}
is answer_to(POST => '/docs/', 'If-Match: 1'), 400, 'and POST';

is GET('/docs/tags')->etag, '"1"', 'whatever was refused has changed nothing';

done_testing;
