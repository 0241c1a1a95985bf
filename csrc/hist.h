/* A log-linear histogram of times with three significant digits, from 1 us to 1 hour.
 *
 * Up to 2,047 us every microsecond has its bin; above, each doubling is divided into 1,024 bins, so
 * a bin is at most 0.1 % wide. What is longer than an hour is counted in the last bin, what is
 * negative in the first: no sample is lost, and the counts are exact (64 bits). Exact minimum,
 * maximum and sum are kept by who records.
 *
 * Recording neither allocates nor locks. The bins are memory of the caller, zeroed, of which pages
 * are touched as they are needed; a histogram with few distinct values touches none of it. */
#ifndef LC_HIST_H
#define LC_HIST_H

#include "bins.h"

#define LC_HIST_PRECISION 10
#define LC_HIST_BINS LC_BINS_COUNT(LC_HIST_PRECISION)
#define LC_HIST_FEW 64
/* Bytes of zeroed memory that lc_hist_init is given. */
#define LC_HIST_STORAGE (2 * LC_HIST_BINS * sizeof(uint32_t))

struct lc_hist {
    uint64_t count;
    uint32_t *bins;    /* the low 32 bits of each count */
    uint32_t *carries; /* the high 32 bits, untouched as long as `carried` is false */
    uint32_t lowest;   /* no bin below or above these two is used */
    uint32_t highest;
    uint32_t few; /* how many of the pairs below are used, in order of bin */
    bool dense;   /* the counts are in bins, not in the pairs */
    bool carried;
    uint16_t few_bins[LC_HIST_FEW];
    uint64_t few_counts[LC_HIST_FEW];
};

void lc_hist_init(struct lc_hist *hist, uint32_t *storage);
void lc_hist_record(struct lc_hist *hist, uint64_t time_us, uint64_t times);
void lc_hist_merge(struct lc_hist *to, const struct lc_hist *from);
void lc_hist_reset(struct lc_hist *hist);
/* The time that a share `p` (0..1) of the samples does not exceed: the middle of its bin. Returns
 * false, and writes nothing, if there are no samples. */
bool lc_hist_quantile(const struct lc_hist *hist, double p, double *time_us);
/* Gives the used bins in rising order; `*cursor` starts at 0. False: there are no more. */
bool lc_hist_next(const struct lc_hist *hist, uint32_t *cursor, struct lc_bin *bin);

#endif
