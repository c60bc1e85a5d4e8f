package Apache::TestConditional;

# The checks: each is one test, with its steps inside. What a request is and how
# clients race is in the modules below this one.

use strict;
use warnings;

use Carp 'croak';
use Exporter 'import';
use JSON::PP ();
use Test::More ();

use Apache::TestConditional::Date qw(date_seconds imf_fixdate date_forms);
use Apache::TestConditional::Precedence 'wrong_rows';
use Apache::TestConditional::Race qw(race together);
use Apache::TestConditional::Request
    qw(GET HEAD PUT POST PATCH DELETE OPTIONS request resource wire raw absolute_url user_agent);

our $VERSION = '1.00';

our @EXPORT = qw(
    revalidation_ok head_agrees_with_get precedence_ok
    stale_writer_refused date_names_one_version tag_names_one_content
    one_winner one_creator one_deleter every_post_creates no_update_lost
);
our @EXPORT_OK = (@EXPORT,
    qw(GET HEAD PUT POST PATCH DELETE OPTIONS request resource wire raw user_agent race));
our %EXPORT_TAGS = (checks => \@EXPORT, all => \@EXPORT_OK);

my $json = JSON::PP->new->canonical->allow_nonref;

# ---- what all checks share ----

# One test with steps inside. What dies in it has failed.
sub _check {
    my ($name, $steps) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 2;

    return Test::More::subtest($name => sub {
        Test::More::fail("no more can be said: $@") unless eval { $steps->(); 1 };
        Test::More::done_testing();
    });
}

my %defaults = (
    fields  => {},
    type    => 'application/json',
    over    => 'http/1.1',
    clients => 8,
    rounds  => 20,
);

sub _options {
    my ($url, $allowed, %given) = @_;

    croak 'which URL?' unless defined $url;
    for my $name (keys %given) {
        croak "$name is no option here: it may be @$allowed, fields or name"
            unless grep { $_ eq $name } @$allowed, qw(fields name);
    }
    my %option = (%defaults, %given);
    $option{body} ||= _bodies();
    return \%option;
}

# Content that no other call gives: JSON that says whose it is.
sub _bodies {
    my $count = 0;
    return sub {
        my ($client, $round) = @_;
        return sprintf '{"client":%d,"round":%d,"count":%d}',
            $client // 0, $round // 0, ++$count;
    };
}

sub _get { my ($url, $option) = @_; return GET($url, %{ $option->{fields} }) }

sub _put {
    my ($url, $option, $body, %field) = @_;
    return PUT($url, $body, %{ $option->{fields} }, content_type => $option->{type}, %field);
}

# Is the sent content what the document now shows? A server may add members of
# its own to a JSON object.
sub _shows {
    my ($shown, $sent) = @_;
    return 1 if $shown eq $sent;

    my ($have, $want) = map { eval { $json->decode($_) } } $shown, $sent;
    return 0 unless ref $have eq 'HASH' && ref $want eq 'HASH';
    for my $name (keys %$want) {
        return 0 unless exists $have->{$name};
        return 0 if $json->encode($have->{$name}) ne $json->encode($want->{$name});
    }
    return 1;
}

# The document, made where there is none; its tag must be one for If-Match.
sub _existing {
    my ($url, $option) = @_;
    my $answer = _get($url, $option);

    if ($answer == 404) {
        _put($url, $option, $option->{body}->());
        $answer = _get($url, $option);
    }
    croak "GET $url answers $answer, where 200 was expected" unless $answer == 200;
    croak "GET $url gives no ETag"      unless defined $answer->etag;
    croak "GET $url gives a weak ETag (${\ $answer->etag}), which never matches If-Match"
        if $answer->etag =~ m{^W/};
    return $answer;
}

# ---- reading ----

my @OF_A_304 = qw(Cache-Control Content-Location Date ETag Expires Vary);

# RFC 9110 section 15.4.5.
sub _not_modified_carries {
    my ($not_modified, $ok) = @_;

    for my $name (@OF_A_304) {
        my ($had, $has) = map { scalar $_->header($name) } $ok, $not_modified;
        next unless defined $had;
        # These two tell the time of the answer.
        $had = $has if defined $has && $name =~ /^(?:Date|Expires)$/;
        Test::More::is($has, $had, "a 304 carries the $name of the 200");
    }
    return;
}

