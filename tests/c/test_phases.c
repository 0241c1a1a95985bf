#include "check.h"
#include "phases.h"

#include <math.h>

enum { SAMPLES = 20000 };

struct fixture {
    struct lc_phase_hists hists;
    uint32_t *storage;
};

static void set_up(struct fixture *f)
{
    f->storage = lc_map(LC_PHASES_STORAGE);
    CHECK(f->storage != NULL);
    lc_phases_init(&f->hists, f->storage);
}

static void tear_down(struct fixture *f)
{
    lc_unmap(f->storage, LC_PHASES_STORAGE);
}

static struct lc_phases none(void)
{
    struct lc_phases phases;
    for (int i = 0; i < LC_PHASE_COUNT; i++) {
        phases.ns[i] = LC_PHASE_NONE;
    }
    return phases;
}

static void record_all(struct fixture *f, const struct lc_phases *phases)
{
    struct lc_phase_keys keys;
    lc_phases_find_keys(phases, &keys);
    lc_phases_record(&f->hists, &keys);
}

static void record(struct fixture *f, enum lc_phase phase, uint64_t time_us)
{
    struct lc_phases phases = none();
    phases.ns[phase] = time_us * 1000;
    record_all(f, &phases);
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

static uint64_t sum_of_bins(const struct fixture *f, enum lc_phase phase)
{
    uint32_t cursor = 0;
    uint64_t sum = 0, above = 0;
    struct lc_bin bin;
    while (lc_phases_next(&f->hists, phase, &cursor, &bin)) {
        CHECK(bin.low_us >= above && bin.low_us <= bin.high_us && bin.count > 0);
        above = bin.high_us + 1;
        sum += bin.count;
    }
    CHECK(!lc_phases_next(&f->hists, phase, &cursor, &bin));
    CHECK_INT(lc_phases_count(&f->hists, phase), sum);
    return sum;
}

static void check_equal(const struct fixture *a, const struct fixture *b)
{
    for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
        uint32_t cursor_a = 0, cursor_b = 0;
        struct lc_bin bin_a, bin_b;
        CHECK_INT(sum_of_bins(a, phase), sum_of_bins(b, phase));
        while (lc_phases_next(&b->hists, phase, &cursor_b, &bin_b)) {
            CHECK(lc_phases_next(&a->hists, phase, &cursor_a, &bin_a));
            CHECK_INT(bin_a.low_us, bin_b.low_us);
            CHECK_INT(bin_a.count, bin_b.count);
        }
    }
}

static void test_only_what_happened_is_counted(void)
{
    struct fixture f;
    set_up(&f);
    struct lc_phases phases = none();
    record_all(&f, &phases);
    phases.ns[LC_PHASE_WAIT] = 20 * 1000000;
    phases.ns[LC_PHASE_LAG] = 0;
    record_all(&f, &phases);
    record_all(&f, &phases);
    double untouched = 42;
    for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
        bool happened = phase == LC_PHASE_WAIT || phase == LC_PHASE_LAG;
        CHECK_INT(sum_of_bins(&f, phase), happened ? 2 : 0);
        CHECK(happened || !lc_phases_quantile(&f.hists, phase, 0.5, &untouched));
    }
    CHECK(untouched == 42);
    double wait_us, lag_us;
    CHECK(lc_phases_quantile(&f.hists, LC_PHASE_WAIT, 0.5, &wait_us));
    CHECK(lc_phases_quantile(&f.hists, LC_PHASE_LAG, 1, &lag_us));
    CHECK(fabs(wait_us - 20000) <= 20000 / 128.0);
    CHECK(lag_us == 0);
    tear_down(&f);
}

static void test_phases_have_names(void)
{
    CHECK(strcmp(lc_phases_name(LC_PHASE_LOOKUP), "lookup") == 0);
    CHECK(strcmp(lc_phases_name(LC_PHASE_LAG), "lag") == 0);
}

static void test_nanoseconds_are_rounded(void)
{
    struct fixture f;
    set_up(&f);
    static const uint64_t ns[] = {0, 499, 500, 1499, 1500, UINT64_MAX - 1};
    static const uint64_t want_us[] = {0, 0, 1, 1, 2, LC_BINS_MAX_US};
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++) {
        struct lc_phases phases = none();
        phases.ns[LC_PHASE_SEND] = ns[i];
        record_all(&f, &phases);
        uint32_t cursor = 0;
        struct lc_bin bin;
        CHECK(lc_phases_next(&f.hists, LC_PHASE_SEND, &cursor, &bin));
        CHECK(bin.low_us <= want_us[i] && want_us[i] <= bin.high_us);
        lc_phases_reset(&f.hists);
    }
    tear_down(&f);
}

static void test_quantiles_agree_with_sorting(void)
{
    static const double shares[] = {0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};
    static const size_t sizes[] = {1, 30, SAMPLES};
    uint64_t *times = lc_alloc(SAMPLES * sizeof *times);
    CHECK(times != NULL);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct fixture f;
        set_up(&f);
        uint64_t state = 7;
        for (size_t n = 0; n < sizes[s]; n++) {
            times[n] = random_time_us(&state);
            record(&f, LC_PHASE_RECEIVE, times[n]);
            record(&f, LC_PHASE_WAIT, 3); /* what the neighbours count does not matter */
        }
        qsort(times, sizes[s], sizeof *times, compare_u64);
        for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
            double rank = ceil(shares[i] * (double)sizes[s]), got;
            uint64_t want = times[rank < 1 ? 0 : (size_t)rank - 1];
            CHECK(lc_phases_quantile(&f.hists, LC_PHASE_RECEIVE, shares[i], &got));
            CHECK(fabs(got - (double)want) <= (double)want / 200);
        }
        CHECK_INT(sum_of_bins(&f, LC_PHASE_RECEIVE), sizes[s]);
        tear_down(&f);
    }
    lc_free(times);
}

