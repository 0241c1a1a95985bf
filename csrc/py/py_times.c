#include "py_times.h"

uint64_t lc_py_times_end(const struct lc_times *times, int err)
{
    /* A body that cannot be decoded has arrived all the same. */
    bool arrived = times->last_byte != 0 && (err == 0 || err == LC_EDECODE);
    return arrived ? times->last_byte : times->ended;
}
