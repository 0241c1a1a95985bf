#include "check.h"
#include "rounded.h"

#include <math.h>

static uint32_t rounded(double time_ms)
{
    return lc_rounded_ms(lc_rounded_bucket(time_ms));
}

static void test_times_are_rounded_as_python_rounds(void)
{
    static const struct {
        double time_ms;
        uint32_t want;
    } cases[] = {
        {0, 0},         {0.5, 0},           {1.5, 2},           {2.5, 2},      {99.4, 99},
        {99.5, 100},    {99.6, 100},        {100, 100},         {104.9, 100},  {105, 100},
        {115, 120},     {994.9, 990},       {995, 1000},        {999.9, 1000}, {1000, 1000},
        {1050, 1000},   {1150, 1200},       {9950, 10000},      {9999, 10000}, {10500, 10000},
        {11500, 12000}, {3599400, 3599000}, {3599999, 3600000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(rounded(cases[i].time_ms), cases[i].want);
    }
}

static void test_what_is_out_of_range_is_clamped(void)
{
    CHECK_INT(rounded(-3.2), 0);
    CHECK_INT(rounded(-INFINITY), 0);
    CHECK_INT(rounded(3600000), 3600000);
    CHECK_INT(rounded(1e18), 3600000);
    CHECK_INT(rounded(INFINITY), 3600000);
}

static void test_every_bucket_is_its_own_key(void)
{
    uint32_t before = 0;
    for (uint32_t bucket = 0; bucket < LC_ROUNDED_BUCKETS; bucket++) {
        uint32_t key = lc_rounded_ms(bucket);
        CHECK(bucket == 0 || key > before);
        CHECK_INT(lc_rounded_bucket(key), bucket);
        before = key;
    }
    CHECK_INT(before, 3600000);
}

/* The neighbours of every tie go to their own side, so the division never makes a tie of them. */
static void test_neighbours_of_ties_keep_their_side(void)
{
    for (uint32_t bucket = 0; bucket + 1 < LC_ROUNDED_BUCKETS; bucket++) {
        double low = lc_rounded_ms(bucket), high = lc_rounded_ms(bucket + 1);
        double tie = (low + high) / 2;
        CHECK_INT(rounded(nextafter(tie, 0)), (uint32_t)low);
        CHECK_INT(rounded(nextafter(tie, 1e9)), (uint32_t)high);
        CHECK(rounded(tie) == (uint32_t)low || rounded(tie) == (uint32_t)high);
    }
}

int main(void)
{
    RUN(test_times_are_rounded_as_python_rounds);
    RUN(test_what_is_out_of_range_is_clamped);
    RUN(test_every_bucket_is_its_own_key);
    RUN(test_neighbours_of_ties_keep_their_side);
    return 0;
}
