/* The table of the statistics: which counters a (request type, name) has.
 *
 * The dict of entries is the truth; the slots are a cache of it that is searched without making a
 * key, since that happens for each request. Who takes something out of the dict drops the slots. */
#ifndef LC_PY_STATS_TABLE_H
#define LC_PY_STATS_TABLE_H

#include "py_stats.h"

/* A (request type, name) whose counters are known: all three are strong references, or NULL. */
struct lc_py_slot {
    Py_hash_t hash;
    PyObject *request_type;
    PyObject *name;
    PyObject *counters;
};

struct lc_py_table {
    PyObject_HEAD
    PyObject *entries;    /* a dict whose __missing__ makes the counters of (name, method) */
    PyObject *total;      /* StatsCounters */
    PyObject *find_error; /* find_error(method, name, error, text) -> StatsErrorCount */
    struct lc_py_slot *slots;
    size_t size; /* a power of two, at least twice `used` */
    size_t used;
    uint64_t epoch; /* of the errors that the counters remember */
};

/* What is counted, and when. */
struct lc_py_key {
    PyObject *request_type;
    PyObject *name;
    double now_s;
};

/* The counters of the key as a new reference, made if they are new; NULL with an exception. */
PyObject *lc_py_table_find(PyObject *table, const struct lc_py_key *key);
void lc_py_table_drop_slots(struct lc_py_table *table);
/* 0 if it is a StatsCounters, else -1 with TypeError. */
int lc_py_table_check_counters(PyObject *table, PyObject *object) LC_MUST_USE;

#endif
