# The files of a stopped store, changed as another version of this module or of
# Berkeley DB, or a crashed machine, would have left them.
# Knows the layout of Berkeley DB 5.3's pages and of our control file, so far
# as that takes: where a checksum stands, and how to make it right again.
package StoreFiles;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(change_value change_tree_version change_log_version change_boot regions_of bytes_of);

my ($PAGE, $LEAF) = (4096, 5);
my ($LEAF_SUM_AT, $ITEMS_AT, $META_SUM_AT, $META_SIZE) = (28, 32, 492, 512);
my ($BOOT_AT, $BOOT_SIZE) = (40, 40);

sub _sum {
    my $sum = 0;
    $sum = ($sum * 33 + $_) & 0xffffffff for unpack 'C*', $_[0];
    return $sum;
}

sub bytes_of {
    my ($file) = @_;
    open my $handle, '<:raw', $file or die "$file: $!";
    local $/;
    return scalar <$handle>;
}

sub _write_at {
    my ($file, $at, $bytes) = @_;
    open my $handle, '+<:raw', $file or die "$file: $!";
    seek $handle, $at, 0;
    print $handle $bytes;
    close $handle or die "$file: $!";
    return;
}

sub _with_sum {
    my ($page, $sum_at) = @_;
    substr($page, $sum_at, 4) = "\0" x 4;
    substr($page, $sum_at, 4) = pack 'V', _sum($page);
    return $page;
}

# The value under a key of a tree, wherever its page is.
# @param change  gets the value and returns another of the same length
# @return was there such a key?
sub change_value {
    my ($file, $key, $change) = @_;
    my $bytes = bytes_of($file);

    for (my $at = $PAGE; $at < length $bytes; $at += $PAGE) {
        my $page = _changed_page(substr($bytes, $at, $PAGE), $key, $change) or next;
        _write_at($file, $at, _with_sum($page, $LEAF_SUM_AT));
        return 1;
    }
    return 0;
}

sub _changed_page {
    my ($page, $key, $change) = @_;
    my ($count, $type) = unpack 'v x2 x C', substr $page, 20;
    return unless $type == $LEAF;
    my @at = unpack "v$count", substr $page, $ITEMS_AT;
    my $item = sub { substr $page, $_[0] + 3, unpack 'v', substr $page, $_[0], 2 };

    while (my ($key_at, $value_at) = splice @at, 0, 2) {
        # A shard may stand before the key.
        next unless $item->($key_at) =~ /^.?\Q$key\E\z/s;
        my $value = $item->($value_at);
        substr($page, $value_at + 3, length $value) = $change->($value);
        return $page;
    }
    return;
}

sub change_tree_version {
    my ($file, $by) = @_;
    my $meta = substr bytes_of($file), 0, $META_SIZE;

    substr($meta, 16, 4) = pack 'V', $by + unpack 'V', substr $meta, 16, 4;
    _write_at($file, 0, _with_sum($meta, $META_SUM_AT));
    return;
}

sub change_log_version {
    my ($file, $by) = @_;
    my ($previous, $length, undef, $magic, $version) = unpack 'V5', bytes_of($file);
    my $head = pack('V2', $magic, $version + $by) . substr bytes_of($file), 20, 8;

    _write_at($file, 8, pack('V', _sum($head) ^ $previous ^ $length) . $head);
    return;
}

# As if the machine had been started anew since.
sub change_boot {
    my ($store) = @_;
    _write_at("$store/control", $BOOT_AT, '0' x ($BOOT_SIZE - 1) . "\0");
    return;
}

sub regions_of { return bytes_of("$_[0]/generation") =~ m{^(/.*)$}m ? $1 : undef }

1;
