# The directives of the code, of the manual and of README.md are the same ones,
# with the same contexts and defaults; and no page links to nothing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Sources;
use Test::More;

my $config = read_file('httpd/config.c');
my @pages = files('*.md', 'docs/*.md', 'docs/directives/*.md');

# ---- the three lists ----

my %context_of = $config =~ /AP_INIT_\w+\(\s*"(\w+)",\s*\w+,\s*NULL,\s*(\w+)/g;
# httpd's own, which are only listened to; SetHandler has a page, since its
# argument is ours.
my @listened_to = grep { !/^(?:CondReq|SetHandler$)/ } sort keys %context_of;
delete @context_of{@listened_to};
my %page_of = map { m{(\w+)\.md$} => read_file($_) } files('docs/directives/*.md');

# name => what the second column of a table of directives says
sub listed {
    my ($file) = @_;
    my ($table) = read_file($file) =~ /^## Directives\n(.*?)(?=^## |\z)/ms;

    return $table =~ m{^\| \[`?(\w+)[^]]*\]\([^)]*/\w+\.md\) \|\s*([^|]*?)\s*\|}gm;
}

my %in_readme = listed('README.md');
my %in_manual = listed('docs/manual.md');

is_deeply [sort keys %page_of], [sort keys %context_of],
    'each directive of the code has a page, and no other has';
is_deeply [sort keys %in_readme], [sort keys %context_of], 'each stands in README.md';
is_deeply [sort keys %in_manual], [sort keys %context_of], 'each stands in docs/manual.md';

for my $name (@listened_to) {
    like $page_of{SetHandler}, qr/`$name`/, "$name is spoken of where it matters";
}

# ---- a page ----

my %contexts = (
    OR_FILEINFO => ['server config, virtual host, directory, .htaccess', 'FileInfo'],
    RSRC_CONF => ['server config, virtual host', 'not applicable'],
);

sub headings_of {
    my ($page) = @_;
    my ($block) = $page =~ /^```text\n(Description:.*?)^```/ms;
    return ($block // '') =~ /^(\w+): +(\S.*)$/gm;
}

for my $name (sort keys %page_of) {
    my %heading = headings_of($page_of{$name});

    like $page_of{$name}, qr/\A# $name\n/, "$name: the page bears its name";
    is_deeply [sort keys %heading],
        [sort qw(Description Syntax Default Context Override Status Module)],
        "$name: every heading is there";
    like $heading{Syntax}, qr/^$name /, "$name: its syntax begins with it";
    is_deeply [@heading{qw(Context Override)}], $contexts{$context_of{$name} // ''},
        "$name: context and override are the code's";
    like $page_of{$name}, qr/^## What configtest says\n/m,
        "$name: the page says what configtest says";
}

# ---- defaults ----

sub macro {
    my ($name, @files) = @_;
    for my $file (@files) {
        return $1 if read_file($file) =~ /^#define $name ((?:.*\\\n)*.*)$/m;
    }
    die "no #define $name\n";
}

sub bytes {
    my ($text) = @_;
    my %unit = (K => 1024, M => 1024 * 1024);

    $text =~ s/^\((.*)\)$/$1/;
    return $1 * $unit{$2} if $text =~ /^(\d+)([KM])$/;
    my $product = 1;
    $product *= $_ for $text =~ /\d+/g;
    return $product;
}

# The words of a CONDREQ_ constant in the directive's spelling.
sub word {
    my ($constant, $prefix) = @_;
    return $constant =~ /^CONDREQ_${prefix}_(\w+)$/ ? lc $1 : "not a $prefix: $constant";
}

sub argument_of {
    my ($name) = @_;
    my %heading = headings_of($page_of{$name} // '');
    return ($heading{Default} // '') =~ /^$name (.*)$/ ? $1 : '';
}

# How each field that condreq_dir_conf_create() sets is said in the manual.
my %said_of = (
    'rules.strategy.kind' => sub { CondReqETag => word($_[0], 'STRATEGY') },
    'rules.last_modified' => sub { CondReqLastModified => $_[0] ? 'On' : 'Off' },
    'rules.evaluate' => sub { CondReqEvaluate => word($_[0], 'EVALUATE') },
    'rules.put_only' => sub {
        # not a word of its own; put_merge is not set: replace
        CondReqPut => $_[0] eq 'CONDREQ_PUT_ANY' ? 'replace' : "? $_[0]";
    },
    'rules.max_body' => sub { CondReqMaxBody => bytes(macro($_[0], 'httpd/config.c')) },
    'rules.json.max_depth' =>
        sub { CondReqMaxDepth => bytes(macro($_[0], 'httpd/config.c')) },
    'require' => sub { CondReqRequire => word($_[0], 'REQUIRE') },
    'patches' => sub { CondReqPatch => $_[0] ? 'On' : 'Off' },
    'conflict' => sub { CondReqConflict => word($_[0], 'CONFLICT') },
    'ids' => sub { CondReqIds => word($_[0], 'IDS') },
);
# Said in the page's text.
my %in_prose = (
    'require_methods' => 'CondReqRequire',
);
# What stays zero.
my %zero = (CondReqMembers => 'none', CondReqTypes => 'JSON', CondReqLocks => 'Off');

my ($create) = $config =~ /^void \*condreq_dir_conf_create\(.*?\n\{\n(.*?)^\}/ms;
my %set = $create =~ /^    conf->([\w.]+) =\s+([^;]+);/gm;
ok %set, 'condreq_dir_conf_create() was found';

# Limits are settled from what the host and .htaccess files said, if anything.
my ($settle) = $config =~ /^static void settle_limits\(.*?\n\{\n(.*?)^\}/ms;
%set = (%set, $settle =~ /^    conf->([\w.]+) = limit_of\(&conf->\w+, (\w+)\);/gm);
for my $limit (qw(max_body max_depth)) {
    is delete $set{"$limit.cap"}, 'APR_SIZE_MAX', "no .htaccess has lowered $limit yet";
}

my %default = %zero;
for my $field (sort keys %set) {
    next if $in_prose{$field};
    ok $said_of{$field}, "the default of $field is known to this test" or next;
    my ($name, $value) = $said_of{$field}->($set{$field});
    $default{$name} = $value;
}
for my $name (sort keys %default) {
    my $said = argument_of($name);

    is $name =~ /MaxBody|MaxDepth/ ? bytes($said) : $said, $default{$name},
        "$name: its default is the code's";
}

my ($default_store) = read_file('httpd/config.c') =~ /^void condreq_store_defaults\(.*?^\}/ms
    ? $& : '';
my ($directory) = macro('DEFAULT_STORE', 'httpd/stores.c') =~ /"(.*)"/;
my ($durability) = $default_store =~ /durability = CONDREQ_(\w+);/;
my ($mebibytes) = bytes(macro('DEFAULT_CACHE', 'httpd/config.c')) / 1024 / 1024;
is argument_of('CondReqStore'),
    "bdb:$directory durability=" . lc($durability) . " cache=${mebibytes}M",
    'CondReqStore: its default is the code\'s';

is join(', ', macro('WRITING_METHODS', 'httpd/config.c') =~ /M_([A-Z]+)/g),
    'PUT, PATCH, DELETE', 'CondReqRequire is about three methods';
like $page_of{CondReqRequire}, qr/The methods are PUT, PATCH and DELETE,/,
    'as its page says';

# What CondReqLocks has where it does not say stands in its page's text.
for my $row (
    [DEFAULT_LOCK_TIMEOUT => 600 => qr/`default`:[^.]*\. 10 minutes\./],
    [DEFAULT_LOCK_TIMEOUT_MAX => 86400 => qr/`max`:[^.]*\. 24 hours\./],
    [DEFAULT_LOCKS_PER_USER => 100 => qr/`per-user`:[^.]*\. 100\./],
    [DEFAULT_LOCKS_PER_HOST => 10000 => qr/`per-host`:[^.]*\. 10000\./],
) {
    my ($macro, $value, $said) = @$row;
    is macro($macro, 'httpd/config.c'), $value, "CondReqLocks: $macro is what its page says";
    like $page_of{CondReqLocks}, $said, 'and the page says it';
}

for my $name (sort keys %in_readme) {
    my ($said) = $in_readme{$name} =~ /`(.*)`/;
    next if $name eq 'SetHandler';
    is $said, (split ' ', argument_of($name))[0], "$name: README.md has the same default";
}

# ---- links ----

for my $page (@pages) {
    my ($directory) = $page =~ m{^(.*/)?[^/]*$};
    my @broken = grep { !m{^https?:} && !-e root() . '/' . ($directory // '') . $_ }
        read_file($page) =~ /\]\(([^)#\s]+)/g;

    is_deeply \@broken, [], "$page links to nothing that is not there";
}

done_testing;
