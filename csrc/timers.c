#include "timers.h"

enum { ARITY = 4 };

void lc_timers_init(struct lc_timers *timers)
{
    *timers = (struct lc_timers){0};
}

void lc_timers_free(struct lc_timers *timers)
{
    for (size_t i = 0; i < timers->len; i++) {
        timers->heap[i]->place = 0;
    }
    lc_free(timers->heap);
    lc_timers_init(timers);
}

static void put(struct lc_timers *timers, size_t index, struct lc_timer *timer)
{
    timers->heap[index] = timer;
    timer->place = index + 1;
}

static void sift_up(struct lc_timers *timers, size_t index, struct lc_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / ARITY;
        if (timers->heap[parent]->due_ns <= timer->due_ns) {
            break;
        }
        put(timers, index, timers->heap[parent]);
        index = parent;
    }
    put(timers, index, timer);
}

static void sift_down(struct lc_timers *timers, size_t index, struct lc_timer *timer)
{
    for (;;) {
        size_t first = index * ARITY + 1;
        if (first >= timers->len) {
            break;
        }
        size_t last = first + ARITY < timers->len ? first + ARITY : timers->len;
        size_t best = first;
        for (size_t child = first + 1; child < last; child++) {
            if (timers->heap[child]->due_ns < timers->heap[best]->due_ns) {
                best = child;
            }
        }
        if (timers->heap[best]->due_ns >= timer->due_ns) {
            break;
        }
        put(timers, index, timers->heap[best]);
        index = best;
    }
    put(timers, index, timer);
}

int lc_timers_start(struct lc_timers *timers, struct lc_timer *timer, uint64_t due_ns)
{
    if (timer->place != 0) {
        bool later = due_ns > timer->due_ns;
        timer->due_ns = due_ns;
        if (later) {
            sift_down(timers, timer->place - 1, timer);
        } else {
            sift_up(timers, timer->place - 1, timer);
        }
        return 0;
    }
    if (timers->len == timers->cap) {
        size_t cap = timers->cap ? timers->cap * 2 : 64;
        struct lc_timer **heap = lc_realloc(timers->heap, cap * sizeof *heap);
        if (heap == NULL) {
            return LC_ENOMEM;
        }
        timers->heap = heap;
        timers->cap = cap;
    }
    timer->due_ns = due_ns;
    sift_up(timers, timers->len++, timer);
    return 0;
}

void lc_timers_stop(struct lc_timers *timers, struct lc_timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    size_t index = timer->place - 1;
    struct lc_timer *last = timers->heap[--timers->len];
    timer->place = 0;
    if (last == timer) {
        return;
    }
    if (last->due_ns < timer->due_ns) {
        sift_up(timers, index, last);
    } else {
        sift_down(timers, index, last);
    }
}

uint64_t lc_timers_next(const struct lc_timers *timers)
{
    return timers->len > 0 ? timers->heap[0]->due_ns : UINT64_MAX;
}

struct lc_timer *lc_timers_pop(struct lc_timers *timers, uint64_t now_ns)
{
    if (timers->len == 0 || timers->heap[0]->due_ns > now_ns) {
        return NULL;
    }
    struct lc_timer *timer = timers->heap[0];
    lc_timers_stop(timers, timer);
    return timer;
}
