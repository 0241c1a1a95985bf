#include "py_session.h"

#include <structmember.h>

/* --- set-up and settings --- */

static int split_base(struct py_session *self)
{
    Py_ssize_t len;
    self->origin = NULL;
    self->base_is_plain = false;
    const char *text = PyUnicode_AsUTF8AndSize(self->base_url, &len);
    if (text == NULL) {
        return -1;
    }
    struct lc_sv base = {text, (size_t)len};
    self->base_is_plain = lc_url_split(base, &self->base) == 0 &&
                          PyUnicode_IS_ASCII(self->base_url) && self->base.userinfo.ptr == NULL &&
                          memchr(text, '?', base.len) == NULL &&
                          memchr(text, '#', base.len) == NULL;
    size_t origin_len = self->base_is_plain && self->base.target.len > 0
                            ? (size_t)(self->base.target.ptr - text)
                            : base.len;
    Py_XSETREF(self->base_origin, PyUnicode_FromStringAndSize(text, (Py_ssize_t)origin_len));
    return self->base_origin != NULL ? 0 : -1;
}

PyDoc_STRVAR(setup_doc, "_setup($self, engine, base_url, request_event, user, response_type,\n"
                        "       context_type, wire_headers, header_block, fast, /)\n--\n\n"
                        "Makes the session usable; called once by the Python class.");

static PyObject *session_setup(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    struct lc_state *state = self->state;
    PyObject *engine, *base_url, *event, *user, *response_type, *context_type, *headers, *block;
    int fast;
    if (!PyArg_ParseTuple(args, "O!UOOO!O!O!Sp:_setup", state->Engine, &engine, &base_url, &event,
                          &user, &PyType_Type, &response_type, &PyType_Type, &context_type,
                          &PyTuple_Type, &headers, &block, &fast)) {
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)response_type, state->Response) ||
        !PyType_IsSubtype((PyTypeObject *)context_type, state->Response)) {
        PyErr_SetString(PyExc_TypeError, "response types must derive from _core.Response");
        return NULL;
    }
    Py_XSETREF(self->engine, (struct py_engine *)Py_NewRef(engine));
    Py_XSETREF(self->base_url, Py_NewRef(base_url));
    Py_XSETREF(self->request_event, Py_NewRef(event));
    Py_XSETREF(self->user, Py_NewRef(user));
    Py_XSETREF(self->response_type, (PyTypeObject *)Py_NewRef(response_type));
    Py_XSETREF(self->context_type, (PyTypeObject *)Py_NewRef(context_type));
    Py_XSETREF(self->wire_headers, Py_NewRef(headers));
    Py_XSETREF(self->header_block, Py_NewRef(block));
    self->flavour = fast ? LC_FLAVOUR_FAST : LC_FLAVOUR_REQUESTS;
    if (split_base(self) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(set_base_doc, "_set_base($self, base_url, header_block, /)\n--\n\n"
                           "Sends what comes from now on to another base URL.");

static PyObject *session_set_base(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    PyObject *base_url, *block;
    if (!PyArg_ParseTuple(args, "US:_set_base", &base_url, &block)) {
        return NULL;
    }
    Py_XSETREF(self->base_url, Py_NewRef(base_url));
    Py_XSETREF(self->header_block, Py_NewRef(block));
    return split_base(self) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyObject *get_base_url(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_session *self = (struct py_session *)op;
    return Py_NewRef(self->base_url != NULL ? self->base_url : Py_None);
}

static int set_base_url(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "base_url cannot be deleted");
        return -1;
    }
    PyObject *result = PyObject_CallMethod(op, "_rebase", "O", value);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static PyObject *get_max_body_size(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(((struct py_session *)op)->max_body);
}

static int set_max_body_size(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "max_body_size cannot be deleted");
        return -1;
    }
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "max_body_size must be a whole number of bytes, not %R",
                     value);
        return -1;
    }
    Py_ssize_t size = PyNumber_AsSsize_t(value, NULL);
    if (size == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (size <= 0) {
        PyErr_Format(PyExc_ValueError, "max_body_size must be positive, not %R", value);
        return -1;
    }
    ((struct py_session *)op)->max_body = (size_t)size;
    return 0;
}

