# JSON over the wire: RFC 8259 to the letter, and every accepted byte comes back.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

sub shown {
    my ($bytes) = @_;
    my $shown = $bytes =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger;
    return length $shown > 50 ? substr($shown, 0, 47) . '...' : $shown;
}

# ---- accepted, and kept as it was written ----
my @accepted = (
    # values
    'null', 'true', 'false', '0', '-0', '-0.0', '1.10', '0.1e-7', '1E400', '1e+2', '-1.5E-300',
    '9007199254740993', '9' x 400, '"text"', '""', '[]', '{}', '[[]]', '{"":""}', '{"a":{"a":{"a":1}}}',
    # white space
    " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", "[]\n\n\n",
    # strings
    '"\" \\\\ \/ \b \f \n \r \t"', '"\u0000"', '"\ud83d\ude00"', '"\uFFFF\uFDD0"', '"\u00e9\u00E9"',
    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\x7f\"", "\"\xef\xbb\xbf\"", '"' . 'x' x 70_000 . '"',
    # names that are alike
    '{"a":1,"A":2,"a ":3," a":4,"a\u0000":5,"a\u0000b":6}', '{"b":1,"a":2,"c":3}',
    # at the limits
    '[' x 512 . ']' x 512, '{"a":' x 511 . '[]' . '}' x 511,
    '[' . join(',', (1) x 20_000) . ']',
);

for (@accepted) {
    my $uri = '/docs/json' . ++our $count;
    my $put = PUT $uri, $_;

    is $put, 201, shown($_) . ' is accepted' or diag $put->body;
    ok $put->body eq $_, 'it is shown';
    ok GET($uri)->body eq $_, 'and comes back';
}

# ---- documents made by chance ----
{
    srand 9110;
    my @scalars = ('null', 'true', '-12.50e+3', '"\u00e9"', "\"\xe2\x82\xac\"", '0', '1e400', '""');
    my @spaces  = ('', '', ' ', "\n", "\t ", "\r\n");
    my $space   = sub { $spaces[rand @spaces] };
    my $value;
    $value = sub {
        my ($depth) = @_;
        my $kind    = $depth > 5 ? 0 : int rand 3;
        my @inner   = map { $space->() . $value->($depth + 1) . $space->() } 1 .. $kind && rand 5;
        return $scalars[rand @scalars]             if !$kind;
        return '[' . join(',', @inner) . ']'       if $kind == 1 && @inner;
        return '{' . join(',', map { "\"n$_\":$inner[$_]" } 0 .. $#inner) . '}';
    };
    my $wrong = 0;
    for (1 .. 100) {
        my $text = $space->() . $value->(0) . $space->();
        $wrong++ unless PUT('/docs/json-chance', $text)->is_success && GET('/docs/json-chance')->body eq $text;
    }
    is $wrong, 0, 'a hundred documents made by chance come back as they were';
}

# ---- refused ----
resource '/docs/json-kept' => '"kept"';
my @refused = (
    # nothing, and something behind
    '', ' ', "\0", "{}\0", "\0{}", "{\0}", "[1,\0 2]", "{\"a\"\0:1}", '{}{}', '1 2', '[]]', '{}}', '{},', '[] x',
    # brackets, commas, colons
    '[', ']', '{', '}', '[1', '[1,', '[1,]', '[,1]', '[1,,2]', '[1 2]', '{"a"', '{"a":', '{"a":1', '{"a":1,',
    '{"a":1,}', '{,}', '{"a" 1}', '{"a"::1}', '{"a":1 "b":2}', '{1:1}', '{a:1}', "{'a':1}", '{"a":}', '{:1}',
    '{"a"}', '[}', '{]', '["a":1]', '{"a",1}',
    # literals
    'nul', 'nulll', 'True', 'FALSE', 'None', 'undefined', 'NaN', 'Infinity', '-Infinity', 'tru', 'x',
    # numbers
    '01', '-01', '1.', '.5', '-', '+1', '1e', '1e+', '1.e1', '0x1', '1_000', '- 1', '1.2.3', '--1', '1e1.5',
    '-.5', '00', '1a',
    # strings
    '"', '"a', "'a'", '"\\"', '"\\x41"', '"\\a"', '"\\u12"', '"\\u12g4"', '"\\U0041"', "\"\n\"", "\"\t\"",
    "\"\0\"", "\"\x1f\"", '"a" "b"', '"\\u"', '"\\ud83d"', '"\\ude00"', '"\\ud83d\\ud83d"', '"\\ude00\\ud83d"',
    '"\\ud83dx"', '"\\ud83d\\n"',
    # bytes that are no UTF-8
    "\"\x80\"", "\"\xff\"", "\"\xc3\"", "\"\xc3", "\"\xe2\x82\"", "\"\xf0\x9f\x98\"", "\"\xc0\xaf\"",
    "\"\xc1\xbf\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"",
    "\"\xe9\"", "\xe2\x82\xac",
    # white space that is none, and comments
    "\x0b1", "\x0c1", "[1,\x0c2]", "\xc2\xa01", "\xef\xbb\xbf1", "\xef\xbb\xbf{}", "1 // one", "/* */ 1",
    "\xff\xfe{\0}\0", "{\0}\0",
    # names twice
    '{"a":1,"a":1}', '{"a":1,"\u0061":2}', '{"\u00e9":1,' . "\"\xc3\xa9\":2}", '{"b":{"a":1,"a":2}}',
    '[{"":1,"":2}]', '{"a\u0000b":1,"a\u0000b":2}', '{"\ud83d\ude00":1,' . "\"\xf0\x9f\x98\x80\":2}",
    # too deep
    '[' x 513 . ']' x 513, '{"a":' x 513 . '1' . '}' x 513, '[' x 100_000, '{"a":' x 100_000,
);

for (@refused) {
    my $answer = PUT '/docs/json-kept', $_;
    is $answer, 400, shown($_) . ' is refused';
    my $offset = ($answer->json || {})->{offset};
    ok defined $offset && $offset >= 0 && $offset <= length, 'where it is broken';
}
is GET('/docs/json-kept')->body, '"kept"', 'and nothing was changed';
is GET('/docs/json-kept')->etag, '"1"', 'ever';

# ---- limits of a location ----
is PUT('/shallow/four', '[[[[]]]]'), 201, 'as deep as a location allows';
is PUT('/shallow/five', '[[[[[]]]]]'), 400, 'and no deeper';
is PUT('/docs/many', '[' . join(',', (1) x 300_000) . ']'), 413, 'more values than are worth their memory';

done_testing;
