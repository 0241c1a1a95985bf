#include "py_stats.h"

#include <math.h>

/* Doubles below this hold every whole number. */
#define MAX_EXACT 9007199254740992.0

static struct lc_stats *stats_of(PyObject *self)
{
    return ((struct lc_py_counters *)self)->stats;
}

static PyObject *counters_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"window", "now", NULL};
    int window = 0;
    double now_s = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|pd:StatsCounters", names, &window, &now_s)) {
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *self = allocate(type, 0);
    if (self == NULL) {
        return NULL;
    }
    struct lc_stats *stats = lc_stats_new(window != 0, now_s);
    if (stats == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    ((struct lc_py_counters *)self)->stats = stats;
    return self;
}

static int counters_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct lc_py_counters *counters = (struct lc_py_counters *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(counters->error_text);
    Py_VISIT(counters->error);
    return 0;
}

static int counters_clear(PyObject *self)
{
    struct lc_py_counters *counters = (struct lc_py_counters *)self;
    Py_CLEAR(counters->error_text);
    Py_CLEAR(counters->error);
    return 0;
}

static void counters_dealloc(PyObject *self)
{
    PyTypeObject *tp = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    counters_clear(self);
    lc_stats_free(stats_of(self));
    freefunc release = (freefunc)PyType_GetSlot(tp, Py_tp_free);
    release(self);
    Py_DECREF(tp);
}

/* A counter or a time of struct lc_stats: where it is, and what an error calls it. */
struct field {
    size_t offset;
    const char *name;
};

#define FIELD(member, text)                                                                        \
    &(const struct field)                                                                          \
    {                                                                                              \
        offsetof(struct lc_stats, member), text                                                    \
    }

static void *field_of(PyObject *self, void *closure, const char **name)
{
    const struct field *field = closure;
    *name = field->name;
    return (char *)stats_of(self) + field->offset;
}

static PyObject *get_count(PyObject *self, void *closure)
{
    const char *name;
    return PyLong_FromUnsignedLongLong(*(uint64_t *)field_of(self, closure, &name));
}

static int set_count(PyObject *self, PyObject *value, void *closure)
{
    const char *name;
    uint64_t *count = field_of(self, closure, &name);
    return lc_py_refuse_delete(value) < 0 ? -1 : lc_py_to_count(value, name, count);
}

static PyObject *get_length(PyObject *self, void *closure)
{
    const char *name;
    return PyLong_FromLongLong(*(int64_t *)field_of(self, closure, &name));
}

static int set_length(PyObject *self, PyObject *value, void *closure)
{
    const char *name;
    int64_t *length = field_of(self, closure, &name);
    return lc_py_refuse_delete(value) < 0 ? -1 : lc_py_to_length(value, name, length);
}

static PyObject *get_time(PyObject *self, void *closure)
{
    const char *name;
    return lc_py_from_optional(*(double *)field_of(self, closure, &name));
}

/* A client that counts whole milliseconds finds whole ones in JSON and CSV, as with Locust. */
static PyObject *get_response_time(PyObject *self, void *closure)
{
    const char *name;
    double time_ms = *(double *)field_of(self, closure, &name);
    bool whole = time_ms == floor(time_ms) && fabs(time_ms) < MAX_EXACT;
    return whole ? PyLong_FromDouble(time_ms) : lc_py_from_optional(time_ms);
}

static int set_time(PyObject *self, PyObject *value, void *closure)
{
    const char *name;
    double *time = field_of(self, closure, &name);
    return lc_py_refuse_delete(value) < 0 ? -1 : lc_py_to_double(value, name, time);
}

static int set_optional_time(PyObject *self, PyObject *value, void *closure)
{
    const char *name;
    double *time = field_of(self, closure, &name);
    return lc_py_refuse_delete(value) < 0 ? -1 : lc_py_to_optional(value, name, time);
}

static PyObject *get_histogram_count(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(stats_of(self)->hist.count);
}

static PyObject *get_has_window(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(stats_of(self)->has_window);
}

#define COUNT(member, doc)                                                                         \
    {                                                                                              \
#member, get_count, set_count, doc, (void *)FIELD(member, #member)                         \
    }

