/* The few calls of newer CPythons that the binding wants on 3.11 too. */
#ifndef LC_PY_COMPAT_H
#define LC_PY_COMPAT_H

#include <Python.h>

/* Takes the exception that is set, normalized and with its traceback: a new reference, or NULL if
 * none is set. Nothing is set afterwards. */
static inline PyObject *lc_py_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL && PyException_SetTraceback(value, traceback) < 0) {
        PyErr_WriteUnraisable(value);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

/* Sets the exception again; takes over the reference. */
static inline void lc_py_restore_exception(PyObject *exception)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(exception);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(exception)), exception, PyException_GetTraceback(exception));
#endif
}

#endif
