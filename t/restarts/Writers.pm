# Clients that write while something happens to their server, and what they
# were told: a process each, and a line for each answer, so that all of it
# survives whatever happens.
package Writers;

use strict;
use warnings;

use File::Temp;
use POSIX ();
use RestartedHttpd;
use Sources 'read_file';

# @param paths  the collections that they write to, else one
sub start {
    my ($class, $httpd, %given) = @_;
    my $self = bless { httpd => $httpd, records => File::Temp->newdir, count => $given{count} // 4 }, $class;

    $self->{paths} = $given{paths} // ['/docs'];
    $self->{pids} = [map { $self->_start($_) } 1 .. $self->{count}];
    return $self;
}

sub _start {
    my ($self, $writer) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    eval { $self->_write($writer); 1 } or warn $@;
    POSIX::_exit(0);
}

# A document that is new, and one that is the writer's own and counts: each
# number stands upon the one before, by its tag.
sub _write {
    my ($self, $writer) = @_;
    my ($httpd, $ended, %tags) = ($self->{httpd}, 0);
    local $SIG{TERM} = sub { $ended = 1 };

    open my $record, '>', "$self->{records}/$writer" or die "$writer: $!";
    $record->autoflush(1);
    for (my $number = 1; !$ended; $number++) {
        for my $document (map { ("$_/w$writer-$number", "$_/w$writer") } @{ $self->{paths} }) {
            my $tag = $tags{$document};
            my $answer = $httpd->ask('PUT', $document, $tag ? { 'If-Match' => $tag } : {}, qq({"number":$number}));

            # Without an answer nobody knows what is there.
            $tags{$document} = $document =~ /-/ ? undef : $answer->{headers}{etag};
            print $record "$document $number $answer->{status}\n";
        }
    }
    return;
}

sub answers {
    my ($self) = @_;
    return map { my $file = "$self->{records}/$_"; map { [split / /] } split /\n/, -e $file ? read_file($file) : '' }
        1 .. $self->{count};
}

# Each of them goes on after whatever happened.
sub go_on {
    my ($self) = @_;
    my $written = sub {
        my $file = "$self->{records}/$_[0]";
        return -e $file ? scalar(() = read_file($file) =~ / 20[01]$/mg) : 0;
    };
    my @before = map { $written->($_) } 1 .. $self->{count};
    return RestartedHttpd::until_true(sub { !grep { $written->($_) < $before[$_ - 1] + 10 } 1 .. $self->{count} });
}

sub end {
    my ($self) = @_;
    kill TERM => @{ $self->{pids} };
    waitpid $_, 0 for splice @{ $self->{pids} };
    return $self;
}

# @return how often each status came that was no success
sub failures {
    my ($self) = @_;
    my %failures;
    $failures{ $_->[2] }++ for grep { $_->[2] !~ /^20[01]$/ } $self->answers;
    return \%failures;
}

# Documents that are not there as they were last acknowledged, or in a state
# that nobody asked for later.
sub lost {
    my ($self) = @_;
    my (%acknowledged, %asked);

    for ($self->answers) {
        my ($document, $number, $status) = @$_;
        $asked{$document} = $number;
        $acknowledged{$document} = $number if $status =~ /^2/;
    }
    return grep {
        my ($is) = $self->{httpd}->get($_) =~ /"number":(\d+)/;
        !defined $is || $is < $acknowledged{$_} || $is > $asked{$_};
    } sort keys %acknowledged;
}

sub DESTROY { local ($?, $!); return $_[0]->end }

1;
