#include "stats.h"

#include <math.h>

#define PAGE 4096

/* The parts of an entry's region behind the struct, each at a multiple of 8. The rounded buckets
 * come first: with the struct they fill the one page that every entry touches. */
struct region {
    struct lc_stats stats;
    uint64_t rounded[LC_ROUNDED_BUCKETS];
    struct lc_second seconds[LC_SECONDS];
    uint32_t hist[LC_HIST_STORAGE / sizeof(uint32_t)];
    _Alignas(PAGE) uint32_t phases[LC_PHASES_STORAGE / sizeof(uint32_t)];
    uint32_t window[LC_WINDOW_STORAGE / sizeof(uint32_t)];
};

static size_t region_size(bool window)
{
    return window ? sizeof(struct region) : offsetof(struct region, window);
}

static int64_t key_of(double time_s)
{
    return (int64_t)lc_seconds_of(time_s);
}

/* What a table starts with: also the window's first interval, so that percentiles of the first
 * seconds have something to be compared with. */
static void start(struct lc_stats *stats, double now_s)
{
    stats->num_requests = 0;
    stats->num_none_requests = 0;
    stats->num_failures = 0;
    stats->num_resent = 0;
    stats->total_content_length = 0;
    stats->total_response_time_ms = 0;
    stats->min_response_time_ms = (double)NAN;
    stats->max_response_time_ms = 0;
    stats->start_time_s = now_s;
    stats->last_request_s = (double)NAN;
    if (stats->has_window) {
        lc_window_begin(&stats->window, (struct lc_window_mark){key_of(now_s), 0, 0});
    }
}

struct lc_stats *lc_stats_new(bool window, double now_s)
{
    struct region *region = lc_map(region_size(window));
    if (region == NULL) {
        return NULL;
    }
    struct lc_stats *stats = &region->stats;
    stats->has_window = window;
    stats->rounded = region->rounded;
    lc_seconds_init(&stats->seconds, region->seconds);
    lc_hist_init(&stats->hist, region->hist);
    lc_window_init(&stats->window, window ? region->window : NULL);
    lc_phases_init(&stats->phases, region->phases);
    start(stats, now_s);
    return stats;
}

void lc_stats_free(struct lc_stats *stats)
{
    if (stats != NULL) {
        lc_unmap(stats, region_size(stats->has_window));
    }
}

static void begin_interval(struct lc_stats *stats, int64_t key)
{
    struct lc_window_mark mark = {key, stats->num_requests, stats->num_none_requests};
    lc_window_begin(&stats->window, mark);
}

static void add_rounded(struct lc_stats *stats, uint32_t bucket, uint64_t times)
{
    stats->rounded[bucket] += times;
    if (bucket >= stats->rounded_used) {
        stats->rounded_used = bucket + 1;
    }
    if (stats->has_window) {
        lc_window_add(&stats->window, bucket, (uint32_t)times);
    }
}

static uint64_t microseconds(double time_ms)
{
    if (!(time_ms > 0)) {
        return 0;
    }
    return time_ms < (double)LC_BINS_MAX_US ? (uint64_t)(time_ms * 1000 + 0.5) : LC_BINS_MAX_US;
}

static void widen(struct lc_stats *stats, double min_ms, double max_ms)
{
    /* The negations are true when there is no minimum yet, which is NaN. */
    if (!(stats->min_response_time_ms <= min_ms)) {
        stats->min_response_time_ms = min_ms;
    }
    if (stats->max_response_time_ms < max_ms) {
        stats->max_response_time_ms = max_ms;
    }
}

void lc_stats_add_times(struct lc_stats *stats, double response_time_ms, uint64_t times)
{
    add_rounded(stats, lc_rounded_bucket(response_time_ms), times);
    lc_hist_record(&stats->hist, microseconds(response_time_ms), times);
}

void lc_stats_record(struct lc_stats *stats, double response_time_ms, int64_t content_length,
                     double now_s)
{
    uint32_t second = lc_seconds_of(now_s);
    if (stats->has_window && stats->last_request_s < (double)second) {
        begin_interval(stats, (int64_t)second - 1);
    }
    stats->num_requests++;
    stats->total_content_length += content_length;
    stats->last_request_s = now_s;
    lc_seconds_add(&stats->seconds, second, 1, 0);
    if (isnan(response_time_ms)) {
        stats->num_none_requests++;
        return;
    }
    stats->total_response_time_ms += response_time_ms;
    widen(stats, response_time_ms, response_time_ms);
    lc_stats_add_times(stats, response_time_ms, 1);
}

