package Responder;

# A small server of versioned documents, right, or wrong in one way that has a
# name: what the checks of Apache::TestConditional are checked with. It shares
# nothing with mod_condreq or with those checks but the RFC.

use strict;
use warnings;

use Fcntl ':flock';
use File::Temp ();
use HTTP::Date qw(str2time time2str);
use IO::Socket::INET;
use POSIX ();
use Storable ();

sub start {
    my ($class, $fault) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
        or die "no socket: $@";
    my $self = bless {
        fault    => $fault // 'none',
        listener => $listener,
        place    => File::Temp->newdir,
    }, $class;

    $self->{pid} = fork() // die "fork: $!";
    $self->_accept unless $self->{pid};
    return $self;
}

sub url { my ($self, $path) = @_; return 'http://127.0.0.1:' . $self->{listener}->sockport . $path }

sub stop {
    my ($self) = @_;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

sub _is { my ($self, $fault) = @_; return $self->{fault} eq $fault }

# ---- connections ----

sub _accept {
    my ($self) = @_;

    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $self->{listener}->accept or next;
        next if fork();
        1 while $self->_answer_one($client);
        close $client;
        POSIX::_exit(0);
    }
}

sub _answer_one {
    my ($self, $client) = @_;
    my ($method, $path) = (readline($client) // '') =~ /^(\S+) (\S+)/ or return 0;
    my %field;

    while (my ($name, $value) = (readline($client) // '') =~ /^([^:\r]+):\s*(.*?)\s*\r\n/) {
        $field{ lc $name } = $value;
    }
    read $client, my $body, $field{'content-length'} // 0;
    my ($code, $answer, @fields) = $self->_respond($method, $path, $body, \%field);
    my $bodiless = $code == 204 || $code == 304 || $method eq 'HEAD';
    push @fields, 'Content-Length: ' . length $answer unless $code == 204 || $code == 304;
    $bodiless = 0 if $code == 304 && $self->_is('304 with content');
    $bodiless = 0 if $method eq 'HEAD' && $code == 200 && $self->_is('HEAD with content');
    print $client join "\r\n", "HTTP/1.1 $code So", 'Date: ' . time2str(time), @fields, '',
        $bodiless ? '' : $answer;
    return ($field{connection} // '') !~ /close/i;
}

# ---- documents ----

# Runs code while nobody else touches a document.
sub _alone {
    my ($self, $code) = @_;
    open my $lock, '>', "$self->{place}/lock" or die "lock: $!";
    flock $lock, LOCK_EX;
    return $code->();
}

sub _file { my ($self, $path) = @_; $path =~ s{/}{+}g; return "$self->{place}/$path" }

sub _load {
    my ($self, $path) = @_;
    my $file = $self->_file($path);
    return -e $file ? Storable::retrieve($file) : { version => 0, date_s => 0 };
}

sub _store {
    my ($self, $path, $body) = @_;
    my $old = $self->_load($path);
    my $now = time;
    my $date_s = $old->{date_s} < $now ? $now : $old->{date_s} + ($old->{date_s} <= $now);

    $date_s = $now                 if $self->_is('dates by the clock');
    $old->{version} = 0            if $self->_is('versions begin again') && !defined $body;
    $body = '{"somebody":"else"}'  if defined $body && $self->_is('other content is kept');
    Storable::nstore({ version => $old->{version} + 1, body => $body, date_s => $date_s },
        $self->_file($path));
    return;
}

sub _tag {
    my ($self, $document) = @_;
    return '"' . length($document->{body}) . '"' if $self->_is('tags by length');
    return ($self->_is('weak tags') ? 'W/' : '') . qq("v$document->{version}");
}

# ---- RFC 9110 section 13 ----

sub _matches {
    my ($self, $list, $tag, $weakly) = @_;

    return 1 if $list eq '*';
    s{^W/}{} for $weakly ? $tag : ();
    for my $listed ($list =~ m{((?:W/)?"[^"]*")}g) {
        $listed =~ s{^W/}{} if $weakly;
        return 1 if $listed eq $tag;
    }
    return 0;
}

sub _date {
    my ($self, $text) = @_;
    return undef if !defined $text || $self->_is('one form of date') && $text !~ /^..., \d\d /;
    return scalar str2time($text);
}

sub _precondition {
    my ($self, $method, $field, $document) = @_;
    my $safe   = $method =~ /^(?:GET|HEAD)$/;
    my $exists = defined $document->{body};
    my $tag    = $exists && $self->_tag($document);
    my ($since, $until) = map { $self->_date($field->{"if-$_-since"}) } qw(modified unmodified);
    my ($match, $none)  = map { $field->{$_} } qw(if-match if-none-match);

    undef $match if $self->_is('If-Match is ignored');
    undef $none  if $method eq 'HEAD' && $self->_is('HEAD is never 304');
    if (defined $match) {
        my $holds = $exists && $self->_matches($match, $tag, $self->_is('If-Match is weak'));
        return $self->_is('stale is 409') ? 409 : 412 unless $holds;
        undef $until unless $self->_is('If-Unmodified-Since beside If-Match');
    }
    return 412 if defined $until && $exists && $document->{date_s} > $until;
    if (defined $none) {
        my $known = $exists && $self->_matches($none, $tag, !$self->_is('If-None-Match is strong'));
        my $status = $safe && !$self->_is('GET is answered 412') ? 304 : 412;
        return $status if $known && !$self->_is('never 304');
        undef $since unless $self->_is('If-Modified-Since beside If-None-Match');
    }
    undef $since unless $safe || $self->_is('If-Modified-Since for PUT');
    undef $since if !$exists || $safe && $document->{date_s} > time;
    return $safe ? 304 : 412 if defined $since && $document->{date_s} <= $since;
    return;
}

sub _range {
    my ($self, $field, $document) = @_;
    my ($from, $to) = ($field->{range} // '') =~ /^bytes=(\d+)-(\d+)$/ or return;
    my $condition = $field->{'if-range'};

    return if defined $condition && $condition ne $self->_tag($document)
        && !$self->_is('If-Range is ignored');
    return ($from, $to);
}

# ---- methods ----

sub _respond {
    my ($self, $method, $path, $body, $field) = @_;

    return $self->_post($path, $body) if $method eq 'POST';
    return $self->_read($method, $path, $field) if $method =~ /^(?:GET|HEAD)$/;
    return $self->_write($method, $path, $body, $field) if $method =~ /^(?:PUT|DELETE)$/;
    return (405, '');
}

sub _validators {
    my ($self, $document, $code) = @_;
    my @fields = ('Cache-Control: max-age=0');

    @fields = () if $code == 304 && $self->_is('304 without Cache-Control');
    push @fields, 'ETag: ' . $self->_tag($document)
        unless $code == 304 && $self->_is('304 without ETag') || $self->_is('no tags');
    push @fields, 'Last-Modified: ' . time2str($document->{date_s}) if $document->{date_s} <= time;
    return @fields;
}

sub _read {
    my ($self, $method, $path, $field) = @_;
    my $document = $self->_alone(sub { $self->_load($path) });
    my $exists   = defined $document->{body};
    my $status   = $self->_precondition($method, $field, $document);

    return (404, '') unless $exists || $status && $self->_is('preconditions before 404');
    return ($status, $document->{body} // '', $self->_validators($document, $status)) if $status;
    my @fields = $self->_validators($document, 200);
    @fields = grep { !/^ETag/ } @fields if $method eq 'HEAD' && $self->_is('HEAD without ETag');
    my ($from, $to) = $method eq 'GET' ? $self->_range($field, $document) : ();
    return (200, $document->{body}, @fields) unless defined $from;
    return (206, substr($document->{body}, $from, $to - $from + 1), @fields,
        "Content-Range: bytes $from-$to/" . length $document->{body});
}

sub _decide {
    my ($self, $method, $path, $field) = @_;
    my $document = $self->_load($path);
    my $exists   = defined $document->{body};

    return 404 if $method eq 'DELETE' && !$exists;
    return 412 if $self->_is('nobody wins') && $field->{'if-match'};
    return $self->_precondition($method, $field, $document)
        || ($method eq 'DELETE' ? 204 : $exists ? 200 : 201);
}

# Deciding and writing are one step, or this is the fault that is looked for.
sub _write {
    my ($self, $method, $path, $body, $field) = @_;
    my $store  = sub { $self->_store($path, $method eq 'PUT' ? $body : undef) };
    my $decide = sub { $self->_decide($method, $path, $field) };
    my $status;

    if ($self->_is('check, then write')) {
        $status = $self->_alone($decide);
        select undef, undef, undef, 0.05;
        $self->_alone($store) if $status < 300;
    }
    else {
        $self->_alone(sub {
            $status = $decide->();
            $store->() if $status < 300 || $status == 412 && $self->_is('412 that writes');
        });
    }
    return ($status, '');
}

sub _post {
    my ($self, $path, $body) = @_;
    my $number = $self->_alone(sub {
        $self->_store("$path.count", '');
        my $count = $self->_load("$path.count")->{version};
        $self->_store("$path$count", $body);
        return $count;
    });

    $number = 1          if $self->_is('one Location for all');
    $number = 'nowhere'  if $self->_is('Location of nothing');
    return (201, '', "Location: $path$number");
}

1;
