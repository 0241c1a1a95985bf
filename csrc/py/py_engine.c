#include "py_engine.h"

#include "wake.h"

#include <math.h>
#include <pythread.h>

static const double NS_PER_S = 1e9;
enum {
    DELIVERY_NS = 1000000, /* greenlets are woken for so long before the hub's loop has its turn */
    DELIVERY_CHECK = 8,    /* wake-ups between two looks at the clock */
};

int lc_py_engine_check(struct py_engine *engine)
{
    if (engine->core == NULL || engine->hub == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the engine is closed");
        return -1;
    }
    if (engine->thread != PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "an engine belongs to the thread that made it; this is another one");
        return -1;
    }
    if (!lc_engine_is_ours(engine->core)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the engine belongs to the parent process; a forked child cannot use it");
        return -1;
    }
    return 0;
}

/* --- arming the hub's watchers --- */

static int call_arm(struct py_engine *engine, uint64_t wait_ns, bool active)
{
    PyObject *wait =
        wait_ns == UINT64_MAX ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)wait_ns / NS_PER_S);
    if (wait == NULL) {
        return -1;
    }
    PyObject *arguments[] = {wait, active ? Py_True : Py_False};
    PyObject *result = PyObject_Vectorcall(engine->arm, arguments, 2, NULL);
    Py_DECREF(wait);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int lc_py_engine_rearm(struct py_engine *engine)
{
    if (engine->in_step) {
        return 0; /* step() arms when it ends */
    }
    struct lc_engine_counts counts;
    lc_engine_count(engine->core, &counts);
    bool active = counts.operations > 0;
    uint64_t wait_ns = lc_engine_wait_ns(engine->core);
    if (wait_ns == 0) {
        if (engine->step_scheduled && active == engine->active) {
            return 0;
        }
        if (call_arm(engine, 0, active) < 0) {
            return -1;
        }
        engine->step_scheduled = true;
        engine->active = active;
        return 0;
    }
    uint64_t due_ns = wait_ns == UINT64_MAX ? UINT64_MAX : lc_now_ns() + wait_ns;
    /* A timer that fires too early does no harm; one that fires too late, or only keeps an idle
     * hub alive, does. */
    if (active == engine->active && engine->armed_due_ns <= due_ns) {
        return 0;
    }
    if (call_arm(engine, wait_ns, active) < 0) {
        engine->armed_due_ns = UINT64_MAX; /* whatever is set now, the next one sets it again */
        return -1;
    }
    engine->active = active;
    engine->armed_due_ns = due_ns;
    return 0;
}

void lc_py_engine_let_go(struct py_engine *engine)
{
    if (engine == NULL || engine->core == NULL || engine->arm == NULL ||
        engine->thread != PyThread_get_thread_ident() || !lc_engine_is_ours(engine->core)) {
        return;
    }
    struct lc_engine_counts counts;
    lc_engine_count(engine->core, &counts);
    if (counts.operations == 0 || !lc_engine_is_dirty(engine->core)) {
        return;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (lc_py_engine_rearm(engine) < 0) {
        PyErr_WriteUnraisable((PyObject *)engine);
    }
    PyErr_Restore(type, value, traceback);
}

/* --- type --- */

static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"hub", "arm", NULL};
    PyObject *hub, *arm;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Engine", names, &hub, &arm)) {
        return NULL;
    }
    if (!PyCallable_Check(arm)) {
        PyErr_SetString(PyExc_TypeError, "arm must be callable");
        return NULL;
    }
    struct py_engine *self = (struct py_engine *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->hub = Py_NewRef(hub);
    self->arm = Py_NewRef(arm);
    self->thread = PyThread_get_thread_ident();
    self->armed_due_ns = UINT64_MAX;
    int rc = lc_engine_new(&self->core);
    if (rc < 0) {
        Py_DECREF(self);
        if (rc == LC_ENOMEM) {
            return PyErr_NoMemory();
        }
        return PyErr_Format(PyExc_OSError, "the engine cannot start: %s", lc_strerror(rc));
    }
    return (PyObject *)self;
}

static int engine_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_engine *self = (struct py_engine *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->hub);
    Py_VISIT(self->arm);
    return 0;
}

static int engine_clear(PyObject *op)
{
    struct py_engine *self = (struct py_engine *)op;
    Py_CLEAR(self->hub);
    Py_CLEAR(self->arm);
    return 0;
}