# The bytes behind a 304's fields, which no client library would show.
sub _bodiless {
    my ($url, $method, %field) = @_;
    my $uri = URI->new(absolute_url($url));
    return Test::More::pass('its body is not looked for over https')
        if $uri->scheme ne 'http';

    my $wire = wire($url);
    $wire->send_head("$method " . $uri->path_query . ' HTTP/1.1', 'Connection: close',
        map { "$_->[0]: $_->[1]" } Apache::TestConditional::Request::field_lines(%field));
    my $answer = $wire->answer;
    my $code   = $answer // 'nothing';
    return Test::More::is($wire->rest, '', "nothing follows the fields of a $code to $method");
}

sub _revalidates_by_tag {
    my ($url, $option, $ok) = @_;
    my $tag = $ok->etag;
    my ($weak) = map { m{^W/} ? $_ : "W/$_" } $tag;

    for my $value ($tag, $weak, qq("other", $tag), qq("other"  ,,W/"none",$weak), '*') {
        my %field = (%{ $option->{fields} }, if_none_match => $value);
        Test::More::is(GET($url, %field), 304, "If-None-Match: $value is answered 304");
        Test::More::is(HEAD($url, %field), 304, 'and so for HEAD');
    }
    for my $value ('"other"', '"other", W/"none"') {
        my $answer = GET($url, %{ $option->{fields} }, if_none_match => $value);
        Test::More::is($answer, 200, "If-None-Match: $value is answered 200");
        Test::More::is($answer->body, $ok->body, 'with the content');
    }
    return;
}

sub _revalidates_by_date {
    my ($url, $option, $ok) = @_;
    my $modified_s = date_seconds($ok->last_modified);

    for my $value (date_forms($modified_s)) {
        my %field = (%{ $option->{fields} }, if_modified_since => $value);
        Test::More::is(GET($url, %field), 304, "If-Modified-Since: $value is answered 304");
        Test::More::is(HEAD($url, %field), 304, 'and so for HEAD');
    }
    for my $value (date_forms($modified_s - 1)) {
        my $answer = GET($url, %{ $option->{fields} }, if_modified_since => $value);
        Test::More::is($answer, 200, "If-Modified-Since: $value is answered 200");
    }
    return;
}

sub revalidation_ok {
    my ($url, %given) = @_;
    my $option = _options($url, [], %given);

    return _check($option->{name} // "a client that has $url is told so", sub {
        my $ok = _get($url, $option);
        my %unchanged =
            defined $ok->etag          ? (if_none_match     => $ok->etag)
            : defined $ok->last_modified ? (if_modified_since => $ok->last_modified)
            :                              ();

        Test::More::is($ok, 200, 'GET answers 200');
        Test::More::ok(scalar %unchanged, 'with a validator') or return;
        my %field = (%{ $option->{fields} }, %unchanged);
        # A client library would take content for the next answer, and wait.
        return if grep { !_bodiless($url, $_, %field) } qw(GET HEAD);
        _not_modified_carries(GET($url, %field), $ok);
        _revalidates_by_tag($url, $option, $ok)  if defined $ok->etag;
        _revalidates_by_date($url, $option, $ok) if defined $ok->last_modified;
    });
}

# Fields that say something of one answer, or of a content that HEAD lacks.
my $OF_ONE_ANSWER = qr/^(?:Date|Age|Expires|Connection|Keep-Alive|Transfer-Encoding)$/i;

sub head_agrees_with_get {
    my ($url, %given) = @_;
    my $option = _options($url, [], %given);

    return _check($option->{name} // "HEAD of $url says what GET says", sub {
        _bodiless($url, 'HEAD', %{ $option->{fields} }) or return;
        my ($get, $head) = map { $_->($url, %{ $option->{fields} }) } \&GET, \&HEAD;
        my %names = map { lc $_->[0] => $_->[0] } @{ $get->{fields} }, @{ $head->{fields} };

        Test::More::is($head, $get->code, 'the same status');
        # A server need not know how long content is that it does not make.
        delete $names{'content-length'} unless defined $head->header('Content-Length');
        for my $name (sort values %names) {
            next if $name =~ $OF_ONE_ANSWER;
            Test::More::is($head->header($name), $get->header($name), "the same $name");
        }
    });
}

# ---- preconditions ----

# Is Range honoured here? A resource that is missing is made first.
sub _has_ranges {
    my ($url, $option) = @_;

    _put($url, $option, $option->{body}->()) if _get($url, $option) == 404;
    return GET($url, %{ $option->{fields} }, range => 'bytes=0-0') == 206;
}

