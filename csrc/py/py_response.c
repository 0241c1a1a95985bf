#include "py_response.h"

#include "py_times.h"
#include "sample.h"

#include <math.h>
#include <structmember.h>

/* --- reporting --- */

Py_ssize_t lc_py_response_length(const struct py_response *response)
{
    if (response->err != 0) {
        return 0;
    }
    if (response->has_body) {
        return (Py_ssize_t)response->body.len;
    }
    bool is_bytes = response->content != NULL &&
                    PyBytes_Check(response->content); /* users may set it to anything */
    return is_bytes ? PyBytes_GET_SIZE(response->content) : 0;
}

LC_CALLS_PYTHON static int report_meta(struct py_response *self, const struct lc_sample *sample)
{
    if (!PyDict_Check(self->request_meta)) {
        PyErr_Format(PyExc_TypeError, "request_meta must be a dict, not %.100s",
                     Py_TYPE(self->request_meta)->tp_name);
        return -1;
    }
    return lc_py_event_report_dict(self->hook, self->request_meta, sample);
}

LC_CALLS_PYTHON int lc_py_response_report(struct py_response *self)
{
    if (self->hook == NULL || self->hook == Py_None) {
        return 0;
    }
    struct lc_phases phases;
    bool measured = lc_py_times_phases(&self->times, self->err, &phases);
    struct lc_sample sample = {
        .request_type = self->method,
        .name = self->name,
        .response_time_ms = self->response_time_ms,
        .response_length = self->length,
        .response = (PyObject *)self,
        .context = self->context,
        .exception = self->exception,
        .start_time = self->start_time,
        .url = self->url,
        .resent = self->resent,
        .phases = measured ? &phases : NULL,
    };
    return self->request_meta != NULL ? report_meta(self, &sample)
                                      : lc_py_event_report(self->hook, &sample);
}

/* --- attributes --- */

static PyObject *make_lazy(PyObject *op, PyObject **field, const char *maker)
{
    if (*field == NULL) {
        PyObject *made = PyObject_CallMethod(op, maker, NULL);
        if (made == NULL) {
            return NULL;
        }
        Py_XSETREF(*field, made);
    }
    return Py_NewRef(*field);
}

static int set_lazy(PyObject **field, PyObject *value)
{
    Py_XINCREF(value);
    Py_XSETREF(*field, value);
    return 0;
}

