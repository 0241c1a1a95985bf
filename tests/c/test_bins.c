#include "bins.h"
#include "check.h"

static void test_bins_are_without_gaps_and_narrow_enough(void)
{
    for (uint32_t precision = 4; precision <= 11; precision++) {
        struct lc_bin bin = {0, 0, 0};
        uint64_t above = 0;
        uint32_t count = (uint32_t)LC_BINS_COUNT(precision);
        for (uint32_t number = 0; number < count; number++) {
            lc_bins_limits(number, precision, &bin);
            CHECK_INT(bin.low_us, above);
            CHECK(bin.low_us <= bin.high_us);
            CHECK((bin.high_us - bin.low_us) << precision <= bin.low_us);
            CHECK_INT(lc_bins_of(bin.low_us, precision), number);
            CHECK_INT(lc_bins_of(bin.high_us, precision), number);
            above = bin.high_us + 1;
        }
        CHECK(bin.low_us <= LC_BINS_MAX_US && LC_BINS_MAX_US <= bin.high_us);
        CHECK_INT(lc_bins_of(UINT64_MAX, precision), count - 1);
    }
}

static void test_the_rank_is_that_of_a_sample(void)
{
    CHECK_INT(lc_bins_rank(0, 10), 1);
    CHECK_INT(lc_bins_rank(0.1, 10), 1);
    CHECK_INT(lc_bins_rank(0.11, 10), 2);
    CHECK_INT(lc_bins_rank(0.5, 1), 1);
    CHECK_INT(lc_bins_rank(1, 10), 10);
    CHECK_INT(lc_bins_rank(1.5, 10), 10);
    CHECK(lc_bins_rank(1, UINT64_MAX) == UINT64_MAX);
}

static void test_pairs_are_kept_in_order(void)
{
    uint16_t keys[4];
    uint32_t counts[4], used = 0, place;
    static const uint16_t given[] = {7, 3, 9, 3, 5, 7, 9};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        CHECK(lc_bins_place(keys, counts, sizeof counts[0], &used, 4, given[i], &place));
        CHECK_INT(keys[place], given[i]);
        counts[place]++;
    }
    static const uint16_t want_keys[] = {3, 5, 7, 9};
    static const uint32_t want_counts[] = {2, 1, 2, 2};
    CHECK_INT(used, 4);
    CHECK(memcmp(keys, want_keys, sizeof keys) == 0);
    CHECK(memcmp(counts, want_counts, sizeof counts) == 0);
    place = 42;
    CHECK(!lc_bins_place(keys, counts, sizeof counts[0], &used, 4, 4, &place));
    CHECK_INT(place, 42);
    CHECK(memcmp(counts, want_counts, sizeof counts) == 0);
}

int main(void)
{
    RUN(test_bins_are_without_gaps_and_narrow_enough);
    RUN(test_the_rank_is_that_of_a_sample);
    RUN(test_pairs_are_kept_in_order);
    return 0;
}
