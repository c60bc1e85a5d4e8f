# Who may include whom: pure core -> records -> store interface <- stores, the
# write path above them, and the glue, which alone knows httpd, above all.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Sources;
use Test::More;

# The first that matches says where a file belongs.
my @layers = (
    [ctl => qr{^ctl/}],
    [glue => qr{^(?:mod_condreq\.c|include/(?:mod_condreq|condreq_hooks)\.h|httpd/)}],
    [bdb => qr{^lib/bdb/|^$}],
    [mem => qr{^lib/mem/}],
    ['write path' => qr{/condreq_(?:claim|collection|document|draft|locks)\.}],
    ['store interface' => qr{/condreq_(?:store|store_care|trouble|occupancy|lock_sweep)\.}],
    [records => qr{/condreq_(?:record|strategy|lock\w*)\.}],
    [core => qr{^(?:lib|include)/condreq_(?:accept|changed|date|dictionary|digest|edit\w*|etag|eval|if
                                          |json\w*|key|media_type|members|merge|name|number|patch
                                          |pieces|pointer|preconditions|prefer|timeout|uuid)\.}x],
);
my %may_include = (
    core => [qw(core)],
    records => [qw(core records)],
    'store interface' => [qw(core records), 'store interface'],
    bdb => [qw(core records bdb), 'store interface'],
    mem => [qw(core records mem), 'store interface'],
    'write path' => [qw(core records), 'store interface', 'write path'],
    ctl => [qw(core records ctl), 'store interface', 'write path'],
    glue => ['core', 'records', 'store interface', 'write path', 'glue'],
);

my @files = files('*.c', 'include/*.h', 'httpd/*.[ch]', 'ctl/*.[ch]', 'lib/*.[ch]', 'lib/*/*.[ch]');
my %path_of = map { m{([^/]+)$} => $_ } @files;

sub layer_of {
    my ($path) = @_;
    for my $layer (@layers) {
        return $layer->[0] if $path =~ $layer->[1];
    }
    return 'no layer';
}

# httpd's own headers, by name and, where they are installed, by presence.
chomp(my $httpd_headers = qx(apxs -q INCLUDEDIR 2>/dev/null) // '');

sub is_httpds {
    my ($header) = @_;
    return $header =~ m{^(?:httpd|unixd|scoreboard|ap_|http_|util_|mod_|mpm)}
        || ($httpd_headers ne '' && -e "$httpd_headers/$header");
}

for my $file (@files) {
    my $layer = layer_of($file);
    my %allowed = map { $_ => 1 } @{ $may_include{$layer} // [] };
    my @wrong;

    isnt $layer, 'no layer', "$file belongs to a layer";
    for my $header (read_file($file) =~ /^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm) {
        if (my $path = $path_of{$header}) {
            my $target = layer_of($path);
            push @wrong, "$path of the $target" unless $allowed{$target};
        }
        elsif (is_httpds($header)) {
            push @wrong, "httpd's $header" unless $layer eq 'glue';
        }
        elsif ($header eq 'db.h') {
            push @wrong, $header unless $layer eq 'bdb';
        }
        elsif ($header =~ m{/} && $header !~ m{^(?:openssl|sys|linux)/}) {
            push @wrong, "$header, of another library";
        }
    }
    is_deeply \@wrong, [], "$file, of the $layer, includes only what it may know";
}

# The core decides on what it is given: it asks no clock and opens nothing.
for my $file (grep { layer_of($_) eq 'core' } @files) {
    unlike read_file($file),
        qr/\b(?:apr_time_now|time|gettimeofday|clock_gettime|f?open|apr_file_open|getenv)\s*\(/,
        "$file asks nobody but its caller";
}

# Its first lines say what a file knows.
for my $file (grep { /\.c$/ } @files) {
    my ($comment) = read_file($file) =~ m{\A/\* (.*?)\*/}s;

    ok defined $comment, "$file begins with what it is about";
}

done_testing;