static PyObject *session_set_timeouts(PyObject *op, PyObject *timeout)
{
    struct py_session *self = (struct py_session *)op;
    uint64_t connect_ns, read_ns;
    int way = lc_py_timeout(timeout, &connect_ns, &read_ns);
    if (way == LC_WAY_LONG) {
        PyErr_Format(PyExc_ValueError, "time-outs must be positive numbers, not %R", timeout);
    }
    if (way != LC_WAY_SHORT) {
        return NULL;
    }
    self->connect_timeout_ns = connect_ns;
    self->read_timeout_ns = read_ns;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(set_pool_doc, "_set_pool($self, pool, /)\n--\n\n"
                           "Takes connections from that Pool from now on; None: from its own.");

static PyObject *session_set_pool(PyObject *op, PyObject *pool)
{
    struct py_session *self = (struct py_session *)op;
    if (pool != Py_None && !Py_IS_TYPE(pool, self->state->Pool)) {
        return PyErr_Format(PyExc_TypeError, "a Pool or None is needed, not %R", pool);
    }
    if (pool != Py_None && self->engine != NULL &&
        ((struct py_pool *)pool)->engine != self->engine) {
        PyErr_SetString(PyExc_ValueError, "the pool belongs to another engine");
        return NULL;
    }
    struct py_pool *shared = pool != Py_None ? (struct py_pool *)Py_NewRef(pool) : NULL;
    self->pool = shared != NULL ? &shared->core : &self->own_pool;
    Py_XSETREF(self->shared_pool, shared);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(set_limits_doc, "_set_limits($self, max_idle, max_open, lifetime, /)\n--\n\n"
                             "Limits of the session's own connections; see Pool.");

static PyObject *session_set_limits(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    Py_ssize_t max_idle, max_open;
    double lifetime;
    if (!PyArg_ParseTuple(args, "nnd:_set_limits", &max_idle, &max_open, &lifetime) ||
        lc_py_pool_limits(&self->own_pool, max_idle, max_open, lifetime) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *get_http_version(PyObject *op, void *Py_UNUSED(closure))
{
    static const char *const texts[] = {
#define VERSION_TEXT(constant, text, version) [constant] = text,
        LC_PY_HTTP_VERSIONS(VERSION_TEXT)
#undef VERSION_TEXT
    };
    return PyUnicode_FromString(texts[((struct py_session *)op)->http_version]);
}

static int set_http_version(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    return lc_py_http_version(value != NULL ? value : Py_None,
                              &((struct py_session *)op)->http_version);
}

static PyObject *make_setting(PyObject *op, PyObject **field, const char *maker)
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

/* verify and cert decide about the TLS context, so the origin is looked up anew after a change. */
static int set_setting(PyObject *op, PyObject **field, PyObject *value)
{
    Py_XINCREF(value);
    Py_XSETREF(*field, value);
    ((struct py_session *)op)->origin = NULL;
    return 0;
}

static PyObject *get_watch(PyObject *op, void *Py_UNUSED(closure))
{
    struct py_session *self = (struct py_session *)op;
    return Py_NewRef(self->watch != NULL ? (PyObject *)self->watch : Py_None);
}

static int set_watch(PyObject *op, PyObject *value, void *Py_UNUSED(closure))
{
    struct py_session *self = (struct py_session *)op;
    bool is_none = value == NULL || value == Py_None;
    if (!is_none && !PyObject_TypeCheck(value, self->state->class_watch)) {
        PyErr_SetString(PyExc_TypeError, "_watch must be a ClassWatch or None");
        return -1;
    }
    Py_XSETREF(self->watch, is_none ? NULL : (struct py_watch *)Py_NewRef(value));
    self->watch_changes = is_none ? 0 : self->watch->changes;
    return 0;
}

#define LC_PY_SETTING_ACCESS(setting)                                                              \
    static PyObject *get_##setting(PyObject *op, void *Py_UNUSED(closure))                         \
    {                                                                                              \
        return make_setting(op, &((struct py_session *)op)->setting, "_make_" #setting);           \
    }                                                                                              \
    static int set_##setting(PyObject *op, PyObject *value, void *Py_UNUSED(closure))              \
    {                                                                                              \
        return set_setting(op, &((struct py_session *)op)->setting, value);                        \
    }
LC_PY_SETTINGS(LC_PY_SETTING_ACCESS)
#undef LC_PY_SETTING_ACCESS

PyDoc_STRVAR(close_doc,
             "close($self, /)\n--\n\nCloses the session's connections; it can be used again.");

static PyObject *session_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_session *self = (struct py_session *)op;
    lc_py_pool_close(self->engine, self->pool);
    Py_RETURN_NONE;
}

/* --- type --- */

static PyObject *session_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                             PyObject *Py_UNUSED(kwargs))
{
    struct lc_state *state = lc_state_of_type(type);
    struct py_session *self = state != NULL ? (struct py_session *)type->tp_alloc(type, 0) : NULL;
    if (self != NULL) {
        self->state = state;
        lc_cookies_init(&self->jar);
        lc_pool_init(&self->own_pool, 10);
        self->pool = &self->own_pool;
        self->max_body = 1 << 28;
        self->keeps_cookies = 1;
    }
    return (PyObject *)self;
}

static int session_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_session *self = (struct py_session *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->engine);
    Py_VISIT(self->shared_pool);
    Py_VISIT(self->connection_options);
    Py_VISIT(self->request_event);
    Py_VISIT(self->user);
    Py_VISIT(self->watch);
    Py_VISIT(self->user_context);
    Py_VISIT(self->response_type);
    Py_VISIT(self->context_type);
    Py_VISIT(self->wire_headers);
#define LC_PY_SETTING_VISIT(setting) Py_VISIT(self->setting);
    LC_PY_SETTINGS(LC_PY_SETTING_VISIT)
#undef LC_PY_SETTING_VISIT
    return 0;
}

static int session_clear(PyObject *op)
{
    struct py_session *self = (struct py_session *)op;
    lc_py_pool_close(self->engine, &self->own_pool); /* a shared one is for those that are left */
    lc_pool_forget(&self->own_pool);
    self->pool = &self->own_pool;
    Py_CLEAR(self->shared_pool);
    Py_CLEAR(self->connection_options);
    Py_CLEAR(self->engine);
    Py_CLEAR(self->base_url);
    Py_CLEAR(self->base_origin);
    Py_CLEAR(self->request_event);
    Py_CLEAR(self->user);
    Py_CLEAR(self->watch);
    Py_CLEAR(self->user_context);
    Py_CLEAR(self->request_name);
    Py_CLEAR(self->response_type);
    Py_CLEAR(self->context_type);
    Py_CLEAR(self->wire_headers);
    Py_CLEAR(self->header_block);
#define LC_PY_SETTING_CLEAR(setting) Py_CLEAR(self->setting);
    LC_PY_SETTINGS(LC_PY_SETTING_CLEAR)
#undef LC_PY_SETTING_CLEAR
    return 0;
}

static void session_dealloc(PyObject *op)
{
    struct py_session *self = (struct py_session *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    session_clear(op);
    lc_cookies_free(&self->jar);
    type->tp_free(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(request_doc,
             "request($self, /, method, url, name=None, catch_response=False, context={},\n"
             "        **kwargs)\n--\n\n"
             "Sends a request and waits for the response; see requests.Session.request for the\n"
             "other arguments. A failed request does not raise: the response tells, in error.");

PyDoc_STRVAR(
    exchange_doc,
    "_exchange($self, method, url, wire, catch_response, timeout, verify, cert, proxy, /,\n"
    "          *, body=None, chunked=False, stream=False, http_version=None, pool=None)\n--\n\n"
    "Sends the bytes of one request as they are and returns the response, unjudged and\n"
    "unreported. `url` is absolute, `proxy` None or a URL. `body`: an iterable of bytes\n"
    "that are sent behind `wire` while they come, in chunks if `chunked`. With `stream` the\n"
    "response is there with its head, and its _stream has the body. `pool`: a Pool in place of\n"
    "the session's.");

#define LC_PY_VERB_ROW(verb_name)                                                                  \
    {                                                                                              \
#verb_name, (PyCFunction)(void (*)(void))lc_py_session_##verb_name,                        \
            METH_FASTCALL | METH_KEYWORDS, "See request()."                                        \
    }

static PyMethodDef session_methods[] = {
    {"request", (PyCFunction)(void (*)(void))lc_py_session_request, METH_FASTCALL | METH_KEYWORDS,
     request_doc},
    LC_PY_VERB_ROW(get),
    LC_PY_VERB_ROW(options),
    LC_PY_VERB_ROW(head),
    LC_PY_VERB_ROW(post),
    LC_PY_VERB_ROW(put),
    LC_PY_VERB_ROW(patch),
    LC_PY_VERB_ROW(delete),
    {"_exchange", (PyCFunction)(void (*)(void))lc_py_session_exchange, METH_VARARGS | METH_KEYWORDS,
     exchange_doc},
    {"_set_pool", session_set_pool, METH_O, set_pool_doc},
    {"_set_limits", session_set_limits, METH_VARARGS, set_limits_doc},
    {"_setup", session_setup, METH_VARARGS, setup_doc},
    {"_set_base", session_set_base, METH_VARARGS, set_base_doc},
    {"_set_timeouts", session_set_timeouts, METH_O,
     "_set_timeouts($self, timeout, /)\n--\n\nDefaults."},
    {"_cookie_list", lc_py_session_cookie_list, METH_NOARGS, NULL},
    {"_cookie_put", lc_py_session_cookie_put, METH_VARARGS, NULL},
    {"_cookie_remove", lc_py_session_cookie_remove, METH_VARARGS, NULL},
    {"close", session_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef session_members[] = {
    {"request_name", T_OBJECT, offsetof(struct py_session, request_name), 0,
     "The name of requests that are given none; None: their path."},
    {"request_event", T_OBJECT, offsetof(struct py_session, request_event), 0, NULL},
    {"_connection_options", T_OBJECT, offsetof(struct py_session, connection_options), 0,
     "Asked by _origin_options() about each new origin, unless it is None."},
    {"_user_context", T_OBJECT, offsetof(struct py_session, user_context), 0,
     "user.context if its class overrides it."},
    {"user", T_OBJECT, offsetof(struct py_session, user), 0, NULL},
    {"_resend_closed", T_USHORT, offsetof(struct py_session, resend_closed), 0, NULL},
    {"_resend_late", T_USHORT, offsetof(struct py_session, resend_late), 0, NULL},
    {"_request_overridden", T_BOOL, offsetof(struct py_session, request_overridden), 0, NULL},
    {"_keeps_cookies", T_BOOL, offsetof(struct py_session, keeps_cookies), 0, NULL},
    {"_long_way_only", T_BOOL, offsetof(struct py_session, long_way_only), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef session_getset[] = {
#define LC_PY_SETTING_GETSET(setting)                                                              \
    {#setting, get_##setting, set_##setting, "See requests.Session.", NULL},
    LC_PY_SETTINGS(LC_PY_SETTING_GETSET)
#undef LC_PY_SETTING_GETSET
        {"_watch", get_watch, set_watch, "Tells when to call _look_again(); None: never.", NULL},
    {"base_url", get_base_url, set_base_url, "What relative URLs are appended to.", NULL},
    {"http_version", get_http_version, set_http_version,
     "The version of HTTP that requests are sent with: \"1.0\", \"1.1\" or \"2\".", NULL},
    {"max_body_size", get_max_body_size, set_max_body_size,
     "How many bytes a response's body may have, as received and as decoded; a longer one fails.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(session_doc, "Connections, cookies and settings of one user; base of the sessions.");

static PyType_Slot session_slots[] = {
    {Py_tp_doc, (void *)session_doc},
    {Py_tp_new, session_new},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_traverse, session_traverse},
    {Py_tp_clear, session_clear},
    {Py_tp_methods, session_methods},
    {Py_tp_members, session_members},
    {Py_tp_getset, session_getset},
    {0, NULL},
};

PyType_Spec lc_py_session_spec = {
    .name = "locust_c._core.Session",
    .basicsize = sizeof(struct py_session),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = session_slots,
};
