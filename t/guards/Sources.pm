# The files of this project, for guards that read them.
package Sources;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Spec;

our @EXPORT = qw(root read_file files);

my $root = File::Spec->rel2abs(dirname(__FILE__) . '/../..');

sub root { return $root }

# @param path  from the project's root, or absolute
sub read_file {
    my ($path) = @_;
    my $name = File::Spec->rel2abs($path, $root);

    open my $file, '<', $name or die "$name: $!";
    local $/;
    return scalar <$file>;
}

# Names from the project's root, sorted.
sub files {
    my (@patterns) = @_;
    return sort map { File::Spec->abs2rel($_, $root) } map { glob "$root/$_" } @patterns;
}

1;
