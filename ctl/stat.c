/* stat: how a store is, in numbers.
 * Knows what the store says of itself, and counts its documents. */
#include "condreqctl.h"

#include <stdio.h>

#include "apr_strings.h"

#define AT_ONCE 64

typedef struct counted_t {
    apr_uint64_t documents;
    apr_uint64_t tombstones;
    apr_uint64_t bytes;
} counted_t;

static void count_all(counted_t *counted, const condreq_walked_t *found,
                      unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++) {
        counted->documents += found[i].record.state == CONDREQ_LIVE;
        counted->tombstones += found[i].record.state == CONDREQ_TOMBSTONE;
        counted->bytes += found[i].record.body_length;
    }
}

static apr_status_t count_documents(const ctl_call_t *call,
                                    condreq_store_t *store, counted_t *counted,
                                    condreq_trouble_t *trouble)
{
    condreq_walked_t *found = apr_palloc(call->pool, AT_ONCE * sizeof(*found));
    condreq_walk_t walk = {{0}, 0};
    apr_status_t status;
    unsigned count;

    do {
        status = call->provider->walk(store, "", &walk, found, AT_ONCE, &count,
                                      trouble, call->pool);
        if (status == APR_SUCCESS)
            count_all(counted, found, count);
    } while (status == APR_SUCCESS && count > 0);
    return status;
}

static double hit_rate(const condreq_store_state_t *state)
{
    apr_uint64_t asked = state->cache_hits + state->cache_misses;

    return asked ? (double)state->cache_hits / (double)asked : 0;
}

static const char *durability(const condreq_store_state_t *state)
{
    return state->durability == CONDREQ_SYNC ? "sync" : "write_nosync";
}

#define N "%" APR_UINT64_T_FMT

static void print_lines(const char *path, const counted_t *counted,
                        const condreq_store_state_t *state)
{
    printf("store            %s\n"
           "documents        " N "\n"
           "tombstones       " N "\n"
           "bytes            " N "\n"
           "data on disk     " N "\n"
           "log on disk      " N "\n"
           "cache            " N "\n"
           "cache hit rate   %.4f\n"
           "durability       %s\n"
           "incarnation      " N "\n"
           "generation       " N "\n"
           "recoveries       " N "\n"
           "last recovery    %.3f s\n"
           "processes ended  " N "\n"
           "processes        %u\n"
           "threads inside   %u\n"
           "keeper           %d\n",
           path, counted->documents, counted->tombstones, counted->bytes,
           state->data_bytes, state->log_bytes, state->cache_bytes,
           hit_rate(state), durability(state), state->incarnation,
           state->generation, state->recoveries,
           (double)state->last_recovery_us / APR_USEC_PER_SEC,
           state->processes_ended, state->processes, state->threads_inside,
           (int)state->keeper);
}

static void print_json(const char *path, const counted_t *counted,
                       const condreq_store_state_t *state, apr_pool_t *pool)
{
    printf("{\"store\": %s, \"documents\": " N ", \"tombstones\": " N
           ", \"bytes\": " N ", \"data_bytes\": " N ", \"log_bytes\": " N
           ", \"cache_bytes\": " N ", \"cache_hits\": " N
           ", \"cache_misses\": " N ", \"cache_hit_rate\": %.4f, "
           "\"durability\": \"%s\", \"incarnation\": " N ", \"generation\": " N
           ", \"recoveries\": " N ", \"last_recovery_s\": %.6f, "
           "\"processes_ended\": " N ", \"processes\": %u, "
           "\"threads_inside\": %u, \"keeper\": %d}\n",
           ctl_json_string(path, pool), counted->documents, counted->tombstones,
           counted->bytes, state->data_bytes, state->log_bytes,
           state->cache_bytes, state->cache_hits, state->cache_misses,
           hit_rate(state), durability(state), state->incarnation,
           state->generation, state->recoveries,
           (double)state->last_recovery_us / APR_USEC_PER_SEC,
           state->processes_ended, state->processes, state->threads_inside,
           (int)state->keeper);
}

/* The state first: counting reads pages, too. */
ctl_exit_t ctl_stat(ctl_call_t *call)
{
    const condreq_store_care_t *care = call->provider->care;
    condreq_trouble_t trouble = {""};
    condreq_store_state_t state;
    counted_t counted = {0, 0, 0};
    condreq_store_t *store;
    apr_status_t status;
    ctl_exit_t code = ctl_open(&store, call);

    if (code != CTL_DONE)
        return code;
    if ((status = care->state(store, &state, &trouble, call->pool)) == 0)
        status = count_documents(call, store, &counted, &trouble);
    care->leave(store);
    if (status != APR_SUCCESS)
        return ctl_trouble(status, &trouble);
    if (call->json)
        print_json(call->path, &counted, &state, call->pool);
    else
        print_lines(call->path, &counted, &state);
    return ctl_written(CTL_DONE);
}
