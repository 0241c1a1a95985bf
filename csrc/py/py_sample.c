#include <math.h>

#include "hook.h"

static int record_into(PyObject *table, const struct lc_sample *sample)
{
    int result = lc_py_stats_record(table, sample);
    for (unsigned i = 0; result == 0 && i < sample->resent; i++) {
        result = lc_py_stats_resent(table, sample->request_type, sample->name);
    }
    return result;
}

/* A failure to record must not cost a listener its call: it is logged like one of a listener. */
int lc_py_sample_record(struct lc_py_hook *self, const struct lc_sample *sample)
{
    if (self->recorders == NULL) {
        return 0;
    }
    int result = 0;
    PyObject *recorders = Py_NewRef(self->recorders);
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(recorders); i++) {
        if (record_into(PyTuple_GET_ITEM(recorders, i), sample) < 0) {
            result = lc_py_dispatch_failed(self);
        }
    }
    Py_DECREF(recorders);
    return result;
}

static PyObject *fired_value(const struct lc_fired *fired, PyObject *name)
{
    Py_ssize_t index = lc_py_names_find(fired->names, name);
    return index < 0 ? NULL : fired->values[index];
}

static PyObject *required_value(const struct lc_fired *fired, PyObject *name)
{
    PyObject *value = fired_value(fired, name);
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "a request needs request_type, name, response_time and "
                     "response_length to be counted: %U is missing",
                     name);
    }
    return value;
}

/* NaN for None. */
static int read_time(PyObject *value, double *time_ms)
{
    *time_ms = value == Py_None ? NAN : PyFloat_AsDouble(value);
    return *time_ms == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* 0 for None; a float, as some clients compute it, is cut off. */
static int read_length(PyObject *value, Py_ssize_t *length)
{
    if (value == Py_None) {
        *length = 0;
        return 0;
    }
    PyObject *number = PyFloat_Check(value) ? PyNumber_Long(value) : PyNumber_Index(value);
    *length = number ? PyNumber_AsSsize_t(number, PyExc_OverflowError) : -1;
    Py_XDECREF(number);
    return *length == -1 && PyErr_Occurred() ? -1 : 0;
}

/* What the request failed with: NULL for whatever is false, like Locust. -1 with an exception. */
static int read_failure(PyObject *value, PyObject **failure)
{
    int failed = value ? PyObject_IsTrue(value) : 0;
    *failure = failed > 0 ? value : NULL;
    return failed < 0 ? -1 : 0;
}

/* The name of anything, as the tables print it: a new reference. A str that is an enum stays. */
static PyObject *as_text(PyObject *object)
{
    return PyUnicode_Check(object) ? Py_NewRef(object) : PyObject_Str(object);
}

int lc_py_sample_record_fired(struct lc_py_hook *self, const struct lc_fired *fired)
{
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    PyObject *request_type = NULL, *name = NULL;
    struct lc_sample sample = {.start_time = NAN};
    int result = -1;

    PyObject *given_type = required_value(fired, state->str_request_type);
    PyObject *given_name = given_type ? required_value(fired, state->str_name) : NULL;
    PyObject *time = given_name ? required_value(fired, state->str_response_time) : NULL;
    PyObject *length = time ? required_value(fired, state->str_response_length) : NULL;
    if (length == NULL || read_time(time, &sample.response_time_ms) < 0 ||
        read_length(length, &sample.response_length) < 0 ||
        read_failure(fired_value(fired, state->str_exception), &sample.exception) < 0) {
        goto done;
    }
    request_type = as_text(given_type);
    name = request_type ? as_text(given_name) : NULL;
    if (name == NULL) {
        goto done;
    }
    sample.request_type = request_type;
    sample.name = name;
    if (fired->request != NULL) {
        sample.resent = fired->request->resent;
        sample.phases = fired->request->phases;
    }
    result = 0;
done:
    result = result == 0 ? lc_py_sample_record(self, &sample) : lc_py_dispatch_failed(self);
    Py_XDECREF(request_type);
    Py_XDECREF(name);
    return result;
}

static PyObject *double_or_none(double value)
{
    return isnan(value) ? Py_NewRef(Py_None) : PyFloat_FromDouble(value);
}

static PyObject *object_or_none(PyObject *object)
{
    return Py_NewRef(object ? object : Py_None);
}

int lc_py_sample_values(const struct lc_sample *sample, PyObject *values[LC_PY_SAMPLE_VALUES])
{
    values[0] = object_or_none(sample->request_type);
    values[1] = object_or_none(sample->name);
    values[2] = double_or_none(sample->response_time_ms);
    values[3] = PyLong_FromSsize_t(sample->response_length);
    values[4] = object_or_none(sample->response);
    values[5] = sample->context ? Py_NewRef(sample->context) : PyDict_New();
    values[6] = object_or_none(sample->exception);
    values[7] = double_or_none(sample->start_time);
    values[8] = object_or_none(sample->url);
    if (values[2] != NULL && values[3] != NULL && values[5] != NULL && values[7] != NULL) {
        return 0;
    }
    for (int i = 0; i < LC_PY_SAMPLE_VALUES; i++) {
        Py_XDECREF(values[i]);
    }
    return -1;
}
