/* An event's hook: its listeners, its companions under older names, its recorders.
 *
 * All tuples of a hook are replaced, never changed: whoever iterates over one holds it, so that a
 * listener may add and remove, and another greenlet may fire, in the middle. */
#ifndef LC_PY_HOOK_H
#define LC_PY_HOOK_H

#include "listener.h"
#include "sample.h"

struct lc_py_hook {
    PyObject_HEAD
    PyObject *handlers;   /* the list that programs see and change */
    PyObject *plan;       /* tuple of Listener: what `handlers` was when last looked at; or NULL */
    PyObject *recorders;  /* tuple of stats tables; or NULL */
    PyObject *companions; /* tuple of hooks that are fired after this one; or NULL */
    PyObject *condition;  /* Listener that says whether a companion is fired; NULL: always */
    bool fire_replaced;   /* a subclass or a program put its own `fire` in place of ours */
};

/* py_event.c: what fire() does with these values, among them perhaps `reverse`. 0, or -1 with the
 * exception for the caller of fire. */
int lc_py_hook_fire(struct lc_py_hook *hook, const struct lc_fired *fired);

/* py_dispatch.c. All of these return 0, or -1 with the exception that the caller of fire gets. */

/* True if the hook or a companion has a listener. */
bool lc_py_dispatch_wanted(struct lc_py_hook *hook);
/* Reads the signatures of handlers that are new since the last look. */
int lc_py_dispatch_refresh(struct lc_py_hook *hook);
/* Calls the listeners of the hook (the last first if `reverse`), then those of its companions. */
int lc_py_dispatch_fire(struct lc_py_hook *hook, const struct lc_fired *fired, bool reverse);
/* Asks `_listener_failed` what becomes of the exception that is set: 0 if it was dealt with. */
int lc_py_dispatch_failed(struct lc_py_hook *hook);

/* py_sample.c */

enum { LC_PY_SAMPLE_VALUES = 9 };

/* Records into every recorder of the hook. What a recorder raises is dealt with like what a
 * listener raises: 0, or -1 with an exception for the caller of fire. */
int lc_py_sample_record(struct lc_py_hook *hook, const struct lc_sample *sample);
/* The same for a sample that Python code fired by name. */
int lc_py_sample_record_fired(struct lc_py_hook *hook, const struct lc_fired *fired);
/* The sample as new references in the order of the state's sample_names; -1 with an exception. */
int lc_py_sample_values(const struct lc_sample *sample, PyObject *values[LC_PY_SAMPLE_VALUES]);

#endif
