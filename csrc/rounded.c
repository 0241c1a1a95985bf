#include "rounded.h"

#include <math.h>

/* Buckets 0..99: ms; 100..189: 100, 110 .. 990; 190..279: 1000, 1100 .. 9900; 280..: 10000, 11000
 * .. 3600000. A value rounded up out of its range (99.6) lands on the first of the next. */
#define TENS 100
#define HUNDREDS 190
#define THOUSANDS 280
#define LONGEST_MS 3600000.0

uint32_t lc_rounded_bucket(double time_ms)
{
    /* Dividing cannot turn a time beside a tie into the tie: see the test with every neighbour. */
    if (time_ms < 100) {
        return time_ms > 0 ? (uint32_t)rint(time_ms) : 0;
    }
    if (time_ms < 1000) {
        return TENS - 10 + (uint32_t)rint(time_ms / 10);
    }
    if (time_ms < 10000) {
        return HUNDREDS - 10 + (uint32_t)rint(time_ms / 100);
    }
    if (time_ms >= LONGEST_MS) {
        return LC_ROUNDED_BUCKETS - 1;
    }
    return THOUSANDS - 10 + (uint32_t)rint(time_ms / 1000);
}

uint32_t lc_rounded_ms(uint32_t bucket)
{
    if (bucket < TENS) {
        return bucket;
    }
    if (bucket < HUNDREDS) {
        return (bucket - TENS + 10) * 10;
    }
    if (bucket < THOUSANDS) {
        return (bucket - HUNDREDS + 10) * 100;
    }
    return (bucket - THOUSANDS + 10) * 1000;
}
