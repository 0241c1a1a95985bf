#include "py_times.h"

/* A body that cannot be decoded has arrived all the same. */
static bool is_good(const struct lc_times *times, int err)
{
    return times->last_byte != 0 && (err == 0 || err == LC_EDECODE);
}

/* 0: not all of the response has arrived. */
static uint64_t last_byte(const struct lc_times *times, int err)
{
    return is_good(times, err) && times->ended != 0 ? times->last_byte : 0;
}

uint64_t lc_py_times_end(const struct lc_times *times, int err)
{
    return is_good(times, err) ? times->last_byte : times->ended;
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
    uint64_t awaited = times->ended != 0 ? times->ended : times->last_byte;
    *phases = (struct lc_phases){{
        [LC_PHASE_LOOKUP] = times->lookup != 0 ? times->lookup : LC_PHASE_NONE,
        [LC_PHASE_CONNECT] = connect_duration(times),
        [LC_PHASE_TLS] = times->tls != 0 ? times->tls : LC_PHASE_NONE,
        [LC_PHASE_SEND] = between(times->ready, times->sent),
        [LC_PHASE_WAIT] = between(times->sent, times->first_byte),
        [LC_PHASE_RECEIVE] = between(times->first_byte, last_byte(times, err)),
        [LC_PHASE_LAG] = between(awaited, times->resumed),
    }};
    return true;
}

/* --- for users --- */

static PyObject *seconds(uint64_t ns)
{
    return ns != LC_PHASE_NONE ? PyFloat_FromDouble((double)ns / 1e9) : Py_NewRef(Py_None);
}

static PyObject *arrival_name(uint8_t arrival)
{
    static const char *const names[] = {
        [LC_ARRIVAL_KERNEL] = "kernel", [LC_ARRIVAL_READ] = "read", [LC_ARRIVAL_LOOP] = "loop"};
    return arrival != LC_ARRIVAL_NONE ? PyUnicode_FromString(names[arrival]) : Py_NewRef(Py_None);
}

/* A tuple of `count` new references, which it takes over; NULL if one of them is. */
static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    bool whole = tuple != NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        whole = whole && items[i] != NULL;
        if (tuple != NULL) {
            PyTuple_SET_ITEM(tuple, i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    if (!whole) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

PyObject *lc_py_times_moments(const struct lc_times *times, int err)
{
    struct lc_phases phases;
    if (!lc_py_times_phases(times, err, &phases)) {
        Py_RETURN_NONE;
    }
    PyObject *durations[LC_PHASE_COUNT];
    for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
        durations[phase] = seconds(phases.ns[phase]);
    }
    uint64_t start = times->start;
    /* When connecting began, which may have waited for its turn. */
    uint64_t began = times->connected != 0 ? times->connected - times->connect : start;
    uint64_t due = lc_realtime_offset_ns() + start;
    PyObject *const moments[] = {
        seconds(due),
        seconds(between(start, times->lookup != 0 ? began + times->lookup : 0)),
        seconds(between(start, times->connect != 0 ? times->connected : 0)),
        seconds(between(start, times->tls != 0 ? times->connected + times->tls : 0)),
        seconds(between(start, times->ready)),
        seconds(between(start, times->sent)),
        seconds(between(start, times->first_byte)),
        seconds(between(start, last_byte(times, err))),
        seconds(phases.ns[LC_PHASE_LAG]),
        arrival_name(times->arrival),
        tuple_of(durations, LC_PHASE_COUNT),
    };
    return tuple_of(moments, sizeof moments / sizeof moments[0]);
}
