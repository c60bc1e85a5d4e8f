# LOCK and UNLOCK, as tests write them.
package Locks;

use strict;
use warnings;

use Exporter 'import';

use Apache::TestConditional 'request';

our @EXPORT = qw(LOCK UNLOCK lockinfo token as hrefs condition);

# The Basic credentials of t/conf/passwords.
my %credentials = (alice => 'YWxpY2U6c2VjcmV0', carol => 'Y2Fyb2w6c2VjcmV0');

sub as { return (authorization => "Basic $credentials{$_[0]}") }

# lockinfo('shared', '<D:owner>me</D:owner>')
sub lockinfo {
    my ($scope, $owner) = @_;

    return '<?xml version="1.0" encoding="utf-8"?>'
        . '<D:lockinfo xmlns:D="DAV:">'
        . "<D:lockscope><D:$scope/></D:lockscope>"
        . '<D:locktype><D:write/></D:locktype>'
        . ($owner // '') . '</D:lockinfo>';
}

# LOCK '/a', scope => 'shared', owner => '<D:owner/>', field => value, ...
# LOCK '/a', refresh => token
sub LOCK {
    my ($url, %field) = @_;
    my ($scope, $owner, $refresh, $body) = delete @field{qw(scope owner refresh body)};

    if (defined $refresh) {
        return request('LOCK', $url, undef, if => "(<$refresh>)", %field);
    }
    $field{content_type} = 'application/xml' unless exists $field{content_type};
    $field{depth} = 0 unless exists $field{depth};
    return request('LOCK', $url, $body // lockinfo($scope // 'exclusive', $owner), %field);
}

sub UNLOCK {
    my ($url, $token, %field) = @_;
    return request('UNLOCK', $url, undef, lock_token => "<$token>", %field);
}

# The token that an answer gives.
sub token {
    my ($answer) = @_;
    my ($token) = ($answer->header('Lock-Token') // '') =~ /^<(urn:uuid:[0-9a-f-]{36})>$/;
    return $token // 'no token';
}

sub hrefs {
    my ($answer) = @_;
    return [$answer->body =~ m{<D:href>([^<]*)</D:href>}g];
}

# The condition code of a DAV:error.
sub condition {
    my ($answer) = @_;
    return $answer->body =~ m{<D:error xmlns:D="DAV:"><D:([a-z-]+)} ? $1 : $answer->body;
}

1;
