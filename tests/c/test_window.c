#include "check.h"
#include "window.h"

static struct lc_window new_window(void)
{
    struct lc_window window;
    uint32_t *storage = lc_map(LC_WINDOW_STORAGE);
    CHECK(storage != NULL);
    lc_window_init(&window, storage);
    return window;
}

static void free_window(struct lc_window *window)
{
    lc_unmap(window->counts, LC_WINDOW_STORAGE);
}

static void begin(struct lc_window *window, int64_t key)
{
    lc_window_begin(window, (struct lc_window_mark){key, (uint64_t)key * 10, 0});
}

static uint64_t count_since(const struct lc_window *window, int64_t key, uint32_t bucket)
{
    uint32_t ago;
    CHECK(lc_window_find(window, key, &ago));
    CHECK_INT(lc_window_mark(window, ago)->num_requests, key * 10);
    return lc_window_count(window, ago, bucket);
}

static void test_counts_since_a_key_are_the_sum_of_its_intervals(void)
{
    struct lc_window window = new_window();
    for (int64_t key = 100; key < 110; key++) {
        begin(&window, key);
        lc_window_add(&window, (uint32_t)key, 1);
        lc_window_add(&window, 5, 2);
    }
    CHECK_INT(count_since(&window, 109, 5), 2);
    CHECK_INT(count_since(&window, 100, 5), 20);
    CHECK_INT(count_since(&window, 105, 104), 0);
    CHECK_INT(count_since(&window, 104, 104), 1);
    CHECK_INT(count_since(&window, 104, LC_ROUNDED_BUCKETS - 1), 0);
    uint32_t ago;
    CHECK(!lc_window_find(&window, 99, &ago));
    free_window(&window);
}

static void test_the_oldest_interval_makes_room(void)
{
    struct lc_window window = new_window();
    uint32_t ago;
    for (int64_t key = 0; key < 3 * LC_WINDOW; key++) {
        begin(&window, key);
        lc_window_add(&window, 7, 1);
    }
    CHECK(!lc_window_find(&window, 2 * LC_WINDOW - 1, &ago));
    CHECK_INT(count_since(&window, 2 * LC_WINDOW, 7), LC_WINDOW);
    free_window(&window);
}

static void test_an_interval_with_the_same_key_begins_anew(void)
{
    struct lc_window window = new_window();
    begin(&window, 1);
    lc_window_add(&window, 7, 1);
    begin(&window, 1);
    CHECK_INT(window.used, 1);
    CHECK_INT(count_since(&window, 1, 7), 0);
    begin(&window, 2);
    lc_window_add(&window, 7, 4);
    begin(&window, 2);
    lc_window_add(&window, 7, 8);
    CHECK_INT(count_since(&window, 2, 7), 8);
    CHECK_INT(count_since(&window, 1, 7), 12);
    free_window(&window);
}

static void test_reset_leaves_zeros(void)
{
    struct lc_window window = new_window();
    begin(&window, 1);
    lc_window_add(&window, LC_ROUNDED_BUCKETS - 1, 3);
    begin(&window, 2);
    lc_window_add(&window, 0, 3);
    lc_window_reset(&window);
    for (size_t i = 0; i < LC_WINDOW_STORAGE / sizeof(uint32_t); i++) {
        CHECK_INT(window.counts[i], 0);
    }
    CHECK_INT(window.used, 0);
    free_window(&window);
}

int main(void)
{
    RUN(test_counts_since_a_key_are_the_sum_of_its_intervals);
    RUN(test_the_oldest_interval_makes_room);
    RUN(test_an_interval_with_the_same_key_begins_anew);
    RUN(test_reset_leaves_zeros);
    return 0;
}
