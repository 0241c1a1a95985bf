#include "compat.h"
#include "hook.h"

bool lc_py_dispatch_wanted(struct lc_py_hook *self)
{
    if (PyList_GET_SIZE(self->handlers) > 0) {
        return true;
    }
    Py_ssize_t companions = self->companions ? PyTuple_GET_SIZE(self->companions) : 0;
    for (Py_ssize_t i = 0; i < companions; i++) {
        struct lc_py_hook *companion = (struct lc_py_hook *)PyTuple_GET_ITEM(self->companions, i);
        if (PyList_GET_SIZE(companion->handlers) > 0) {
            return true;
        }
    }
    return false;
}

/* ---- the plan: one Listener for each handler of the list ---- */

static bool plan_is_current(struct lc_py_hook *self)
{
    Py_ssize_t count = PyList_GET_SIZE(self->handlers);
    if (self->plan == NULL || PyTuple_GET_SIZE(self->plan) != count) {
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *planned = lc_py_listener_handler(PyTuple_GET_ITEM(self->plan, i));
        if (planned != PyList_GET_ITEM(self->handlers, i)) {
            return false;
        }
    }
    return true;
}

/* The Listener of `handler`: the one that was planned before, or a new one. */
static PyObject *listener_for(struct lc_py_hook *self, PyObject *old_plan, PyObject *handler)
{
    for (Py_ssize_t i = 0; old_plan != NULL && i < PyTuple_GET_SIZE(old_plan); i++) {
        PyObject *listener = PyTuple_GET_ITEM(old_plan, i);
        if (lc_py_listener_handler(listener) == handler) {
            return Py_NewRef(listener);
        }
    }
    struct lc_state *state = lc_state_of_type(Py_TYPE(self));
    PyObject *listener = PyObject_CallMethod((PyObject *)self, "_bind", "(O)", handler);
    if (listener != NULL && state != NULL && !Py_IS_TYPE(listener, state->listener_type)) {
        PyErr_SetString(PyExc_TypeError, "_bind() must return a Listener");
        Py_CLEAR(listener);
    }
    return listener;
}

/* The plan for the handlers as they are now: a new reference. Programs change the list behind our
 * back (`hook._handlers.clear()`), so it is compared at every firing. */
static PyObject *current_plan(struct lc_py_hook *self)
{
    if (plan_is_current(self)) {
        return Py_NewRef(self->plan);
    }
    PyObject *old_plan = Py_XNewRef(self->plan);
    PyObject *plan = PyList_AsTuple(self->handlers);
    for (Py_ssize_t i = 0; plan != NULL && i < PyTuple_GET_SIZE(plan); i++) {
        PyObject *listener = listener_for(self, old_plan, PyTuple_GET_ITEM(plan, i));
        if (listener == NULL) {
            Py_CLEAR(plan);
        } else {
            Py_DECREF(PyTuple_GET_ITEM(plan, i));
            PyTuple_SET_ITEM(plan, i, listener);
        }
    }
    if (plan != NULL) {
        Py_XSETREF(self->plan, Py_NewRef(plan));
    }
    Py_XDECREF(old_plan);
    return plan;
}

int lc_py_dispatch_refresh(struct lc_py_hook *self)
{
    PyObject *plan = current_plan(self);
    Py_XDECREF(plan);
    return plan == NULL ? -1 : 0;
}

/* ---- firing ---- */

/* Asks the Python side what becomes of the exception that is set. 0: it was logged and the others
 * go on; -1: it is set and goes to the caller of fire. */
LC_CALLS_PYTHON int lc_py_dispatch_failed(struct lc_py_hook *self)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyObject *exception = lc_py_take_exception();
    PyObject *answer = PyObject_CallMethod((PyObject *)self, "_listener_failed", "(O)", exception);
    int passes_on = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    if (passes_on > 0) {
        lc_py_restore_exception(exception);
        return -1;
    }
    Py_DECREF(exception);
    return passes_on;
}

static LC_CALLS_PYTHON int call_listener(struct lc_py_hook *self, PyObject *listener,
                                         const struct lc_fired *fired)
{
    PyObject *result = lc_py_listener_call(listener, fired);
    if (result != NULL && PyCoro_CheckExact(result)) {
        PyObject *handler = lc_py_listener_handler(listener);
        Py_SETREF(result, PyObject_CallMethod((PyObject *)self, "_coroutine_returned", "(OO)",
                                              handler, result));
    }
    if (result == NULL) {
        return lc_py_dispatch_failed(self);
    }
    Py_DECREF(result);
    return 0;
}

static LC_CALLS_PYTHON int call_listeners(struct lc_py_hook *self, const struct lc_fired *fired,
                                          bool reverse)
{
    if (PyList_GET_SIZE(self->handlers) == 0) {
        return 0;
    }
    PyObject *plan = current_plan(self);
    if (plan == NULL) {
        return -1;
    }
    int result = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(plan);
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        result = call_listener(self, PyTuple_GET_ITEM(plan, reverse ? count - 1 - i : i), fired);
    }
    Py_DECREF(plan);
    return result;
}

/* 1: the companion is fired, 0: not, -1: the condition raised. */
static LC_CALLS_PYTHON int companion_applies(struct lc_py_hook *companion,
                                             const struct lc_fired *fired)
{
    if (PyList_GET_SIZE(companion->handlers) == 0) {
        return 0;
    }
    if (companion->condition == NULL) {
        return 1;
    }
    PyObject *condition = Py_NewRef(companion->condition);
    PyObject *answer = lc_py_listener_call(condition, fired);
    int applies = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    Py_DECREF(condition);
    return applies;
}

LC_CALLS_PYTHON int lc_py_dispatch_fire(struct lc_py_hook *self, const struct lc_fired *fired,
                                        bool reverse)
{
    int result = call_listeners(self, fired, reverse);
    if (result < 0 || self->companions == NULL) {
        return result;
    }
    PyObject *companions = Py_NewRef(self->companions);
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(companions); i++) {
        struct lc_py_hook *companion = (struct lc_py_hook *)PyTuple_GET_ITEM(companions, i);
        result = companion_applies(companion, fired);
        if (result > 0) {
            result = call_listeners(companion, fired, reverse);
        }
    }
    Py_DECREF(companions);
    return result;
}