/* Cancels every operation and gives back the greenlets that waited: an array of `*count`, for the
 * caller to drop once the core is gone. Letting go of a greenlet may run it. */
static void **cancel_all(struct lc_engine *core, size_t *count)
{
    struct lc_engine_counts counts;
    uint32_t place = 0;
    lc_engine_count(core, &counts);
    void **waiters = PyMem_New(void *, counts.operations + 1);
    *count = 0;
    /* Without memory the greenlets are left as they are. */
    while (waiters != NULL && lc_engine_cancel_next(core, &place, &waiters[*count])) {
        ++*count;
    }
    return waiters;
}

static void close_core(struct py_engine *self)
{
    struct lc_engine *core = self->core;
    size_t count;
    if (core == NULL) {
        return;
    }
    self->core = NULL;
    void **waiters = cancel_all(core, &count);
    lc_engine_free(core);
    for (size_t i = 0; i < count; i++) {
        lc_wake_drop(waiters[i]);
    }
    PyMem_Free(waiters);
}

static void engine_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    close_core((struct py_engine *)op);
    engine_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* --- methods --- */

PyDoc_STRVAR(step_doc,
             "step($self, timer_fired=False, /)\n--\n\n"
             "Lets the loop turn once without blocking and switches to every greenlet\n"
             "whose request or sleep has completed. Called by the hub's watchers; the one that\n"
             "arm() asked for by a time says so, for it may fire early and is to be set again.");

struct lc_op *lc_py_engine_next(struct py_engine *self)
{
    if (!self->in_step || self->delivered_enough || self->core == NULL) {
        return NULL;
    }
    if (++self->delivered_count % DELIVERY_CHECK == 0 && lc_now_ns() > self->deliver_until_ns) {
        self->delivered_enough =
            true; /* what is left comes in the next step; rearm() asks for it */
        return NULL;
    }
    return lc_engine_take(self->core);
}

