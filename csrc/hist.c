#include "hist.h"

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
    uint32_t place;
    if (!lc_bins_place(hist->few_bins, hist->few_counts, sizeof hist->few_counts[0], &hist->few,
                       LC_HIST_FEW, (uint16_t)bin, &place)) {
        return false;
    }
    hist->few_counts[place] += times;
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
        add(hist, lc_bins_of(time_us, LC_HIST_PRECISION), times);
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
    uint64_t rank = lc_bins_rank(p, hist->count);
    uint32_t cursor = 0;
    struct lc_bin bin = {0, 0, 0};
    uint64_t seen = 0;
    while (seen < rank && lc_hist_next(hist, &cursor, &bin)) {
        seen += bin.count;
    }
    *time_us = ((double)bin.low_us + (double)bin.high_us) / 2;
    return true;
}

bool lc_hist_next(const struct lc_hist *hist, uint32_t *cursor, struct lc_bin *bin)
{
    uint32_t at;
    if (!next_used(hist, cursor, &at, &bin->count)) {
        return false;
    }
    lc_bins_limits(at, LC_HIST_PRECISION, bin);
    return true;
}
