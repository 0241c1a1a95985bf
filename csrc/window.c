#include "window.h"

static uint32_t slot_ago(const struct lc_window *window, uint32_t ago)
{
    return (window->current + LC_WINDOW - ago) % LC_WINDOW;
}

static uint32_t *row_of(const struct lc_window *window, uint32_t bucket)
{
    return window->counts + (size_t)bucket * LC_WINDOW;
}

void lc_window_init(struct lc_window *window, uint32_t *storage)
{
    memset(window, 0, sizeof *window);
    window->counts = storage;
}

/* Empties the current slot; what was in it counts for the interval before, if there is one. */
static void empty_current(struct lc_window *window, bool keep)
{
    uint32_t before = slot_ago(window, 1);
    for (uint32_t bucket = 0; bucket < window->buckets; bucket++) {
        uint32_t *row = row_of(window, bucket);
        uint32_t count = row[window->current];
        if (count != 0) {
            row[before] += keep ? count : 0;
            row[window->current] = 0;
        }
    }
}

void lc_window_begin(struct lc_window *window, struct lc_window_mark mark)
{
    if (window->used != 0 && window->marks[window->current].key == mark.key) {
        empty_current(window, window->used > 1);
    } else {
        if (window->used != 0) {
            window->current = (window->current + 1) % LC_WINDOW;
        }
        window->used += window->used < LC_WINDOW;
        empty_current(window, false);
    }
    window->marks[window->current] = mark;
}

void lc_window_add(struct lc_window *window, uint32_t bucket, uint32_t times)
{
    row_of(window, bucket)[window->current] += times;
    if (bucket >= window->buckets) {
        window->buckets = bucket + 1;
    }
}

bool lc_window_find(const struct lc_window *window, int64_t key, uint32_t *ago)
{
    for (uint32_t back = 0; back < window->used; back++) {
        if (lc_window_mark(window, back)->key == key) {
            *ago = back;
            return true;
        }
    }
    return false;
}

const struct lc_window_mark *lc_window_mark(const struct lc_window *window, uint32_t ago)
{
    return &window->marks[slot_ago(window, ago)];
}

uint64_t lc_window_count(const struct lc_window *window, uint32_t ago, uint32_t bucket)
{
    uint64_t sum = 0;
    for (uint32_t back = 0; bucket < window->buckets && back <= ago; back++) {
        sum += row_of(window, bucket)[slot_ago(window, back)];
    }
    return sum;
}

void lc_window_reset(struct lc_window *window)
{
    for (uint32_t bucket = 0; bucket < window->buckets; bucket++) {
        for (uint32_t slot = 0; slot < LC_WINDOW; slot++) {
            if (row_of(window, bucket)[slot] != 0) {
                row_of(window, bucket)[slot] = 0;
            }
        }
    }
    lc_window_init(window, window->counts);
}
