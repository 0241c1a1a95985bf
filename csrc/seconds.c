#include "seconds.h"

static struct lc_second *slot_of(const struct lc_seconds *seconds, uint32_t second)
{
    return &seconds->slots[second % LC_SECONDS];
}

static bool is_empty(const struct lc_seconds *seconds)
{
    return seconds->oldest > seconds->newest;
}

void lc_seconds_init(struct lc_seconds *seconds, struct lc_second *slots)
{
    *seconds = (struct lc_seconds){slots, UINT32_MAX, 0};
}

uint32_t lc_seconds_of(double time_s)
{
    if (!(time_s >= 0)) {
        return 0;
    }
    return time_s < (double)UINT32_MAX ? (uint32_t)time_s : UINT32_MAX - 1;
}

void lc_seconds_add(struct lc_seconds *seconds, uint32_t second, uint32_t requests,
                    uint32_t failures)
{
    struct lc_second *slot = slot_of(seconds, second);
    if (slot->second != second) {
        if (slot->second > second) {
            return;
        }
        *slot = (struct lc_second){second, 0, 0};
    }
    slot->requests += requests;
    slot->failures += failures;
    if (second < seconds->oldest) {
        seconds->oldest = second;
    }
    if (second > seconds->newest) {
        seconds->newest = second;
    }
}

struct lc_second lc_seconds_get(const struct lc_seconds *seconds, uint32_t second)
{
    const struct lc_second *slot = slot_of(seconds, second);
    if (slot->second != second) {
        return (struct lc_second){second, 0, 0};
    }
    return *slot;
}

bool lc_seconds_range(const struct lc_seconds *seconds, uint32_t *first, uint32_t *last)
{
    if (is_empty(seconds)) {
        return false;
    }
    *last = seconds->newest;
    *first = seconds->oldest;
    if (*last - *first >= LC_SECONDS) {
        *first = *last - LC_SECONDS + 1;
    }
    return true;
}

void lc_seconds_merge(struct lc_seconds *to, const struct lc_seconds *from)
{
    uint32_t first, last;
    if (!lc_seconds_range(from, &first, &last)) {
        return;
    }
    for (uint32_t second = first; second <= last; second++) {
        struct lc_second counts = lc_seconds_get(from, second);
        if (counts.requests != 0 || counts.failures != 0) {
            lc_seconds_add(to, second, counts.requests, counts.failures);
        }
    }
}

void lc_seconds_reset(struct lc_seconds *seconds)
{
    uint32_t first, last;
    if (lc_seconds_range(seconds, &first, &last)) {
        for (uint32_t second = first; second <= last; second++) {
            /* Only pages that were written to are written to. */
            if (slot_of(seconds, second)->second != 0) {
                *slot_of(seconds, second) = (struct lc_second){0, 0, 0};
            }
        }
        /* Late samples of second 0 have a slot that looks like an unused one. */
        *slot_of(seconds, 0) = (struct lc_second){0, 0, 0};
    }
    lc_seconds_init(seconds, seconds->slots);
}
