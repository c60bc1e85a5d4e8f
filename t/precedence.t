# The whole table of RFC 9110 section 13.2.2, for each kind of validator that a
# location may have.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional;

precedence_ok '/docs/precedence';
precedence_ok "/$_/precedence", methods => ['GET', 'PUT'] for qw(hash weak tagless dateless members merge);

done_testing;
