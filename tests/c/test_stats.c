#include "check.h"
#include "stats.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#define NONE ((double)NAN)

static struct lc_stats *new_stats(bool window)
{
    struct lc_stats *stats = lc_stats_new(window, 1000.25);
    CHECK(stats != NULL);
    return stats;
}

static uint64_t histogram_sum(const struct lc_stats *stats)
{
    uint32_t cursor = 0;
    uint64_t sum = 0;
    struct lc_bin bin;
    while (lc_hist_next(&stats->hist, &cursor, &bin)) {
        sum += bin.count;
    }
    return sum;
}

static uint64_t rounded_sum(const struct lc_stats *stats)
{
    uint64_t sum = 0;
    for (uint32_t bucket = 0; bucket < LC_ROUNDED_BUCKETS; bucket++) {
        sum += stats->rounded[bucket];
    }
    return sum;
}

static void check_counts_agree(const struct lc_stats *stats)
{
    CHECK_INT(histogram_sum(stats), stats->num_requests - stats->num_none_requests);
    CHECK_INT(rounded_sum(stats), stats->num_requests - stats->num_none_requests);
    CHECK_INT(stats->hist.count, stats->num_requests - stats->num_none_requests);
}

static void test_a_failing_allocation_gives_null(void)
{
    lc_alloc_fail_after(1);
    CHECK(lc_stats_new(true, 0) == NULL);
    lc_stats_free(NULL);
    lc_stats_free(new_stats(false));
}

static void test_recording_keeps_exact_figures(void)
{
    struct lc_stats *stats = new_stats(true);
    CHECK(isnan(stats->min_response_time_ms) && isnan(stats->last_request_s));
    lc_stats_record(stats, 12.5, 100, 1001.5);
    lc_stats_record(stats, 0.25, 50, 1001.75);
    lc_stats_record(stats, NONE, 7, 1002);
    lc_stats_record(stats, 7200000, -1, 1002.5);
    lc_stats_fail(stats, 1002.5);
    CHECK_INT(stats->num_requests, 4);
    CHECK_INT(stats->num_none_requests, 1);
    CHECK_INT(stats->num_failures, 1);
    CHECK_INT(stats->total_content_length, 156);
    CHECK(stats->total_response_time_ms == 7200012.75);
    CHECK(stats->min_response_time_ms == 0.25);
    CHECK(stats->max_response_time_ms == 7200000);
    CHECK(stats->last_request_s == 1002.5 && stats->start_time_s == 1000.25);
    CHECK_INT(lc_seconds_get(&stats->seconds, 1002).requests, 2);
    CHECK_INT(lc_seconds_get(&stats->seconds, 1002).failures, 1);
    check_counts_agree(stats);
    lc_stats_free(stats);
}

static struct lc_phase_keys phases_of(uint64_t us)
{
    struct lc_phases phases;
    for (int i = 0; i < LC_PHASE_COUNT; i++) {
        phases.ns[i] = (us + (uint64_t)i * 10) * 1000;
    }
    struct lc_phase_keys keys;
    lc_phases_find_keys(&phases, &keys);
    return keys;
}

static void check_phase_counts(const struct lc_stats *stats, uint64_t want)
{
    for (int i = 0; i < LC_PHASE_COUNT; i++) {
        CHECK_INT(lc_phases_count(&stats->phases, i), want);
    }
}

static void test_phases_are_merged_and_reset_with_the_rest(void)
{
    struct lc_stats *left = new_stats(false), *right = new_stats(true);
    for (uint64_t n = 1; n <= 300; n++) {
        struct lc_phase_keys phases = phases_of(n * n);
        lc_stats_record(right, (double)(n * n) / 1000, 1, 1001);
        lc_stats_record_phases(right, &phases);
    }
    lc_stats_merge(left, right);
    lc_stats_merge(left, right);
    check_phase_counts(right, 300);
    check_phase_counts(left, 600);
    double of_left, of_right;
    CHECK(lc_phases_quantile(&left->phases, LC_PHASE_WAIT, 0.9, &of_left));
    CHECK(lc_phases_quantile(&right->phases, LC_PHASE_WAIT, 0.9, &of_right));
    CHECK(of_left == of_right);
    lc_stats_reset(left, 1002);
    check_phase_counts(left, 0);
    lc_stats_merge(left, right);
    check_phase_counts(left, 300);
    lc_stats_free(left);
    lc_stats_free(right);
}

/* Ten thousand names with few samples each must not take more than they need. */
static void test_a_few_samples_take_few_pages(void)
{
    struct lc_stats *stats = new_stats(true);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = ((size_t)1 << 19) / page, used = 0;
    unsigned char resident[128];
    CHECK(pages <= sizeof resident);
    for (uint64_t n = 0; n < 20; n++) {
        struct lc_phase_keys phases = phases_of(100 + 7 * n);
        lc_stats_record(stats, 1 + (double)n / 10, 1, 1001);
        lc_stats_record_phases(stats, &phases);
    }
    CHECK_INT(mincore(stats, pages * page, resident), 0);
    for (size_t i = 0; i < pages; i++) {
        used += resident[i] & 1;
    }
    /* The struct with the rounded times, the second, the window. */
    CHECK(used >= 1 && used <= 3);
    lc_stats_free(stats);
}

