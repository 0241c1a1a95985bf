#include "phases.h"

#define END (LC_PHASE_COUNT * LC_PHASES_ROW)

const char *lc_phases_name(enum lc_phase phase)
{
    static const char *const names[] = {
#define PHASE_NAME(name, text) text,
        LC_PHASES(PHASE_NAME)
#undef PHASE_NAME
    };
    return names[phase];
}

static uint32_t sum_of(uint32_t count, uint32_t times)
{
    return times <= UINT32_MAX - count ? count + times : UINT32_MAX;
}

static void add_dense(struct lc_phase_hists *hists, uint16_t key, uint32_t times)
{
    hists->bins[key] = sum_of(hists->bins[key], times);
    hists->pages |= UINT32_C(1) << (key / LC_PHASES_PAGE);
}

static void make_dense(struct lc_phase_hists *hists)
{
    hists->dense = true;
    for (uint32_t i = 0; i < hists->few; i++) {
        add_dense(hists, hists->few_keys[i], hists->few_counts[i]);
    }
    hists->few = 0;
}

/* Counts in the pairs. False if the key is new and there is no room for it. */
static bool add_few(struct lc_phase_hists *hists, uint16_t key, uint32_t times)
{
    uint32_t place;
    if (!lc_bins_place(hists->few_keys, hists->few_counts, sizeof hists->few_counts[0], &hists->few,
                       LC_PHASES_FEW, key, &place)) {
        return false;
    }
    hists->few_counts[place] = sum_of(hists->few_counts[place], times);
    return true;
}

static void add(struct lc_phase_hists *hists, uint16_t key, uint32_t times)
{
    if (!hists->dense) {
        if (add_few(hists, key, times)) {
            return;
        }
        make_dense(hists);
    }
    add_dense(hists, key, times);
}

/* The first key from `from` on, and below `end`, that was counted; `end` if there is none. */
static uint32_t next_key(const struct lc_phase_hists *hists, uint32_t from, uint32_t end,
                         uint32_t *count)
{
    for (uint32_t i = 0; i < hists->few && hists->few_keys[i] < end; i++) {
        if (hists->few_keys[i] >= from) {
            *count = hists->few_counts[i];
            return hists->few_keys[i];
        }
    }
    while (hists->dense && from < end) {
        if ((hists->pages >> (from / LC_PHASES_PAGE) & 1) == 0) {
            from = (from / LC_PHASES_PAGE + 1) * LC_PHASES_PAGE;
        } else if (hists->bins[from] == 0) {
            from++;
        } else {
            *count = hists->bins[from];
            return from;
        }
    }
    return end;
}

void lc_phases_init(struct lc_phase_hists *hists, uint32_t *storage)
{
    memset(hists, 0, sizeof *hists);
    hists->bins = storage;
}

void lc_phases_find_keys(const struct lc_phases *phases, struct lc_phase_keys *keys)
{
    keys->count = 0;
    for (uint32_t phase = 0; phase < LC_PHASE_COUNT; phase++) {
        uint64_t ns = phases->ns[phase];
        if (ns != LC_PHASE_NONE) {
            uint64_t time_us = ns < UINT64_MAX / 2 ? (ns + 500) / 1000 : LC_BINS_MAX_US;
            uint32_t bin = lc_bins_of(time_us, LC_PHASES_PRECISION);
            keys->keys[keys->count++] = (uint16_t)(phase * LC_PHASES_ROW + bin);
        }
    }
}

void lc_phases_record(struct lc_phase_hists *hists, const struct lc_phase_keys *keys)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        add(hists, keys->keys[i], 1);
    }
}

void lc_phases_merge(struct lc_phase_hists *to, const struct lc_phase_hists *from)
{
    uint32_t key = 0, count;
    while ((key = next_key(from, key, END, &count)) < END) {
        add(to, (uint16_t)key++, count);
    }
}

void lc_phases_reset(struct lc_phase_hists *hists)
{
    for (uint32_t page = 0; page < END / LC_PHASES_PAGE; page++) {
        if (hists->pages >> page & 1) {
            memset(hists->bins + page * LC_PHASES_PAGE, 0, LC_PHASES_PAGE * sizeof hists->bins[0]);
        }
    }
    lc_phases_init(hists, hists->bins);
}

uint64_t lc_phases_count(const struct lc_phase_hists *hists, enum lc_phase phase)
{
    uint32_t cursor = 0;
    uint64_t sum = 0;
    struct lc_bin bin;
    while (lc_phases_next(hists, phase, &cursor, &bin)) {
        sum += bin.count;
    }
    return sum;
}

bool lc_phases_quantile(const struct lc_phase_hists *hists, enum lc_phase phase, double p,
                        double *time_us)
{
    uint64_t total = lc_phases_count(hists, phase), seen = 0;
    if (total == 0) {
        return false;
    }
    uint64_t rank = lc_bins_rank(p, total);
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
    uint32_t row = (uint32_t)phase * LC_PHASES_ROW, end = row + LC_PHASES_ROW, count;
    uint32_t key = next_key(hists, row + *cursor, end, &count);
    if (key == end) {
        *cursor = LC_PHASES_ROW;
        return false;
    }
    *cursor = key - row + 1;
    lc_bins_limits(key - row, LC_PHASES_PRECISION, bin);
    bin->count = count;
    return true;
}
