#include "py_session.h"

/* What get(), post(), ... take by position behind the URL. */
enum { MAX_POSITIONAL = 5 };

struct verb {
    PyObject *method; /* NULL: the first positional argument is the method */
    bool redirects;   /* the default of allow_redirects */
    bool takes_data;  /* data and json by position */
};

static int check_ready(struct py_session *self)
{
    if (self->engine == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the session was not set up: call __init__ first");
        return -1;
    }
    return lc_py_engine_check(self->engine);
}

/* The watch finds out what was changed, and the session what follows from it. */
LC_CALLS_PYTHON LC_RARE static int look_again(struct py_session *self)
{
    struct py_watch *watch = (struct py_watch *)Py_NewRef(self->watch);
    int rc = lc_py_watch_is_due(watch) ? lc_py_watch_look(watch) : 0;
    if (rc == 0 && watch->changes != self->watch_changes) {
        self->watch_changes = watch->changes;
        PyObject *result = PyObject_CallMethod((PyObject *)self, "_look_again", NULL);
        rc = result != NULL ? 0 : -1;
        Py_XDECREF(result);
    }
    Py_DECREF(watch);
    return rc;
}

/* Has the session look at its classes again if somebody patched them since it last did. */
static int heed_patches(struct py_session *self)
{
    struct py_watch *watch = self->watch;
    bool is_quiet =
        watch == NULL || (!lc_py_watch_is_due(watch) && watch->changes == self->watch_changes);
    return is_quiet ? 0 : look_again(self);
}

/* Gives the positional arguments their places; what has no place is for the long way to refuse. */
static void place_positional(struct lc_call *call, const struct verb *verb, PyObject *const *args,
                             Py_ssize_t count)
{
    PyObject **places[MAX_POSITIONAL] = {NULL};
    Py_ssize_t known = 0;
    if (verb->method == NULL) {
        places[known++] = &call->method;
    }
    places[known++] = &call->url;
    if (verb->method == NULL) {
        places[known++] = &call->name;
    } else if (verb->takes_data) {
        places[known++] = &call->data;
        places[known++] = &call->json;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i >= known) {
            call->simple = false;
            return;
        }
        bool required = places[i] == &call->url || places[i] == &call->method;
        *places[i] = args[i] == Py_None && !required ? NULL : args[i];
    }
}

static int put_keyword(PyObject *kwargs, const char *name, PyObject *value)
{
    return value != NULL ? PyDict_SetItemString(kwargs, name, value) : 0;
}

/* The same call through the Python method that knows everything requests knows. */
LC_CALLS_PYTHON LC_RARE static PyObject *long_way(struct py_session *self, const struct verb *verb,
                                                  PyObject *const *args, Py_ssize_t count,
                                                  PyObject *names)
{
    PyObject *result = NULL;
    /* A request() of a subclass hears of every verb, as with requests. */
    bool to_override = verb->method != NULL && self->request_overridden;
    PyObject *request =
        PyObject_GetAttrString((PyObject *)self, to_override ? "request" : "_request");
    PyObject *kwargs = PyDict_New();
    PyObject *positional = NULL;
    if (request == NULL || kwargs == NULL) {
        goto done;
    }
    Py_ssize_t kept = verb->method != NULL && count > 1 ? 1 : count;
    positional = PyTuple_New(kept + (verb->method != NULL));
    if (positional == NULL) {
        goto done;
    }
    if (verb->method != NULL) {
        PyTuple_SET_ITEM(positional, 0, Py_NewRef(verb->method));
    }
    for (Py_ssize_t i = 0; i < kept; i++) {
        PyTuple_SET_ITEM(positional, i + (verb->method != NULL), Py_NewRef(args[i]));
    }
    if (verb->method != NULL) {
        if (count > (verb->takes_data ? 3 : 1)) {
            PyErr_Format(PyExc_TypeError, "too many positional arguments for %U", verb->method);
            goto done;
        }
        if (put_keyword(kwargs, "data", count > 1 ? args[1] : NULL) < 0 ||
            put_keyword(kwargs, "json", count > 2 ? args[2] : NULL) < 0 ||
            (!verb->redirects && PyDict_SetItemString(kwargs, "allow_redirects", Py_False) < 0)) {
            goto done;
        }
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(names, i), args[count + i]) < 0) {
            goto done;
        }
    }
    result = PyObject_Call(request, positional, kwargs);