static void test_a_million_records_agree(void)
{
    struct lc_stats *stats = new_stats(true);
    uint64_t state = 5;
    for (int n = 0; n < 1000000; n++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        double time_ms = n % 1000 == 0 ? NONE : (double)(state >> 40) / 1000;
        lc_stats_record(stats, time_ms, 1, 1000 + n / 10000);
    }
    CHECK_INT(stats->num_requests, 1000000);
    CHECK_INT(stats->num_none_requests, 1000);
    check_counts_agree(stats);
    lc_stats_free(stats);
}

static void test_percentiles_walk_from_the_slowest(void)
{
    struct lc_stats *stats = new_stats(false);
    CHECK_INT(lc_stats_percentile(stats, 0.5), 0);
    for (int i = 0; i < 10; i++) {
        lc_stats_record(stats, NONE, 1, 1001);
        lc_stats_record(stats, i + 1.4, 1, 1001);
    }
    for (int tenth = 0; tenth < 10; tenth++) {
        CHECK_INT(lc_stats_percentile(stats, tenth / 10.0), tenth + 1);
    }
    CHECK_INT(lc_stats_percentile(stats, 1), 10);
    uint32_t untouched = 9;
    CHECK(!lc_stats_percentile_since(stats, 1000, 0.5, &untouched));
    CHECK_INT(untouched, 9);
    lc_stats_free(stats);
}

static void test_a_window_compares_with_the_end_of_a_second(void)
{
    struct lc_stats *stats = new_stats(true);
    for (int second = 0; second < 30; second++) {
        lc_stats_record(stats, second * 10 + 1, 1, 1000.3 + second);
        lc_stats_record(stats, second * 10 + 3, 1, 1000.8 + second);
    }
    uint32_t time_ms;
    CHECK(lc_stats_percentile_since(stats, 1019, 0, &time_ms));
    CHECK_INT(time_ms, 200);
    CHECK(lc_stats_percentile_since(stats, 1019, 0.5, &time_ms));
    CHECK_INT(time_ms, 250);
    CHECK(lc_stats_percentile_since(stats, 1028, 0, &time_ms));
    CHECK_INT(time_ms, 290);
    CHECK(!lc_stats_percentile_since(stats, 1029, 0, &time_ms));
    lc_stats_free(stats);
}

static void test_merging_is_as_if_recorded_together(void)
{
    struct lc_stats *left = new_stats(true), *right = lc_stats_new(false, 900.5);
    CHECK(right != NULL);
    lc_stats_merge(left, right);
    CHECK(isnan(left->min_response_time_ms) && isnan(left->last_request_s));
    CHECK(left->start_time_s == 900.5);
    lc_stats_record(left, 50, 1, 1001);
    for (int n = 0; n < 500; n++) {
        lc_stats_record(right, n * 3, 2, 1003);
    }
    lc_stats_record(right, NONE, 2, 1003.5);
    lc_stats_fail(right, 1003);
    right->num_resent = 4;
    lc_stats_merge(left, right);
    CHECK_INT(left->num_requests, 502);
    CHECK_INT(left->num_none_requests, 1);
    CHECK_INT(left->num_failures, 1);
    CHECK_INT(left->num_resent, 4);
    CHECK_INT(left->total_content_length, 1003);
    CHECK(left->min_response_time_ms == 0 && left->max_response_time_ms == 1497);
    CHECK(left->last_request_s == 1003.5);
    CHECK_INT(lc_seconds_get(&left->seconds, 1003).requests, 501);
    check_counts_agree(left);
    uint32_t ago;
    CHECK(lc_window_find(&left->window, 1003, &ago));
    lc_stats_merge(right, left);
    check_counts_agree(right);
    lc_stats_free(left);
    lc_stats_free(right);
}

static void test_reset_is_as_new(void)
{
    struct lc_stats *stats = new_stats(true);
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < 1000; n++) {
            lc_stats_record(stats, n * 1.5, 1, 1001);
        }
        lc_stats_fail(stats, 1001);
        check_counts_agree(stats);
        CHECK_INT(stats->num_requests, 1000);
        lc_stats_reset(stats, 2000 + round);
        CHECK_INT(stats->num_requests, 0);
        CHECK_INT(stats->num_failures, 0);
        CHECK(isnan(stats->min_response_time_ms) && stats->max_response_time_ms == 0);
        CHECK(stats->start_time_s == 2000 + round);
        CHECK_INT(lc_seconds_get(&stats->seconds, 1001).requests, 0);
        check_counts_agree(stats);
    }
    lc_stats_free(stats);
}

int main(void)
{
    RUN(test_a_failing_allocation_gives_null);
    RUN(test_recording_keeps_exact_figures);
    RUN(test_phases_are_merged_and_reset_with_the_rest);
    RUN(test_a_few_samples_take_few_pages);
    RUN(test_a_million_records_agree);
    RUN(test_percentiles_walk_from_the_slowest);
    RUN(test_a_window_compares_with_the_end_of_a_second);
    RUN(test_merging_is_as_if_recorded_together);
    RUN(test_reset_is_as_new);
    return 0;
}
