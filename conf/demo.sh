#!/bin/sh
# Serves the demo on 127.0.0.1 until Ctrl-C: the blog of conf/blog.conf and two
# sets of documents, with a few of them to begin with.
# usage: conf/demo.sh [build directory [port]]
set -eu
PATH=$PATH:/usr/sbin:/sbin

conf=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$conf/../build}" && pwd)
port=${2:-8080}
site=http://127.0.0.1:$port
modules=${CONDREQ_MODULES:-/usr/lib/apache2/modules}
temporary=
server=

fail() {
    echo "demo: $*" >&2
    exit 1
}

# httpd started by root serves as www-data, which must get to its store.
is_usable() {
    mkdir -p "$1" 2>/dev/null && [ -w "$1" ] || return 1
    [ "$(id -u)" -ne 0 ] || runuser -u www-data -- test -x "$1"
}

choose_directory() {
    demo=$build/demo-$(id -un)
    is_usable "$demo" && return
    temporary=$(mktemp -d /tmp/condreq-demo.XXXXXX)
    demo=$temporary
    chmod 755 "$demo"
}

# In a session of its own: Ctrl-C and a resized window are this script's to
# hear, not httpd's.
start_server() {
    mkdir -p "$demo/htdocs"
    touch "$demo/error.log"
    logged=$(wc -l <"$demo/error.log")
    setsid apache2 -DFOREGROUND \
        -C "Define CONDREQ_DEMO \"$demo\"" \
        -C "Define CONDREQ_CONF \"$conf\"" \
        -C "Define CONDREQ_MODULE \"$build/mod_condreq.so\"" \
        -C "Define CONDREQ_MODULES \"$modules\"" \
        -C "Define CONDREQ_PORT $port" \
        -f "$conf/demo.conf" &
    server=$!
}

# Whatever ends the script ends the server first.
# shellcheck disable=SC2317  # called by a trap
finish() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    [ -z "$temporary" ] || rm -rf "$temporary"
    exit "$status"
}

request() {
    curl --noproxy '*' -s -o /dev/null -w '%{http_code}' --max-time 10 "$@" || :
}

# The file is written once httpd listens. Another server may be what answers
# on the port meanwhile.
is_listening() {
    [ "$(cat "$demo/httpd.pid" 2>/dev/null)" = "$server" ]
}

wait_for_server() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        is_listening && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.5
    done
    tail -n "+$((logged + 1))" "$demo/error.log" >&2
    fail "httpd did not start. If the port is taken, name another: PORT=8081"
}

# create METHOD PATH JSON
create() {
    answer=$(request -X "$1" -H 'Content-Type: application/json' \
        -H 'If-None-Match: *' -d "$3" "$site$2")
    case $answer in
    201 | 412) ;;
    *) fail "$1 $2 answers $answer; see $demo/error.log" ;;
    esac
}

seed() {
    [ ! -e "$demo/seeded" ] || return 0
    create PUT /documents/doc1 '{"title": "Document 1"}'
    create PUT /dated/doc1 '{"title": "Document 1"}'
    create POST /posts '{"title": "First Post", "content": "Hello, World!"}'
    : >"$demo/seeded"
}

greet() {
    cat <<END

The demo runs. In another terminal, to begin with:

    curl -i $site/posts/1

README.md goes on from there. The log is $demo/error.log
END
    if [ -n "$temporary" ]; then
        echo "What you store is kept until the demo ends."
    else
        echo "What you store is kept in $demo; remove that to begin anew."
    fi
    echo "Ctrl-C ends the demo."
}

[ -e "$build/mod_condreq.so" ] || fail "no module in $build: build it first"
choose_directory
trap finish EXIT
trap 'exit 0' INT TERM HUP
start_server
wait_for_server
seed
greet
wait "$server"
fail "httpd ended; see $demo/error.log"
