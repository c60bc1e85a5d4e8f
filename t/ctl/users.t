# As whom condreqctl works: as root it becomes whoever has the store, so that
# nothing it makes is root's; another user is sent away.
use strict;
use warnings;

use File::Find 'find';
use FindBin;
use lib $FindBin::Bin;
use Ctl;
use Test::More;

my $place = scratch();

# What is below and belongs to somebody else.
sub others_files {
    my ($directory, $user) = @_;
    my @others;

    find(sub { push @others, $File::Find::name if (lstat)[4] != $user }, $directory);
    return \@others;
}

if ($> != 0) {
    # The root directory is root's.
    my $said = condreqctl('--store', '/', 'stat');
    is $said->{code}, 5, 'an ordinary user, a store of root\'s: refused';
    like $said->{err}, qr{^condreqctl: / belongs to root: run this as that user, or as root$}, 'with the way out';
    my $loaded = write_store("$place/store", 20);
    is condreqctl('--store', $loaded->{store}, 'stat')->{code}, 0, 'a store of one\'s own';
    done_testing;
    exit;
}

my ($user, $group) = (getpwnam 'nobody')[2, 3];
my $other = getpwnam 'www-data';

sub as {
    my ($who, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $( = $) = "$group $group";
        ($<, $>) = ($who, $who);
        open STDERR, '>', '/dev/null';
        exec @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? >> 8;
}

# Readable to those users, wherever the tool was built.
for my $program (tool(), tool() =~ s/condreqctl$/load/r) {
    system('cp', $program, "$place/") == 0 or die "cp: $?";
}
chown $user, $group, "$place";
is as($user, "$place/load", "$place/store", "$place/ledger", qw(write 2 50 1)), 0, 'a store of nobody\'s is written';
my $store = "$place/store";
is_deeply others_files($store, $user), [], 'all of it is nobody\'s';

# ---- root ----

for my $arguments (['stat'], ['list'], [qw(get localhost/load/7)], ['verify'], ['backup', "$place/backup"]) {
    is condreqctl('--store', $store, @$arguments)->{code}, 0, "root: $arguments->[0]";
    is_deeply others_files($store, $user), [], "root: $arguments->[0] leaves nothing of root's in the store";
}
is_deeply others_files("$place/backup", $user), [], 'the backup belongs to the store\'s owner';
is condreqctl('--store', "$place/backup", 'verify')->{code}, 0, 'and is verified';
is condreqctl('--store', "$place/new", 'restore', "$place/backup")->{code}, 0, 'root: restore, to where nothing is';
is_deeply others_files("$place/new", $user), [], 'the new store belongs to the backup\'s owner';
is condreqctl('--store', $store, 'restore', "$place/backup")->{code}, 0, 'root: restore to its place';
is_deeply others_files($store, $user), [], 'nothing of it is root\'s';
is condreqctl('--store', $store, 'salvage', "$place/salvaged")->{code}, 0, 'root: salvage';
is_deeply others_files("$place/salvaged", $user), [], 'the new store belongs to the damaged one\'s owner';

mkdir "$place/roots", 0700;
like condreqctl('--store', $store, 'backup', "$place/roots/backup")->{err}, qr/making .*roots/,
    'a place that the owner cannot reach is named';

# ---- others ----

is as($user, "$place/condreqctl", '--store', $store, 'stat'), 0, 'its owner: stat';
is as($user, "$place/condreqctl", '--store', $store, 'backup', "$place/own"), 0, 'its owner: backup';
is as($other, "$place/condreqctl", '--store', $store, 'stat'), 5, 'another user is refused';
is as($other, "$place/condreqctl", '--store', $store, 'backup', "$place/others"), 5, 'for a backup, too';
ok !-e "$place/others", 'which makes no directory';
is as($other, "$place/condreqctl", '--store', $store, 'restore', "$place/own"), 5, 'or for a restore';

done_testing;
