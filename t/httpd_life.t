# Restarts, graceful and hard, while clients write: what was acknowledged is
# there, two generations of children work on one store, and one keeper is left.
use strict;
use warnings;

use Apache::Test ();
use File::Find 'find';
use POSIX '_exit';
use Test::More;

use Apache::TestConditional ':all';

my ($log, $state) = (Apache::Test::vars('t_logs') . '/error_log', Apache::Test::vars('t_state'));

sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    local $/;
    return scalar(<$file>) // '';
}

my ($parent) = read_file(Apache::Test::vars('t_pid_file')) =~ /(\d+)/;

# Waits, as long as it may take a machine at work, until something is so.
sub until_true {
    my ($is_true) = @_;
    for (1 .. 600) {
        return 1 if $is_true->();
        select undef, undef, undef, 0.1;
    }
    return 0;
}

sub starts { return scalar(() = read_file($log) =~ /resuming normal operations/g) }

sub restart {
    my ($signal) = @_;
    my $before = starts;

    kill $signal => $parent;
    return until_true(sub { starts > $before });
}

# ---- writers ----

my $directory = Apache::Test::vars('t_logs');

# A line for each answer, so that all of it survives whatever happens to the
# writer: what was asked, and the status, or none where no answer came.
sub write_until_ended {
    my ($writer) = @_;
    my $ended = 0;
    local $SIG{TERM} = sub { $ended = 1 };

    open my $record, '>', "$directory/writer-$writer" or die "$writer: $!";
    $record->autoflush(1);
    for (my $number = 1; !$ended; $number++) {
        for my $document ("new-$number", 'same') {
            my $answer = eval { PUT "/docs/life/$writer/$document", qq({"number":$number}) };
            print $record join(' ', $document, $number, $answer ? $answer->code : 'none'), "\n";
        }
    }
    return;
}

sub start_writer {
    my ($writer) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    eval { write_until_ended($writer); 1 } or warn $@;
    _exit(0);
}

sub written { return scalar(() = read_file("$directory/writer-$_[0]") =~ / 20[01]$/mg) }

# Each writer goes on after whatever happened.
sub all_go_on {
    my @before = map { written($_) } @_;
    return until_true(sub { !grep { written($_[$_]) < $before[$_] + 10 } 0 .. $#_ });
}

my @writers = 1 .. 4;
my @pids    = map { start_writer($_) } @writers;

ok all_go_on(@writers), 'four clients write';
for my $signal (qw(USR1 USR1 HUP USR1 HUP)) {
    ok restart($signal), "SIG$signal: httpd restarts";
    ok all_go_on(@writers), "SIG$signal: all clients go on writing";
}
kill TERM => @pids;
waitpid $_, 0 for @pids;

for my $writer (@writers) {
    my (%acknowledged, %asked, %status);

    for my $line (split /\n/, read_file("$directory/writer-$writer")) {
        my ($document, $number, $status) = split / /, $line;
        $status{$status}++;
        $asked{$document} = $number;
        $acknowledged{$document} = $number if $status =~ /^2/;
    }
    my @lost = grep {
        my $document = $_;
        my $there = GET "/docs/life/$writer/$document";
        my $is = $there == 200 ? $there->json->{number} : 0;
        $is < $acknowledged{$document} || $is > $asked{$document};
    } sort keys %acknowledged;

    ok keys %acknowledged > 2 && !@lost,
        "client $writer: of " . keys(%acknowledged) . ' documents each is there as it was last acknowledged'
        or diag "lost: @lost";
    # A hard restart cuts connections; else there is an answer, and it is good.
    delete @status{qw(200 201 none)};
    is_deeply \%status, {}, "client $writer: no answer was an error";
}

# ---- two generations of children at once ----

resource '/docs/life/generations' => '{"number":1}';

# Content that is half sent keeps its child, of the old generation, alive.
sub begin {
    my ($path, @fields) = @_;
    my $wire = wire;
    $wire->send_head("PUT $path HTTP/1.1", 'Content-Type: application/json', 'Content-Length: 12', @fields);
    return $wire->send('{"number"');
}
my $creates = begin('/docs/life/old', 'If-None-Match: *');
my $updates = begin('/docs/life/generations', 'If-Match: "1"');
my $loses   = begin('/docs/life/generations', 'If-Match: "1"');

ok restart('USR1'), 'a graceful restart while clients send';
$creates->send(':2}');
is $creates->answer, 201, 'the old generation ends what it began';
is GET('/docs/life/old')->body, '{"number":2}', 'and the new one sees it';
$updates->send(':2}');
is $updates->answer, 200, 'it may also update';
is PUT('/docs/life/generations', '{"number":3}', if_match => '"1"'), 412, 'so that a writer to the new one is late';
is PUT('/docs/life/generations', '{"number":3}', if_match => '"2"'), 200, 'or not';
$loses->send(':4}');
is $loses->answer, 412, 'and a writer to the old one is late in turn';
is GET('/docs/life/generations')->body, '{"number":3}', 'what the last one wrote is there';

# ---- what is left ----

# The processes of a name whose parent is httpd's.
sub children {
    my ($name) = @_;
    return grep { read_file("/proc/$_/stat") =~ /^\d+ \(\Q$name\E\) \S (\d+)/ && $1 == $parent }
        map { m{(\d+)} } glob '/proc/[0-9]*';
}
ok until_true(sub { children('condreq-keeper') == 4 }), 'two keepers are left for each of the two stores';
unlike read_file($log), qr/CR1[12]\d\d/, 'nothing went wrong with the store';

my ($keeper) = children('condreq-keeper');

kill TERM => $keeper;
ok until_true(sub { my @keepers = children('condreq-keeper'); @keepers == 4 && !grep { $_ == $keeper } @keepers }),
    'when it ends, another takes its place';
is PUT('/docs/life/generations', '{"number":4}', if_match => '"3"'), 200, 'and writers need not know';

my @open_to_others;
find(sub {
    my ($mode, $owner) = (lstat)[2, 4];
    push @open_to_others, $File::Find::name if $mode & 077 || $owner != $>;
}, "$state/store", "$state/apart");
is_deeply \@open_to_others, [], 'the store belongs to httpd\'s user, and is for no other to read';

done_testing;
