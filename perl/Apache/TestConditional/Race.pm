package Apache::TestConditional::Race;

# Requests that start together, each from a client of its own. Knows processes
# and connections; nothing of what is asked.

use strict;
use warnings;

use Carp 'croak';
use Exporter 'import';
use POSIX ();
use Storable ();
use URI;

use Apache::TestConditional::H2 'answers_of_streams';
use Apache::TestConditional::Request qw(HEAD absolute_url field_lines request user_agent);

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

sub _stream {
    my ($method, $url, $body, %field) = @_;

    if (defined $body) {
        $field{content_type}   = 'application/json' unless exists $field{content_type};
        $field{content_length} = length $body       unless exists $field{content_length};
    }
    return [$method, URI->new(absolute_url($url))->path_query, $body, field_lines(%field)];
}

# All clients are streams of one connection.
sub _race_h2c {
    my (@requests) = @_;
    my $server = URI->new(absolute_url($requests[0][1]));

    return answers_of_streams($server->host, $server->port, map { _stream(@$_) } @requests);
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
