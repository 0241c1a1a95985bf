/* The response as a Python object: what the engine read, and the attributes of requests.Response
 * and FastResponse made from it when somebody asks. */
#ifndef LC_PY_RESPONSE_H
#define LC_PY_RESPONSE_H

#include "engine.h"
#include "module.h"

/* Attributes that Python code makes on first use, by the method _make_<name> of the Python class,
 * and that users may set: X(name). */
#define LC_PY_LAZY_ATTRIBUTES(X)                                                                   \
    X(headers)                                                                                     \
    X(encoding)                                                                                    \
    X(reason)                                                                                      \
    X(cookies)                                                                                     \
    X(history)                                                                                     \
    X(elapsed)                                                                                     \
    X(request)                                                                                     \
    X(raw)                                                                                         \
    X(connection)                                                                                  \
    X(request_meta)                                                                                \
    X(timings)

struct py_response {
    PyObject_HEAD
    /* from the engine */
    struct lc_buf head;
    struct lc_buf wire; /* the request as sent */
    struct lc_buf body; /* the content until somebody asks for it, if has_body */
    struct lc_times times;
    int err; /* LC_E* */
    uint32_t resent;
    uint16_t status;
    bool has_body;
    /* shared with Python */
    PyObject *content; /* bytes, or NULL for None unless has_body */
    PyObject *stream;  /* what has the content when it is asked for, or NULL */
    PyObject *method;
    PyObject *url;
    PyObject *error; /* what users see as .error, an exception, or NULL */
    /* the sample */
    PyObject *hook;
    PyObject *name;
    PyObject *context;   /* or NULL */
    PyObject *exception; /* why the sample is a failure, or NULL */
    char body_is_text;   /* what was sent was given as str, or as a form */
    char catch_response; /* the sample waits for the end of a with block */
    double start_time;
    double response_time_ms;
    Py_ssize_t length;
#define LC_PY_LAZY_FIELD(attribute) PyObject *attribute;
    LC_PY_LAZY_ATTRIBUTES(LC_PY_LAZY_FIELD)
#undef LC_PY_LAZY_FIELD
};

/* A new, empty response of that type (a subclass of _core.Response). */
struct py_response *lc_py_response_new(PyTypeObject *type);
/* What the statistics count: the bytes of the decoded body, none of a request that failed. */
Py_ssize_t lc_py_response_length(const struct py_response *response);
/* Records the sample and calls the listeners. With request_meta made (a user may have changed it)
 * its items are what is fired. 0, or -1 with a control exception. */
int lc_py_response_report(struct py_response *response) LC_MUST_USE;

#endif
