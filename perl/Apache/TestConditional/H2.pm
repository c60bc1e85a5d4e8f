package Apache::TestConditional::H2;

# Requests as streams of one HTTP/2 connection, all sent before any answer is
# read: RFC 9113 with prior knowledge (h2c), RFC 7541 without its dynamic table.
# Enough for small requests and answers, and no more. (curl 7.88 loses an answer
# that comes before its request has ended, as a 412 may.)

use strict;
use warnings;

use Carp 'croak';
use Exporter 'import';
use IO::Select;
use IO::Socket::IP;

use Apache::TestConditional::Response;

our $VERSION   = '1.00';
our @EXPORT_OK = qw(answers_of_streams endings_of_streams huffman_decode);

my ($DATA, $HEADERS, $RST_STREAM, $SETTINGS, $PING, $GOAWAY, $WINDOW_UPDATE, $CONTINUATION) =
    (0, 1, 3, 4, 6, 7, 8, 9);
my ($END_STREAM, $ACK, $END_HEADERS, $PADDED, $PRIORITY) = (1, 1, 4, 8, 0x20);
my ($HEADER_TABLE_SIZE, $ENABLE_PUSH, $INITIAL_WINDOW_SIZE) = (1, 2, 4);

my $PATIENCE_S = 120;
# What may be sent without waiting for the other side's window to open.
my $ROOM = 65_535;
my $LARGE_WINDOW = 16 * 1024 * 1024;

# ---- fields: RFC 7541 ----

# Appendix A. The value, where there is one, stands behind the name.
my @static_table = map { [split /=/, $_, 2] } qw(
    :authority= :method=GET :method=POST :path=/ :path=/index.html :scheme=http
    :scheme=https :status=200 :status=204 :status=206 :status=304 :status=400
    :status=404 :status=500 accept-charset= accept-encoding= accept-language=
    accept-ranges= accept= access-control-allow-origin= age= allow= authorization=
    cache-control= content-disposition= content-encoding= content-language=
    content-length= content-location= content-range= content-type= cookie= date=
    etag= expect= expires= from= host= if-match= if-modified-since= if-none-match=
    if-range= if-unmodified-since= last-modified= link= location= max-forwards=
    proxy-authenticate= proxy-authorization= range= referer= refresh= retry-after=
    server= set-cookie= strict-transport-security= transfer-encoding= user-agent=
    vary= via= www-authenticate=
);

# Appendix B, as far as printable characters go: which have codes of so many
# bits. The codes themselves follow, since they count upwards (a canonical code).
my %characters_of_length = (
    5  => '012aceiost',
    6  => ' %-./3456789=A_bdfghlmnpru',
    7  => ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz',
    8  => '&*,;XZ',
    10 => '!"()?',
    11 => q('+|),
    12 => '#>',
    13 => "\0\$@[]~",
    14 => '^}',
    15 => '<`{',
);

sub _huffman_codes {
    my %codes;
    my ($code, $bits) = (0, 0);

    for my $length (sort { $a <=> $b } keys %characters_of_length) {
        $code <<= $length - $bits;
        $bits = $length;
        $codes{ sprintf '%0*b', $bits, $code++ } = $_
            for split //, $characters_of_length{$length};
    }
    return \%codes;
}

my $huffman_codes = _huffman_codes();

sub huffman_decode {
    my ($text, $code) = ('', '');

    for my $bit (split //, unpack 'B*', $_[0]) {
        $code .= $bit;
        next unless defined $huffman_codes->{$code};
        $text .= $huffman_codes->{$code};
        $code = '';
    }
    croak "no character that is known has the code $code" if $code =~ /0/;
    return $text;
}

# Section 5.1: the integer whose prefix has so many bits; what is read is taken.
sub _take_integer {
    my ($bits, $block) = @_;
    my $mask   = 2**$bits - 1;
    my $number = ord(substr $$block, 0, 1, '') & $mask;
    my ($byte, $shift) = (0x80, 0);

    return $number if $number < $mask;
    while ($byte & 0x80) {
        $byte = ord substr $$block, 0, 1, '';
        $number += ($byte & 0x7F) << $shift;
        $shift += 7;
    }
    return $number;
}

# Section 5.2.
sub _take_string {
    my ($block) = @_;
    my $coded  = ord($$block) & 0x80;
    my $length = _take_integer(7, $block);
    my $bytes  = substr $$block, 0, $length, '';

    return $coded ? huffman_decode($bytes) : $bytes;
}

# Section 6. We have told the other side that the dynamic table holds nothing.
sub _fields_of_block {
    my ($block) = @_;
    my @fields;

    while (length $block) {
        my $first = ord $block;
        if ($first & 0x80) {
            my $entry = $static_table[_take_integer(7, \$block) - 1]
                or croak 'an index beyond the static table';
            push @fields, [@$entry];
        }
        elsif (($first & 0xE0) == 0x20) {
            _take_integer(5, \$block);
        }
        else {
            my $index = _take_integer($first & 0x40 ? 6 : 4, \$block);
            my $name  = $index ? $static_table[$index - 1][0] : _take_string(\$block);
            push @fields, [$name, _take_string(\$block)];
        }
    }
    return @fields;
}

# Literals without indexing, without Huffman's code.
sub _block_of_fields {
    my $block = '';

    for my $field (@_) {
        my ($name, $value) = (lc $field->[0], $field->[1]);
        croak "$name is too long for a test" if length $name > 126 || length $value > 8000;
        $block .= "\0" . pack('C/a', $name) . _length_of(length $value) . $value;
    }
    return $block;
}

sub _length_of {
    my ($length) = @_;

    return chr $length if $length < 127;
    $length -= 127;
    return $length < 128
        ? pack('CC',  127, $length)
        : pack('CCC', 127, $length & 0x7F | 0x80, $length >> 7);
}

# ---- frames: RFC 9113 section 4.1 ----

sub _frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $stream) . $payload;
}

