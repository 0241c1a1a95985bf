/* The statistics of one (method, name): counters, response times, phases and a per-second ring.
 *
 * One memory region per entry, of which pages take memory when they are used. Recording takes no
 * lock and no allocation and cannot fail. Times are milliseconds in doubles as Locust has them;
 * sum, minimum and maximum are exact. An entry belongs to one thread. */
#ifndef LC_STATS_H
#define LC_STATS_H

#include "hist.h"
#include "phases.h"
#include "rounded.h"
#include "seconds.h"
#include "window.h"

struct lc_stats {
    uint64_t num_requests;
    uint64_t num_none_requests; /* those without a response time */
    uint64_t num_failures;
    uint64_t num_resent;
    int64_t total_content_length;
    double total_response_time_ms;
    double min_response_time_ms; /* NaN: no request with a time yet */
    double max_response_time_ms;
    double start_time_s;
    double last_request_s; /* NaN: no request yet */
    bool has_window;
    uint32_t rounded_used; /* the buckets from this one on were never counted */
    uint64_t *rounded;
    struct lc_seconds seconds;
    struct lc_hist hist;
    struct lc_window window;
    struct lc_phase_hists phases;
};

/* NULL: out of memory. `now_s`: seconds of the epoch, here and below. */
struct lc_stats *lc_stats_new(bool window, double now_s) LC_MUST_USE;
void lc_stats_free(struct lc_stats *stats);
/* A request; `response_time_ms` NaN: it has no time. */
void lc_stats_record(struct lc_stats *stats, double response_time_ms, int64_t content_length,
                     double now_s);
/* The phases of a request that is recorded as well. */
void lc_stats_record_phases(struct lc_stats *stats, const struct lc_phase_keys *keys);
void lc_stats_fail(struct lc_stats *stats, double now_s);
/* Counts response times alone, for statistics that come from elsewhere. */
void lc_stats_add_times(struct lc_stats *stats, double response_time_ms, uint64_t times);
void lc_stats_clear_times(struct lc_stats *stats);
/* Adds all of `from`: it is as if its requests had been recorded here. */
void lc_stats_merge(struct lc_stats *to, const struct lc_stats *from);
void lc_stats_reset(struct lc_stats *stats, double now_s);
/* Locust's percentile on rounded response times, in ms; 0 if there are none. */
uint32_t lc_stats_percentile(const struct lc_stats *stats, double p);
/* The same for what came after the interval with this key began; false if there is none. */
bool lc_stats_percentile_since(const struct lc_stats *stats, int64_t key, double p,
                               uint32_t *time_ms);

#endif