static PyGetSetDef counters_getset[] = {
    COUNT(num_requests, "Requests."),
    COUNT(num_none_requests, "Requests without a response time."),
    COUNT(num_failures, "Failures."),
    COUNT(num_resent, "Requests that were sent again on a new connection."),
    {"total_content_length", get_length, set_length, "Sum of the response lengths in bytes.",
     (void *)FIELD(total_content_length, "total_content_length")},
    {"total_response_time", get_response_time, set_time, "Sum of the response times in ms.",
     (void *)FIELD(total_response_time_ms, "total_response_time")},
    {"min_response_time", get_response_time, set_optional_time,
     "Shortest response time in ms, or None.",
     (void *)FIELD(min_response_time_ms, "min_response_time")},
    {"max_response_time", get_response_time, set_time, "Longest response time in ms.",
     (void *)FIELD(max_response_time_ms, "max_response_time")},
    {"start_time", get_time, set_time, "Epoch seconds of creation or of the last reset.",
     (void *)FIELD(start_time_s, "start_time")},
    {"last_request_timestamp", get_time, set_optional_time, "Epoch seconds, or None.",
     (void *)FIELD(last_request_s, "last_request_timestamp")},
    {"histogram_count", get_histogram_count, NULL, "How many times the histogram holds.", NULL},
    {"has_window", get_has_window, NULL, "True if the last intervals are kept.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(record_doc,
             "record($self, response_time, content_length, now, /)\n--\n\n"
             "Count a request: its time in ms or None, its length in bytes, epoch seconds.");

static PyObject *counters_record(PyObject *self, PyObject *args)
{
    PyObject *response_time, *content_length;
    double now_s, time_ms;
    int64_t length;
    if (!PyArg_ParseTuple(args, "OOd:record", &response_time, &content_length, &now_s) ||
        lc_py_to_response_time(response_time, &time_ms) < 0 ||
        lc_py_to_length(content_length, "content_length", &length) < 0) {
        return NULL;
    }
    lc_stats_record(stats_of(self), time_ms, length, now_s);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(fail_doc,
             "record_failure($self, now, /)\n--\n\nCount a failure at these epoch seconds.");

static PyObject *counters_fail(PyObject *self, PyObject *now)
{
    double now_s;
    if (lc_py_to_double(now, "now", &now_s) < 0) {
        return NULL;
    }
    lc_stats_fail(stats_of(self), now_s);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(reset_doc,
             "reset_counters($self, now, /)\n--\n\nStart from zero at these epoch seconds.");

static PyObject *counters_reset(PyObject *self, PyObject *now)
{
    double now_s;
    if (lc_py_to_double(now, "now", &now_s) < 0) {
        return NULL;
    }
    lc_stats_reset(stats_of(self), now_s);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(merge_doc,
             "merge($self, other, /)\n--\n\nAdd all that other StatsCounters have counted.");

static PyObject *counters_merge(PyObject *self, PyObject *other)
{
    /* A method is called with self of our type or a subclass, so the state is found by it. */
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(other, state->stats_counters)) {
        PyErr_SetString(PyExc_TypeError, "other must be StatsCounters");
        return NULL;
    }
    if (other == self) {
        PyErr_SetString(PyExc_ValueError, "counters cannot be merged with themselves");
        return NULL;
    }
    lc_stats_merge(stats_of(self), stats_of(other));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(percentile_doc,
             "rounded_percentile($self, p, /)\n--\n\n"
             "Locust's percentile on rounded response times, p from 0 to 1; 0 without requests.");

static PyObject *counters_percentile(PyObject *self, PyObject *share)
{
    double p;
    if (lc_py_to_double(share, "p", &p) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(lc_stats_percentile(stats_of(self), p));
}

PyDoc_STRVAR(percentile_since_doc,
             "rounded_percentile_since($self, key, p, /)\n--\n\n"
             "The same of the requests since the interval `key` began; None if it is not kept.");

static PyObject *counters_percentile_since(PyObject *self, PyObject *args)
{
    long long key;
    double p;
    if (!PyArg_ParseTuple(args, "Ld:rounded_percentile_since", &key, &p)) {
        return NULL;
    }
    uint32_t time_ms;
    if (!lc_stats_percentile_since(stats_of(self), key, p, &time_ms)) {
        Py_RETURN_NONE;
    }
    return PyLong_FromUnsignedLong(time_ms);
}

PyDoc_STRVAR(quantile_doc, "quantile($self, p, /)\n--\n\nThe response time in ms that a share p "
                           "(0..1) of the requests does\n"
                           "not exceed, to three significant digits; None without response times.");

static PyObject *counters_quantile(PyObject *self, PyObject *share)
{
    const struct lc_stats *stats = stats_of(self);
    double p, time_us;
    if (lc_py_to_double(share, "p", &p) < 0 || lc_py_check_share(p) < 0) {
        return NULL;
    }
    if (!lc_hist_quantile(&stats->hist, p, &time_us)) {
        Py_RETURN_NONE;
    }
    /* The bin knows the time to 0.1 %, the extremes are known exactly. */
    double time_ms = p == 1 ? stats->max_response_time_ms : time_us / 1000;
    time_ms = fmin(time_ms, stats->max_response_time_ms);
    return PyFloat_FromDouble(fmax(time_ms, stats->min_response_time_ms));
}

PyDoc_STRVAR(rounded_doc,
             "rounded($self, /)\n--\n\nA dict of Locust's rounded response times: {ms: count}.");
PyDoc_STRVAR(histogram_doc,
             "histogram($self, /)\n--\n\nA list of (low ms, high ms, count), rising, exact.");
PyDoc_STRVAR(coarse_doc,
             "coarse_histogram($self, /)\n--\n\n"
             "A dict of the response times in bins of 3 %, {from in us: count}, rising.");
PyDoc_STRVAR(add_times_doc,
             "add_times($self, response_time, times, /)\n--\n\nCount response times alone, "
             "without requests.");
PyDoc_STRVAR(clear_times_doc,
             "clear_times($self, /)\n--\n\nForget the response times, not the requests.");
PyDoc_STRVAR(seconds_doc,
             "seconds($self, /)\n--\n\nA list of (epoch second, requests, failures), rising.");
PyDoc_STRVAR(set_seconds_doc, "set_seconds($self, rows, /)\n--\n\nReplace what seconds() returns.");
PyDoc_STRVAR(between_doc, "counts_between($self, first, end, /)\n--\n\n"
                          "(requests, failures) of the epoch seconds first <= second < end.");
PyDoc_STRVAR(intervals_doc,
             "intervals($self, /)\n--\n\nA list of (key, num_requests, num_none_requests) at "
             "the beginnings\nof the kept intervals, oldest first.");
PyDoc_STRVAR(interval_times_doc,
             "interval_times($self, key, /)\n--\n\nrounded() of what came since that "
             "interval began.");
PyDoc_STRVAR(record_phases_doc,
             "record_phases($self, lookup, connect, tls, send, wait, receive, lag, /)\n--\n\n"
             "Count how long the phases of a request took, in ms; None: it did not happen.");
PyDoc_STRVAR(phase_count_doc, "phase_count($self, phase, /)\n--\n\n"
                              "How many requests had this phase, a place in PHASES.");
PyDoc_STRVAR(phase_quantile_doc,
             "phase_quantile($self, phase, p, /)\n--\n\n"
             "The time in ms that this phase of a share p (0..1) of the requests that had it did\n"
             "not exceed, to two significant digits; None if there were none.");
PyDoc_STRVAR(phase_histogram_doc, "phase_histogram($self, phase, /)\n--\n\n"
                                  "A list of (low, high, count) in ms, rising, of one phase.");
PyDoc_STRVAR(phase_coarse_doc, "phase_coarse_histogram($self, phase, /)\n--\n\n"
                               "coarse_histogram() of one phase.");
PyDoc_STRVAR(counters_doc,
             "StatsCounters(window=False, now=0.0)\n--\n\n"
             "The statistics of one (method, name); `window` keeps the last 20 intervals as well.");

static PyMethodDef counters_methods[] = {
    {"record", counters_record, METH_VARARGS, record_doc},
    {"record_failure", counters_fail, METH_O, fail_doc},
    {"reset_counters", counters_reset, METH_O, reset_doc},
    {"merge", counters_merge, METH_O, merge_doc},
    {"rounded_percentile", counters_percentile, METH_O, percentile_doc},
    {"rounded_percentile_since", counters_percentile_since, METH_VARARGS, percentile_since_doc},
    {"quantile", counters_quantile, METH_O, quantile_doc},
    {"rounded", lc_py_stats_rounded, METH_NOARGS, rounded_doc},
    {"histogram", lc_py_stats_histogram, METH_NOARGS, histogram_doc},
    {"coarse_histogram", lc_py_stats_coarse, METH_NOARGS, coarse_doc},
    {"add_times", lc_py_stats_add_times, METH_VARARGS, add_times_doc},
    {"clear_times", lc_py_stats_clear_times, METH_NOARGS, clear_times_doc},
    {"seconds", lc_py_stats_seconds, METH_NOARGS, seconds_doc},
    {"set_seconds", lc_py_stats_set_seconds, METH_O, set_seconds_doc},
    {"counts_between", lc_py_stats_between, METH_VARARGS, between_doc},
    {"intervals", lc_py_stats_intervals, METH_NOARGS, intervals_doc},
    {"interval_times", lc_py_stats_interval_times, METH_O, interval_times_doc},
    {"record_phases", lc_py_stats_record_phases, METH_VARARGS, record_phases_doc},
    {"phase_count", lc_py_stats_phase_count, METH_O, phase_count_doc},
    {"phase_quantile", lc_py_stats_phase_quantile, METH_VARARGS, phase_quantile_doc},
    {"phase_histogram", lc_py_stats_phase_histogram, METH_O, phase_histogram_doc},
    {"phase_coarse_histogram", lc_py_stats_phase_coarse, METH_O, phase_coarse_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot counters_slots[] = {
    {Py_tp_doc, (void *)counters_doc},   {Py_tp_new, counters_new},
    {Py_tp_traverse, counters_traverse}, {Py_tp_clear, counters_clear},
    {Py_tp_dealloc, counters_dealloc},   {Py_tp_getset, counters_getset},
    {Py_tp_methods, counters_methods},   {0, NULL},
};

PyType_Spec lc_py_stats_counters_spec = {
    .name = "locust_c._core.StatsCounters",
    .basicsize = sizeof(struct lc_py_counters),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = counters_slots,
};
