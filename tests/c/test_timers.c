#include "check.h"

#include "timers.h"

enum { COUNT = 500 };

/* A small linear congruential generator: the same numbers on every machine. */
static uint64_t next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void test_timers_come_in_order_of_due_time(void)
{
    struct lc_timers timers;
    struct lc_timer all[COUNT] = {{0, 0}};
    uint64_t seed = 7;
    lc_timers_init(&timers);
    CHECK(lc_timers_next(&timers) == UINT64_MAX);
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(lc_timers_start(&timers, &all[i], next_number(&seed) % 1000), 0);
    }
    for (int i = 0; i < COUNT; i += 3) {
        lc_timers_stop(&timers, &all[i]);
        lc_timers_stop(&timers, &all[i]);
    }
    for (int i = 1; i < COUNT; i += 3) {
        CHECK_INT(lc_timers_start(&timers, &all[i], next_number(&seed) % 1000), 0);
    }
    uint64_t last = 0;
    size_t taken = 0;
    struct lc_timer *timer;
    while ((timer = lc_timers_pop(&timers, 999)) != NULL) {
        CHECK(timer->due_ns >= last);
        CHECK_INT(timer->place, 0);
        last = timer->due_ns;
        taken++;
    }
    CHECK_INT(taken, COUNT - (COUNT + 2) / 3);
    CHECK_INT(timers.len, 0);
    lc_timers_free(&timers);
}

static void test_a_timer_that_is_not_due_stays(void)
{
    struct lc_timers timers;
    struct lc_timer timer = {0, 0};
    lc_timers_init(&timers);
    CHECK_INT(lc_timers_start(&timers, &timer, 100), 0);
    CHECK(lc_timers_pop(&timers, 99) == NULL);
    CHECK_INT(lc_timers_next(&timers), 100);
    CHECK(lc_timers_pop(&timers, 100) == &timer);
    lc_timers_free(&timers);
}

static void test_a_heap_that_cannot_grow_keeps_its_timers(void)
{
    struct lc_timers timers;
    struct lc_timer all[65] = {{0, 0}};
    lc_timers_init(&timers);
    for (int i = 0; i < 64; i++) {
        CHECK_INT(lc_timers_start(&timers, &all[i], (uint64_t)i), 0);
    }
    lc_alloc_fail_after(1);
    CHECK_INT(lc_timers_start(&timers, &all[64], 5), LC_ENOMEM);
    CHECK_INT(all[64].place, 0);
    CHECK_INT(timers.len, 64);
    lc_timers_free(&timers);
    CHECK_INT(all[3].place, 0);
}

int main(void)
{
    RUN(test_timers_come_in_order_of_due_time);
    RUN(test_a_timer_that_is_not_due_stays);
    RUN(test_a_heap_that_cannot_grow_keeps_its_timers);
    return 0;
}