void lc_stats_record_phases(struct lc_stats *stats, const struct lc_phase_keys *keys)
{
    lc_phases_record(&stats->phases, keys);
}

void lc_stats_fail(struct lc_stats *stats, double now_s)
{
    stats->num_failures++;
    lc_seconds_add(&stats->seconds, lc_seconds_of(now_s), 0, 1);
}

void lc_stats_clear_times(struct lc_stats *stats)
{
    memset(stats->rounded, 0, stats->rounded_used * sizeof(uint64_t));
    stats->rounded_used = 0;
    lc_hist_reset(&stats->hist);
}

void lc_stats_merge(struct lc_stats *to, const struct lc_stats *from)
{
    bool newer = !isnan(from->last_request_s) &&
                 (isnan(to->last_request_s) ||
                  lc_seconds_of(from->last_request_s) > lc_seconds_of(to->last_request_s));
    to->num_requests += from->num_requests;
    to->num_none_requests += from->num_none_requests;
    to->num_failures += from->num_failures;
    to->num_resent += from->num_resent;
    to->total_content_length += from->total_content_length;
    to->total_response_time_ms += from->total_response_time_ms;
    if (!isnan(from->min_response_time_ms)) {
        widen(to, from->min_response_time_ms, from->max_response_time_ms);
    }
    if (from->start_time_s < to->start_time_s) {
        to->start_time_s = from->start_time_s;
    }
    if (!(from->last_request_s <= to->last_request_s) && !isnan(from->last_request_s)) {
        to->last_request_s = from->last_request_s;
    }
    for (uint32_t bucket = 0; bucket < from->rounded_used; bucket++) {
        if (from->rounded[bucket] != 0) {
            add_rounded(to, bucket, from->rounded[bucket]);
        }
    }
    lc_hist_merge(&to->hist, &from->hist);
    lc_phases_merge(&to->phases, &from->phases);
    lc_seconds_merge(&to->seconds, &from->seconds);
    if (to->has_window && newer) {
        begin_interval(to, key_of(to->last_request_s));
    }
}

void lc_stats_reset(struct lc_stats *stats, double now_s)
{
    lc_stats_clear_times(stats);
    lc_phases_reset(&stats->phases);
    lc_seconds_reset(&stats->seconds);
    if (stats->has_window) {
        lc_window_reset(&stats->window);
    }
    start(stats, now_s);
}

uint32_t lc_stats_percentile(const struct lc_stats *stats, double p)
{
    int64_t total = (int64_t)(stats->num_requests - stats->num_none_requests);
    int64_t faster = (int64_t)((double)total * p);
    int64_t seen = 0;
    for (uint32_t bucket = stats->rounded_used; bucket-- > 0;) {
        seen += (int64_t)stats->rounded[bucket];
        if (stats->rounded[bucket] != 0 && total - seen <= faster) {
            return lc_rounded_ms(bucket);
        }
    }
    return 0;
}

bool lc_stats_percentile_since(const struct lc_stats *stats, int64_t key, double p,
                               uint32_t *time_ms)
{
    uint32_t ago;
    if (!stats->has_window || !lc_window_find(&stats->window, key, &ago)) {
        return false;
    }
    const struct lc_window_mark *mark = lc_window_mark(&stats->window, ago);
    int64_t total = (int64_t)(stats->num_requests - mark->num_requests) -
                    (int64_t)(stats->num_none_requests - mark->num_none_requests);
    int64_t faster = (int64_t)((double)total * p);
    int64_t seen = 0;
    *time_ms = 0;
    for (uint32_t bucket = stats->window.buckets; bucket-- > 0;) {
        uint64_t count = lc_window_count(&stats->window, ago, bucket);
        seen += (int64_t)count;
        if (count != 0 && total - seen <= faster) {
            *time_ms = lc_rounded_ms(bucket);
            break;
        }
    }
    return true;
}
