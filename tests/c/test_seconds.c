#include "check.h"
#include "seconds.h"

#include <math.h>

#define STORAGE (LC_SECONDS * sizeof(struct lc_second))

static struct lc_seconds new_seconds(void)
{
    struct lc_seconds seconds;
    struct lc_second *slots = lc_map(STORAGE);
    CHECK(slots != NULL);
    lc_seconds_init(&seconds, slots);
    return seconds;
}

static void test_counts_go_to_their_second(void)
{
    struct lc_seconds seconds = new_seconds();
    uint32_t first, last;
    CHECK(!lc_seconds_range(&seconds, &first, &last));
    lc_seconds_add(&seconds, 1000, 1, 0);
    lc_seconds_add(&seconds, 1000, 2, 1);
    lc_seconds_add(&seconds, 1003, 5, 0);
    lc_seconds_add(&seconds, 999, 4, 0); /* the clock was put back */
    CHECK_INT(lc_seconds_get(&seconds, 1000).requests, 3);
    CHECK_INT(lc_seconds_get(&seconds, 1000).failures, 1);
    CHECK_INT(lc_seconds_get(&seconds, 1001).requests, 0);
    CHECK(lc_seconds_range(&seconds, &first, &last));
    CHECK_INT(first, 999);
    CHECK_INT(last, 1003);
    lc_unmap(seconds.slots, STORAGE);
}

static void test_older_seconds_drop(void)
{
    struct lc_seconds seconds = new_seconds();
    uint32_t first, last;
    for (uint32_t second = 5000; second < 5000 + 2 * LC_SECONDS; second++) {
        lc_seconds_add(&seconds, second, 1, 0);
    }
    CHECK(lc_seconds_range(&seconds, &first, &last));
    CHECK_INT(last, 5000 + 2 * LC_SECONDS - 1);
    CHECK_INT(first, 5000 + LC_SECONDS);
    CHECK_INT(lc_seconds_get(&seconds, 5001).requests, 0);
    lc_seconds_add(&seconds, 5001, 9, 9);
    CHECK_INT(lc_seconds_get(&seconds, 5001 + LC_SECONDS).requests, 1);
    lc_unmap(seconds.slots, STORAGE);
}

static void test_merge_adds_second_by_second(void)
{
    struct lc_seconds to = new_seconds(), from = new_seconds();
    lc_seconds_merge(&to, &from);
    lc_seconds_add(&to, 10, 1, 1);
    lc_seconds_add(&from, 10, 2, 0);
    lc_seconds_add(&from, 12, 3, 1);
    lc_seconds_merge(&to, &from);
    CHECK_INT(lc_seconds_get(&to, 10).requests, 3);
    CHECK_INT(lc_seconds_get(&to, 10).failures, 1);
    CHECK_INT(lc_seconds_get(&to, 12).requests, 3);
    CHECK_INT(lc_seconds_get(&from, 12).failures, 1);
    lc_unmap(to.slots, STORAGE);
    lc_unmap(from.slots, STORAGE);
}

static void test_reset_forgets_all(void)
{
    struct lc_seconds seconds = new_seconds();
    uint32_t first, last;
    lc_seconds_add(&seconds, 0, 7, 7);
    lc_seconds_add(&seconds, 4000000000u, 7, 7);
    lc_seconds_add(&seconds, 4000000002u, 7, 7);
    lc_seconds_reset(&seconds);
    CHECK(!lc_seconds_range(&seconds, &first, &last));
    CHECK_INT(lc_seconds_get(&seconds, 0).requests, 0);
    CHECK_INT(lc_seconds_get(&seconds, 4000000000u).requests, 0);
    lc_seconds_add(&seconds, 4000000000u, 1, 0);
    CHECK_INT(lc_seconds_get(&seconds, 4000000000u).requests, 1);
    lc_unmap(seconds.slots, STORAGE);
}

static void test_times_that_are_no_second_are_clamped(void)
{
    CHECK_INT(lc_seconds_of(-1), 0);
    CHECK_INT(lc_seconds_of((double)NAN), 0);
    CHECK_INT(lc_seconds_of(1.99), 1);
    CHECK_INT(lc_seconds_of(1e300), UINT32_MAX - 1);
}

int main(void)
{
    RUN(test_counts_go_to_their_second);
    RUN(test_older_seconds_drop);
    RUN(test_merge_adds_second_by_second);
    RUN(test_reset_forgets_all);
    RUN(test_times_that_are_no_second_are_clamped);
    return 0;
}
