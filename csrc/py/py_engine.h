/* The engine as a Python object: one per gevent hub, stepped by the hub's watchers. */
#ifndef LC_PY_ENGINE_H
#define LC_PY_ENGINE_H

#include "engine.h"
#include "module.h"

struct py_engine {
    PyObject_HEAD
    struct lc_engine *core;
    PyObject *hub;           /* the hub greenlet */
    PyObject *arm;           /* callable(seconds or None, active): sets the hub's watchers */
    struct lc_op *delivered; /* on its way to the greenlet that was just switched to */
    unsigned long thread;
    uint64_t armed_due_ns; /* when the hub's timer fires; UINT64_MAX: not set */
    uint64_t parked;       /* how often a greenlet has parked here */
    uint64_t yielded_at;   /* `parked` at the last yield(): unchanged if the task did not park */
    uint64_t deliver_until_ns; /* end of this step's wake-ups */
    uint32_t delivered_count;
    bool delivered_enough; /* that end was reached */
    bool in_step;
    bool step_scheduled; /* the hub calls step() without waiting */
    bool active;         /* the hub's watchers keep the hub alive */
};

/* 0 if the engine may be used: this thread, this process, not closed. -1 with RuntimeError. */
int lc_py_engine_check(struct py_engine *engine) LC_MUST_USE;
/* The next completed operation whose greenlet may run now; NULL outside step(), when there is none,
 * and when the step has woken greenlets for long enough. */
struct lc_op *lc_py_engine_next(struct py_engine *engine);
/* After an operation was begun outside step(): makes sure that the hub comes back in time. */
int lc_py_engine_rearm(struct py_engine *engine) LC_MUST_USE;
/* After something was let go of, which may have made room for who waits: the same, if need be. It
 * keeps the exception that is set, and does nothing where the engine cannot be used. */
void lc_py_engine_let_go(struct py_engine *engine);

#endif
