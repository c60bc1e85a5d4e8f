package Apache::TestConditional::Response;

# An answer, however it came: from LWP, from curl's files, from a socket.
# Compares as its status code, so that tests read "is PUT(...), 412, '...'".

use strict;
use warnings;

use overload '""' => sub { $_[0]->code }, fallback => 1;

our $VERSION = '1.00';

sub new {
    my ($class, %part) = @_;
    return bless { body => '', fields => [], %part }, $class;
}

# The fields of an HTTP::Response, without those that LWP adds.
sub from_lwp {
    my ($class, $answer) = @_;
    my @fields;

    $answer->headers->scan(sub {
        my ($name, $value) = @_;
        push @fields, [$name, $value] unless $name =~ /^Client-/i;
    });
    return $class->new(
        code   => $answer->code,
        fields => \@fields,
        body   => $answer->content,
    );
}

# A status line and fields, as they came over the wire.
sub from_head {
    my ($class, $head) = @_;
    my ($status_line, @lines) = split /\r?\n/, $head;
    my ($code) = ($status_line // '') =~ m{^HTTP/\d(?:\.\d)? (\d{3})};
    my @fields = map { /^([^:]+):[ \t]*(.*?)[ \t]*$/ ? [$1, $2] : () } @lines;

    return $code && $class->new(code => $code, fields => \@fields);
}

sub code { $_[0]{code} }
sub body { $_[0]{body} }

sub is_success { $_[0]->code =~ /^2/ }

# In a list each line's value, else all of them as one (RFC 9110 section 5.3).
sub header {
    my ($self, $name) = @_;
    my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $self->{fields} };

    return @values if wantarray;
    return @values ? join(', ', @values) : undef;
}

sub etag          { scalar $_[0]->header('ETag') }
sub last_modified { scalar $_[0]->header('Last-Modified') }

# The body as data; undef where it is no JSON.
sub json {
    my ($self) = @_;
    require JSON::PP;
    return eval { JSON::PP->new->utf8->allow_nonref->decode($self->body) };
}

sub as_string {
    my ($self) = @_;
    return join "\n", $self->code, (map { "$_->[0]: $_->[1]" } @{ $self->{fields} }),
        '', $self->body;
}

1;

__END__

=head1 NAME

Apache::TestConditional::Response - an answer that compares as its status code

=head1 SYNOPSIS

    my $answer = GET '/documents/1';

    is $answer, 200, 'the document is there';
    is $answer->etag, '"1"', 'under its first tag';
    is $answer->json->{title}, 'First', 'with its title';

=head1 METHODS

Objects come from the request functions of L<Apache::TestConditional> and from
L<Apache::TestConditional::Wire>. As a string, and so in C<is>, C<eq> and C<==>,
an answer is its status code.

=over

=item code

The status code.

=item is_success

Whether it is 2xx.

=item header($name)

The value of a field, undef where it is absent. A field that was sent on several
lines is one value, joined by commas, in scalar context, and a list of values in
list context.

=item etag, last_modified

The values of those two.

=item body

The content's bytes, without transfer coding, with content coding.

=item json

The content as Perl data, undef where it is no JSON.

=item as_string

All of it, for diagnostics.

=back

=cut
