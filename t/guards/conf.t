# The files of conf/, which people copy: each is accepted by httpd as it
# stands, and does what its comments say.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use OneHttpd;
use Sources;
use Test::More;

die "no module is built\n" unless -e OneHttpd::module();

my $conf = root() . '/conf';

# What a reader adapts to a machine: where the store and the passwords are.
sub adapted {
    my ($name, $directory) = @_;
    my $text = read_file("$conf/$name");
    my $module = OneHttpd::module();

    $text =~ s{/usr/lib/apache2/modules/mod_condreq\.so}{$module};
    $text =~ s{bdb:/var/lib/condreq}{bdb:$directory/store};
    $text =~ s{/\S*/condreq\.passwd$}{$directory/passwd}gm;
    return $text;
}

# alice's password is "secret", hashed by htpasswd -s.
sub write_passwords {
    my ($directory) = @_;
    OneHttpd::write_file("$directory/passwd",
                         "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    return;
}

# Rows of: method, path, fields, content, status, sentence.
sub requests_are_answered {
    my ($httpd, @rows) = @_;
    for my $row (@rows) {
        my ($method, $path, $fields, $content, $status, $sentence) = @$row;
        my $answer = $httpd->ask($method, $path, $fields, $content);

        is $answer->{status}, $status, $sentence
            or diag "$answer->{content}\n" . $httpd->log;
    }
    return;
}

my %alice = (as => 'alice:secret');
my %new = ('If-None-Match' => '*');

# Anyone reads, who has a password writes, and says what is written over.
sub anyone_reads_alice_writes {
    my ($httpd, $path) = @_;
    requests_are_answered($httpd,
        ['GET', $path, {}, undef, 404, 'anyone may look'],
        ['PUT', $path, {%new}, '{}', 401, 'nobody writes without a password'],
        ['PUT', $path, {%new, as => 'alice:guess'}, '{}', 401,
         'nor with a wrong one'],
        ['PUT', $path, {%alice}, '{}', 428, 'alice says what is there'],
        ['PUT', $path, {%alice, %new}, '{"n":1}', 201, 'alice creates'],
        ['GET', $path, {}, undef, 200, 'anyone reads it'],
        ['HEAD', $path, {}, undef, 200, 'or looks whether it is there'],
        ['OPTIONS', $path, {}, undef, 200, 'or what can be done with it'],
        ['PUT', $path, {'If-Match' => '"1"'}, '{"n":2}', 401,
         'a tag is no password'],
        ['PUT', $path, {%alice, 'If-Match' => '"0"'}, '{"n":2}', 412,
         'alice overwrites nothing that she has not seen'],
        ['PUT', $path, {%alice, 'If-Match' => '"1"'}, '{"n":2}', 200,
         'alice updates'],
        ['DELETE', $path, {'If-Match' => '"2"'}, undef, 401,
         'nobody deletes without a password'],
        ['DELETE', $path, {%alice, 'If-Match' => '"2"'}, undef, 204,
         'alice deletes']);
    return;
}

my %examples;

$examples{'condreq.load'} = $examples{'condreq.conf'} = sub {
    my ($right, $said) = OneHttpd::configtest(
        adapted('condreq.load') . read_file("$conf/condreq.conf"));

    ok $right, 'what a2enmod enables is accepted' or diag $said;
};

$examples{'minimal.conf'} = sub {
    my $httpd = OneHttpd->start(sub {
        my ($directory) = @_;
        return OneHttpd::load() . OneHttpd::store($directory)
            . adapted('minimal.conf');
    });

    requests_are_answered($httpd,
        ['PUT', '/documents/doc1', {}, '{"title": "Document 1"}', 201,
         'minimal.conf stores a document'],
        ['GET', '/documents/doc1', {}, undef, 200, 'and serves it']);
};

$examples{'auth.conf'} = sub {
    my $httpd = OneHttpd->start(sub {
        my ($directory) = @_;

        write_passwords($directory);
        # Would let everybody in, if it were asked.
        mkdir "$directory/htdocs/documents";
        OneHttpd::write_file("$directory/htdocs/documents/.htaccess",
                             "Require all granted\n");
        return OneHttpd::load() . OneHttpd::store($directory)
            . "<Directory $directory/htdocs>\nAllowOverride All\n"
            . "Require all granted\n</Directory>\n"
            . adapted('auth.conf', $directory);
    });

    anyone_reads_alice_writes($httpd, '/documents/doc1');
    requests_are_answered($httpd,
        ['POST', '/documents', {}, '{}', 401, 'nobody creates without a password'],
        ['POST', '/documents', {%alice}, '{}', 201, 'alice creates by POST']);
};

$examples{'blog.conf'} = sub {
    for my $required (0, 1) {
        my $httpd = OneHttpd->start(sub {
            my ($directory) = @_;
            my $blog = adapted('blog.conf');

            if ($required) {
                ok $blog =~ s/#(CondReqRequire etag)$/$1/m,
                    'blog.conf shows CondReqRequire as an option';
            }
            return OneHttpd::load() . OneHttpd::store($directory) . $blog;
        });

        requests_are_answered($httpd,
            ['PUT', '/posts/1', {%new}, '{}', 404, 'posts are made by POST'],
            ['POST', '/posts', {}, '{"title": "First Post"}', 201,
             'which creates one'],
            ['PUT', '/posts/1', {}, '{"title": "New"}', $required ? 428 : 200,
             $required ? 'no update without its version'
                       : 'an update may go without its version'],
            ['PUT', '/posts/1', {'If-Match' => '"1-0"'}, '{"title": "Old"}', 412,
             'but never with a wrong one']);
    }
};

$examples{'htaccess.example'} = sub {
    my $httpd = OneHttpd->start(sub {
        my ($directory) = @_;

        write_passwords($directory);
        mkdir "$directory/htdocs/api";
        OneHttpd::write_file("$directory/htdocs/api/.htaccess",
                             adapted('htaccess.example', $directory));
        return OneHttpd::load() . OneHttpd::store($directory)
            . "<Directory $directory/htdocs>\n"
            . "AllowOverride FileInfo AuthConfig\n</Directory>\n";
    });

    anyone_reads_alice_writes($httpd, '/api/doc1');
    anyone_reads_alice_writes($httpd, '/api/notes/1');
    requests_are_answered($httpd,
        ['POST', '/api', {}, '{}', 401, 'nobody creates without a password'],
        ['POST', '/api', {%alice}, '{}', 201, 'alice creates by POST'],
        ['GET', '/other/doc1', {}, undef, 403,
         'what is outside stays under the rules of outside']);
};

# readme.t runs these two.
$examples{'demo.conf'} = $examples{'demo'} = sub { };

for my $name (sort map { s{.*/}{}r } glob "$conf/*") {
    ok $examples{$name}, "$name is tried here";
    subtest $name => sub { $examples{$name}->(); pass } if $examples{$name};
}

done_testing;