LC_CALLS_PYTHON static int deliver_completed(struct py_engine *self)
{
    struct lc_op *completed;
    self->deliver_until_ns = lc_now_ns() + DELIVERY_NS;
    self->delivered_count = 0;
    self->delivered_enough = false;
    while ((completed = lc_py_engine_next(self)) != NULL) {
        int rc = lc_wake_deliver(self, completed);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

LC_CALLS_PYTHON static PyObject *engine_step(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    struct py_engine *self = (struct py_engine *)op;
    if (self->core == NULL || self->in_step || !lc_engine_is_ours(self->core)) {
        /* A forked child still watches its parent's descriptor. */
        Py_RETURN_NONE;
    }
    if (lc_py_engine_check(self) < 0) {
        return NULL;
    }
    self->in_step = true;
    self->step_scheduled = false;
    if ((nargs > 0 && args[0] == Py_True) || self->armed_due_ns <= lc_now_ns()) {
        /* The hub counts from the time it cached when its turn began: its timers fire early. */
        self->armed_due_ns = UINT64_MAX;
    }
    Py_INCREF(self);
    int rc = lc_engine_turn(self->core);
    if (rc == 0) {
        rc = deliver_completed(self);
    }
    self->in_step = false;
    if (self->core != NULL) {
        /* An exception for the hub must not cost the other greenlets their wake-up. */
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        int armed = lc_py_engine_rearm(self);
        if (type != NULL) {
            if (armed < 0) {
                PyErr_WriteUnraisable(op);
            }
            PyErr_Restore(type, value, traceback);
        } else if (armed < 0) {
            rc = -1;
        }
    }
    Py_DECREF(self);
    if (rc < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, lc_strerror(rc));
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

LC_CALLS_PYTHON static PyObject *park_for(struct py_engine *self, uint64_t ns)
{
    uint64_t id;
    void *data = lc_wake_current(self);
    if (data == NULL) {
        return NULL;
    }
    if (lc_engine_sleep(self->core, ns, data, &id) < 0) {
        lc_wake_drop(data);
        return PyErr_NoMemory();
    }
    if (lc_py_engine_rearm(self) < 0) {
        lc_wake_drop(lc_engine_cancel(self->core, id));
        return NULL;
    }
    struct lc_op *done = lc_wake_park(self, id);
    if (done == NULL) {
        return NULL;
    }
    lc_op_free(done);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(yield_doc,
             "yield_if_needed($self, /)\n--\n\n"
             "Gives the other greenlets and gevent's loop their turn, unless a request or\n"
             "a sleep of the current greenlet has done so since it last called this.");

LC_CALLS_PYTHON static PyObject *engine_yield_if_needed(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_engine *self = (struct py_engine *)op;
    if (self->parked != self->yielded_at) {
        /* Greenlets are not preempted: if this one had not parked, nobody else could have. */
        self->yielded_at = self->parked;
        Py_RETURN_NONE;
    }
    if (lc_py_engine_check(self) < 0) {
        return NULL;
    }
    PyObject *result = park_for(self, 0);
    self->yielded_at = self->parked;
    return result;
}

PyDoc_STRVAR(sleep_doc, "sleep($self, seconds, /)\n--\n\n"
                        "Parks the current greenlet for so many seconds (float, not negative).\n"
                        "Raises what is thrown into the greenlet meanwhile.");

LC_CALLS_PYTHON static PyObject *engine_sleep(PyObject *op, PyObject *seconds_object)
{
    struct py_engine *self = (struct py_engine *)op;
    double seconds = PyFloat_AsDouble(seconds_object);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    if (isnan(seconds)) {
        PyErr_SetString(PyExc_ValueError, "seconds must be a number, not nan");
        return NULL;
    }
    if (lc_py_engine_check(self) < 0) {
        return NULL;
    }
    double ns = seconds > 0 ? seconds * NS_PER_S : 0;
    return park_for(self, ns < 9e18 ? (uint64_t)ns : UINT64_MAX);
}

PyDoc_STRVAR(fileno_doc,
             "fileno($self, /)\n--\n\nThe descriptor that is readable when step() has work.");

static PyObject *engine_fileno(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_engine *self = (struct py_engine *)op;
    if (lc_py_engine_check(self) < 0) {
        return NULL;
    }
    return PyLong_FromLong(lc_engine_fd(self->core));
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n--\n\n"
             "Closes every connection. Greenlets that still wait are let go: those that\n"
             "nobody else knows end by GreenletExit, the others are not woken.\n"
             "Closing twice is fine.");

static PyObject *engine_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    /* Also by a greenlet that a step has woken: Python code runs only when the turn of the loop is
     * over, and the step looks again whether there is a core. */
    close_core((struct py_engine *)op);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(counts_doc, "counts($self, /)\n--\n\n"
                         "What the engine holds: a dict with connections (open now), opened (in\n"
                         "all) and operations (in flight).");

static PyObject *engine_counts(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_engine *self = (struct py_engine *)op;
    if (lc_py_engine_check(self) < 0) {
        return NULL;
    }
    struct lc_engine_counts counts;
    lc_engine_count(self->core, &counts);
    return Py_BuildValue("{s:L,s:K,s:n}", "connections", (long long)counts.connections, "opened",
                         (unsigned long long)counts.opened, "operations",
                         (Py_ssize_t)counts.operations);
}

static PyMethodDef engine_methods[] = {
    {"step", (PyCFunction)(void (*)(void))engine_step, METH_FASTCALL, step_doc},
    {"yield_if_needed", engine_yield_if_needed, METH_NOARGS, yield_doc},
    {"sleep", engine_sleep, METH_O, sleep_doc},
    {"fileno", engine_fileno, METH_NOARGS, fileno_doc},
    {"close", engine_close, METH_NOARGS, close_doc},
    {"counts", engine_counts, METH_NOARGS, counts_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(engine_doc,
             "Engine(hub, arm)\n--\n\n"
             "The request engine of one gevent hub. `arm(seconds, active)` is called when the hub\n"
             "must come back: after so many seconds (0: at once, None: only when fileno() is\n"
             "readable); `active` tells whether waiting greenlets keep the hub alive.");

static PyType_Slot engine_slots[] = {
    {Py_tp_doc, (void *)engine_doc},
    {Py_tp_new, engine_new},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_traverse, engine_traverse},
    {Py_tp_clear, engine_clear},
    {Py_tp_methods, engine_methods},
    {0, NULL},
};

PyType_Spec lc_py_engine_spec = {
    .name = "locust_c._core.Engine",
    .basicsize = sizeof(struct py_engine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = engine_slots,
};
