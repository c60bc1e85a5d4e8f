/* A load of nothing but flushes: how fast the disk takes 1 KiB for good.
 * Knows one file, made beforehand as a database makes its log; no document. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tally.h"

#define FILE_BYTES (16 << 20)
#define WRITE_BYTES 1024

static void flush_ready(void *baton, int clients)
{
    (void)baton;
    (void)clients;
}

static void flush_go(void *baton, double seconds, tally_t *tally)
{
    static char bytes[WRITE_BYTES];
    int file = *(int *)baton;
    double begun = tally_now(), now = begun, before;
    off_t at = 0;

    while (now < begun + seconds) {
        before = now;
        if (pwrite(file, bytes, sizeof(bytes), at) != sizeof(bytes) ||
            fdatasync(file) != 0)
            tally_die("flush", strerror(errno));
        at = (at + WRITE_BYTES) % FILE_BYTES;
        now = tally_now();
        tally_count(tally, 0, TALLY_STEP, 0, 0, (now - before) * 1e6);
    }
    tally->seconds = now - begun;
}

int main(int argc, char **argv)
{
    static char zeros[1 << 16];
    int file, i;
    tally_load_t served = {flush_ready, flush_go, &file};

    if (argc != 2)
        tally_die("usage", "flush_load file");
    file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (i = 0; file >= 0 && i < FILE_BYTES / (int)sizeof(zeros); i++) {
        if (write(file, zeros, sizeof(zeros)) != sizeof(zeros))
            tally_die(argv[1], strerror(errno));
    }
    if (file < 0 || fsync(file) != 0)
        tally_die(argv[1], strerror(errno));
    tally_serve(&served);
    return unlink(argv[1]) != 0;
}