sub precedence_ok {
    my ($url, %given) = @_;
    my $option  = _options($url, [qw(methods body type)], %given);
    my @methods = @{ $option->{methods} || [qw(GET HEAD PUT DELETE)] };

    return _check($option->{name} // "RFC 9110 section 13.2.2 for $url", sub {
        my %field = %{ $option->{fields} };
        my %table = (
            url    => $url,
            fields => \%field,
            type   => $option->{type},
            body   => $option->{body},
            ranges => _has_ranges($url, $option),
            writes => scalar(grep { /^(?:PUT|DELETE)$/ } @methods),
            dated  => 1,
        );
        # Nothing is made to be missing that could not be made again.
        my @states = (1, (2 == grep { /^(?:PUT|DELETE)$/ } @methods) ? 0 : ());

        for my $exists (@states) {
            for my $method (@methods) {
                my ($asked, @wrong) = wrong_rows(\%table, $method, $exists);
                my $what = $exists ? 'something' : 'nothing';
                Test::More::ok($asked && !@wrong,
                    "$method where $what is: $asked combinations, each answered by the table")
                    or Test::More::diag(join "\n", splice(@wrong, 0, 8),
                        @wrong ? scalar(@wrong) . ' more' : ());
            }
        }
    });
}

# ---- one writer after another ----

sub stale_writer_refused {
    my ($url, %given) = @_;
    my $option = _options($url, [qw(body type)], %given);

    return _check($option->{name} // "a stale writer of $url is refused", sub {
        my $read  = _existing($url, $option);
        my %field = (if_match => $read->etag);
        my $first = _put($url, $option, $option->{body}->(1), %field);
        my $now   = _get($url, $option);
        my $second = _put($url, $option, $option->{body}->(2), %field);
        my $then   = _get($url, $option);

        Test::More::ok($first->is_success, 'the first PUT with the tag that GET gave succeeds')
            or Test::More::diag($first->as_string);
        Test::More::isnt($now->etag, $read->etag, 'and the document has another tag then');
        Test::More::is($second, 412, 'the second PUT with the first tag is answered 412');
        Test::More::is($then->body, $now->body, 'and the document is what the first made it');
        Test::More::is($then->etag, $now->etag, 'under the same tag');
    });
}

# The document as soon as its date is sent.
sub _dated {
    my ($url, $option) = @_;
    my $answer;

    for (1 .. 50) {
        $answer = _get($url, $option);
        last if defined $answer->last_modified;
        select undef, undef, undef, 0.1;
    }
    croak "GET $url gives no Last-Modified" unless defined $answer->last_modified;
    return $answer;
}

sub date_names_one_version {
    my ($url, %given) = @_;
    my $option = _options($url, [qw(body type rounds)], rounds => 3, %given);

    return _check($option->{name} // "a date of $url names one version", sub {
        _put($url, $option, $option->{body}->());
        for my $round (1 .. $option->{rounds}) {
            my $date = _dated($url, $option)->last_modified;
            my $first = _put($url, $option, $option->{body}->(1, $round),
                if_unmodified_since => $date);
            my $now = _get($url, $option);
            my $second = _put($url, $option, $option->{body}->(2, $round),
                if_unmodified_since => $date);
            my $reader = GET($url, %{ $option->{fields} }, if_modified_since => $date);

            Test::More::ok($first->is_success, "If-Unmodified-Since: $date lets one PUT succeed");
            Test::More::isnt($now->last_modified // '', $date, 'what it wrote has another date');
            Test::More::is($second, 412, 'a second PUT with that date is answered 412');
            Test::More::is($reader, 200, 'and a reader with that date gets what is there now');
        }
    });
}

sub tag_names_one_content {
    my ($url, %given) = @_;
    my $option = _options($url, [qw(body type)], %given);
    my ($once, $twice) = map { $option->{body}->($_) } 1, 2;

    return _check($option->{name} // "a tag of $url names one content", sub {
        my %content_of;

        for my $step ($once, $twice, $once, undef, $twice, $once, undef, undef, $once, $twice) {
            if (!defined $step) {
                DELETE($url, %{ $option->{fields} });
                next;
            }
            my $put = _put($url, $option, $step);
            Test::More::ok($put->is_success, 'PUT succeeds') or Test::More::diag($put->as_string);
            my $got = _get($url, $option);
            my $tag = $got->etag // croak "GET $url gives no ETag";
            $content_of{$tag} //= $got->body;
            Test::More::is($got->body, $content_of{$tag}, "$tag is the tag of one content");
        }
    });
}