static void test_few_values_touch_no_bins(void)
{
    struct fixture f;
    set_up(&f);
    for (uint32_t n = 0; n < 10000; n++) {
        record(&f, n % LC_PHASE_COUNT, n % (LC_PHASES_FEW / LC_PHASE_COUNT) * 1000);
    }
    CHECK(!f.hists.dense);
    for (size_t i = 0; i < LC_PHASES_STORAGE / sizeof(uint32_t); i++) {
        CHECK_INT(f.storage[i], 0);
    }
    tear_down(&f);
}

static void test_the_step_to_bins_loses_nothing(void)
{
    struct fixture f;
    set_up(&f);
    for (uint32_t n = 0; n < LC_PHASES_FEW; n++) {
        CHECK(!f.hists.dense);
        record(&f, n % LC_PHASE_COUNT, n);
        record(&f, n % LC_PHASE_COUNT, n);
    }
    double before, after;
    CHECK(!f.hists.dense);
    CHECK(lc_phases_quantile(&f.hists, LC_PHASE_SEND, 0.5, &before));
    record(&f, LC_PHASE_LOOKUP, 5000);
    CHECK(f.hists.dense);
    CHECK(lc_phases_quantile(&f.hists, LC_PHASE_SEND, 0.5, &after));
    CHECK(before == after);
    uint64_t sum = 0;
    for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
        sum += sum_of_bins(&f, phase);
    }
    CHECK_INT(sum, 2 * LC_PHASES_FEW + 1);
    tear_down(&f);
}

static void test_merging_is_as_if_recorded_together(void)
{
    /* Sizes on both sides of the step from pairs to bins. */
    static const size_t sizes[] = {0, 3, 100, 5000};
    for (size_t left = 0; left < 4; left++) {
        for (size_t right = 0; right < 4; right++) {
            struct fixture a, b, both;
            set_up(&a);
            set_up(&b);
            set_up(&both);
            uint64_t state = left * 4 + right;
            for (size_t n = 0; n < sizes[left] + sizes[right]; n++) {
                uint64_t time_us = random_time_us(&state);
                record(n < sizes[left] ? &a : &b, n % LC_PHASE_COUNT, time_us);
                record(&both, n % LC_PHASE_COUNT, time_us);
            }
            lc_phases_merge(&a.hists, &b.hists);
            check_equal(&a, &both);
            tear_down(&a);
            tear_down(&b);
            tear_down(&both);
        }
    }
}

static void test_a_full_count_stays_at_its_greatest_value(void)
{
    for (int dense = 0; dense < 2; dense++) {
        struct fixture f, other;
        set_up(&f);
        set_up(&other);
        for (uint32_t n = 0; dense && n <= LC_PHASES_FEW; n++) {
            record(&f, LC_PHASE_WAIT, n + 20);
        }
        uint64_t others = lc_phases_count(&f.hists, LC_PHASE_WAIT);
        record(&f, LC_PHASE_WAIT, 10);
        /* Each merge doubles. */
        for (int i = 0; i < 34; i++) {
            lc_phases_merge(&other.hists, &f.hists);
            lc_phases_merge(&f.hists, &other.hists);
        }
        CHECK(lc_phases_count(&f.hists, LC_PHASE_WAIT) == (others + 1) * (uint64_t)UINT32_MAX);
        CHECK(sum_of_bins(&f, LC_PHASE_WAIT) == (others + 1) * (uint64_t)UINT32_MAX);
        record(&f, LC_PHASE_WAIT, 10);
        CHECK(sum_of_bins(&f, LC_PHASE_WAIT) == (others + 1) * (uint64_t)UINT32_MAX);
        CHECK(f.hists.dense == (dense != 0));
        tear_down(&f);
        tear_down(&other);
    }
}

static void test_reset_histograms_are_as_new(void)
{
    struct fixture f;
    set_up(&f);
    uint64_t state = 3;
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < 1000; n++) {
            record(&f, n % LC_PHASE_COUNT, random_time_us(&state));
        }
        CHECK(f.hists.dense);
        lc_phases_reset(&f.hists);
        CHECK(!f.hists.dense);
        for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
            CHECK_INT(sum_of_bins(&f, phase), 0);
        }
        for (size_t i = 0; i < LC_PHASES_STORAGE / sizeof(uint32_t); i++) {
            CHECK_INT(f.storage[i], 0);
        }
    }
    tear_down(&f);
}

int main(void)
{
    RUN(test_only_what_happened_is_counted);
    RUN(test_phases_have_names);
    RUN(test_nanoseconds_are_rounded);
    RUN(test_quantiles_agree_with_sorting);
    RUN(test_few_values_touch_no_bins);
    RUN(test_the_step_to_bins_loses_nothing);
    RUN(test_merging_is_as_if_recorded_together);
    RUN(test_a_full_count_stays_at_its_greatest_value);
    RUN(test_reset_histograms_are_as_new);
    return 0;
}
