/* What is kept of a file system, whatever its size. */
#include "bdb/condreq_bdb_room.h"
#include "tap.h"

#define KIB ((apr_uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct row_t {
    const char *sentence;
    apr_uint64_t file_system_bytes;
    apr_uint64_t kept_at_most;
} rows[] = {
    {"16 MiB: a quarter", 16 * MIB, 4 * MIB},
    {"64 MiB: a quarter", 64 * MIB, 16 * MIB},
    {"100 MiB: a quarter", 100 * MIB, 25 * MIB},
    {"1 GiB: 256 MiB", GIB, 256 * MIB},
    {"100 GiB: 256 MiB", 100 * GIB, 256 * MIB},
    {"16 EiB: 256 MiB", APR_UINT64_MAX, 256 * MIB},
};

/* Two files of the log may be begun, and one be full. */
static apr_uint64_t kept(const bdb_room_plan_t *plan)
{
    return plan->floor_bytes + plan->ballast_bytes +
           3 * (apr_uint64_t)plan->log_file_bytes;
}

static void check(const struct row_t *row)
{
    bdb_room_plan_t plan;

    bdb_room_plan(&plan, row->file_system_bytes);
    ok(kept(&plan) <= row->kept_at_most, "%s at most is kept", row->sentence);
    ok(plan.log_buffer_bytes * 4 <= plan.log_file_bytes,
       "%s: the library's rule for the log's buffer", row->sentence);
    ok(plan.floor_bytes / 2 >= 2 * plan.checkpoint_bytes,
       "%s: half a floor has room for what two checkpoints write",
       row->sentence);
    ok(plan.ballast_bytes >= plan.checkpoint_bytes + plan.log_file_bytes,
       "%s: the ballast has room for a recovery", row->sentence);
}

int main(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check(&rows[i]);
    ok(bdb_room_needed(0) > 0, "a record needs room");
    ok(bdb_room_needed(MIB) >= 3 * MIB, "a body needs room in the log, in the "
                                        "log once more when it goes, and in "
                                        "its tree");
    ok(bdb_room_free(-1) == APR_UINT64_MAX,
       "where it cannot be known how much is free, nothing is refused");
    return done_testing();
}
