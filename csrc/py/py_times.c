#include "py_times.h"

/* A body that cannot be decoded has arrived all the same. */
static bool has_arrived(const struct lc_times *times, int err)
{
    return times->last_byte != 0 && (err == 0 || err == LC_EDECODE);
}

uint64_t lc_py_times_end(const struct lc_times *times, int err)
{
    return has_arrived(times, err) ? times->last_byte : times->ended;
}

static uint64_t duration(uint64_t ns)
{
    return ns != 0 ? ns : LC_PHASE_NONE;
}

/* A server may answer before all is sent: then nobody waited for it. */
static uint64_t between(uint64_t from, uint64_t to)
{
    if (from == 0 || to == 0) {
        return LC_PHASE_NONE;
    }
    return to > from ? to - from : 0;
}

static uint64_t connect_duration(const struct lc_times *times)
{
    if (times->connect == 0) {
        return LC_PHASE_NONE;
    }
    return times->connect > times->lookup ? times->connect - times->lookup : 0;
}

bool lc_py_times_phases(const struct lc_times *times, int err, struct lc_phases *phases)
{
    if (times->start == 0) {
        return false;
    }
    uint64_t ready = times->connected != 0 ? times->connected + times->tls : 0;
    uint64_t whole = has_arrived(times, err) ? times->last_byte : 0;
    /* A task that was busy with an earlier piece of a stream did not wait for the last one. */
    uint64_t ended = times->resumed >= times->ended ? times->ended : 0;
    *phases = (struct lc_phases){{
        [LC_PHASE_LOOKUP] = duration(times->lookup),
        [LC_PHASE_CONNECT] = connect_duration(times),
        [LC_PHASE_TLS] = duration(times->tls),
        [LC_PHASE_SEND] = between(ready, times->sent),
        [LC_PHASE_WAIT] = between(times->sent, times->first_byte),
        [LC_PHASE_RECEIVE] = between(times->first_byte, whole),
        [LC_PHASE_LAG] = between(ended, times->resumed),
    }};
    return true;
}
