/* A listener of an event and the way the event's values reach it.
 *
 * An event is fired as values under names. A listener's signature was read when it was added and is
 * kept as bindings: which value goes to which parameter. For the names of a firing they become a
 * route, which is kept for the next firing with the same names: then a call is a copy of pointers,
 * or nothing at all where the listener takes everything by name. */
#ifndef LC_PY_LISTENER_H
#define LC_PY_LISTENER_H

#include "module.h"

struct lc_sample;

/* A fired event. `values[i]` belongs to the i-th of `names`, a tuple of str. */
struct lc_fired {
    PyObject *const *values;
    PyObject *names;
    /* PY_VECTORCALL_ARGUMENTS_OFFSET if values[-1] may be written to during a call, else 0. */
    size_t spare;
    /* The engine's request that is fired by name: resent and phases of it count; else NULL. */
    const struct lc_sample *request;
};

/* Where `name` is in the tuple `names`; -1 if it is not there (no exception). */
Py_ssize_t lc_py_names_find(PyObject *names, PyObject *name);

/* Calls the listener: its result, or NULL with an exception. `listener` is a Listener that the
 * caller holds for the time of the call. */
PyObject *lc_py_listener_call(PyObject *listener, const struct lc_fired *fired);

/* The callable of a Listener, borrowed. */
PyObject *lc_py_listener_handler(PyObject *listener);

#endif
