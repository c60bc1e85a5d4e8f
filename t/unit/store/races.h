/* Races: what eight workers do to one store at once, counted.
 * Each returns the count that the suite judges, or -1 where a worker met
 * trouble. */
#ifndef CONDREQ_STORE_RACES_H
#define CONDREQ_STORE_RACES_H

#include "suite.h"

#define RACE_ROUNDS 20
#define RACE_WRITES 40
#define RACE_DRAWS 200

/** All write one document on the condition of one version, round by round.
 * @return rounds that had exactly one winner */
int race_one_winner(const store_suite_t *suite, apr_pool_t *pool);

/** All create one document on the condition that there is none.
 * @return rounds that had exactly one winner */
int race_create_only(const store_suite_t *suite, apr_pool_t *pool);

/** All write one document RACE_WRITES times, each on the version that it has
 * just read inside. @return the document's last version */
int race_hot_document(const store_suite_t *suite, apr_pool_t *pool);

/** All write the same two documents in one transaction, in either order.
 * @return the last version of either, or -1 where they differ */
int race_opposite_orders(const store_suite_t *suite, apr_pool_t *pool);

/** All draw RACE_DRAWS numbers of one sequence.
 * @return how many different ones they got */
int race_draws(const store_suite_t *suite, apr_pool_t *pool);

/** Half replace a body of changing length, half read it.
 * @return reads that gave other bytes than the record's */
int race_readers(const store_suite_t *suite, apr_pool_t *pool);

#endif
