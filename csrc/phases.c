#include "phases.h"

const char *lc_phases_name(enum lc_phase phase)
{
    static const char *const names[] = {
#define PHASE_NAME(name, text) text,
        LC_PHASES(PHASE_NAME)
#undef PHASE_NAME
    };
    return names[phase];
}

static void add_dense(struct lc_phase_hists *hists, uint32_t phase, uint32_t bin, uint32_t times)
{
    uint32_t *count = &hists->bins[phase * LC_PHASES_ROW + bin];
    uint32_t room = UINT32_MAX - *count;
    times = times < room ? times : room;
    *count += times;
    hists->counts[phase] += times;
    if (bin < hists->lowest[phase]) {
        hists->lowest[phase] = bin;
    }
    if (bin > hists->highest[phase]) {
        hists->highest[phase] = bin;
    }
}

static void make_dense(struct lc_phase_hists *hists)
{
    hists->dense = true;
    memset(hists->counts, 0, sizeof hists->counts);
    for (uint32_t i = 0; i < hists->few; i++) {
        uint32_t key = hists->few_keys[i];
        add_dense(hists, key / LC_PHASES_ROW, key % LC_PHASES_ROW, hists->few_counts[i]);
    }
    hists->few = 0;
}

/* Counts in the pairs. False if the bin is new and there is no room for it. */
static bool add_few(struct lc_phase_hists *hists, uint32_t phase, uint32_t bin, uint32_t times)
{
    uint32_t place;
    if (!lc_bins_place(hists->few_keys, hists->few_counts, sizeof hists->few_counts[0], &hists->few,
                       LC_PHASES_FEW, (uint16_t)(phase * LC_PHASES_ROW + bin), &place)) {
        return false;
    }
    uint32_t room = UINT32_MAX - hists->few_counts[place];
    times = times < room ? times : room;
    hists->few_counts[place] += times;
    hists->counts[phase] += times;
    return true;
}

static void add(struct lc_phase_hists *hists, uint32_t phase, uint32_t bin, uint32_t times)
{
    if (!hists->dense) {
        if (add_few(hists, phase, bin, times)) {
            return;
        }
        make_dense(hists);
    }
    add_dense(hists, phase, bin, times);
}

/* As lc_phases_next, but gives the number of the bin. */
static bool next_used(const struct lc_phase_hists *hists, uint32_t phase, uint32_t *cursor,
                      uint32_t *bin, uint32_t *count)
{
    uint32_t at = *cursor;
    if (!hists->dense) {
        while (at < hists->few && hists->few_keys[at] / LC_PHASES_ROW < phase) {
            at++;
        }
        *cursor = at + 1;
        if (at >= hists->few || hists->few_keys[at] / LC_PHASES_ROW != phase) {
            return false;
        }
        *bin = hists->few_keys[at] % LC_PHASES_ROW;
        *count = hists->few_counts[at];
        return true;
    }
    const uint32_t *bins = hists->bins + phase * LC_PHASES_ROW;
    at = at > hists->lowest[phase] ? at : hists->lowest[phase];
    while (at <= hists->highest[phase] && bins[at] == 0) {
        at++;
    }
    *cursor = at + 1;
    if (at > hists->highest[phase]) {
        return false;
    }
    *bin = at;
    *count = bins[at];
    return true;
}

void lc_phases_init(struct lc_phase_hists *hists, uint32_t *storage)
{
    memset(hists, 0, sizeof *hists);
    hists->bins = storage;
    for (uint32_t phase = 0; phase < LC_PHASE_COUNT; phase++) {
        hists->lowest[phase] = LC_PHASES_BINS;
    }
}

void lc_phases_record(struct lc_phase_hists *hists, const struct lc_phases *phases)
{
    for (uint32_t phase = 0; phase < LC_PHASE_COUNT; phase++) {
        uint64_t ns = phases->ns[phase];
        if (ns != LC_PHASE_NONE) {
            uint64_t time_us = ns / 1000 + (ns % 1000 >= 500);
            add(hists, phase, lc_bins_of(time_us, LC_PHASES_PRECISION), 1);
        }
    }
}

void lc_phases_merge(struct lc_phase_hists *to, const struct lc_phase_hists *from)
{
    for (uint32_t phase = 0; phase < LC_PHASE_COUNT; phase++) {
        uint32_t cursor = 0, bin, count;
        while (next_used(from, phase, &cursor, &bin, &count)) {
            add(to, phase, bin, count);
        }
    }
}

void lc_phases_reset(struct lc_phase_hists *hists)
{
    for (uint32_t phase = 0; phase < LC_PHASE_COUNT; phase++) {
        uint32_t lowest = hists->lowest[phase];
        if (lowest <= hists->highest[phase]) {
            uint32_t *first = hists->bins + phase * LC_PHASES_ROW + lowest;
            memset(first, 0, (hists->highest[phase] - lowest + 1) * sizeof *first);
        }
    }
    lc_phases_init(hists, hists->bins);
}

bool lc_phases_quantile(const struct lc_phase_hists *hists, enum lc_phase phase, double p,
                        double *time_us)
{
    if (hists->counts[phase] == 0) {
        return false;
    }
    uint64_t rank = lc_bins_rank(p, hists->counts[phase]), seen = 0;
    uint32_t cursor = 0;
    struct lc_bin bin = {0, 0, 0};
    while (seen < rank && lc_phases_next(hists, phase, &cursor, &bin)) {
        seen += bin.count;
    }
    *time_us = ((double)bin.low_us + (double)bin.high_us) / 2;
    return true;
}

bool lc_phases_next(const struct lc_phase_hists *hists, enum lc_phase phase, uint32_t *cursor,
                    struct lc_bin *bin)
{
    uint32_t number, count;
    if (!next_used(hists, phase, cursor, &number, &count)) {
        return false;
    }
    lc_bins_limits(number, LC_PHASES_PRECISION, bin);
    bin->count = count;
    return true;
}
