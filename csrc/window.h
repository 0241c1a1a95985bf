/* The rounded response times of the last intervals, for "current" percentiles.
 *
 * As in Locust's `response_times_cache`, an interval begins at a key (the second before the first
 * request of a new second) and the last 20 are kept. What was recorded since a key is the sum of
 * the intervals from that key on. The counts are zeroed memory of the caller, bucket by bucket, so
 * that an entry touches only the pages of the buckets it has. */
#ifndef LC_WINDOW_H
#define LC_WINDOW_H

#include "rounded.h"

#define LC_WINDOW 20
/* Bytes of zeroed memory that lc_window_init is given. */
#define LC_WINDOW_STORAGE ((size_t)LC_ROUNDED_BUCKETS * LC_WINDOW * sizeof(uint32_t))

/* The beginning of an interval, and what had been counted until then. */
struct lc_window_mark {
    int64_t key;
    uint64_t num_requests;
    uint64_t num_none_requests;
};

struct lc_window {
    uint32_t *counts; /* [bucket][slot of the interval] */
    uint32_t buckets; /* the buckets from this one on were never counted */
    uint32_t current; /* slot of the interval that grows */
    uint32_t used;    /* intervals, the current one included */
    struct lc_window_mark marks[LC_WINDOW];
};

void lc_window_init(struct lc_window *window, uint32_t *storage);
/* Begins an interval; one that has the key of the current interval takes its place. */
void lc_window_begin(struct lc_window *window, struct lc_window_mark mark);
void lc_window_add(struct lc_window *window, uint32_t bucket, uint32_t times);
/* How many intervals ago the one with this key began; false if there is none. */
bool lc_window_find(const struct lc_window *window, int64_t key, uint32_t *ago);
const struct lc_window_mark *lc_window_mark(const struct lc_window *window, uint32_t ago);
/* The count of a bucket in the current interval and the `ago` before it. */
uint64_t lc_window_count(const struct lc_window *window, uint32_t ago, uint32_t bucket);
void lc_window_reset(struct lc_window *window);

#endif
