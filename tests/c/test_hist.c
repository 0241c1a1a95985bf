#include "check.h"
#include "hist.h"

#include <math.h>

#define SAMPLES 20000

struct fixture {
    struct lc_hist hist;
    uint32_t *storage;
};

static void set_up(struct fixture *f)
{
    f->storage = lc_map(LC_HIST_STORAGE);
    CHECK(f->storage != NULL);
    lc_hist_init(&f->hist, f->storage);
}

static void tear_down(struct fixture *f)
{
    lc_unmap(f->storage, LC_HIST_STORAGE);
}

/* A small generator of our own, so that every run tests the same values. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

static uint64_t random_time_us(uint64_t *state)
{
    uint64_t magnitude = next_random(state) % 32;
    return next_random(state) % (UINT64_C(1) << magnitude);
}

static int compare_u64(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t sum_of_bins(const struct lc_hist *hist)
{
    uint32_t cursor = 0;
    uint64_t sum = 0, above = 0;
    struct lc_bin bin;
    while (lc_hist_next(hist, &cursor, &bin)) {
        CHECK(bin.low_us >= above && bin.low_us <= bin.high_us);
        CHECK((double)(bin.high_us - bin.low_us) <= (double)bin.low_us / 1000);
        above = bin.high_us + 1;
        sum += bin.count;
    }
    return sum;
}

static void test_every_time_falls_into_one_bin_of_a_thousandth(void)
{
    struct fixture f;
    set_up(&f);
    uint64_t state = 1, before = 0;
    for (uint64_t time_us = 0; time_us <= LC_BINS_MAX_US;) {
        lc_hist_record(&f.hist, time_us, 1);
        uint32_t cursor = 0;
        struct lc_bin bin;
        CHECK(lc_hist_next(&f.hist, &cursor, &bin));
        CHECK(bin.low_us <= time_us && time_us <= bin.high_us);
        CHECK(bin.low_us >= before);
        before = bin.low_us;
        CHECK(!lc_hist_next(&f.hist, &cursor, &bin));
        lc_hist_reset(&f.hist);
        time_us += 1 + next_random(&state) % (1 + time_us / 500);
    }
    tear_down(&f);
}

static void test_quantiles_agree_with_sorting(void)
{
    struct fixture f;
    set_up(&f);
    static const double shares[] = {0, 0.001, 0.25, 0.5, 0.66, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};
    uint64_t *times = lc_alloc(SAMPLES * sizeof *times);
    CHECK(times != NULL);
    uint64_t state = 7;
    for (size_t n = 0; n < SAMPLES; n++) {
        times[n] = random_time_us(&state);
        lc_hist_record(&f.hist, times[n], 1);
    }
    qsort(times, SAMPLES, sizeof *times, compare_u64);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        double rank = ceil(shares[i] * SAMPLES), got;
        uint64_t want = times[rank < 1 ? 0 : (size_t)rank - 1];
        CHECK(lc_hist_quantile(&f.hist, shares[i], &got));
        CHECK(fabs(got - (double)want) <= (double)want / 1000);
    }
    CHECK_INT(f.hist.count, SAMPLES);
    CHECK_INT(sum_of_bins(&f.hist), SAMPLES);
    lc_free(times);
    tear_down(&f);
}

static void test_an_empty_histogram_has_no_quantile(void)
{
    struct fixture f;
    set_up(&f);
    double untouched = 42;
    CHECK(!lc_hist_quantile(&f.hist, 0.5, &untouched));
    CHECK(untouched == 42);
    lc_hist_record(&f.hist, 5, 0);
    CHECK_INT(f.hist.count, 0);
    CHECK_INT(sum_of_bins(&f.hist), 0);
    tear_down(&f);
}

static void test_longer_than_an_hour_counts_in_the_last_bin(void)
{
    struct fixture f;
    set_up(&f);
    lc_hist_record(&f.hist, LC_BINS_MAX_US, 1);
    lc_hist_record(&f.hist, UINT64_MAX, 2);
    uint32_t cursor = 0;
    struct lc_bin bin;
    CHECK(lc_hist_next(&f.hist, &cursor, &bin));
    CHECK_INT(bin.count, 3);
    CHECK(bin.low_us <= LC_BINS_MAX_US && LC_BINS_MAX_US <= bin.high_us);
    for (uint64_t i = 0; i < LC_HIST_FEW + 1; i++) {
        lc_hist_record(&f.hist, i, 1);
    }
    CHECK(f.hist.dense);
    lc_hist_record(&f.hist, UINT64_MAX, 1);
    CHECK_INT(sum_of_bins(&f.hist), 4 + LC_HIST_FEW + 1);
    tear_down(&f);
}

static void test_few_values_do_not_touch_the_bins(void)
{
    struct fixture f;
    set_up(&f);
    for (uint64_t n = 0; n < 10000; n++) {
        lc_hist_record(&f.hist, (n * 7919 % LC_HIST_FEW) * 1000, 1);
    }
    CHECK(!f.hist.dense);
    CHECK_INT(f.hist.few, LC_HIST_FEW);
    CHECK_INT(sum_of_bins(&f.hist), 10000);
    double before, after;
    CHECK(lc_hist_quantile(&f.hist, 0.3, &before));
    lc_hist_record(&f.hist, 70000, 1);
    CHECK(f.hist.dense);
    CHECK(lc_hist_quantile(&f.hist, 0.3, &after));
    CHECK(before == after);
    CHECK_INT(sum_of_bins(&f.hist), 10001);
    tear_down(&f);
}

static void test_merging_is_as_if_recorded_together(void)
{
    /* Sizes on both sides of the step from pairs to bins. */
    static const size_t sizes[] = {0, 3, 40, 5000};
    for (size_t left = 0; left < 4; left++) {
        for (size_t right = 0; right < 4; right++) {
            struct fixture a, b, both;
            set_up(&a);
            set_up(&b);
            set_up(&both);
            uint64_t state = left * 4 + right;
            for (size_t n = 0; n < sizes[left] + sizes[right]; n++) {
                uint64_t time_us = random_time_us(&state);
                lc_hist_record(n < sizes[left] ? &a.hist : &b.hist, time_us, 1);
                lc_hist_record(&both.hist, time_us, 1);
            }
            lc_hist_merge(&a.hist, &b.hist);
            uint32_t cursor_a = 0, cursor_both = 0;
            struct lc_bin bin_a, bin_both;
            while (lc_hist_next(&both.hist, &cursor_both, &bin_both)) {
                CHECK(lc_hist_next(&a.hist, &cursor_a, &bin_a));
                CHECK_INT(bin_a.low_us, bin_both.low_us);
                CHECK_INT(bin_a.count, bin_both.count);
            }
            CHECK(!lc_hist_next(&a.hist, &cursor_a, &bin_a));
            CHECK_INT(a.hist.count, both.hist.count);
            tear_down(&a);
            tear_down(&b);
            tear_down(&both);
        }
    }
}

