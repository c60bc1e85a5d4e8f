package Bench::Server::Lighttpd;

# A lighttpd: static files, and WebDAV's PUT.

use strict;
use warnings;

use parent 'Bench::Server';

sub missing {
    my ($self) = @_;
    return ('lighttpd', 'lighttpd') unless $self->_found('/usr/sbin/lighttpd');
    return ("lighttpd's WebDAV", 'lighttpd-mod-webdav')
        unless $self->_found('/usr/lib/lighttpd/mod_webdav.so');
    return;
}

sub start {
    my ($self) = @_;
    my $directory = $self->directory;
    my $user = $self->place->is_root ? qq(server.username = "www-data"\nserver.groupname = "www-data"\n) : '';

    mkdir "$directory/$_" for qw(htdocs htdocs/documents temporary);
    $self->_write_documents("$directory/htdocs/documents");
    $self->place->give_to('www-data', $directory, glob "$directory/* $directory/htdocs/* $directory/htdocs/*/*");
    my $conf = $self->place->write_file("$self->{name}.conf", <<"END");
server.modules = ("mod_webdav")
server.document-root = "$directory/htdocs"
server.bind = "127.0.0.1"
server.port = $self->{port}
server.errorlog = "$directory/error.log"
server.upload-dirs = ("$directory/temporary")
server.max-keep-alive-requests = 1000000000
server.max-keep-alive-idle = 120
server.max-worker = 0
mimetype.assign = (".json" => "application/json")
${user}webdav.activate = "enable"
END
    $self->_run(command => ['lighttpd', '-D', '-f', $conf]);
    $self->_wait_for_port;
    return;
}

1;
