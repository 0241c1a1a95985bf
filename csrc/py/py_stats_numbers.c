#include "py_stats.h"

#include <math.h>

PyObject *lc_py_from_optional(double value)
{
    return isnan(value) ? Py_NewRef(Py_None) : PyFloat_FromDouble(value);
}

static int type_error(PyObject *object, const char *argument, const char *wanted)
{
    PyObject *name = PyType_GetName(Py_TYPE(object));
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, "%s must be %s, not %U", argument, wanted, name);
        Py_DECREF(name);
    }
    return -1;
}

int lc_py_to_double(PyObject *object, const char *argument, double *value)
{
    double number = PyFloat_AsDouble(object);
    if (number == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return type_error(object, argument, "a number");
    }
    *value = number;
    return 0;
}

int lc_py_to_optional(PyObject *object, const char *argument, double *value)
{
    if (object == Py_None) {
        *value = (double)NAN;
        return 0;
    }
    return lc_py_to_double(object, argument, value);
}

int lc_py_to_count(PyObject *object, const char *argument, uint64_t *value)
{
    if (!PyLong_Check(object)) {
        return type_error(object, argument, "an integer");
    }
    unsigned long long number = PyLong_AsUnsignedLongLong(object);
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        return -1;
    }
    *value = number;
    return 0;
}

int lc_py_to_length(PyObject *object, const char *argument, int64_t *value)
{
    if (!PyLong_Check(object) && !PyFloat_Check(object)) {
        return type_error(object, argument, "an integer");
    }
    PyObject *whole = PyNumber_Long(object);
    if (whole == NULL) {
        return -1;
    }
    long long number = PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    *value = number;
    return 0;
}

int lc_py_to_response_time(PyObject *object, double *time_ms)
{
    double value;
    if (lc_py_to_optional(object, "response_time", &value) < 0) {
        return -1;
    }
    if (isinf(value)) {
        PyErr_SetString(PyExc_ValueError, "response_time must be finite");
        return -1;
    }
    *time_ms = value;
    return 0;
}

int lc_py_check_share(double p)
{
    if (!(p >= 0 && p <= 1)) {
        PyErr_SetString(PyExc_ValueError, "p must be from 0 to 1");
        return -1;
    }
    return 0;
}

int lc_py_refuse_delete(PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "a statistic cannot be deleted");
        return -1;
    }
    return 0;
}
