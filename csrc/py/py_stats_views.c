#include "py_stats.h"

static struct lc_stats *stats_of(PyObject *self)
{
    return ((struct lc_py_counters *)self)->stats;
}

int lc_py_put_count(PyObject *dict, uint32_t key, uint64_t count)
{
    int result = -1;
    PyObject *value = NULL, *number = PyLong_FromUnsignedLong(key);
    if (number == NULL) {
        goto done;
    }
    value = PyLong_FromUnsignedLongLong(count);
    if (value == NULL) {
        goto done;
    }
    result = PyDict_SetItem(dict, number, value);
done:
    Py_XDECREF(value);
    Py_XDECREF(number);
    return result;
}

/* Appends a new reference, which it takes over. */
static int append_new(PyObject *list, PyObject *item)
{
    if (item == NULL) {
        return -1;
    }
    int result = PyList_Append(list, item);
    Py_DECREF(item);
    return result;
}

int lc_py_append_bin(PyObject *list, const struct lc_bin *bin)
{
    return append_new(list,
                      Py_BuildValue("ddK", (double)bin->low_us / 1000, (double)bin->high_us / 1000,
                                    (unsigned long long)bin->count));
}

PyObject *lc_py_stats_rounded(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct lc_stats *stats = stats_of(self);
    PyObject *dict = PyDict_New();
    for (uint32_t bucket = 0; dict != NULL && bucket < stats->rounded_used; bucket++) {
        uint64_t count = stats->rounded[bucket];
        if (count != 0 && lc_py_put_count(dict, lc_rounded_ms(bucket), count) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

PyObject *lc_py_stats_histogram(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct lc_stats *stats = stats_of(self);
    PyObject *list = PyList_New(0);
    uint32_t cursor = 0;
    struct lc_bin bin;
    while (list != NULL && lc_hist_next(&stats->hist, &cursor, &bin)) {
        if (lc_py_append_bin(list, &bin) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyObject *lc_py_stats_add_times(PyObject *self, PyObject *args)
{
    PyObject *response_time, *times;
    double time_ms;
    uint64_t count;
    if (!PyArg_ParseTuple(args, "OO:add_times", &response_time, &times) ||
        lc_py_to_response_time(response_time, &time_ms) < 0 ||
        lc_py_to_count(times, "times", &count) < 0) {
        return NULL;
    }
    if (time_ms == time_ms && count != 0) {
        lc_stats_add_times(stats_of(self), time_ms, count);
    }
    Py_RETURN_NONE;
}

PyObject *lc_py_stats_clear_times(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    lc_stats_clear_times(stats_of(self));
    Py_RETURN_NONE;
}

PyObject *lc_py_stats_seconds(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct lc_seconds *seconds = &stats_of(self)->seconds;
    PyObject *list = PyList_New(0);
    uint32_t first, last;
    if (list == NULL || !lc_seconds_range(seconds, &first, &last)) {
        return list;
    }
    for (uint32_t second = first; list != NULL && second <= last; second++) {
        struct lc_second counts = lc_seconds_get(seconds, second);
        if (counts.requests == 0 && counts.failures == 0) {
            continue;
        }
        if (append_new(list, Py_BuildValue("III", second, counts.requests, counts.failures)) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyObject *lc_py_stats_set_seconds(PyObject *self, PyObject *rows)
{
    PyObject *items = PySequence_Tuple(rows);
    if (items == NULL) {
        return NULL;
    }
    struct lc_seconds *seconds = &stats_of(self)->seconds;
    lc_seconds_reset(seconds);
    Py_ssize_t size = PyTuple_Size(items);
    for (Py_ssize_t i = 0; i < size; i++) {
        double second;
        unsigned int requests, failures;
        PyObject *row = PyTuple_GetItem(items, i);
        if (!PyTuple_Check(row)) {
            PyErr_SetString(PyExc_TypeError, "rows must be tuples");
        }
        if (PyErr_Occurred() || !PyArg_ParseTuple(row, "dII", &second, &requests, &failures)) {
            Py_DECREF(items);
            return NULL;
        }
        lc_seconds_add(seconds, lc_seconds_of(second), requests, failures);
    }
    Py_DECREF(items);
    Py_RETURN_NONE;
}

PyObject *lc_py_stats_between(PyObject *self, PyObject *args)
{
    const struct lc_seconds *seconds = &stats_of(self)->seconds;
    double from, to;
    if (!PyArg_ParseTuple(args, "dd:counts_between", &from, &to)) {
        return NULL;
    }
    uint32_t first, last, begin = lc_seconds_of(from), end = lc_seconds_of(to);
    unsigned long long requests = 0, failures = 0;
    if (lc_seconds_range(seconds, &first, &last)) {
        begin = begin > first ? begin : first;
        end = end <= last ? end : last + 1;
        for (uint32_t second = begin; second < end; second++) {
            struct lc_second counts = lc_seconds_get(seconds, second);
            requests += counts.requests;
            failures += counts.failures;
        }
    }
    return Py_BuildValue("KK", requests, failures);
}

PyObject *lc_py_stats_intervals(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct lc_window *window = &stats_of(self)->window;
    PyObject *list = PyList_New(0);
    for (uint32_t ago = window->used; list != NULL && ago-- > 0;) {
        const struct lc_window_mark *mark = lc_window_mark(window, ago);
        PyObject *row =
            Py_BuildValue("LKK", (long long)mark->key, (unsigned long long)mark->num_requests,
                          (unsigned long long)mark->num_none_requests);
        if (append_new(list, row) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyObject *lc_py_stats_interval_times(PyObject *self, PyObject *key)
{
    const struct lc_window *window = &stats_of(self)->window;
    long long number = PyLong_AsLongLong(key);
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    uint32_t ago;
    if (!lc_window_find(window, number, &ago)) {
        PyErr_SetObject(PyExc_KeyError, key);
        return NULL;
    }
    PyObject *dict = PyDict_New();
    for (uint32_t bucket = 0; dict != NULL && bucket < window->buckets; bucket++) {
        uint64_t count = lc_window_count(window, ago, bucket);
        if (count != 0 && lc_py_put_count(dict, lc_rounded_ms(bucket), count) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}
