/* Notices that somebody replaced an attribute of a class: how a request learns, for next to
 * nothing, that requests or urllib3 were patched since the last one. CPython clears a flag of a
 * class whenever one of its bases is changed, and sets it again when somebody looks an attribute up
 * on it. The guard is a class derived from all that are watched, on which nobody looks anything up
 * but the watch itself: its flag tells whether there was a change at all. Where an interpreter does
 * not keep that flag, the attributes are compared each time. */
#ifndef LC_PY_WATCH_H
#define LC_PY_WATCH_H

#include "module.h"

struct py_watch {
    PyObject_HEAD
    PyTypeObject *guard;
    PyObject *attributes; /* tuple of (type, name) */
    PyObject *values;     /* tuple: what each of them was when it was last looked at */
    uint32_t changes;     /* how often looking found one of them replaced */
    bool flag_tells;      /* the interpreter keeps Py_TPFLAGS_VALID_VERSION_TAG as described */
};

/* Compares the attributes and counts a change; -1 with an exception. */
int lc_py_watch_look(struct py_watch *self) LC_MUST_USE;

/* False: nothing was changed since the last look. */
static inline bool lc_py_watch_is_due(const struct py_watch *self)
{
    return !self->flag_tells || !PyType_HasFeature(self->guard, Py_TPFLAGS_VALID_VERSION_TAG);
}

#endif
