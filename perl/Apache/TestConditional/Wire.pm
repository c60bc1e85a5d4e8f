package Apache::TestConditional::Wire;

# One connection, byte by byte: for requests that no client library would send,
# and answers that come before a request has ended.

use strict;
use warnings;

use IO::Select;
use IO::Socket::IP;

use Apache::TestConditional::Response;

our $VERSION = '1.00';

# How long an answer may take. A test that waits for one in vain fails then.
our $PATIENCE_S = 20;

sub connect {
    my ($class, $host, $port) = @_;
    my $socket = IO::Socket::IP->new(
        PeerHost => $host,
        PeerPort => $port,
        Type     => SOCK_STREAM,
        Timeout  => $PATIENCE_S,
    ) or die "no connection to $host port $port: $@\n";

    $socket->autoflush(1);
    return bless { socket => $socket, host => "$host:$port", received => '' }, $class;
}

# Bytes as they are. The other side may have gone; its answer then tells.
sub send {
    my ($self, @bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $bytes = join '', @bytes;

    while (length $bytes) {
        my $sent = syswrite $self->{socket}, $bytes;
        return $self unless defined $sent;
        substr($bytes, 0, $sent) = '';
    }
    return $self;
}

# A request line and fields, with a Host field where none is given. Nothing of a
# body, nothing that announces one.
sub send_head {
    my ($self, $request_line, @fields) = @_;

    unshift @fields, "Host: $self->{host}" unless grep { /^Host:/i } @fields;
    ($self->{method}) = $request_line =~ /^(\S+)/;
    return $self->send(map { "$_\r\n" } $request_line, @fields, '');
}

# No more will be sent, but answers are still read.
sub finish { shutdown $_[0]{socket}, 1; return $_[0] }

sub close { close $_[0]{socket}; return }

# More bytes into the buffer: how many; 0 at the end, undef where patience ends.
sub _receive {
    my ($self) = @_;

    return unless IO::Select->new($self->{socket})->can_read($PATIENCE_S);
    return sysread($self->{socket}, $self->{received}, 65536, length $self->{received}) // 0;
}

sub _take_until {
    my ($self, $pattern) = @_;

    while (1) {
        return substr $self->{received}, 0, $+[0], '' if $self->{received} =~ $pattern;
        return unless $self->_receive;
    }
}

sub _take {
    my ($self, $length) = @_;

    while (length $self->{received} < $length) {
        last unless $self->_receive;
    }
    return substr $self->{received}, 0, $length, '';
}

sub _take_chunks {
    my ($self) = @_;
    my $body = '';

    while (defined(my $line = $self->_take_until(qr/\n/))) {
        my $length = hex(($line =~ /^([0-9a-f]+)/i)[0] // 0);
        last unless $length;
        $body .= $self->_take($length);
        $self->_take(2);
    }
    $self->_take_until(qr/^\r?\n|\r?\n\r?\n/);
    return $body;
}

sub _take_all {
    my ($self) = @_;

    1 while $self->_receive;
    return substr $self->{received}, 0, length $self->{received}, '';
}

# RFC 9112 section 6.3.
sub _take_body {
    my ($self, $answer) = @_;
    my $length = $answer->header('Content-Length');

    return '' if $answer->code =~ /^1|^[23]04$/ || ($self->{method} // '') eq 'HEAD';
    return $self->_take_chunks if lc($answer->header('Transfer-Encoding') // '') eq 'chunked';
    return defined $length ? $self->_take($length) : $self->_take_all;
}

# The next answer, an interim one (100) too; undef where none comes.
sub answer {
    my ($self) = @_;
    my $head = $self->_take_until(qr/\r?\n\r?\n/) or return;
    my $answer = Apache::TestConditional::Response->from_head($head) or return;

    $answer->{body} = $self->_take_body($answer);
    return $answer;
}

# What comes behind the last answer until the other side closes.
sub rest { $_[0]->_take_all }

# Does the other side close without a further byte?
sub is_closed {
    my ($self) = @_;
    my $got = $self->{received} eq '' && $self->_receive;
    return defined $got && $got eq '0';
}

1;

__END__

=head1 NAME

Apache::TestConditional::Wire - one HTTP/1.1 connection, byte by byte

=head1 SYNOPSIS

    use Apache::TestConditional ':all';

    my $wire = wire();
    $wire->send_head('PUT /documents/1 HTTP/1.1',
        'If-Match: "stale"', 'Content-Length: 1000');
    is $wire->answer, 412, 'a stale writer is told before it has sent anything';

=head1 METHODS

=over

=item connect($host, $port)

A new connection; dies where there is none. C<wire()> of
L<Apache::TestConditional> makes one to the server under test.

=item send(@bytes)

Sends bytes as they are.

=item send_head($request_line, @fields)

Sends a request line and fields, each without its CRLF, and the empty line. A
Host field is added where none is given, and nothing else.

=item finish

Says that no more will be sent. Answers can still be read.

=item close

Closes both directions.

=item answer

The next answer as an L<Apache::TestConditional::Response>, interim ones
(C<100 Continue>) too. undef where none comes.

=item rest

The bytes behind the last answer, until the server closes.

=item is_closed

Whether the server closes the connection without a further byte.

=back

C<$Apache::TestConditional::Wire::PATIENCE_S> says how many seconds an answer may
take, 20 if it is not set.

=cut