done:
    Py_XDECREF(request);
    Py_XDECREF(kwargs);
    Py_XDECREF(positional);
    return result;
}

static bool is_empty_dict(PyObject *setting)
{
    return setting == NULL || setting == Py_None ||
           (PyDict_Check(setting) && PyDict_GET_SIZE(setting) == 0);
}

/* {"response": []} is what reading session.hooks makes. */
static bool has_no_hooks(PyObject *hooks)
{
    Py_ssize_t at = 0;
    PyObject *name, *callables;
    if (is_empty_dict(hooks)) {
        return true;
    }
    while (PyDict_Check(hooks) && PyDict_Next(hooks, &at, &name, &callables)) {
        if (!PyList_Check(callables) || PyList_GET_SIZE(callables) > 0) {
            return false;
        }
    }
    return PyDict_Check(hooks);
}

/* Upper-case letters: everything else is turned into that, or refused, on the long way. */
static bool is_plain_method(PyObject *method)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(method);
    if (len == 0 || !PyUnicode_IS_ASCII(method)) {
        return false;
    }
    const char *text = (const char *)PyUnicode_1BYTE_DATA(method);
    for (Py_ssize_t i = 0; i < len; i++) {
        if (text[i] < 'A' || text[i] > 'Z') {
            return false;
        }
    }
    return true;
}

/* True if nothing is set that only the long way knows. */
static bool settings_are_plain(const struct py_session *self)
{
    return !self->long_way_only && is_empty_dict(self->proxies) && is_empty_dict(self->params) &&
           has_no_hooks(self->hooks);
}

LC_CALLS_PYTHON static PyObject *call_verb(struct py_session *self, const struct verb *verb,
                                           PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *result = NULL;
    struct lc_call call = {
        .method = verb->method,
        .allow_redirects = verb->redirects,
        .simple = true,
        .connect_timeout_ns = self->connect_timeout_ns,
        .read_timeout_ns = self->read_timeout_ns,
        .http_version = self->http_version,
    };
    if (check_ready(self) < 0 || heed_patches(self) < 0) {
        return NULL;
    }
    if (self->request_overridden && verb->method != NULL) {
        call.simple = false;
    }
    place_positional(&call, verb, args, count);
    if (lc_py_call_parse(self, &call, args, count, names) < 0) {
        return NULL;
    }
    if (verb->method == NULL && call.simple && !is_plain_method(call.method)) {
        call.simple = false;
    }
    int way = LC_WAY_LONG;
    if (call.simple && settings_are_plain(self)) {
        way = lc_py_session_call(self, &call, &result);
    }
    return way == LC_WAY_LONG ? long_way(self, verb, args, count, names) : result;
}

