/* Locust's rounded response times: what its `response_times` tables have as keys.
 *
 * Below 100 ms to the millisecond, below 1 s to 10 ms, below 10 s to 100 ms, above to the second,
 * ties to even as Python's round() does. From one hour on all is one bucket; negative times count
 * as 0. */
#ifndef LC_ROUNDED_H
#define LC_ROUNDED_H

#include "lc.h"

#define LC_ROUNDED_BUCKETS 3871

/* The bucket of a time that is not NaN. */
uint32_t lc_rounded_bucket(double time_ms);
/* The key of a bucket, in ms. */
uint32_t lc_rounded_ms(uint32_t bucket);

#endif
