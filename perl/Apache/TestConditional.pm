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
    qw(GET HEAD PUT POST DELETE OPTIONS request resource wire raw absolute_url user_agent);

our $VERSION = '1.00';

our @EXPORT = qw(
    revalidation_ok head_agrees_with_get precedence_ok
    stale_writer_refused date_names_one_version tag_names_one_content
    one_winner one_creator one_deleter every_post_creates no_update_lost
);
our @EXPORT_OK = (@EXPORT,
    qw(GET HEAD PUT POST DELETE OPTIONS request resource wire raw user_agent race));
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

    return _for_rounds($option, "of several creators of $url one wins", sub {
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

=encoding utf-8

=head1 NAME

Apache::TestConditional - does a URL keep its promises about conditional requests?

=head1 SYNOPSIS

    use Apache::Test;
    use Test::More;
    use Apache::TestConditional;

    revalidation_ok('/posts/1');
    my $count = 0;
    stale_writer_refused('/posts/1', body => sub { sprintf '{"title":"Post %d"}', ++$count });
    one_winner('/posts/1', clients => 8, rounds => 20);
    precedence_ok('/posts/1');
    done_testing;

=head1 DESCRIPTION

Each check is one test of L<Test::More>, a subtest with a sentence for each step. It is given a
path of the server that Apache::Test started, or an absolute URL of any server. Checks that write
change what is at the URL: give them resources of their own.

All follow RFC 9110 section 13, and none accepts an answer that the section does not allow: where
412 is due, neither 409 nor 200 passes.

=head1 CHECKS

=over 4

=item revalidation_ok URL

What GET gave as ETag or Last-Modified brings 304, with the fields of section 15.4.5 and without
content; another tag brings 200.

=item head_agrees_with_get URL

HEAD has the fields of GET.

=item precedence_ok URL, methods => [...], body => ..., type => ...

The whole table of section 13.2.2: every combination of presence and truth of its fields, for GET,
HEAD, PUT and DELETE unless C<methods> says others.

=item stale_writer_refused URL, body => ..., type => ...

The tag of GET lets one PUT succeed. A second with the same tag is 412 and changes nothing.

=item date_names_one_version URL, body => ..., type => ..., rounds => 3

Of several rapid writes, no two versions are ever sent with one Last-Modified, and
If-Unmodified-Since loses no update.

=item tag_names_one_content URL, body => ..., type => ...

A tag that was handed out does not come back for other content, not after DELETE and a new PUT
either.

=item one_winner URL, clients => 8, rounds => 20

In each round all clients PUT at once with the tag of the round: one succeeds, all others are 412,
and what is there is the winner's.

=item one_creator URL, clients => 8, rounds => 20

The same with C<If-None-Match: *> where nothing is. URL may be a function of the round that gives a
new one for each; else the document is removed before each round.

=item one_deleter URL, clients => 8, rounds => 20, lost => [404, 412]

The same with DELETE.

=item every_post_creates URL, clients => 8, rounds => 20

All POSTs to a collection succeed, each with a Location of its own.

=item no_update_lost URL, clients => 8, increments => 25, member => 'number'

Clients read a number, add one and save with If-Match, again after each 412: the sum is right.

=back

=head1 OPTIONS

=over 4

=item body

A function that gives the content to write, another at each call; it is handed the client's and the
round's number. Unless it is said, small JSON objects are written.

=item type

Its media type, application/json if nothing is said.

=item fields

A hash of further request fields, for authentication for instance.

=item name

The name of the test, in the place of the check's own.

=item over

For races: C<http/1.1>, or C<h2c> for HTTP/2 without TLS, which needs curl.

=back

=head1 REQUESTS

On demand (C<use Apache::TestConditional ':all'>) there are GET, HEAD, PUT, POST, DELETE, OPTIONS and
C<request>, whose answers compare as their status:

    resource '/docs/a' => '{"n":1}';
    is PUT('/docs/a', '{"n":2}', if_match => '"1"'), 200, 'the tag lets one write';
    is PUT('/docs/a', '{"n":3}', if_match => '"1"'), 412, 'and no second one';

C<wire> and C<raw> speak to the socket itself, for requests that no library would send; C<race> starts
clients together.

=head1 SEE ALSO

L<Apache::Test>, RFC 9110 section 13

=cut