#define LC_PY_VERB(verb_name, data, follows)                                                       \
    LC_CALLS_PYTHON PyObject *lc_py_session_##verb_name(PyObject *op, PyObject *const *args,       \
                                                        Py_ssize_t count, PyObject *names)         \
    {                                                                                              \
        struct py_session *self = (struct py_session *)op;                                         \
        struct verb verb = {self->state->str_verb_##verb_name, follows, data};                     \
        return call_verb(self, &verb, args, count, names);                                         \
    }
LC_PY_VERB(get, false, true)
LC_PY_VERB(options, false, true)
LC_PY_VERB(head, false, self->flavour == LC_FLAVOUR_FAST)
LC_PY_VERB(post, true, true)
LC_PY_VERB(put, true, true)
LC_PY_VERB(patch, true, true)
LC_PY_VERB(delete, false, true)
#undef LC_PY_VERB

LC_CALLS_PYTHON PyObject *lc_py_session_request(PyObject *op, PyObject *const *args,
                                                Py_ssize_t count, PyObject *names)
{
    struct verb verb = {NULL, true, false};
    return call_verb((struct py_session *)op, &verb, args, count, names);
}

/* --- one exchange for Python's long way --- */

/* The arguments of _exchange() as a call and its wire; -1 with an exception. */
static int parse_exchange(struct py_session *self, PyObject *args, PyObject *kwargs,
                          struct lc_call *call, struct lc_wire *wire)
{
    static char *names[] = {
        "", "", "", "", "", "", "", "", "body", "chunked", "stream", "http_version", "pool", NULL};
    PyObject *timeout, *verify, *cert, *proxy, *body = Py_None, *version = Py_None;
    PyObject *pool = Py_None;
    Py_buffer bytes;
    int catch_response, chunked = 0, stream = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "UUy*pOOOO|$OppOO:_exchange", names,
                                     &call->method, &call->url, &bytes, &catch_response, &timeout,
                                     &verify, &cert, &proxy, &body, &chunked, &stream, &version,
                                     &pool)) {
        return -1;
    }
    call->catch_response = catch_response != 0;
    call->chunked = chunked != 0;
    call->stream = stream != 0;
    int rc = lc_buf_append(&wire->bytes, bytes.buf, (size_t)bytes.len);
    PyBuffer_Release(&bytes);
    if (rc < 0) {
        PyErr_NoMemory();
        return -1;
    }
    if (pool != Py_None) {
        if (!Py_IS_TYPE(pool, self->state->Pool)) {
            PyErr_Format(PyExc_TypeError, "a Pool or None is needed, not %R", pool);
            return -1;
        }
        if (((struct py_pool *)pool)->engine != self->engine) {
            PyErr_SetString(PyExc_ValueError, "the pool belongs to another engine");
            return -1;
        }
        call->pool = &((struct py_pool *)pool)->core;
    }
    if (version != Py_None && lc_py_http_version(version, &call->http_version) < 0) {
        return -1;
    }
    if (call->http_version == LC_PY_HTTP_1_0) {
        lc_py_wire_set_1_0(&wire->bytes);
    }
    int way = lc_py_timeout(timeout, &call->connect_timeout_ns, &call->read_timeout_ns);
    if (way == LC_WAY_LONG) {
        PyErr_Format(PyExc_ValueError, "not a time-out: %R", timeout);
    }
    if (way != LC_WAY_SHORT) {
        return -1;
    }
    struct lc_sv text = lc_py_view(call->url);
    struct lc_url url;
    if (text.ptr == NULL) {
        return -1;
    }
    if (lc_url_split(text, &url) < 0) {
        PyErr_Format(PyExc_ValueError, "not an absolute http or https URL: %R", call->url);
        return -1;
    }
    wire->host = url.host;
    wire->path = url.path;
    wire->secure = url.is_https;
    if (lc_py_origin(self, &url, verify, cert, proxy, &wire->origin) < 0) {
        return -1;
    }
    call->pieces = body != Py_None ? PyObject_GetIter(body) : NULL;
    return body != Py_None && call->pieces == NULL ? -1 : 0;
}

LC_CALLS_PYTHON PyObject *lc_py_session_exchange(PyObject *op, PyObject *args, PyObject *kwargs)
{
    struct py_session *self = (struct py_session *)op;
    struct lc_call call = {.http_version = self->http_version};
    struct lc_wire wire = {0};
    struct py_response *response = NULL;
    uint64_t start_ns = lc_now_ns();
    lc_buf_init(&wire.bytes, SIZE_MAX);
    if (check_ready(self) == 0 && parse_exchange(self, args, kwargs, &call, &wire) == 0) {
        wire.url = Py_NewRef(call.url);
        wire.is_head = PyUnicode_CompareWithASCIIString(call.method, "HEAD") == 0;
        response = lc_py_exchange(self, &wire, &call, start_ns);
    }
    if (response != NULL) {
        response->length = lc_py_response_length(response);
    }
    Py_XDECREF(call.pieces);
    lc_py_wire_free(&wire);
    return (PyObject *)response;
}
