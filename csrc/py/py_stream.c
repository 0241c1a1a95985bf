#include "py_stream.h"

#include "py_submit.h"

struct py_stream {
    PyObject_HEAD
    struct py_session *session;
    struct py_engine *engine;
    PyObject *url;
    struct lc_exchange *exchange; /* NULL: closed, or a greenlet waits for it */
    bool reading;                 /* a greenlet waits for the next piece */
};

PyObject *lc_py_stream_new(struct py_session *session, PyObject *url, struct lc_exchange *exchange)
{
    PyTypeObject *type = session->state->Stream;
    struct py_stream *self = (struct py_stream *)type->tp_alloc(type, 0);
    if (self == NULL) {
        lc_op_free(&exchange->op);
        lc_py_engine_let_go(session->engine);
        return NULL;
    }
    self->session = (struct py_session *)Py_NewRef(session);
    self->engine = (struct py_engine *)Py_NewRef(session->engine);
    self->url = Py_NewRef(url);
    self->exchange = exchange;
    return (PyObject *)self;
}

static void close_stream(struct py_stream *self)
{
    struct lc_exchange *exchange = self->exchange;
    self->exchange = NULL;
    if (exchange != NULL) {
        lc_op_free(&exchange->op);
        lc_py_engine_let_go(self->engine);
    }
}

/* --- reading --- */

/* Raises what the body failed with, in the words of the session's class. */
static void raise_failure(struct py_stream *self)
{
    const struct lc_exchange *exchange = self->exchange;
    const char *words = exchange->reason != NULL ? exchange->reason : lc_strerror(exchange->err);
    PyObject *reason = PyUnicode_DecodeUTF8(words, (Py_ssize_t)strlen(words), "surrogateescape");
    PyObject *error = PyObject_CallMethod(
        (PyObject *)self->session, "_broken", "OiNKKd", self->url, exchange->err, reason,
        (unsigned long long)exchange->received, (unsigned long long)exchange->response.remaining,
        (double)exchange->request.read_timeout_ns / 1e9);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
}

/* Waits for the next piece. 1: there is one; 0: the end; -1 with an exception. */
LC_CALLS_PYTHON static int fill(struct py_stream *self)
{
    if (self->reading) {
        PyErr_SetString(PyExc_RuntimeError, "another greenlet reads this response");
        return -1;
    }
    while (self->exchange != NULL && !self->exchange->ended &&
           lc_exchange_body(self->exchange).len == 0) {
        struct lc_exchange *exchange = self->exchange;
        self->exchange = NULL;
        self->reading = true;
        exchange = lc_py_resume(self->engine, exchange);
        self->reading = false;
        if (exchange == NULL) {
            return -1;
        }
        self->exchange = exchange;
    }
    if (self->exchange == NULL) {
        return 0;
    }
    if (lc_exchange_body(self->exchange).len > 0) {
        return 1;
    }
    if (self->exchange->err != 0) {
        raise_failure(self);
        return -1;
    }
    return 0;
}

static PyObject *take(struct py_stream *self, size_t most)
{
    struct lc_sv body = lc_exchange_body(self->exchange);
    size_t len = body.len < most ? body.len : most;
    PyObject *piece = PyBytes_FromStringAndSize(body.ptr, (Py_ssize_t)len);
    if (piece != NULL) {
        lc_exchange_consume(self->exchange, len);
    }
    return piece;
}

/* All that is left, joined once. */
LC_CALLS_PYTHON static PyObject *read_all(struct py_stream *self)
{
    PyObject *pieces = PyList_New(0);
    PyObject *empty = PyBytes_FromStringAndSize(NULL, 0);
    PyObject *joined = NULL;
    int rc = pieces != NULL && empty != NULL ? 1 : -1;
    while (rc > 0 && (rc = fill(self)) > 0) {
        PyObject *piece = take(self, SIZE_MAX);
        if (piece == NULL || PyList_Append(pieces, piece) < 0) {
            rc = -1;
        }
        Py_XDECREF(piece);
    }
    if (rc == 0) {
        joined = PyObject_CallMethod(empty, "join", "O", pieces);
    }
    Py_XDECREF(pieces);
    Py_XDECREF(empty);
    return joined;
}

PyDoc_STRVAR(read_doc,
             "read($self, size=-1, /)\n--\n\n"
             "At most `size` bytes of the body, transfer coding removed: what has arrived, at\n"
             "least one; b\"\" at the end. Without a size, all that is left. Raises what the\n"
             "session's class makes of a body that breaks off.");

LC_CALLS_PYTHON static PyObject *stream_read(PyObject *op, PyObject *args)
{
    struct py_stream *self = (struct py_stream *)op;
    Py_ssize_t size = -1;
    if (!PyArg_ParseTuple(args, "|n:read", &size)) {
        return NULL;
    }
    if (size < 0) {
        return read_all(self);
    }
    int rc = size > 0 ? fill(self) : 0;
    if (rc < 0) {
        return NULL;
    }
    return rc > 0 ? take(self, (size_t)size) : PyBytes_FromStringAndSize(NULL, 0);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
                        "Lets go of what was not read; its connection is closed unless all of the\n"
                        "response has arrived. Closing twice is fine.");

static PyObject *stream_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    close_stream((struct py_stream *)op);
    Py_RETURN_NONE;
}

static PyObject *get_closed(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_stream *self = (struct py_stream *)op;
    return PyBool_FromLong(self->exchange == NULL && !self->reading);
}

static PyObject *get_ended(PyObject *op, void *Py_UNUSED(closure))
{
    const struct lc_exchange *exchange = ((struct py_stream *)op)->exchange;
    return PyBool_FromLong(exchange != NULL && exchange->ended);
}

/* --- type --- */

static int stream_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_stream *self = (struct py_stream *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->session);
    Py_VISIT(self->engine);
    return 0;
}

static int stream_clear(PyObject *op)
{
    struct py_stream *self = (struct py_stream *)op;
    close_stream(self);
    Py_CLEAR(self->session);
    Py_CLEAR(self->engine);
    Py_CLEAR(self->url);
    return 0;
}

static void stream_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    stream_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef stream_methods[] = {
    {"read", stream_read, METH_VARARGS, read_doc},
    {"close", stream_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef stream_getset[] = {
    {"closed", get_closed, NULL, "Whether it was closed.", NULL},
    {"ended", get_ended, NULL, "Whether all of the response has arrived, or it broke off.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(stream_doc, "The body of a response that is read while it arrives.");

static PyType_Slot stream_slots[] = {
    {Py_tp_doc, (void *)stream_doc},
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_traverse, stream_traverse},
    {Py_tp_clear, stream_clear},
    {Py_tp_methods, stream_methods},
    {Py_tp_getset, stream_getset},
    {0, NULL},
};

PyType_Spec lc_py_stream_spec = {
    .name = "locust_c._core.Stream",
    .basicsize = sizeof(struct py_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};
