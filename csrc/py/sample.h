/* One finished request on its way to the statistics and the listeners.
 *
 * The engine's clients and user code (`events.request.fire(...)`) meet here: a sample is recorded
 * first and in one place, then the listeners of the hook and of its companions of Locust's older
 * versions (request_success, request_failure) are called with what their signatures name. */
#ifndef LC_PY_SAMPLE_H
#define LC_PY_SAMPLE_H

#include "module.h"
#include "phases.h"

/* All references are borrowed for the time of the call. NULL: the value does not exist (listeners
 * then get None, `context` an empty dict made when somebody asks). */
struct lc_sample {
    PyObject *request_type;  /* str */
    PyObject *name;          /* str */
    double response_time_ms; /* NaN: none (a request without a time) */
    Py_ssize_t response_length;
    PyObject *response;
    PyObject *context;   /* dict */
    PyObject *exception; /* what the request failed with, or None */
    double start_time;   /* epoch seconds; NaN: unknown */
    PyObject *url;
    unsigned resent;                /* how often the request was sent again on a new connection */
    const struct lc_phases *phases; /* NULL: it was no request of the engine */
};

/* py_stats.c: records into a StatsTable (any other object: TypeError). -1 with an exception. The
 * sample's exception, if any, is counted as a failure under its text. */
int lc_py_stats_record(PyObject *table, const struct lc_sample *sample);

/* py_stats.c: counts a request that was sent again on a new connection. -1 with an exception. */
int lc_py_stats_resent(PyObject *table, PyObject *request_type, PyObject *name);

/* py_report.c: records the sample in the hook's table, if it has one, and calls the listeners. 0,
 * or -1 with one of Locust's control exceptions (or a BaseException that is no Exception) set. */
int lc_py_event_report(PyObject *hook, const struct lc_sample *sample);
/* The same with the values of a dict, which a user may have changed, in place of the sample's; what
 * only the engine knows (resent, phases) is the sample's. */
int lc_py_event_report_dict(PyObject *hook, PyObject *values, const struct lc_sample *sample);

#endif