# ---- many at once ----

# How many answered what, for people.
sub _tally {
    my %count;
    $count{$_}++ for map { $_->code } @_;
    return join ', ', map { "$count{$_} times $_" } sort keys %count;
}

# Of the answers exactly one is a success, and all others are of the codes that
# losers may get. Returns the winner's index.
sub _one_success {
    my ($round, $lost, @answers) = @_;
    my @winners = grep { $answers[$_]->is_success } 0 .. $#answers;
    my $losers  = grep { my $answer = $_; grep { $answer == $_ } @$lost } @answers;

    Test::More::ok(@winners == 1 && $losers == @answers - 1,
        "round $round: one of " . @answers . " succeeds, the others are answered @$lost")
        or Test::More::diag(_tally(@answers));
    return @winners == 1 ? $winners[0] : undef;
}

sub _race_put {
    my ($url, $option, $round, %field) = @_;
    my @bodies  = map { $option->{body}->($_, $round) } 1 .. $option->{clients};
    my @answers = race($option->{over}, map {
        ['PUT', $url, $_, %{ $option->{fields} }, content_type => $option->{type}, %field]
    } @bodies);
    my $winner = _one_success($round, [412], @answers);
    return unless defined $winner;

    my $shown = _get($url, $option)->body;
    Test::More::ok(_shows($shown, $bodies[$winner]), "round $round: the winner's content is there")
        or Test::More::diag("sent:  $bodies[$winner]\nshown: $shown");
    return;
}

my @OF_A_RACE = qw(body type over clients rounds);

sub _for_rounds {
    my ($option, $name, $round) = @_;
    return _check($option->{name} // "$name, over $option->{over}", sub {
        $round->($_) for 1 .. $option->{rounds};
    });
}

sub one_winner {
    my ($url, %given) = @_;
    my $option = _options($url, \@OF_A_RACE, %given);

    return _for_rounds($option, "of several writers of $url with one tag one wins", sub {
        my ($round) = @_;
        my $tag = _existing($url, $option)->etag;
        _race_put($url, $option, $round, if_match => $tag);
    });
}

sub one_creator {
    my ($url, %given) = @_;
    my $option = _options($url, \@OF_A_RACE, %given);
    my $place = ref $url ? 'what never was' : $url;

    return _for_rounds($option, "of several creators of $place one wins", sub {
        my ($round) = @_;
        my $where = ref $url ? $url->($round) : $url;
        DELETE($where, %{ $option->{fields} }) unless ref $url;
        _race_put($where, $option, $round, if_none_match => '*');
    });
}

sub one_deleter {
    my ($url, %given) = @_;
    my $option = _options($url, [@OF_A_RACE, 'lost'], lost => [404, 412], %given);

    return _for_rounds($option, "of several deleters of $url with one tag one wins", sub {
        my ($round) = @_;
        my $tag = _existing($url, $option)->etag;
        my @answers = race($option->{over},
            map { ['DELETE', $url, undef, %{ $option->{fields} }, if_match => $tag] }
                1 .. $option->{clients});
        _one_success($round, $option->{lost}, @answers);
        Test::More::is(_get($url, $option), 404, "round $round: and nothing is there");
    });
}

