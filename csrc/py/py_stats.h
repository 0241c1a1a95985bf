/* What the types of the statistics share: counters of one name, counters of one error, the table.
 *
 * StatsCounters owns an entry of the core (locust_c.stats.StatsEntry derives from it),
 * StatsErrorCount counts one error (base of StatsError), StatsTable finds the counters of a sample
 * and records it. */
#ifndef LC_PY_STATS_H
#define LC_PY_STATS_H

#include "module.h"
#include "stats.h"

struct lc_py_counters {
    PyObject_HEAD
    struct lc_stats *stats;
    /* The failure that came last, so that the next one of its kind is found by comparing texts:
     * valid as long as the table's epoch is the one noted here. */
    PyObject *error_text;
    PyObject *error; /* StatsErrorCount */
    uint64_t error_epoch;
};

/* py_stats_error.c: counts one more, of now (epoch seconds). */
void lc_py_stats_error_occurred(PyObject *error, double now_s);

/* py_stats_numbers.c: None <-> NaN, and numbers of the user with the argument's name in the error.
 */
PyObject *lc_py_from_optional(double value);
int lc_py_to_optional(PyObject *object, const char *argument, double *value) LC_MUST_USE;
int lc_py_to_double(PyObject *object, const char *argument, double *value) LC_MUST_USE;
int lc_py_to_count(PyObject *object, const char *argument, uint64_t *value) LC_MUST_USE;
int lc_py_to_length(PyObject *object, const char *argument, int64_t *value) LC_MUST_USE;
/* As above, and finite: infinity cannot be counted. */
int lc_py_to_response_time(PyObject *object, double *time_ms) LC_MUST_USE;
/* 0 if it is a share (0..1), else -1 with ValueError. */
int lc_py_check_share(double p) LC_MUST_USE;
/* For setters: -1 with an exception if the attribute is being deleted. */
int lc_py_refuse_delete(PyObject *value) LC_MUST_USE;

/* py_stats_views.c: methods of StatsCounters that copy tables out of and into the counters. */
PyObject *lc_py_stats_rounded(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_histogram(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_add_times(PyObject *self, PyObject *args);
PyObject *lc_py_stats_clear_times(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_seconds(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_set_seconds(PyObject *self, PyObject *rows);
PyObject *lc_py_stats_between(PyObject *self, PyObject *args);
PyObject *lc_py_stats_intervals(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_interval_times(PyObject *self, PyObject *key);
/* Sets dict[key] = count. */
int lc_py_put_count(PyObject *dict, uint32_t key, uint64_t count) LC_MUST_USE;
/* Appends (low in ms, high in ms, count). */
int lc_py_append_bin(PyObject *list, const struct lc_bin *bin) LC_MUST_USE;

/* py_stats_phases.c: methods of StatsCounters about phases. */
PyObject *lc_py_stats_record_phases(PyObject *self, PyObject *args);
PyObject *lc_py_stats_phase_count(PyObject *self, PyObject *phase);
PyObject *lc_py_stats_phase_quantile(PyObject *self, PyObject *args);
PyObject *lc_py_stats_phase_histogram(PyObject *self, PyObject *phase);
/* The place in PHASES that `object` is; -1 with an exception. */
long lc_py_to_phase(PyObject *object) LC_MUST_USE;

/* py_stats_coarse.c: methods of StatsCounters. */
PyObject *lc_py_stats_coarse(PyObject *self, PyObject *ignored);
PyObject *lc_py_stats_phase_coarse(PyObject *self, PyObject *phase);

#endif
