/* How many requests and failures there were in each second, for the last 4,096 seconds.
 *
 * Seconds are those of the epoch. A slot carries the second it counts, so that an older lap of the
 * ring is overwritten without clearing anything when nothing happened for a while. The slots are
 * zeroed memory of the caller. */
#ifndef LC_SECONDS_H
#define LC_SECONDS_H

#include "lc.h"

#define LC_SECONDS 4096

struct lc_second {
    uint32_t second;
    uint32_t requests;
    uint32_t failures;
};

struct lc_seconds {
    struct lc_second *slots;
    uint32_t oldest; /* nothing is counted before this one or after the other */
    uint32_t newest;
};

void lc_seconds_init(struct lc_seconds *seconds, struct lc_second *slots);
/* The whole second of a time; times before the epoch are second 0. */
uint32_t lc_seconds_of(double time_s);
/* What is too old for the ring is dropped. */
void lc_seconds_add(struct lc_seconds *seconds, uint32_t second, uint32_t requests,
                    uint32_t failures);
/* The counts of a second, zeros if it is not in the ring. */
struct lc_second lc_seconds_get(const struct lc_seconds *seconds, uint32_t second);
/* The first and last second that may have counts; false if nothing was counted. */
bool lc_seconds_range(const struct lc_seconds *seconds, uint32_t *first, uint32_t *last);
void lc_seconds_merge(struct lc_seconds *to, const struct lc_seconds *from);
void lc_seconds_reset(struct lc_seconds *seconds);

#endif
