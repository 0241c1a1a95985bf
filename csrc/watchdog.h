/* A thread that notices when its owner has not been heard of for a while.
 *
 * After `blocked_ns` without a beat it has `ask` called in another thread, for asking may have to
 * wait for what the owner holds: if there is no answer two ticks later it peeks. If the silence
 * lasts for `lasting_ns` it asks once more, or shouts when the first question still waits. Then it
 * waits for the next beat. Time in which the whole process did not run is no silence. */
#ifndef LC_WATCHDOG_H
#define LC_WATCHDOG_H

#include "lc.h"

struct lc_watchdog;

struct lc_watchdog_config {
    uint64_t tick_ns; /* how often it looks */
    uint64_t blocked_ns, lasting_ns;
    uint64_t (*now_ns)(void); /* NULL: lc_now_ns */
    /* In a thread of its own, one at a time; may wait. */
    void (*ask)(void *data, uint64_t silent_ns);
    /* In the watching thread; may not wait for anything that the owner holds. */
    void (*peek)(void *data);
    void (*shout)(void *data, uint64_t silent_ns);
    void *data;
};

/* Begins to watch; the caller counts as heard of. */
int lc_watchdog_new(const struct lc_watchdog_config *config, struct lc_watchdog **out) LC_MUST_USE;
/* Returns when no thread of it is left, so a question that waits must get its answer meanwhile. In
 * a forked child, where there are none, it only frees the memory. */
void lc_watchdog_free(struct lc_watchdog *watchdog);

/* The owner is alive: for how long it was not heard of, if that was enough to ask; else 0. */
uint64_t lc_watchdog_beat(struct lc_watchdog *watchdog);
/* As a beat, and silence means nothing until the next one. */
void lc_watchdog_rest(struct lc_watchdog *watchdog);
/* Whether there was no beat since the question: for `ask`, when it no longer has to wait. */
bool lc_watchdog_is_silent(struct lc_watchdog *watchdog);

#endif
