#include "module.h"

#include "watchdog.h"

#include <pthread.h>
#include <unistd.h>

static const double NS_PER_S = 1e9;

/* Refers to itself while it is open, since its threads refer to it. */
struct py_watchdog {
    PyObject_HEAD
    struct lc_watchdog *core;    /* NULL: closed */
    struct lc_watchdog *watched; /* the same for its threads, until there are none */
    PyObject *look;
    PyObject *warning; /* bytes */
    pthread_t owner;
    int fd;     /* for the warning */
    int stacks; /* the file that whoever handles the signal writes to */
    int signal;
};

LC_CALLS_PYTHON static void ask(void *data, uint64_t silent_ns)
{
    struct py_watchdog *self = data;
    PyGILState_STATE state = PyGILState_Ensure();
    /* The lock may have been had only when the silence was over. */
    if (lc_watchdog_is_silent(self->watched)) {
        PyObject *result = PyObject_CallFunction(self->look, "d", (double)silent_ns / NS_PER_S);
        if (result == NULL) {
            PyErr_WriteUnraisable(self->look);
        }
        Py_XDECREF(result);
    }
    PyGILState_Release(state);
}

/* Neither of these needs the interpreter's lock. */

static void peek(void *data)
{
    struct py_watchdog *self = data;
    if (self->signal != 0) {
        (void)pthread_kill(self->owner, self->signal);
    }
}

static void shout(void *data, uint64_t silent_ns)
{
    struct py_watchdog *self = data;
    char bytes[4096];
    ssize_t len =
        write(self->fd, PyBytes_AS_STRING(self->warning), (size_t)PyBytes_GET_SIZE(self->warning));
    /* When it cannot be written there is nobody to tell. */
    for (off_t at = 0; len > 0 && (len = pread(self->stacks, bytes, sizeof bytes, at)) > 0;) {
        at += len;
        len = write(self->fd, bytes, (size_t)len);
    }
}

static int read_arguments(struct py_watchdog *self, PyObject *args, PyObject *kwargs,
                          struct lc_watchdog_config *config)
{
    static char *names[] = {"look",    "tick",   "blocked", "lasting", "fd",
                            "warning", "stacks", "signal",  NULL};
    double tick, blocked, lasting;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OdddiSii:Watchdog", names, &self->look, &tick,
                                     &blocked, &lasting, &self->fd, &self->warning, &self->stacks,
                                     &self->signal)) {
        self->look = self->warning = NULL;
        return -1;
    }
    Py_INCREF(self->look);
    Py_INCREF(self->warning);
    if (!PyCallable_Check(self->look)) {
        PyErr_SetString(PyExc_TypeError, "look must be callable");
        return -1;
    }
    if (!(tick > 0 && tick <= blocked && blocked <= lasting && lasting < 1e9)) {
        PyErr_SetString(PyExc_ValueError, "not 0 < tick <= blocked <= lasting < 1e9 seconds");
        return -1;
    }
    config->tick_ns = (uint64_t)(tick * NS_PER_S);
    config->blocked_ns = (uint64_t)(blocked * NS_PER_S);
    config->lasting_ns = (uint64_t)(lasting * NS_PER_S);
    return 0;
}

static PyObject *watchdog_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct py_watchdog *self = (struct py_watchdog *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    struct lc_watchdog_config config = {.ask = ask, .peek = peek, .shout = shout, .data = self};
    if (read_arguments(self, args, kwargs, &config) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->owner = pthread_self();
    int rc = lc_watchdog_new(&config, &self->watched);
    if (rc < 0) {
        Py_DECREF(self);
        return rc == LC_ENOMEM ? PyErr_NoMemory()
                               : PyErr_Format(PyExc_OSError, "no thread: %s", lc_strerror(rc));
    }
    self->core = self->watched;
    Py_INCREF(self);
    return (PyObject *)self;
}

static int watchdog_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_watchdog *self = (struct py_watchdog *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->look);
    return 0;
}

static int watchdog_clear(PyObject *op)
{
    Py_CLEAR(((struct py_watchdog *)op)->look);
    return 0;
}

static void watchdog_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    watchdog_clear(op);
    Py_CLEAR(((struct py_watchdog *)op)->warning);
    type->tp_free(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(beat_doc, "beat($self, /)\n--\n\n"
                       "The caller is alive. For how many seconds it was not, if look() was to be\n"
                       "called; else 0.");

static PyObject *watchdog_beat(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct lc_watchdog *core = ((struct py_watchdog *)op)->core;
    return PyFloat_FromDouble(core != NULL ? (double)lc_watchdog_beat(core) / NS_PER_S : 0);
}

PyDoc_STRVAR(rest_doc, "rest($self, /)\n--\n\nSilence means nothing until the next beat().");

static PyObject *watchdog_rest(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct lc_watchdog *core = ((struct py_watchdog *)op)->core;
    if (core != NULL) {
        lc_watchdog_rest(core);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n--\n\n"
             "Ends the watching: no thread of it is left. Closing twice is fine. RuntimeError:\n"
             "called in another thread than made it.");

static PyObject *watchdog_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_watchdog *self = (struct py_watchdog *)op;
    struct lc_watchdog *core = self->core;
    if (core == NULL) {
        Py_RETURN_NONE;
    }
    if (!pthread_equal(self->owner, pthread_self())) {
        PyErr_SetString(PyExc_RuntimeError, "only the thread that made it closes a watchdog");
        return NULL;
    }
    self->core = NULL;
    /* A look() that waits for the interpreter's lock gets it now. */
    PyThreadState *state = PyEval_SaveThread();
    lc_watchdog_free(core);
    PyEval_RestoreThread(state);
    self->watched = NULL;
    Py_DECREF(self);
    Py_RETURN_NONE;
}

static PyMethodDef watchdog_methods[] = {
    {"beat", watchdog_beat, METH_NOARGS, beat_doc},
    {"rest", watchdog_rest, METH_NOARGS, rest_doc},
    {"close", watchdog_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(watchdog_doc,
             "Watchdog(look, tick, blocked, lasting, fd, warning, stacks, signal)\n--\n\n"
             "A thread that has look(seconds) called in another one when the thread that made it\n"
             "has not called beat() for `blocked` seconds, and again after `lasting` seconds. If\n"
             "that has to wait for the interpreter's lock, it sends `signal` (0: none) to the\n"
             "thread, whose handler writes a stack to the file `stacks`; and in the end the bytes\n"
             "`warning` and what is in the file to `fd`. It looks every `tick` seconds, and goes\n"
             "on until it is closed.");

static PyType_Slot watchdog_slots[] = {
    {Py_tp_doc, (void *)watchdog_doc},
    {Py_tp_new, watchdog_new},
    {Py_tp_dealloc, watchdog_dealloc},
    {Py_tp_traverse, watchdog_traverse},
    {Py_tp_clear, watchdog_clear},
    {Py_tp_methods, watchdog_methods},
    {0, NULL},
};

PyType_Spec lc_py_watchdog_spec = {
    .name = "locust_c._core.Watchdog",
    .basicsize = sizeof(struct py_watchdog),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = watchdog_slots,
};