#define LC_PY_LAZY_ACCESS(attribute)                                                               \
    static PyObject *get_##attribute(PyObject *op, void *Py_UNUSED(closure))                       \
    {                                                                                              \
        return make_lazy(op, &((struct py_response *)op)->attribute, "_make_" #attribute);         \
    }                                                                                              \
    static int set_##attribute(PyObject *op, PyObject *value, void *Py_UNUSED(closure))            \
    {                                                                                              \
        return set_lazy(&((struct py_response *)op)->attribute, value);                            \
    }
LC_PY_LAZY_ATTRIBUTES(LC_PY_LAZY_ACCESS)
#undef LC_PY_LAZY_ACCESS

static PyObject *get_status_code(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(((struct py_response *)op)->status);
}

static int set_status_code(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    long status = value != NULL ? PyLong_AsLong(value) : 0;
    if (status == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (status < 0 || status > UINT16_MAX) {
        PyErr_SetString(PyExc_ValueError, "status_code must be between 0 and 65535");
        return -1;
    }
    ((struct py_response *)op)->status = (uint16_t)status;
    return 0;
}

static PyObject *or_none(PyObject *value)
{
    return Py_NewRef(value != NULL ? value : Py_None);
}

static void drop_body(struct py_response *self)
{
    lc_buf_free(&self->body);
    self->has_body = false;
}

static bool is_unread(const struct py_response *self)
{
    return self->content == NULL && self->stream != NULL && self->stream != Py_None;
}

/* Most tasks never look at the body: bytes are made of it when somebody does. */
static PyObject *content_so_far(struct py_response *self)
{
    if (self->has_body) {
        PyObject *content = PyBytes_FromStringAndSize(self->body.ptr, (Py_ssize_t)self->body.len);
        if (content == NULL) {
            return NULL;
        }
        drop_body(self);
        Py_XSETREF(self->content, content);
    }
    return or_none(self->content);
}

/* The whole body: of a streamed response it is read now, by the Python class. */
LC_CALLS_PYTHON static PyObject *get_content(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    if (is_unread(self)) {
        return PyObject_CallMethod(op, "_read_content", NULL);
    }
    return content_so_far(self);
}

static PyObject *get_content_so_far(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    return is_unread(self) ? Py_NewRef(Py_False) : content_so_far(self);
}

static int set_content(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    drop_body((struct py_response *)op);
    return set_lazy(&((struct py_response *)op)->content, value == Py_None ? NULL : value);
}

static PyObject *get_seconds_to_head(PyObject *op, void *Py_UNUSED(closure))
{
    const struct lc_times *times = &((struct py_response *)op)->times;
    uint64_t ns = times->first_byte > times->start ? times->first_byte - times->start : 0;
    return PyFloat_FromDouble((double)ns / 1e9);
}

static PyObject *get_end_ns(PyObject *op, void *Py_UNUSED(closure))
{
    const struct py_response *self = (struct py_response *)op;
    return PyLong_FromUnsignedLongLong(lc_py_times_end(&self->times, self->err));
}

static PyObject *get_exchange_ms(PyObject *op, void *Py_UNUSED(closure))
{
    const struct py_response *self = (struct py_response *)op;
    uint64_t start = self->times.start, end = lc_py_times_end(&self->times, self->err);
    if (end == 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(end > start ? (double)(end - start) / 1e6 : 0);
}

static PyObject *get_moments(PyObject *op, void *Py_UNUSED(closure))
{
    const struct py_response *self = (struct py_response *)op;
    return lc_py_times_moments(&self->times, self->err);
}

/* How an exchange went, for another response to take over; nobody else needs to know it. */
struct outcome {
    struct lc_times times;
    int err;
};

static PyObject *get_outcome(PyObject *op, void *Py_UNUSED(closure))
{
    const struct py_response *self = (struct py_response *)op;
    struct outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.times = self->times;
    outcome.err = self->err;
    return PyBytes_FromStringAndSize((const char *)&outcome, sizeof outcome);
}

static int set_outcome(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    struct outcome outcome;
    if (value == NULL || !PyBytes_Check(value) || PyBytes_GET_SIZE(value) != sizeof outcome) {
        PyErr_SetString(PyExc_TypeError, "_outcome must be that of another response");
        return -1;
    }
    memcpy(&outcome, PyBytes_AS_STRING(value), sizeof outcome);
    self->times = outcome.times;
    self->err = outcome.err;
    return 0;
}

static PyObject *get_meta_made(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((struct py_response *)op)->request_meta != NULL);
}

static PyObject *get_head_lines(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    struct lc_sv head = {self->head.ptr, self->head.len};
    struct lc_sv name, value;
    size_t pos = 0;
    PyObject *lines = PyList_New(0);
    while (lines != NULL && head.len > 0 && lc_http1_next_header(head, &pos, &name, &value)) {
        PyObject *key = PyUnicode_DecodeLatin1(name.ptr, (Py_ssize_t)name.len, NULL);
        PyObject *text = PyUnicode_DecodeLatin1(value.ptr, (Py_ssize_t)value.len, NULL);
        PyObject *pair = key != NULL && text != NULL ? PyTuple_Pack(2, key, text) : NULL;
        Py_XDECREF(key);
        Py_XDECREF(text);
        if (pair == NULL || PyList_Append(lines, pair) < 0) {
            Py_CLEAR(lines);
        }
        Py_XDECREF(pair);
    }
    return lines;
}

static PyObject *get_status_line(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    const char *end = self->head.len > 0 ? memchr(self->head.ptr, '\n', self->head.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - self->head.ptr) : self->head.len;
    while (len > 0 && self->head.ptr[len - 1] == '\r') {
        len--;
    }
    return PyUnicode_DecodeLatin1(self->head.ptr, (Py_ssize_t)len, NULL);
}

static PyObject *get_request_bytes(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_response *self = (struct py_response *)op;
    return PyBytes_FromStringAndSize(self->wire.ptr, (Py_ssize_t)self->wire.len);
}

static PyMemberDef response_members[] = {
    {"error", T_OBJECT, offsetof(struct py_response, error), 0,
     "Why the request failed, an exception, or None."},
    {"url", T_OBJECT, offsetof(struct py_response, url), 0, "The URL of the request."},
    {"_stream", T_OBJECT, offsetof(struct py_response, stream), 0,
     "The body of a streamed response, a Stream, or None."},
    {"_method", T_OBJECT, offsetof(struct py_response, method), 0, NULL},
    {"_name", T_OBJECT, offsetof(struct py_response, name), 0, NULL},
    {"_exception", T_OBJECT, offsetof(struct py_response, exception), 0, NULL},
    {"_catch_response", T_BOOL, offsetof(struct py_response, catch_response), 0, NULL},
    {"_body_is_text", T_BOOL, offsetof(struct py_response, body_is_text), READONLY, NULL},
    {"_context", T_OBJECT, offsetof(struct py_response, context), 0, NULL},
    {"_hook", T_OBJECT, offsetof(struct py_response, hook), 0, NULL},
    {"_start_time", T_DOUBLE, offsetof(struct py_response, start_time), 0, NULL},
    {"_response_time_ms", T_DOUBLE, offsetof(struct py_response, response_time_ms), 0, NULL},
    {"_length", T_PYSSIZET, offsetof(struct py_response, length), 0, NULL},
    {"_error_code", T_INT, offsetof(struct py_response, err), READONLY, NULL},
    {"_resent", T_UINT, offsetof(struct py_response, resent), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef response_getset[] = {
#define LC_PY_LAZY_GETSET(attribute)                                                               \
    {#attribute, get_##attribute, set_##attribute, "See requests.Response.", NULL},
    LC_PY_LAZY_ATTRIBUTES(LC_PY_LAZY_GETSET)
#undef LC_PY_LAZY_GETSET
        {"status_code", get_status_code, set_status_code, "The HTTP status, 0 if there is none.",
         NULL},
    {"content", get_content, set_content, "The decoded body, or None without a response.", NULL},
    {"_content", get_content_so_far, set_content, "As content; False: not read yet.", NULL},
    {"_seconds_to_head", get_seconds_to_head, NULL, NULL, NULL},
    {"_end_ns", get_end_ns, NULL, "Where the response time ends, monotonic; 0: no exchange.", NULL},
    {"_exchange_ms", get_exchange_ms, NULL, "What the exchange took; None: there was none.", NULL},
    {"_moments", get_moments, NULL, "What timings are made of, or None.", NULL},
    {"_outcome", get_outcome, set_outcome, "Moments and error, for another response to take over.",
     NULL},
    {"_meta_made", get_meta_made, NULL, "Whether anybody has seen request_meta.", NULL},
    {"_head_lines", get_head_lines, NULL, "(name, value) of each header line.", NULL},
    {"_status_line", get_status_line, NULL, NULL, NULL},
    {"_request_bytes", get_request_bytes, NULL, "The request as it was sent.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(report_doc, "_report($self, /)\n--\n\n"
                         "Records the sample and calls the listeners of the request event.");

LC_CALLS_PYTHON static PyObject *response_report(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    if (lc_py_response_report((struct py_response *)op) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef response_methods[] = {
    {"_report", response_report, METH_NOARGS, report_doc},
    {NULL, NULL, 0, NULL},
};

/* --- type --- */

struct py_response *lc_py_response_new(PyTypeObject *type)
{
    struct py_response *self = (struct py_response *)type->tp_alloc(type, 0);
    if (self != NULL) {
        lc_buf_init(&self->head, SIZE_MAX);
        lc_buf_init(&self->wire, SIZE_MAX);
        lc_buf_init(&self->body, SIZE_MAX);
        self->response_time_ms = NAN;
    }
    return self;
}

static PyObject *response_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_Format(PyExc_TypeError, "%s takes no arguments", type->tp_name);
        return NULL;
    }
    return (PyObject *)lc_py_response_new(type);
}

static int response_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_response *self = (struct py_response *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->stream);
    Py_VISIT(self->error);
    Py_VISIT(self->exception);
    Py_VISIT(self->hook);
    Py_VISIT(self->context);
#define LC_PY_LAZY_VISIT(attribute) Py_VISIT(self->attribute);
    LC_PY_LAZY_ATTRIBUTES(LC_PY_LAZY_VISIT)
#undef LC_PY_LAZY_VISIT
    return 0;
}

static int response_clear(PyObject *op)
{
    struct py_response *self = (struct py_response *)op;
    Py_CLEAR(self->content);
    Py_CLEAR(self->stream);
    Py_CLEAR(self->method);
    Py_CLEAR(self->url);
    Py_CLEAR(self->name);
    Py_CLEAR(self->error);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->hook);
    Py_CLEAR(self->context);
#define LC_PY_LAZY_CLEAR(attribute) Py_CLEAR(self->attribute);
    LC_PY_LAZY_ATTRIBUTES(LC_PY_LAZY_CLEAR)
#undef LC_PY_LAZY_CLEAR
    return 0;
}

static void response_dealloc(PyObject *op)
{
    struct py_response *self = (struct py_response *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    response_clear(op);
    lc_buf_free(&self->head);
    lc_buf_free(&self->wire);
    lc_buf_free(&self->body);
    type->tp_free(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(response_doc, "What one request brought; base of the response classes.");

static PyType_Slot response_slots[] = {
    {Py_tp_doc, (void *)response_doc},
    {Py_tp_new, response_new},
    {Py_tp_dealloc, response_dealloc},
    {Py_tp_traverse, response_traverse},
    {Py_tp_clear, response_clear},
    {Py_tp_methods, response_methods},
    {Py_tp_members, response_members},
    {Py_tp_getset, response_getset},
    {0, NULL},
};

PyType_Spec lc_py_response_spec = {
    .name = "locust_c._core.Response",
    .basicsize = sizeof(struct py_response),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = response_slots,
};