sub every_post_creates {
    my ($url, %given) = @_;
    my $option = _options($url, \@OF_A_RACE, %given);
    my %made;

    return _for_rounds($option, "every POST to $url creates a document of its own", sub {
        my ($round) = @_;
        my @bodies  = map { $option->{body}->($_, $round) } 1 .. $option->{clients};
        my @answers = race($option->{over}, map {
            ['POST', $url, $_, %{ $option->{fields} }, content_type => $option->{type}]
        } @bodies);
        my @places = map { $_->header('Location') // '' } @answers;
        my $base   = absolute_url($url);
        my $shown  = grep {
            my $at = $places[$_] && URI->new_abs($places[$_], $base);
            $at && !$made{$at}++ && _shows(_get("$at", $option)->body, $bodies[$_]);
        } 0 .. $#places;

        Test::More::is(_tally(@answers), @answers . ' times 201', "round $round: all are answered 201");
        Test::More::is($shown, scalar @answers, "round $round: each shows its content at a place of its own");
    });
}

# One client of no_update_lost: reads, adds one, writes, and begins again where
# somebody else was faster.
sub _increment {
    my ($url, $option) = @_;

    for (1 .. 10_000) {
        my $read   = _get($url, $option);
        my $number = $read->json->{ $option->{member} };
        my $wrote  = _put($url, $option, $json->encode({ $option->{member} => $number + 1 }),
            if_match => $read->etag);
        return if $wrote->is_success;
        croak "PUT answers $wrote" unless $wrote == 412;
    }
    croak 'never was there a free moment to write in';
}

sub no_update_lost {
    my ($url, %given) = @_;
    my $option = _options($url, [qw(clients increments member)],
        increments => 25, member => 'number', %given);
    my ($clients, $increments, $member) = @$option{qw(clients increments member)};

    return _check($option->{name} // "no update of $url is lost", sub {
        _put($url, $option, $json->encode({ $member => 0 }));
        together(map {
            sub { $_[0]->(); _increment($url, $option) for 1 .. $increments; return 1 }
        } 1 .. $clients);
        Test::More::is(_get($url, $option)->json->{$member}, $clients * $increments,
            "$clients clients have added 1 $increments times each");
    });
}

1;

__END__

=encoding utf8

=head1 NAME

Apache::TestConditional - does a URL keep its promises about conditional requests?

=head1 SYNOPSIS

    use Apache::Test qw(-withtestmore);
    use Apache::TestConditional;

    plan tests => 7;

    # A client that has a document is told so.
    revalidation_ok '/documents/1';

    # The whole table of RFC 9110 section 13.2.2.
    precedence_ok '/documents/1';

    # No update is lost, whoever writes at the same time.
    stale_writer_refused '/documents/1';
    one_winner '/documents/1', clients => 8, rounds => 20;
    one_creator '/documents/new';
    every_post_creates '/documents/';
    no_update_lost '/documents/counter';

And with requests of your own:

    use Test::More;
    use Apache::TestConditional ':all';

    resource '/documents/a' => '{"n":1}';
    is PUT('/documents/a', '{"n":2}', if_match => '"1"'), 200,
        'the tag that GET gave lets one write';
    is PUT('/documents/a', '{"n":3}', if_match => '"1"'), 412,
        'and no second one';

    done_testing;

=head1 DESCRIPTION

Whether a server answers conditional requests as RFC 9110 section 13 has them can
be seen from outside. This module asks any server, by any URL that it is given: a
path is one of the server that Apache::Test has started, and a whole URL may be
anybody's, in which case Apache::Test is not needed at all.

Each check is one test, and so counts as one in a plan; its steps are a subtest
inside. It returns whether it passed. It works with L<Test::More>, and with
L<Apache::Test> where that was told C<-withtestmore>. None accepts an answer that
the RFC does not allow: where 412 is due, neither 409 nor 200 passes.

Nothing here is about one server or one kind of document. Where content has to be
written it is JSON, C<{"client":1,"round":2,"count":3}>, unless C<body> and C<type>
say otherwise; a server may add members of its own to such an object. Checks that
write change what is at the URL: give them resources of their own.

=head1 CHECKS

All of these are exported. The first argument is the URL, and options follow.
Every check has these two:

=over

=item fields => { name => value, ... }

Fields for each request that the check makes, such as
C<< fields => { authorization => 'Basic ...' } >>. How they are written is said
under L</REQUESTS>.

=item name => 'sentence'

The test's name, in the place of the one that it has.

=back

=head2 Reading

=over

=item revalidation_ok $url

GET gives a document with a tag or a date. Then a request that has them is
answered 304: by If-None-Match with the tag, with its weak form, with a list that
it is in, and with C<*>; by If-Modified-Since with the date in each of its three
forms; for GET and for HEAD. Other tags and an earlier date get the document. The
304 carries each of Cache-Control, Content-Location, Date, ETag, Expires and Vary
that the 200 has, and nothing follows its fields (which can be seen over http
alone, not over https).

=item head_agrees_with_get $url

HEAD has the status and the fields of GET, and no content.

=back

=head2 Preconditions

=over

=item precedence_ok $url, methods => [...], body => sub {...}, type => '...'