sub _preface {
    return join '', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        _frame($SETTINGS, 0, 0, pack '(nN)*', $HEADER_TABLE_SIZE, 0, $ENABLE_PUSH, 0,
            $INITIAL_WINDOW_SIZE, $LARGE_WINDOW),
        _frame($WINDOW_UPDATE, 0, 0, pack 'N', $LARGE_WINDOW);
}

sub _head_of_stream {
    my ($stream, $authority, $method, $path, $body, @fields) = @_;
    my $block = _block_of_fields(
        [':method', $method], [':scheme', 'http'],
        [':authority', $authority], [':path', $path], @fields);

    return _frame($HEADERS, $END_HEADERS | (defined $body ? 0 : $END_STREAM), $stream, $block);
}

sub _take_frame {
    my ($socket, $received) = @_;

    while (1) {
        if (length $$received >= 9) {
            my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $$received;
            my $length = $high << 16 | $low;
            if (length $$received >= 9 + $length) {
                substr $$received, 0, 9, '';
                return ($type, $flags, $stream & 0x7FFFFFFF, substr $$received, 0, $length, '');
            }
        }
        IO::Select->new($socket)->can_read($PATIENCE_S) or croak 'no answer over HTTP/2';
        sysread($socket, $$received, 65536, length $$received)
            or croak 'the other side closed the HTTP/2 connection';
    }
}

sub _without_padding {
    my ($flags, $payload) = @_;

    if ($flags & $PADDED) {
        my $padding = ord substr $payload, 0, 1, '';
        substr($payload, -$padding) = '' if $padding;
    }
    return $payload;
}

# ---- streams ----

# A whole field block: the answer's, unless it is an interim one.
sub _fields_came {
    my ($answer) = @_;
    my @fields = _fields_of_block(delete $answer->{block});
    my ($status) = map { $_->[0] eq ':status' ? $_->[1] : () } @fields;

    return if ($status // 100) < 200;
    @$answer{qw(code fields)} = ($status, [grep { $_->[0] !~ /^:/ } @fields]);
    return;
}

sub _frame_came {
    my ($answers, $socket, $type, $flags, $stream, $payload) = @_;
    my $answer = $answers->{$stream};

    croak 'the other side gave up the HTTP/2 connection' if $type == $GOAWAY;
    if ($type == $SETTINGS || $type == $PING) {
        syswrite $socket, _frame($type, $ACK, 0, $type == $PING ? $payload : '')
            unless $flags & $ACK;
    }
    elsif ($answer && $type == $DATA) {
        $answer->{body} .= _without_padding($flags, $payload);
    }
    elsif ($answer && ($type == $HEADERS || $type == $CONTINUATION)) {
        $payload = _without_padding($flags, $payload) if $type == $HEADERS;
        substr $payload, 0, 5, '' if $type == $HEADERS && $flags & $PRIORITY;
        $answer->{block} .= $payload;
        _fields_came($answer) if $flags & $END_HEADERS;
    }
    # An answer that has ended may be followed by this, which says that no more
    # of the request is wanted (section 8.1).
    elsif ($answer && $type == $RST_STREAM) {
        @$answer{qw(reset ended)} = (1, 1) unless $answer->{ended};
    }
    $answer->{ended} = 1
        if $answer && ($type == $DATA || $type == $HEADERS) && $flags & $END_STREAM;
    return;
}

# What came of requests, [method, path, body, [name, value], ...] each, in the
# same order. The heads of all go out before the content of any.
sub _streams {
    my ($host, $port, @requests) = @_;
    my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Type => SOCK_STREAM)
        or croak "no connection to $host port $port: $@";
    my @streams = map { 1 + 2 * $_ } 0 .. $#requests;
    my %answers = map { $_ => { body => '', block => '' } } @streams;
    my $content = join '', map {
        defined $requests[$_][2] ? _frame($DATA, $END_STREAM, $streams[$_], $requests[$_][2]) : ()
    } 0 .. $#requests;

    croak 'these requests are too large for a test over HTTP/2' if length $content > $ROOM;
    syswrite $socket, join '', _preface(),
        map({ _head_of_stream($streams[$_], "$host:$port", @{ $requests[$_] }) } 0 .. $#requests),
        $content;
    my $received = '';
    _frame_came(\%answers, $socket, _take_frame($socket, \$received))
        while grep { !$_->{ended} } values %answers;
    return @answers{@streams};
}

# The answers to requests, each of which must have one.
sub answers_of_streams {
    my @answers = _streams(@_);

    croak 'a stream was reset before its answer had ended' if grep { $_->{reset} } @answers;
    return map { Apache::TestConditional::Response->new(%$_) } @answers;
}

# The status of each answer, or "reset" where the other side gave the stream up.
sub endings_of_streams {
    return map { $_->{reset} ? 'reset' : $_->{code} } _streams(@_);
}

1;
