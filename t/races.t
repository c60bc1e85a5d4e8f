# Of those who write at the same time with one precondition, one succeeds: from
# eight clients, each with a connection of its own.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional;

one_winner '/docs/race';
one_winner '/members/race';
one_winner '/merge/race';
one_creator '/docs/race-create';
one_creator sub { "/docs/race-create-$_[0]" };
one_deleter '/docs/race-delete', lost => [404];
every_post_creates '/docs/race-post/';
every_post_creates '/members';
every_post_creates '/uuid', rounds => 5;
no_update_lost '/docs/race-count';
no_update_lost '/hash/race-count', increments => 10;
# One page of the store, several documents of it: neighbours get in nobody's way.
no_update_lost '/merge/race-count', clients => 16, increments => 10;

done_testing;
