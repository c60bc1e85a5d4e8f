/* A load of nothing but what a PUT's content costs: the check that it is JSON,
 * and its hash. Knows the core's parser and libcrypto; no store, no request. */
#include <openssl/sha.h>

#include "apr_general.h"

#include "../store/side.h"
#include "condreq_json.h"
#include "tally.h"

static void content_ready(void *baton, int clients)
{
    (void)baton;
    (void)clients;
}

static void content_go(void *baton, double seconds, tally_t *tally)
{
    static const condreq_json_limits_t limits = {512, 100000};
    double begun = tally_now(), now = begun, before;
    unsigned char hash[SHA256_DIGEST_LENGTH];
    condreq_json_fault_t fault;
    condreq_json_t *json;
    apr_pool_t *pool;

    (void)baton;
    apr_pool_create(&pool, NULL);
    while (now < begun + seconds) {
        before = now;
        if (condreq_json_parse(&json, side_body(), side_setting.body_length,
                               &limits, &fault, pool) != CONDREQ_JSON_GOOD)
            tally_die("content", fault.reason);
        SHA256((const unsigned char *)side_body(), side_setting.body_length,
               hash);
        apr_pool_clear(pool);
        now = tally_now();
        tally_count(tally, 0, TALLY_STEP, 0, 0, (now - before) * 1e6);
    }
    tally->seconds = now - begun;
    apr_pool_destroy(pool);
}

int main(void)
{
    tally_load_t served = {content_ready, content_go, NULL};

    apr_initialize();
    side_body();
    tally_serve(&served);
    return 0;
}
