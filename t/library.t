# The checks of Apache::TestConditional pass where a server is right, and each
# fails where one is wrong in the way that it is there to find.
use strict;
use warnings;

use Test2::API 'intercept';
use Test::More;

use Apache::TestConditional ':all';
use Responder;

# What a check is given here, so that the whole of this takes seconds.
my %check = (
    revalidation         => sub { revalidation_ok(@_) },
    head                 => sub { head_agrees_with_get(@_) },
    'precedence of GET'  => sub { precedence_ok(@_, methods => ['GET']) },
    'precedence of PUT'  => sub { precedence_ok(@_, methods => ['PUT']) },
    'precedence of all'  => sub { precedence_ok(@_) },
    'stale writer'       => sub { stale_writer_refused(@_) },
    dates                => sub { date_names_one_version(@_, rounds => 1) },
    tags                 => sub { tag_names_one_content(@_) },
    'PUT race'           => sub { one_winner(@_, rounds => 2, clients => 4) },
    'creation race'      => sub { one_creator(@_, rounds => 2, clients => 4) },
    'DELETE race'        => sub { one_deleter(@_, rounds => 2, clients => 4) },
    'POST race'          => sub { every_post_creates("$_[0]/", rounds => 2, clients => 4) },
    counter              => sub { no_update_lost(@_, increments => 3, clients => 4) },
);

my @faults = (
    # what the server does                      and the checks that find it
    ['never 304'                              => 'revalidation', 'precedence of GET'],
    ['no tags'                                => 'stale writer', 'tags', 'PUT race'],
    ['weak tags'                              => 'stale writer', 'PUT race'],
    ['304 without ETag'                       => 'revalidation'],
    ['304 without Cache-Control'              => 'revalidation'],
    ['304 with content'                       => 'revalidation'],
    ['If-None-Match is strong'                => 'revalidation', 'precedence of GET'],
    ['one form of date'                       => 'revalidation', 'precedence of GET'],
    ['HEAD is never 304'                      => 'revalidation'],
    ['HEAD without ETag'                      => 'head'],
    ['HEAD with content'                      => 'head'],
    ['If-Match is ignored'                    => 'stale writer', 'PUT race', 'precedence of PUT'],
    ['If-Match is weak'                       => 'precedence of PUT'],
    ['stale is 409'                           => 'stale writer', 'PUT race', 'precedence of PUT'],
    ['412 that writes'                        => 'stale writer', 'precedence of PUT'],
    ['If-Unmodified-Since beside If-Match'    => 'precedence of GET', 'precedence of PUT'],
    ['If-Modified-Since beside If-None-Match' => 'precedence of GET'],
    ['If-Modified-Since for PUT'              => 'precedence of PUT'],
    ['GET is answered 412'                    => 'revalidation', 'precedence of GET'],
    ['If-Range is ignored'                    => 'precedence of GET'],
    ['preconditions before 404'               => 'precedence of all'],
    ['dates by the clock'                     => 'dates'],
    ['versions begin again'                   => 'tags'],
    ['tags by length'                         => 'tags'],
    ['nobody wins'                            => 'stale writer', 'PUT race'],
    ['other content is kept'                  => 'PUT race', 'creation race', 'POST race'],
    ['check, then write'                      => 'PUT race', 'creation race', 'DELETE race', 'counter'],
    ['one Location for all'                   => 'POST race'],
    ['Location of nothing'                    => 'POST race'],
);

my $count = 0;

# What failed inside, for people.
sub failures {
    return map { ($_->isa('Test2::Event::Subtest') ? failures(@{ $_->subevents }) : ()),
        $_->isa('Test2::Event::Ok') && !$_->pass ? $_->name : (),
        $_->isa('Test2::Event::Diag') ? $_->message : () } @_;
}

# Does the check, made by itself, pass?
sub passes {
    my ($responder, $name) = @_;
    my $url = $responder->url('/document' . ++$count);

    PUT($url, '{"first":true}') unless $name =~ /race/;
    my $events = intercept { $check{$name}->($url) };
    my @tests  = grep { $_->isa('Test2::Event::Ok') } @$events;
    is scalar @tests, 1, "the check of $name is one test";
    note join "\n", failures(@$events);
    return $tests[0]->pass;
}

my $right = Responder->start;
ok passes($right, $_), "the check of $_ passes where all is right" for sort keys %check;
$right->stop;

for (@faults) {
    my ($fault, @finders) = @$_;
    my $responder = Responder->start($fault);

    ok !passes($responder, $_), "$fault: the check of $_ finds it" for @finders;
    $responder->stop;
}

my %finds = map { $_ => 1 } map { @$_[1 .. $#$_] } @faults;
is_deeply [sort keys %finds], [sort keys %check], 'no check is without a fault to find';

# ---- what is asked wrongly ----

ok !eval { one_winner('/docs/library', client => 3); 1 }, 'an option that there is not is refused';
like $@, qr/client is no option/, 'by its name';
ok !eval { GET('http://127.0.0.1:1/'); 1 }, 'a server that does not answer is no answer of 500';

done_testing;
