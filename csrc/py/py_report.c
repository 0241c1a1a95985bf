/* How a request of the engine reaches a hook; declared in sample.h. */
#include "hook.h"

/* The hook, or NULL if the object is something else (no exception). */
static struct lc_py_hook *as_hook(PyObject *object)
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(object));
    if (state == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
        }
        return NULL;
    }
    return PyObject_TypeCheck(object, state->event_hook_type) ? (struct lc_py_hook *)object : NULL;
}

/* Fires through Python's `fire`: for a hook that is not ours or whose `fire` was replaced. */
static LC_CALLS_PYTHON int fire_by_name(PyObject *object, PyObject *kwargs)
{
    PyObject *result = NULL, *empty = PyTuple_New(0);
    PyObject *fire = PyObject_GetAttrString(object, "fire");
    if (fire != NULL && empty != NULL) {
        result = PyObject_Call(fire, empty, kwargs);
    }
    Py_XDECREF(fire);
    Py_XDECREF(empty);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static LC_CALLS_PYTHON int fire_values_by_name(PyObject *object, PyObject *const *values)
{
    PyObject *kwargs = Py_BuildValue(
        "{sOsOsOsOsOsOsOsOsO}", "request_type", values[0], "name", values[1], "response_time",
        values[2], "response_length", values[3], "response", values[4], "context", values[5],
        "exception", values[6], "start_time", values[7], "url", values[8]);
    int result = kwargs != NULL ? fire_by_name(object, kwargs) : -1;
    Py_XDECREF(kwargs);
    return result;
}

LC_CALLS_PYTHON int lc_py_event_report(PyObject *object, const struct lc_sample *sample)
{
    struct lc_py_hook *hook = as_hook(object);
    bool ours = hook != NULL && !hook->fire_replaced;
    if (ours) {
        if (lc_py_sample_record(hook, sample) < 0) {
            return -1;
        }
        if (!lc_py_dispatch_wanted(hook)) {
            return 0;
        }
    }
    /* The place in front of the values is for the self of a bound method that is called. */
    PyObject *memory[1 + LC_PY_SAMPLE_VALUES];
    PyObject **values = memory + 1;
    if (lc_py_sample_values(sample, values) < 0) {
        return -1;
    }
    int result;
    if (ours) {
        struct lc_fired fired = {values, lc_state_of_type(Py_TYPE(object))->sample_names,
                                 PY_VECTORCALL_ARGUMENTS_OFFSET, NULL};
        result = lc_py_dispatch_fire(hook, &fired, false);
    } else {
        result = fire_values_by_name(object, values);
    }
    for (int i = 0; i < LC_PY_SAMPLE_VALUES; i++) {
        Py_DECREF(values[i]);
    }
    return result;
}

static int check_keywords(PyObject *names)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return -1;
        }
    }
    return 0;
}

/* A tuple of what is in a list that was just made, which it takes over. */
static PyObject *as_tuple(PyObject *list)
{
    PyObject *tuple = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

LC_CALLS_PYTHON int lc_py_event_report_dict(PyObject *object, PyObject *dict,
                                            const struct lc_sample *sample)
{
    struct lc_py_hook *hook = as_hook(object);
    if (hook == NULL || hook->fire_replaced) {
        return fire_by_name(object, dict);
    }
    int result = -1;
    PyObject *names = as_tuple(PyDict_Keys(dict));
    PyObject *values = as_tuple(PyDict_Values(dict));
    if (names != NULL && values != NULL && check_keywords(names) == 0) {
        struct lc_fired fired = {PySequence_Fast_ITEMS(values), names, 0, sample};
        result = lc_py_hook_fire(hook, &fired);
    }
    Py_XDECREF(names);
    Py_XDECREF(values);
    return result;
}
