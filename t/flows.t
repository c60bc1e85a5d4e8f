# The request flows of the page on conditional requests, with the answers that
# it shows: documents with version tags, and the blog of conf/blog.conf.
use strict;
use warnings;

use Test::More;

use Apache::TestConditional ':all';

# ---- If-None-Match ----
{
    resource '/docs/page1' => '{"id": "doc1", "title": "Document 1", "version": 1}';

    my $first = GET '/docs/page1', accept => 'application/json';
    is $first, 200, 'a first request gets the document';
    is $first->etag, '"1"', 'and its tag, which is quoted and strong';
    is $first->header('Content-Type'), 'application/json', 'as JSON';
    is $first->body, '{"id": "doc1", "title": "Document 1", "version": 1}', 'just as it was stored';

    my $second = GET '/docs/page1', accept => 'application/json', if_none_match => '"1"';
    is $second, 304, 'with that tag in If-None-Match the second is answered 304';
    is $second->etag, '"1"', 'which repeats the tag';
    is $second->body, '', 'and has no content';

    is GET('/docs/page1', if_none_match => '"0"'), 200, 'a tag of something else gets the document';
}

# ---- If-Match ----
{
    resource '/docs/page2' => '{"id": "doc1", "content": "Original"}';

    my $update = PUT '/docs/page2', '{"content": "Updated content"}', if_match => '"1"';
    is $update, 200, 'an update with the current tag succeeds';
    is $update->etag, '"2"', 'with the next tag';
    is $update->body, '{"content": "Updated content"}', 'and the document as it is now';
    is $update->header('Content-Location'), '/docs/page2', 'whose URI is said';

    is PUT('/docs/page2', '{"content": "Conflicting update"}', if_match => '"1"'), 412,
        'a conflicting update with the old tag is answered 412';
    is GET('/docs/page2')->json->{content}, 'Updated content', 'and has changed nothing';
}

# ---- Last-Modified ----
{
    my $date = resource('/docs/page3' => '{"title": "Document 1"}')->last_modified;

    like $date, qr/^..., \d\d ... \d{4} \d\d:\d\d:\d\d GMT$/, 'a document has a date';
    is GET('/docs/page3')->last_modified, $date, 'that GET says too';

    my $again = GET '/docs/page3', if_modified_since => $date;
    is $again, 304, 'with that date in If-Modified-Since a request is answered 304';
    is $again->header('Last-Modified'), undef, 'without the date, since there is a tag';

    my $tagless = resource('/tagless/page3' => '{}')->last_modified;
    is GET('/tagless/page3', if_modified_since => $tagless)->last_modified, $tagless,
        'and with the date where there is none';
}

# ---- the blog ----
{
    my $created = POST '/posts', '{"title": "First Post", "content": "Hello, World!"}';
    is $created, 201, 'a post is created';
    my $post = $created->json;
    my ($id, $place) = ($post->{id}, $created->header('Location'));
    is $place, "/posts/$id", 'at a place that its id is in';
    is $created->etag, qq("$id-1"), 'with a tag of id and version';
    is $post->{version}, 1, 'in its first version';
    like $post->{updated_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/, 'and the time, in UTC';
    is $post->{title}, 'First Post', 'with what was sent';

    my $read = GET $place, accept => 'application/json';
    is $read->body, $created->body, 'GET shows it';
    is GET($place, if_none_match => $read->etag), 304, 'once';

    my $updated = PUT $place, '{"title": "Updated Title"}', if_match => $read->etag;
    is $updated, 200, 'an update with its tag succeeds';
    is $updated->etag, qq("$id-2"), 'and gives the next';
    is $updated->json->{title}, 'Updated Title', 'it sets what it names';
    is $updated->json->{content}, 'Hello, World!', 'and keeps what it does not';
    is $updated->json->{version}, 2, 'the version follows';
    isnt $updated->json->{updated_at}, $post->{updated_at}, 'and the time';

    is PUT($place, '{"title": "Conflicting Update"}', if_match => $read->etag), 412,
        'a second update with the old tag is answered 412';
    is GET($place)->body, $updated->body, 'and has changed nothing';

    is POST('/posts', '{"title": "Second"}')->json->{id}, $id + 1, 'the next post has the next id';
    is PUT('/posts/999999', '{"title": "None"}'), 404, 'a post that is not there is not updated';
    is GET('/posts/999999'), 404, 'nor read';
}

# ---- what the page promises of all of this ----
{
    my $post = POST('/posts', '{"title": "Checked"}')->header('Location');

    revalidation_ok $post;
    head_agrees_with_get $post;
    stale_writer_refused $post;
}

done_testing;
