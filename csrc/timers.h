/* Timers by due time: a heap of entries that live in their owners' structs.
 *
 * Starting may allocate (the heap grows), stopping and firing never do. Times are nanoseconds of
 * the monotonic clock. */
#ifndef LC_TIMERS_H
#define LC_TIMERS_H

#include "lc.h"

struct lc_timer {
    uint64_t due_ns;
    size_t place; /* 1 + index in the heap; 0: not started */
};

struct lc_timers {
    struct lc_timer **heap;
    size_t len;
    size_t cap;
};

void lc_timers_init(struct lc_timers *timers);
void lc_timers_free(struct lc_timers *timers); /* forgets timers that are still started */
/* Starts a timer, or moves one that is started already. */
int lc_timers_start(struct lc_timers *timers, struct lc_timer *timer, uint64_t due_ns) LC_MUST_USE;
/* Stops it; one that is not started is left alone. */
void lc_timers_stop(struct lc_timers *timers, struct lc_timer *timer);
/* The earliest due time, UINT64_MAX if there is none. */
uint64_t lc_timers_next(const struct lc_timers *timers);
/* Takes the earliest timer that is due by now_ns, stopped; NULL if none is. */
struct lc_timer *lc_timers_pop(struct lc_timers *timers, uint64_t now_ns);

#endif
