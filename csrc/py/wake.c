#include "wake.h"

#include "py_engine.h"

/* greenlet.h keeps its table of functions in a static pointer of the including file. It is set
 * once at import and the same for every interpreter of the process. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <greenlet.h>
#pragma GCC diagnostic pop

int lc_wake_import(void)
{
    PyGreenlet_Import();
    return _PyGreenlet_API != NULL ? 0 : -1;
}

void *lc_wake_current(struct py_engine *engine)
{
    PyGreenlet *current = PyGreenlet_GetCurrent();
    if ((PyObject *)current == engine->hub) {
        Py_DECREF(current);
        PyErr_SetString(PyExc_RuntimeError,
                        "the hub cannot wait: call this from a greenlet (gevent.spawn)");
        return NULL;
    }
    return current;
}

void lc_wake_drop(void *data)
{
    Py_XDECREF((PyObject *)data);
}

static struct lc_op *take_delivered(struct py_engine *engine, uint64_t id)
{
    struct lc_op *op = engine->delivered;
    if (op == NULL || op->id != id) {
        return NULL;
    }
    engine->delivered = NULL;
    lc_wake_drop(op->data); /* the current greenlet: it is alive all the same */
    op->data = NULL;
    return op;
}

/* What was delivered to a greenlet that died, or was woken for something else, meanwhile. */
static void drop_untaken(struct py_engine *engine)
{
    struct lc_op *op = engine->delivered;
    if (op != NULL) {
        engine->delivered = NULL;
        lc_wake_drop(op->data);
        lc_op_free(op);
    }
}

/* Whom to switch to when a greenlet parks: while the engine delivers, the next waiter itself,
 * which saves the switch to the hub and back; otherwise the hub. */
static PyGreenlet *next_to_run(struct py_engine *engine)
{
    struct lc_op *op = lc_py_engine_next(engine);
    if (op == NULL) {
        return (PyGreenlet *)engine->hub;
    }
    drop_untaken(engine);
    engine->delivered = op;
    return op->data;
}

/* The greenlet goes on with an exception instead of what it waited for. */
LC_RARE static void give_up(struct py_engine *engine, uint64_t id)
{
    if (engine->core == NULL) {
        return; /* closed meanwhile, which cancelled the operation */
    }
    lc_wake_drop(lc_engine_cancel(engine->core, id));
    /* It may have been the last that kept the hub alive. */
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (lc_py_engine_rearm(engine) < 0) {
        PyErr_WriteUnraisable((PyObject *)engine);
    }
    PyErr_Restore(type, value, traceback);
}

LC_CALLS_PYTHON static struct lc_op *park(struct py_engine *engine, uint64_t id)
{
    engine->parked++;
    for (;;) {
        PyObject *passed = PyGreenlet_Switch(next_to_run(engine), NULL, NULL);
        struct lc_op *op = take_delivered(engine, id);
        if (passed == NULL) {
            lc_op_free(op);
            if (op == NULL) {
                give_up(engine, id);
            }
            return NULL;
        }
        Py_DECREF(passed);
        if (op != NULL) {
            return op;
        }
        /* Somebody switched to this greenlet without having anything for it: park again. */
    }
}

LC_CALLS_PYTHON struct lc_op *lc_wake_park(struct py_engine *engine, uint64_t id)
{
    Py_INCREF(engine); /* its session may be given another one meanwhile */
    struct lc_op *op = park(engine, id);
    Py_DECREF(engine);
    return op;
}

static int is_for_the_hub(void)
{
    return PyErr_ExceptionMatches(PyExc_GreenletExit) || !PyErr_ExceptionMatches(PyExc_Exception);
}

LC_CALLS_PYTHON int lc_wake_deliver(struct py_engine *engine, struct lc_op *op)
{
    PyObject *waiter = Py_NewRef((PyObject *)op->data);
    int rc = 0;
    engine->delivered = op;
    PyObject *passed = PyGreenlet_Switch((PyGreenlet *)waiter, NULL, NULL);
    drop_untaken(engine);
    if (passed == NULL) {
        if (is_for_the_hub()) {
            rc = -1;
        } else {
            PyErr_WriteUnraisable(waiter);
        }
    }
    Py_XDECREF(passed);
    Py_DECREF(waiter);
    return rc;
}
