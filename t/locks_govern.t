# SetHandler condreq-locks: who may see and break the locks of a virtual host.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

use Apache::TestConditional ':all';
use Locks;

sub listed {
    my ($all, $url) = ([], '/governed');

    for (1 .. 50) {
        return $all unless defined $url;
        my $answer = GET $url, as('alice');
        return "GET $url: $answer" unless $answer == 200 && $answer->json;
        push @$all, @{ $answer->json->{locks} };
        $url = $answer->json->{next};
        $url = "/governed$url" if defined $url;
    }
    return 'no end of pages';
}

sub lock_on {
    my ($root) = @_;
    return grep { $_->{root} eq $root } @{ +listed() };
}

is GET('/governed'), 401, 'who is not known sees nothing';
is GET('/governed', as('carol')), 401, 'nor does who may not';

my $lock = LOCK '/locks-users/governed &x/', depth => 'infinity', scope => 'shared',
    owner => '<D:owner><D:href>mailto:carol</D:href></D:owner>', timeout => 'Second-300', as('carol');
is $lock, 200, 'carol locks';
my ($shown) = lock_on('/locks-users/governed%20&x/');
ok $shown, 'and who may sees it';
is $shown->{user}, 'carol', 'with the user';
is $shown->{owner}, 'mailto:carol', 'what he says of himself';
is $shown->{scope}, 'shared', 'the scope';
is $shown->{depth}, 'infinity', 'the depth';
like $shown->{$_}, qr/^20\d\d-\d\d-\d\dT[\d:.]+Z$/, "and $_" for qw(since until);
is 'urn:uuid:' . $shown->{id}, token($lock), 'its id is its token without the scheme';

my $get = GET '/governed', as('alice');
is $get->header('Content-Type'), 'application/json', 'the list is JSON';
is $get->header('Cache-Control'), 'no-store', 'and not kept';
is HEAD('/governed', as('alice'))->header('Content-Length'), length $get->body, 'HEAD says its length';

is PUT('/locks-users/governed%20&x/a', '{}', as('alice')), 423, 'the lock is held';
is DELETE("/governed/$shown->{id}", as('carol')), 401, 'who may not does not break it';
is DELETE("/governed/$shown->{id}", as('alice')), 204, 'who may does';
is DELETE("/governed/$shown->{id}", as('alice')), 404, 'once';
is lock_on('/locks-users/governed%20&x/'), 0, 'it is no longer listed';
is PUT('/locks-users/governed%20&x/a', '{}', as('alice')), 201, 'nor held';
is UNLOCK('/locks-users/governed%20&x/', token($lock), as('carol')), 409, 'and its holder hears that';

is DELETE('/governed', as('alice')), 405, 'the list is not deleted';
like scalar DELETE('/governed', as('alice'))->header('Allow'), qr/\bGET\b/, 'as Allow says';
is GET('/governed?behind=x', as('alice')), 400, 'a page that nobody named is none';
is GET("/governed/$shown->{id}", as('alice')), 405, 'a lock is not read';
is PUT('/governed/x', '{}', as('alice')), 405, 'and nothing is written here';

# More than an answer has room for.
my @many = map { LOCK "/locks/page$_", scope => 'shared' } map { sprintf '%03d', $_ } 1 .. 90;
is scalar(grep { $_ != 201 } @many), 0, '90 locks are taken';
my @more = map { LOCK '/locks-users/page', scope => 'shared', as($_ % 2 ? 'alice' : 'carol') } 1 .. 30;
is scalar(grep { !$_->is_success } @more), 0, 'and 30 on one document';
ok defined GET('/governed', as('alice'))->json->{next}, 'an answer has a part of them';
my $all = listed();
is scalar(grep { $_->{root} =~ m{^/locks/page} } @$all), 90, 'page by page all are listed';
is scalar(grep { $_->{root} eq '/locks-users/page' } @$all), 30, 'all of one document too';
my %ids = map { $_->{id} => 1 } @$all;
is scalar(keys %ids), scalar(@$all), 'none twice';
my @roots = map { $_->{root} } @$all;
is_deeply \@roots, [sort @roots], 'by their roots';
is scalar(grep { $_ != 204 } map { DELETE "/governed/$_->{id}", as('alice') } grep { $_->{root} =~ /page/ } @$all), 0,
    'each of them is broken';

done_testing;
