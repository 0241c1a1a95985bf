#include "bins.h"

#include <math.h>

uint32_t lc_bins_of(uint64_t time_us, uint32_t precision)
{
    if (time_us > LC_BINS_MAX_US) {
        time_us = LC_BINS_MAX_US;
    }
    if (time_us >> precision < 2) {
        return (uint32_t)time_us;
    }
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(time_us) - precision;
    return (shift << precision) + (uint32_t)(time_us >> shift);
}

void lc_bins_limits(uint32_t number, uint32_t precision, struct lc_bin *bin)
{
    uint32_t shift = number >> precision < 2 ? 0 : (number >> precision) - 1;
    bin->low_us = (uint64_t)(number - (shift << precision)) << shift;
    bin->high_us = bin->low_us + (UINT64_C(1) << shift) - 1;
}

uint64_t lc_bins_rank(double p, uint64_t count)
{
    double rank = ceil(p * (double)count);
    if (rank >= (double)count) {
        return count;
    }
    return rank > 1 ? (uint64_t)rank : 1;
}

bool lc_bins_place(uint16_t *keys, void *counts, size_t size, uint32_t *used, uint32_t most,
                   uint16_t key, uint32_t *place)
{
    uint32_t low = 0, high = *used;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (keys[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == *used || keys[low] != key) {
        if (*used == most) {
            return false;
        }
        uint32_t behind = *used - low;
        char *count = (char *)counts + low * size;
        memmove(&keys[low + 1], &keys[low], behind * sizeof *keys);
        memmove(count + size, count, behind * size);
        memset(count, 0, size);
        keys[low] = key;
        ++*used;
    }
    *place = low;
    return true;
}
