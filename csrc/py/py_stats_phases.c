/* The methods of StatsCounters about the phases of requests; the phase is its place in PHASES. */
#include "py_stats.h"

static struct lc_phase_hists *hists_of(PyObject *self)
{
    return &((struct lc_py_counters *)self)->stats->phases;
}

static int check_phase(long phase)
{
    if (phase < 0 || phase >= LC_PHASE_COUNT) {
        PyErr_Format(PyExc_ValueError, "phase must be between 0 and %d", LC_PHASE_COUNT - 1);
        return -1;
    }
    return 0;
}

long lc_py_to_phase(PyObject *object)
{
    long phase = PyLong_AsLong(object);
    if (phase == -1 && PyErr_Occurred()) {
        return -1;
    }
    return check_phase(phase) < 0 ? -1 : phase;
}

static int to_nanoseconds(PyObject *object, uint64_t *ns)
{
    double time_ms;
    if (object == Py_None) {
        *ns = LC_PHASE_NONE;
        return 0;
    }
    if (lc_py_to_double(object, "a phase", &time_ms) < 0) {
        return -1;
    }
    if (!(time_ms >= 0 && time_ms < 1e12)) {
        PyErr_SetString(PyExc_ValueError, "a phase must be a time in ms, 0 or more");
        return -1;
    }
    *ns = (uint64_t)(time_ms * 1e6 + 0.5);
    return 0;
}

PyObject *lc_py_stats_record_phases(PyObject *self, PyObject *args)
{
    struct lc_phases phases;
    if (PyTuple_GET_SIZE(args) != LC_PHASE_COUNT) {
        PyErr_Format(PyExc_TypeError, "record_phases() takes %d arguments", LC_PHASE_COUNT);
        return NULL;
    }
    for (int phase = 0; phase < LC_PHASE_COUNT; phase++) {
        if (to_nanoseconds(PyTuple_GET_ITEM(args, phase), &phases.ns[phase]) < 0) {
            return NULL;
        }
    }
    struct lc_phase_keys keys;
    lc_phases_find_keys(&phases, &keys);
    lc_phases_record(hists_of(self), &keys);
    Py_RETURN_NONE;
}

PyObject *lc_py_stats_phase_count(PyObject *self, PyObject *object)
{
    long phase = lc_py_to_phase(object);
    return phase < 0 ? NULL : PyLong_FromUnsignedLongLong(lc_phases_count(hists_of(self), phase));
}

PyObject *lc_py_stats_phase_quantile(PyObject *self, PyObject *args)
{
    long phase;
    double p, time_us;
    if (!PyArg_ParseTuple(args, "ld:phase_quantile", &phase, &p) || check_phase(phase) < 0 ||
        lc_py_check_share(p) < 0) {
        return NULL;
    }
    if (!lc_phases_quantile(hists_of(self), (enum lc_phase)phase, p, &time_us)) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(time_us / 1000);
}

PyObject *lc_py_stats_phase_histogram(PyObject *self, PyObject *object)
{
    long phase = lc_py_to_phase(object);
    PyObject *list = phase < 0 ? NULL : PyList_New(0);
    uint32_t cursor = 0;
    struct lc_bin bin;
    while (list != NULL && lc_phases_next(hists_of(self), (enum lc_phase)phase, &cursor, &bin)) {
        if (lc_py_append_bin(list, &bin) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}
