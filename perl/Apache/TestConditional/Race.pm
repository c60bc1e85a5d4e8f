package Apache::TestConditional::Race;

# Requests that start together, each from a client of its own. Knows processes
# and curl; nothing of what is asked.

use strict;
use warnings;

use Carp 'croak';
use Exporter 'import';
use File::Temp ();
use POSIX ();
use Storable ();

use Apache::TestConditional::Request qw(HEAD absolute_url field_lines request user_agent);
use Apache::TestConditional::Response;

our $VERSION   = '1.00';
our @EXPORT_OK = qw(race together);

# A client that got no answer for so long has lost the race for good.
my $PATIENCE_S = 120;

# ---- processes that start together ----

# In the client: ready, steady, go, and what the code returns to the parent.
sub _run_client {
    my ($code, $gate, $to_parent) = @_;
    my $result = eval {
        alarm $PATIENCE_S;
        user_agent(user_agent()->clone);
        user_agent()->conn_cache({ total_capacity => 4 });
        $code->(sub { syswrite $to_parent, '.'; sysread $gate, my $nothing, 1 });
    };
    print $to_parent Storable::nfreeze([$result, $@]);
    close $to_parent;
    # No END block and no destructor of the test's own is for this process.
    POSIX::_exit(0);
}

sub _start_client {
    my ($code, $gate, $gate_bar) = @_;

    pipe my $from_client, my $to_parent or die "pipe: $!";
    binmode $_ for $from_client, $to_parent;
    my $pid = fork() // die "fork: $!";
    if (!$pid) {
        close $gate_bar;
        close $from_client;
        _run_client($code, $gate, $to_parent);
    }
    close $to_parent;
    return { pid => $pid, from => $from_client };
}

sub _result_of {
    my ($client) = @_;
    local $/;
    my $frozen = readline $client->{from};

    waitpid $client->{pid}, 0;
    croak 'a client ended without a result' unless length $frozen;
    my ($result, $trouble) = @{ Storable::thaw($frozen) };
    croak $trouble if $trouble;
    return $result;
}

# Runs each piece of code in a process of its own. Each calls its argument when
# it is ready; that returns, in all of them at once, when all are.
sub together {
    my (@code) = @_;

    pipe my $gate, my $gate_bar or die "pipe: $!";
    my @clients = map { _start_client($_, $gate, $gate_bar) } @code;
    sysread $_->{from}, my $ready, 1 for @clients;
    # The end of file reaches all who wait at once.
    close $gate_bar;
    return map { _result_of($_) } @clients;
}

# ---- over HTTP/1.1 ----

# The connection is there before the race begins.
sub _racer {
    my ($method, $url, $body, %field) = @{ $_[0] };

    return sub {
        my ($wait_for_all) = @_;
        HEAD($url, %field{ grep { /^authorization$/i } keys %field });
        $wait_for_all->();
        return request($method, $url, $body, %field);
    };
}

# ---- over HTTP/2 ----

sub _quote {
    my ($text) = @_;
    $text =~ s/(["\\])/\\$1/g;
    return qq("$text");
}

sub _write_file {
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file or die "$path: $!";
    return;
}

sub _read_file {
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/;
    return readline($file) // '';
}

# One transfer in curl's configuration, its files named by the path.
sub _transfer {
    my ($path, $method, $url, $body, %field) = @_;
    my @options = (
        'http2-prior-knowledge', 'url = ' . _quote(absolute_url($url)),
        $method eq 'HEAD' ? 'head' : "request = $method",
        "max-time = $PATIENCE_S",
        'output = ' . _quote("$path.body"), 'dump-header = ' . _quote("$path.head"),
    );

    if (defined $body) {
        _write_file("$path.sent", $body);
        push @options, 'data-binary = ' . _quote("\@$path.sent");
        $field{content_type} = 'application/json' unless exists $field{content_type};
    }
    push @options, map { 'header = ' . _quote("$_->[0]: $_->[1]") } field_lines(%field);
    return join "\n", @options, '';
}

sub _received {
    my ($path) = @_;
    my $answer = Apache::TestConditional::Response->from_head(_read_file("$path.head"))
        or croak 'curl received no answer over HTTP/2';

    $answer->{body} = _read_file("$path.body");
    return $answer;
}

# A connection for each: curl 7.88 fails to share one that it did not negotiate.
sub _race_h2c {
    my (@requests) = @_;
    my $place = File::Temp->newdir;
    my @paths = map { "$place/$_" } 0 .. $#requests;

    _write_file("$place/config",
        join "next\n", map { _transfer($paths[$_], @{ $requests[$_] }) } 0 .. $#requests);
    my $trouble = qx(curl -q -sS --noproxy '*' --parallel --parallel-immediate \\
        --parallel-max 100 -K $place/config 2>&1);
    croak "curl: $trouble" if $? == -1 || $? & 127 || $? >> 8;
    return map { _received($_) } @paths;
}

# Sends all requests at once, [method, url, body, field => value, ...] each, and
# returns their answers in the same order.
sub race {
    my ($over, @requests) = @_;

    return together(map { _racer($_) } @requests) if $over eq 'http/1.1';
    return _race_h2c(@requests)                   if $over eq 'h2c';
    croak "over => '$over': write http/1.1 or h2c";
}

1;