static void test_counts_beyond_32_bits_stay_exact(void)
{
    struct fixture f, other;
    set_up(&f);
    set_up(&other);
    for (uint64_t i = 0; i <= LC_HIST_FEW; i++) {
        lc_hist_record(&f.hist, i, 1);
    }
    lc_hist_record(&f.hist, 10, UINT32_MAX);
    lc_hist_record(&f.hist, 10, UINT64_C(5) << 32);
    uint64_t want = LC_HIST_FEW + 1 + (uint64_t)UINT32_MAX + (UINT64_C(5) << 32);
    CHECK_INT(f.hist.count, want);
    CHECK_INT(sum_of_bins(&f.hist), want);
    lc_hist_merge(&other.hist, &f.hist);
    lc_hist_merge(&other.hist, &f.hist);
    CHECK_INT(sum_of_bins(&other.hist), 2 * want);
    lc_hist_reset(&other.hist);
    lc_hist_merge(&other.hist, &f.hist);
    CHECK_INT(sum_of_bins(&other.hist), want);
    tear_down(&f);
    tear_down(&other);
}

static void test_a_reset_histogram_is_as_new(void)
{
    struct fixture f;
    set_up(&f);
    uint64_t state = 3;
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < 1000; n++) {
            lc_hist_record(&f.hist, random_time_us(&state), 1);
        }
        CHECK_INT(sum_of_bins(&f.hist), 1000);
        lc_hist_reset(&f.hist);
        CHECK_INT(sum_of_bins(&f.hist), 0);
        CHECK(!f.hist.dense);
        for (size_t i = 0; i < LC_HIST_STORAGE / sizeof(uint32_t); i++) {
            CHECK_INT(f.storage[i], 0);
        }
    }
    tear_down(&f);
}

int main(void)
{
    RUN(test_every_time_falls_into_one_bin_of_a_thousandth);
    RUN(test_quantiles_agree_with_sorting);
    RUN(test_an_empty_histogram_has_no_quantile);
    RUN(test_longer_than_an_hour_counts_in_the_last_bin);
    RUN(test_few_values_do_not_touch_the_bins);
    RUN(test_merging_is_as_if_recorded_together);
    RUN(test_counts_beyond_32_bits_stay_exact);
    RUN(test_a_reset_histogram_is_as_new);
    return 0;
}
