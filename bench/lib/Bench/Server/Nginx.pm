package Bench::Server::Nginx;

# An nginx: static files and its own PUT, with one worker as the others here
# have one core.

use strict;
use warnings;

use parent 'Bench::Server';

sub missing {
    my ($self) = @_;
    return $self->_found('/usr/sbin/nginx') ? () : ('nginx', 'nginx');
}

sub start {
    my ($self) = @_;
    my $directory = $self->directory;
    my $user = $self->place->is_root ? 'user www-data;' : '';

    mkdir "$directory/$_" for qw(htdocs htdocs/documents temporary);
    $self->_write_documents("$directory/htdocs/documents");
    $self->place->give_to('www-data', $directory, glob "$directory/* $directory/htdocs/* $directory/htdocs/*/*");
    my $conf = $self->place->write_file("$self->{name}.conf", <<"END");
$user
daemon off;
worker_processes 1;
pid $directory/pid;
error_log $directory/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    default_type application/octet-stream;
    types { application/json json; }
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 120;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_body_temp_path $directory/temporary;
    proxy_temp_path $directory/temporary/proxy;
    fastcgi_temp_path $directory/temporary/fastcgi;
    uwsgi_temp_path $directory/temporary/uwsgi;
    scgi_temp_path $directory/temporary/scgi;
    server {
        listen 127.0.0.1:$self->{port};
        root $directory/htdocs;
        location / { dav_methods PUT DELETE; }
    }
}
END
    $self->_run(command => ['nginx', '-p', $directory, '-e', "$directory/error.log", '-c', $conf]);
    $self->_wait_for_port;
    return;
}

1;
