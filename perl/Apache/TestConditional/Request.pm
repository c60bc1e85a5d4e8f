package Apache::TestConditional::Request;

# Requests, and what they are about: URLs, fields, bodies. Knows LWP and where
# Apache::Test's server listens; nothing of preconditions.

use strict;
use warnings;

use Carp 'croak';
use Exporter 'import';
use LWP::UserAgent;
use HTTP::Request;
use URI;

use Apache::TestConditional::Response;
use Apache::TestConditional::Wire;

our $VERSION   = '1.00';
our @EXPORT_OK = qw(GET HEAD PUT POST PATCH DELETE OPTIONS request resource wire raw
    absolute_url field_lines user_agent);

my $user_agent;

# The LWP::UserAgent that requests go through, or another in its place.
sub user_agent {
    ($user_agent) = @_ if @_;
    return $user_agent ||= LWP::UserAgent->new(
        agent                 => 'Apache-TestConditional',
        keep_alive            => 4,
        max_redirect          => 0,
        parse_head            => 0,
        requests_redirectable => [],
        send_te               => 0,
        timeout               => 60,
    );
}

# A path is one of Apache::Test's server.
sub absolute_url {
    my ($url) = @_;

    return $url if $url =~ m{^https?://}i;
    # Apache::Test reads files into the caller's $_.
    local $_;
    require Apache::TestRequest;
    return Apache::TestRequest::resolve_url($url);
}

# Fields as lines, [name, value]: if_match => '"1"' is If-Match, an array's
# elements are a line each, undef is none.
sub field_lines {
    my (%field) = @_;
    my @lines;

    for my $name (sort keys %field) {
        my $values = $field{$name};
        (my $written = $name) =~ tr/_/-/;
        push @lines, map { [$written, $_] }
            grep { defined } ref $values ? @$values : $values;
    }
    return @lines;
}

sub request {
    my ($method, $url, $body, %field) = @_;
    my $request = HTTP::Request->new($method, absolute_url($url));

    $field{content_type} = 'application/json'
        if defined $body && !exists $field{content_type};
    $request->headers->push_header(@$_) for field_lines(%field);
    if (defined $body) {
        $request->content($body);
        # LWP says nothing of a content without bytes.
        $request->content_length(length $body);
    }
    my $answer = user_agent()->request($request);
    croak "$method $url: no answer: " . $answer->message
        if ($answer->header('Client-Warning') // '') eq 'Internal response';
    return Apache::TestConditional::Response->from_lwp($answer);
}

sub GET     { my ($url, %field) = @_; return request('GET',     $url, undef, %field) }
sub HEAD    { my ($url, %field) = @_; return request('HEAD',    $url, undef, %field) }
sub DELETE  { my ($url, %field) = @_; return request('DELETE',  $url, undef, %field) }
sub OPTIONS { my ($url, %field) = @_; return request('OPTIONS', $url, undef, %field) }
sub PUT     { return request('PUT',  @_) }
sub POST    { return request('POST', @_) }

# By its content: an array is a JSON Patch, whatever else a merge patch.
sub PATCH {
    my ($url, $body, %field) = @_;

    $field{content_type} = 'application/' . ($body =~ /^\s*\[/ ? 'json-patch' : 'merge-patch') . '+json'
        unless exists $field{content_type};
    return request('PATCH', $url, $body, %field);
}

# A document to test with. One that was there before would make tests depend on
# each other.
sub resource {
    my ($url, $body, %field) = @_;
    my $answer = PUT($url, $body, %field);

    croak "resource $url: PUT answers $answer, where 201 was expected"
        unless $answer == 201;
    return $answer;
}

# A connection to a URL's server, by default to Apache::Test's.
sub wire {
    my $uri = URI->new(absolute_url($_[0] // '/'));

    croak 'a wire is for http alone, not for ' . $uri->scheme
        unless $uri->scheme eq 'http';
    return Apache::TestConditional::Wire->connect($uri->host, $uri->port);
}

# One request as it is written: a line, fields, and the content as a reference.
# On a connection of its own unless one is given first.
sub raw {
    my $wire    = ref $_[0] ? shift : wire();
    my @content = map { ref $_ ? $$_ : () } @_;

    $wire->send_head(grep { !ref } @_);
    return $wire->send(@content)->answer;
}

1;
