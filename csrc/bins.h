/* The bins of log-linear histograms of times, from 1 us to 1 hour.
 *
 * A histogram has a precision `b`: up to 2^(b+1) - 1 us every microsecond has its bin; above, each
 * doubling is divided into 2^b bins, so that a bin is at most 2^-b of its time wide. What is longer
 * than an hour belongs to the last bin: no time is without one. */
#ifndef LC_BINS_H
#define LC_BINS_H

#include "lc.h"

#define LC_BINS_MAX_US UINT64_C(3600000000)
/* How many bins there are with precision `b` (4..11): the hour falls into the 31st doubling. */
#define LC_BINS_COUNT(b) (((UINT32_C(31) - (b)) << (b)) + (LC_BINS_MAX_US >> (31 - (b))) + 1)

/* Some samples between low_us and high_us, both included. */
struct lc_bin {
    uint64_t low_us;
    uint64_t high_us;
    uint64_t count;
};

uint32_t lc_bins_of(uint64_t time_us, uint32_t precision);
/* Fills in the limits of a bin. */
void lc_bins_limits(uint32_t number, uint32_t precision, struct lc_bin *bin);
/* Which of `count` samples in rising order, from 1 on, a share `p` (0..1) does not exceed. */
uint64_t lc_bins_rank(double p, uint64_t count);

/* Few distinct bins are kept as pairs of two arrays, in order of `keys`; `counts` has elements of
 * `size` bytes. The place of `key`, made with a count of 0 if it is new: false, and nothing is
 * changed, if there are `most` others already. */
bool lc_bins_place(uint16_t *keys, void *counts, size_t size, uint32_t *used, uint32_t most,
                   uint16_t key, uint32_t *place);

#endif
