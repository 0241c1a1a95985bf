#include "hist.h"

#include <math.h>

#define HALF_BITS 10
#define HALF (UINT64_C(1) << HALF_BITS)

static uint32_t bin_of(uint64_t time_us)
{
    if (time_us > LC_HIST_MAX_US) {
        time_us = LC_HIST_MAX_US;
    }
    if (time_us < 2 * HALF) {
        return (uint32_t)time_us;
    }
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(time_us) - HALF_BITS;
    return (shift << HALF_BITS) + (uint32_t)(time_us >> shift);
}

static void bin_limits(uint32_t bin, uint64_t *low_us, uint64_t *high_us)
{
    uint32_t shift = bin < 2 * HALF ? 0 : (bin >> HALF_BITS) - 1;
    *low_us = (uint64_t)(bin - (shift << HALF_BITS)) << shift;
    *high_us = *low_us + (UINT64_C(1) << shift) - 1;
}

static void widen(struct lc_hist *hist, uint32_t bin)
{
    if (bin < hist->lowest) {
        hist->lowest = bin;
    }
    if (bin > hist->highest) {
        hist->highest = bin;
    }
}

static void add_dense(struct lc_hist *hist, uint32_t bin, uint64_t times)
{
    uint64_t sum = hist->bins[bin] + times;
    hist->bins[bin] = (uint32_t)sum;
    if (sum > UINT32_MAX) {
        hist->carries[bin] += (uint32_t)(sum >> 32);
        hist->carried = true;
    }
    widen(hist, bin);
}

static void make_dense(struct lc_hist *hist)
{
    hist->dense = true;
    for (uint32_t i = 0; i < hist->few; i++) {
        add_dense(hist, hist->few_bins[i], hist->few_counts[i]);
    }
    hist->few = 0;
}

/* Counts in the pairs. False if the bin is new and there is no room for it. */
static bool add_few(struct lc_hist *hist, uint32_t bin, uint64_t times)
{
    uint32_t low = 0, high = hist->few;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (hist->few_bins[middle] < bin) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == hist->few || hist->few_bins[low] != bin) {
        if (hist->few == LC_HIST_FEW) {
            return false;
        }
        uint32_t behind = hist->few - low;
        memmove(&hist->few_bins[low + 1], &hist->few_bins[low], behind * sizeof(uint16_t));
        memmove(&hist->few_counts[low + 1], &hist->few_counts[low], behind * sizeof(uint64_t));
        hist->few_bins[low] = (uint16_t)bin;
        hist->few_counts[low] = 0;
        hist->few++;
    }
    hist->few_counts[low] += times;
    return true;
}

static void add(struct lc_hist *hist, uint32_t bin, uint64_t times)
{
    hist->count += times;
    if (!hist->dense) {
        if (add_few(hist, bin, times)) {
            return;
        }
        make_dense(hist);
    }
    add_dense(hist, bin, times);
}

static uint64_t dense_count(const struct lc_hist *hist, uint32_t bin)
{
    return hist->bins[bin] + (hist->carried ? (uint64_t)hist->carries[bin] << 32 : 0);
}

/* As lc_hist_next, but gives the number of the bin. */
static bool next_used(const struct lc_hist *hist, uint32_t *cursor, uint32_t *bin, uint64_t *count)
{
    if (!hist->dense) {
        if (*cursor >= hist->few) {
            return false;
        }
        *bin = hist->few_bins[*cursor];
        *count = hist->few_counts[(*cursor)++];
        return true;
    }
    uint32_t at = *cursor > hist->lowest ? *cursor : hist->lowest;
    for (; at <= hist->highest; at++) {
        *count = dense_count(hist, at);
        if (*count != 0) {
            *bin = at;
            *cursor = at + 1;
            return true;
        }
    }
    *cursor = LC_HIST_BINS;
    return false;
}

void lc_hist_init(struct lc_hist *hist, uint32_t *storage)
{
    memset(hist, 0, sizeof *hist);
    hist->bins = storage;
    hist->carries = storage + LC_HIST_BINS;
    hist->lowest = LC_HIST_BINS;
}

void lc_hist_record(struct lc_hist *hist, uint64_t time_us, uint64_t times)
{
    if (times != 0) {
        add(hist, bin_of(time_us), times);
    }
}

void lc_hist_merge(struct lc_hist *to, const struct lc_hist *from)
{
    uint32_t cursor = 0, bin;
    uint64_t count;
    while (next_used(from, &cursor, &bin, &count)) {
        add(to, bin, count);
    }
}

void lc_hist_reset(struct lc_hist *hist)
{
    if (hist->dense && hist->lowest <= hist->highest) {
        size_t used = hist->highest - hist->lowest + 1;
        memset(hist->bins + hist->lowest, 0, used * sizeof(uint32_t));
        if (hist->carried) {
            memset(hist->carries + hist->lowest, 0, used * sizeof(uint32_t));
        }
    }
    lc_hist_init(hist, hist->bins);
}

bool lc_hist_quantile(const struct lc_hist *hist, double p, double *time_us)
{
    if (hist->count == 0) {
        return false;
    }
    double exact_rank = ceil(p * (double)hist->count);
    uint64_t rank = 1;
    if (exact_rank >= (double)hist->count) {
        rank = hist->count;
    } else if (exact_rank > 1) {
        rank = (uint64_t)exact_rank;
    }
    uint32_t cursor = 0;
    struct lc_hist_bin bin = {0, 0, 0};
    uint64_t seen = 0;
    while (seen < rank && lc_hist_next(hist, &cursor, &bin)) {
        seen += bin.count;
    }
    *time_us = ((double)bin.low_us + (double)bin.high_us) / 2;
    return true;
}

bool lc_hist_next(const struct lc_hist *hist, uint32_t *cursor, struct lc_hist_bin *bin)
{
    uint32_t at;
    if (!next_used(hist, cursor, &at, &bin->count)) {
        return false;
    }
    bin_limits(at, &bin->low_us, &bin->high_us);
    return true;
}
