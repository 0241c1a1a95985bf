/* Content codings undone piece by piece, for bodies that are read while they come. */
#include "module.h"

#include "decoder.h"
#include "http1.h"

struct py_decoder {
    PyObject_HEAD
    struct lc_decoder *core;
    size_t left; /* of the limit */
    size_t limit;
};

/* The codings that a Content-Encoding names; LC_EINVAL with an exception. */
static int read_codings(PyObject *text, uint8_t codings[LC_DECODER_MAX_CODINGS], size_t *count)
{
    Py_ssize_t len;
    const char *value = PyUnicode_AsUTF8AndSize(text, &len);
    if (value == NULL) {
        return LC_EINVAL;
    }
    struct lc_sv view = {value, (size_t)len};
    *count = lc_http1_value_codings(view, codings, LC_DECODER_MAX_CODINGS);
    if (*count > LC_DECODER_MAX_CODINGS) {
        PyErr_Format(PyExc_ValueError, "Too many content encodings in the chain: %zu > %d", *count,
                     LC_DECODER_MAX_CODINGS);
        return LC_EINVAL;
    }
    for (size_t i = 0; i < *count; i++) {
        if (codings[i] == LC_CODING_OTHER) {
            PyErr_Format(PyExc_ValueError, "%R has a content encoding that is not known", text);
            return LC_EINVAL;
        }
    }
    return 0;
}

static PyObject *decoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"content_encoding", "limit", NULL};
    uint8_t codings[LC_DECODER_MAX_CODINGS];
    PyObject *encoding;
    Py_ssize_t limit;
    size_t count;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Un:Decoder", names, &encoding, &limit)) {
        return NULL;
    }
    if (limit < 0) {
        PyErr_Format(PyExc_ValueError, "limit must not be negative, not %zd", limit);
        return NULL;
    }
    if (read_codings(encoding, codings, &count) < 0) {
        return NULL;
    }
    struct py_decoder *self = (struct py_decoder *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->left = self->limit = (size_t)limit;
    if (lc_decoder_new(codings, count, &self->core) < 0) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int decoder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void decoder_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lc_decoder_free(((struct py_decoder *)self)->core);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *raise_failure(const struct py_decoder *self, int rc)
{
    switch (rc) {
    case LC_ENOMEM:
        return PyErr_NoMemory();
    case LC_ELIMIT:
        return PyErr_Format(PyExc_OverflowError, "the decoded body is longer than %zu bytes",
                            self->limit);
    case LC_EDECODE:
        PyErr_SetString(PyExc_ValueError, lc_decoder_reason(self->core));
        return NULL;
    default:
        PyErr_SetString(PyExc_ValueError, "the decoder was finished before");
        return NULL;
    }
}

static PyObject *decode(struct py_decoder *self, const char *bytes, size_t len, bool last)
{
    struct lc_buf out;
    lc_buf_init(&out, self->left);
    int rc = lc_decoder_feed(self->core, bytes, len, last, &out);
    PyObject *decoded =
        rc < 0 ? raise_failure(self, rc) : PyBytes_FromStringAndSize(out.ptr, (Py_ssize_t)out.len);
    self->left -= out.len;
    lc_buf_free(&out);
    return decoded;
}

PyDoc_STRVAR(feed_doc,
             "feed($self, data, /)\n--\n\n"
             "What these bytes decode to, as far as that is known yet. ValueError with the\n"
             "library's words: they are not in that coding; OverflowError: more than the limit.");

static PyObject *decoder_feed(PyObject *op, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *decoded = decode((struct py_decoder *)op, view.buf, (size_t)view.len, false);
    PyBuffer_Release(&view);
    return decoded;
}

PyDoc_STRVAR(finish_doc,
             "finish($self, /)\n--\n\n"
             "The rest, once all bytes were fed; raises as feed() does, ValueError also for a\n"
             "body that is cut short.");

static PyObject *decoder_finish(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return decode((struct py_decoder *)op, NULL, 0, true);
}

static PyMethodDef decoder_methods[] = {
    {"feed", decoder_feed, METH_O, feed_doc},
    {"finish", decoder_finish, METH_NOARGS, finish_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(
    decoder_doc,
    "Decoder(content_encoding, limit)\n--\n\n"
    "Undoes the codings of a Content-Encoding header (RFC 9110, 8.4): gzip, deflate, br,\n"
    "zstd and several of them in a row. `limit`: how many bytes it gives at most, in all.\n"
    "ValueError: one of the codings is not known, or they are more than five.");

static PyType_Slot decoder_slots[] = {
    {Py_tp_doc, (void *)decoder_doc},   {Py_tp_new, decoder_new},
    {Py_tp_traverse, decoder_traverse}, {Py_tp_dealloc, decoder_dealloc},
    {Py_tp_methods, decoder_methods},   {0, NULL},
};

PyType_Spec lc_py_decoder_spec = {
    .name = "locust_c._core.Decoder",
    .basicsize = sizeof(struct py_decoder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = decoder_slots,
};