Every combination of the five fields of section 13.1, each absent, true and false,
and of Range, for GET, HEAD, PUT and DELETE, is answered as section 13.2.2 says,
and what is refused has changed nothing: 324 requests a method. Different values
that make a condition true or false (a tag, a list, C<*>, a weak tag, the forms of
a date) take turns.

If both PUT and DELETE are among the methods, as they are unless C<methods> says
otherwise, this is done again with nothing at the URL. For a resource that may only
be read write C<< methods => ['GET', 'HEAD'] >>.

Where the resource has no tag, or a weak one, or no date, the table takes that into
account: a date that is unknown is not evaluated, a weak tag never matches
If-Match. Where Range is not honoured it is expected to be ignored.

=back

=head2 One writer after another

=over

=item stale_writer_refused $url, body => sub {...}, type => '...'

Two PUTs with the tag that GET gave: the first succeeds and gives the document
another tag, the second is answered 412 and nothing else, and changes nothing. A
document is made where there is none.

=item date_names_one_version $url, rounds => 3, body => sub {...}, type => '...'

The same with If-Unmodified-Since and the date that GET gave, as fast as can be: a
second writer with the same date is answered 412, and a reader who has the first
version gets the second. A server whose dates are its clock's seconds fails here.

=item tag_names_one_content $url, body => sub {...}, type => '...'

Whatever is written, also the same again, also after a removal: a tag that was
seen once never comes with other content.

=back

=head2 Many at once

In a race all clients have their connections, and then send their requests at once.
These options are common to all races:

=over

=item clients => 8, rounds => 20

How many clients, and how often. (A server that checks and then writes may pass a
single round.)

=item over => 'http/1.1' or 'h2c'

Either each client is a process with a connection of its own, or all are streams of
one HTTP/2 connection without TLS, which the server is known to speak.

=item body => sub { my ($client, $round) = @_; ... }, type => 'application/json'

The content that a client sends: no two calls may give the same.

=back

=over

=item one_winner $url

PUT with the current tag: in each round one succeeds, all others are answered 412,
and the document is what the winner sent. A document is made where there is none.

=item one_creator $url

PUT with C<If-None-Match: *>, likewise. Before each round the URL is deleted; to
have one that never was, give a sub that makes a URL of the number of the round.

=item one_deleter $url, lost => [404, 412]

DELETE with the current tag: one succeeds, and the others are answered one of the
statuses in C<lost>. (Both are right: where nothing is any more, a precondition does
not matter.)

=item every_post_creates $url

POST to a collection: all are answered 201, each with a Location of its own, where
what was sent is.

=item no_update_lost $url, clients => 8, increments => 25, member => 'number'

Clients read a number, add one and write it back with If-Match, and begin again
where they are answered 412. In the end the number is what all of them have added.

=back

=head1 REQUESTS

These are exported by name, or all together by C<:all>.

=over

=item GET $url, HEAD $url, DELETE $url, OPTIONS $url

=item PUT $url, $content, POST $url, $content

=item PATCH $url, $content

Content that begins with a bracket is a JSON Patch, all other content a merge patch,
unless C<content_type> says what it is.

=item request $method, $url, $content

Fields follow as pairs: C<< if_match => '"1"' >> is C<If-Match: "1">, an array's
elements are a line each, and undef is none. Content without a C<content_type> is
C<application/json>, and C<< content_type => undef >> leaves the field out.

What comes back is an L<Apache::TestConditional::Response>, which compares as its
status code. A server that does not answer is no status: these functions die then.
Redirections are not followed.

=item resource $url => $content

PUT that has to create: dies unless it is answered 201. A document that another
test has left is found this way.

=item race $over, [$method, $url, $content, field => value, ...], ...

Sends all of the requests at once, and returns the answers in their order.

=item wire $url

A connection to the URL's server, byte by byte, by default to Apache::Test's: an
L<Apache::TestConditional::Wire>.

=item raw $request_line, @fields, \$content

One request just as it is written, over a connection of its own or one that is
given first, and the answer to it; undef where none comes. A Host field is added
where none is given, and nothing else.

=item user_agent

The L<LWP::UserAgent> that requests go through; an argument puts another in its
place.

=back

=head1 REQUIREMENTS

LWP with HTTP::Date and URI, and Apache::Test for URLs that are paths. All else
comes with Perl.

=head1 SEE ALSO

L<Apache::Test>; RFC 9110 section 13; the tests of mod_condreq, which are written
with this.

=head1 LICENSE

Apache License, Version 2.0.

=cut
