#include "py_pool.h"

#include <math.h>

void lc_py_pool_close(struct py_engine *engine, struct lc_pool *pool)
{
    if (engine != NULL && (engine->core == NULL || lc_engine_is_ours(engine->core))) {
        lc_engine_pool_close(pool);
        lc_py_engine_let_go(engine);
    }
}

int lc_py_pool_limits(struct lc_pool *pool, Py_ssize_t max_idle, Py_ssize_t max_open,
                      double lifetime_s)
{
    if (max_idle < 0 || max_open < 0 || !(lifetime_s >= 0) || isinf(lifetime_s)) {
        PyErr_SetString(PyExc_ValueError, "limits of a pool must not be negative");
        return -1;
    }
    pool->max_idle = (size_t)max_idle;
    pool->max_open = (size_t)max_open;
    pool->lifetime_ns = lifetime_s < 9e9 ? (uint64_t)(lifetime_s * 1e9) : 0;
    return 0;
}

static PyObject *pool_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"engine", "max_idle", "max_open", "lifetime", NULL};
    struct lc_state *state = lc_state_of_type(type);
    PyObject *engine;
    Py_ssize_t max_idle = 10, max_open = 0;
    double lifetime = 0;
    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O!|nnd:Pool", names, state->Engine, &engine,
                                     &max_idle, &max_open, &lifetime)) {
        return NULL;
    }
    struct py_pool *self = (struct py_pool *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->engine = (struct py_engine *)Py_NewRef(engine);
    lc_pool_init(&self->core, 0);
    if (lc_py_pool_limits(&self->core, max_idle, max_open, lifetime) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int pool_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((struct py_pool *)op)->engine);
    return 0;
}

static int pool_clear(PyObject *op)
{
    struct py_pool *self = (struct py_pool *)op;
    lc_py_pool_close(self->engine, &self->core);
    lc_pool_forget(&self->core);
    Py_CLEAR(self->engine);
    return 0;
}

static void pool_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    pool_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n--\n\n"
             "Closes the idle connections; those in use close after it. It can be used again.");

static PyObject *pool_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_pool *self = (struct py_pool *)op;
    lc_py_pool_close(self->engine, &self->core);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(counts_doc, "counts($self, /)\n--\n\n"
                         "A dict with open (connections, those being opened included) and idle.");

static PyObject *pool_counts(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const struct lc_pool *core = &((struct py_pool *)op)->core;
    return Py_BuildValue("{s:n,s:n}", "open", (Py_ssize_t)core->open, "idle",
                         (Py_ssize_t)core->idle);
}

static PyMethodDef pool_methods[] = {
    {"close", pool_close, METH_NOARGS, close_doc},
    {"counts", pool_counts, METH_NOARGS, counts_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(pool_doc,
             "Pool(engine, max_idle=10, max_open=0, lifetime=0.0)\n--\n\n"
             "Connections that several sessions share. `max_idle`: how many are kept for the next\n"
             "request; `max_open`: how many there may be at all, further requests wait (0: any\n"
             "number); `lifetime`: seconds after which one is not used again (0: no limit).");

static PyType_Slot pool_slots[] = {
    {Py_tp_doc, (void *)pool_doc},
    {Py_tp_new, pool_new},
    {Py_tp_dealloc, pool_dealloc},
    {Py_tp_traverse, pool_traverse},
    {Py_tp_clear, pool_clear},
    {Py_tp_methods, pool_methods},
    {0, NULL},
};

PyType_Spec lc_py_pool_spec = {
    .name = "locust_c._core.Pool",
    .basicsize = sizeof(struct py_pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pool_slots,
};
