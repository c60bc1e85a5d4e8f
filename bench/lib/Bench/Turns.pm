package Bench::Turns;

# The measuring itself: sides take turns, round after round, so that whatever
# else the machine does meets all of them. Knows servers and loads by what they
# can do; not what they are.

use strict;
use warnings;

use POSIX ();
use Time::HiRes 'sleep';

use Bench::Load;
use Bench::Server::Etcd;
use Bench::Server::Fastify;
use Bench::Server::Httpd;
use Bench::Server::Lighttpd;
use Bench::Server::Nginx;
use Bench::Server::Postgres;

# Cores that others may use while a turn counts as undisturbed.
my $OTHERS_AT_MOST = 0.1;

# @param place, servers (see Bench::Rows), rounds, seconds; patience: how often
#        a disturbed turn is taken again
sub new {
    my ($class, %given) = @_;
    return bless { %given, running => {}, loads => {} }, $class;
}

# ---- servers and loads, started when first needed ----

# @return the server, or undef and what is missing
sub _server {
    my ($self, $name) = @_;

    return $self->{running}{$name} if $self->{running}{$name};
    my ($kind, @with) = @{ $self->{servers}{$name} };
    my $server = "Bench::Server::$kind"->new(place => $self->{place}, name => $name, @with);
    my ($missing, $package) = $server->missing;
    return (undef, { name => $missing, package => $package }) if $missing;
    # Kept before it runs: what fails halfway is stopped with the rest.
    $self->{running}{$name} = $server;
    $server->start;
    return $server;
}

sub _command {
    my ($self, $side, $server) = @_;
    my ($kind, @options) = @{ $side->{load} };
    my $place = $self->{place};
    my $scratch = 'load' . keys %{ $self->{loads} };

    return [$place->built('http_load'), -p => $server->port, @options] if $kind eq 'http';
    return [$place->built('pg_load'), $server->address, @options] if $kind eq 'postgres';
    return [$place->built('store_load'), -d => $place->directory($scratch), @options] if $kind eq 'store';
    return [$place->built('flush_load'), $place->root . "/$scratch"] if $kind eq 'flush';
    return [$place->built("${kind}_load"), @options];
}

# A side without a server is a load that does the server's work itself.
sub _load {
    my ($self, $side, $server) = @_;
    my $key = join ' ', $side->{server} // '', @{ $side->{load} };

    return $self->{loads}{$key} //= Bench::Load->start(
        place   => $self->{place},
        core    => $server ? $self->{place}->client_core : $self->{place}->server_core,
        command => $self->_command($side, $server),
    );
}

# ---- a row ----

sub _side {
    my ($self, $side) = @_;
    my ($server, $missing) = $side->{server} ? $self->_server($side->{server}) : undef;

    return (undef, { %$missing, side => $side->{name} }) if $missing;
    return {
        side   => $side,
        server => $server,
        load   => $self->_load($side, $server),
        beside => $side->{beside} && $self->_load($side->{beside}, $server),
        rounds => [],
    };
}

# @return the sides that can run, and those that cannot, with what is missing
#         or what went wrong
sub _sides {
    my ($self, $row) = @_;
    my (@sides, @skipped);

    for my $side (@{ $row->{sides} }) {
        my ($taking, $missing) = eval { $self->_side($side) };

        push @sides, $taking if $taking;
        push @skipped, $missing // { side => $side->{name}, why => $@ } unless $taking;
    }
    return (\@sides, \@skipped);
}

# What all processes together have used, in microseconds.
sub _machine_us {
    open my $file, '<', '/proc/stat' or die "/proc: $!\n";
    my (undef, $user, $nice, $system, undef, undef, $irq, $softirq, $stolen) = split ' ', <$file>;
    return ($user + $nice + $system + $irq + $softirq + $stolen) * 1e6 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub _turn_once {
    my ($self, $side, $works, $load, $beside) = @_;
    my $clients = $load == $works ? 0 : $load->process->cpu_us;
    my $writers = $beside ? $beside->process->cpu_us : 0;
    my $before = $works->cpu_us;
    my $machine = _machine_us();

    $beside->go($self->{seconds} + 0.1) if $beside;
    $load->go($self->{seconds});
    my $result = $load->result;
    $result->{beside} = $beside->result if $beside;
    $machine = _machine_us() - $machine;
    $result->{cpu_us} = $works->cpu_us - $before;
    $clients = ($load == $works ? 0 : $load->process->cpu_us - $clients)
        + ($beside ? $beside->process->cpu_us - $writers : 0);
    my $others = ($machine - $result->{cpu_us} - $clients) / $result->{seconds} / 1e6;
    $result->{resident_bytes} = $works->resident_bytes if $works != $load;
    $result->{others} = $others < 0 ? 0 : sprintf('%.2f', $others) + 0;
    return $result;
}

# A turn in which others used much of the machine is taken again, as long as
# there is patience; else the best of them counts, and says how good it was.
sub _turn {
    my ($self, $row, $taking) = @_;
    my ($side, $load, $beside) = @$taking{qw(side load beside)};
    my $works = $taking->{server} // $load;
    my $best;

    for (0 .. $self->{patience}) {
        $beside->ready($side->{beside_clients}) if $beside;
        $load->ready($side->{clients} // $row->{clients});
        my $result = $self->_turn_once($side, $works, $load, $beside);

        $best = $result if !$best || $result->{others} < $best->{others};
        last if $best->{others} <= $OTHERS_AT_MOST;
        sleep $self->{seconds} if $self->{patience};
    }
    return $best;
}

sub _kept {
    my ($side, $rounds) = @_;
    return { rounds => $rounds, map { $_ => $side->{$_} } grep { defined $side->{$_} } qw(name clients outcome) };
}

# Nobody is always the first, or always behind the same one. A side that fails
# is no longer asked.
sub _round {
    my ($self, $row, $number, $sides, $skipped) = @_;

    for my $place (0 .. $#$sides) {
        my $taking = $sides->[($place + $number) % @$sides];

        next if $taking->{failed};
        my $result = eval { $self->_turn($row, $taking) };
        push @{ $taking->{rounds} }, $result if $result;
        next if $result;
        $taking->{failed} = 1;
        push @$skipped, { side => $taking->{side}{name}, why => $@ };
    }
    return;
}

# @return the row's results: what is kept as JSON
sub row {
    my ($self, $row) = @_;
    my ($sides, $skipped) = $self->_sides($row);

    for my $number (0 .. $self->{rounds} * ($row->{turns} // 1) - 1) {
        $self->_round($row, $number, $sides, $skipped);
    }
    return {
        (map { $_ => $row->{$_} } grep { defined $row->{$_} }
            qw(id title clients outcome measure ours goals may_be_refused limit_us curve unit x)),
        sides   => [map { _kept($_->{side}, $_->{rounds}) } grep { !$_->{failed} } @$sides],
        skipped => $skipped,
    };
}

# Those that no later row needs.
sub stop_unneeded {
    my ($self, @rows) = @_;
    my %needed = map { $_ => 1 } map { $_->{server} // () } map { @{ $_->{sides} } } @rows;
    my %loads = map { join(' ', $_->{server} // '', @{ $_->{load} }) => 1 }
        map { ($_, $_->{beside} // ()) } map { @{ $_->{sides} } } @rows;

    for my $key (grep { !$loads{$_} } keys %{ $self->{loads} }) {
        (delete $self->{loads}{$key})->stop;
    }
    for my $name (grep { !$needed{$_} } keys %{ $self->{running} }) {
        (delete $self->{running}{$name})->stop;
    }
    return;
}

1;
