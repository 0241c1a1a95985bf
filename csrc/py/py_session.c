#include "py_session.h"

#include <structmember.h>

/* --- calls --- */

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
LC_RARE static PyObject *long_way(struct py_session *self, const struct verb *verb,
                                  PyObject *const *args, Py_ssize_t count, PyObject *names)
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
    };
    if (check_ready(self) < 0) {
        return NULL;
    }
    if (self->request_overridden && verb->method != NULL) {
        call.simple = false;
    }
    place_positional(&call, verb, args, count);
    if (lc_py_call_parse(self, &call, args, count, names) < 0) {
        return NULL;
    }
    int way = LC_WAY_LONG;
    if (call.simple && settings_are_plain(self)) {
        way = lc_py_session_call(self, &call, &result);
    }
    return way == LC_WAY_LONG ? long_way(self, verb, args, count, names) : result;
}

#define LC_PY_VERB(verb_name, data, follows)                                                       \
    static PyObject *session_##verb_name(PyObject *op, PyObject *const *args, Py_ssize_t count,    \
                                         PyObject *names)                                          \
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

PyDoc_STRVAR(request_doc,
             "request($self, /, method, url, name=None, catch_response=False, context={},\n"
             "        **kwargs)\n--\n\n"
             "Sends a request and waits for the response; see requests.Session.request for the\n"
             "other arguments. A failed request does not raise: the response tells, in error.");

static PyObject *session_request(PyObject *op, PyObject *const *args, Py_ssize_t count,
                                 PyObject *names)
{
    struct verb verb = {NULL, true, false};
    return call_verb((struct py_session *)op, &verb, args, count, names);
}

/* --- one exchange for Python's long way --- */

PyDoc_STRVAR(exchange_doc,
             "_exchange($self, method, url, wire, catch_response, timeout, verify, cert, proxy,\n"
             "          /)\n--\n\n"
             "Sends the bytes of one request as they are and returns the response, unjudged and\n"
             "unreported. `url` is absolute, `proxy` None or a URL.");

LC_CALLS_PYTHON static PyObject *session_exchange(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    PyObject *method, *url_object, *timeout, *verify, *cert, *proxy;
    Py_buffer bytes;
    int catch_response;
    struct lc_call call = {0};
    struct lc_wire wire = {0};
    struct lc_url url;
    struct py_response *response = NULL;
    if (check_ready(self) < 0 ||
        !PyArg_ParseTuple(args, "UUy*pOOOO:_exchange", &method, &url_object, &bytes,
                          &catch_response, &timeout, &verify, &cert, &proxy)) {
        return NULL;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(url_object, &len);
    uint64_t start_ns = lc_now_ns();
    call.catch_response = catch_response != 0;
    lc_buf_init(&wire.bytes, SIZE_MAX);
    if (text == NULL) {
        goto done;
    }
    if (lc_url_split((struct lc_sv){text, (size_t)len}, &url) < 0) {
        PyErr_Format(PyExc_ValueError, "not an absolute http or https URL: %R", url_object);
        goto done;
    }
    int way = lc_py_timeout(timeout, &call.connect_timeout_ns, &call.read_timeout_ns);
    if (way != LC_WAY_SHORT) {
        if (way == LC_WAY_LONG) {
            PyErr_Format(PyExc_ValueError, "not a time-out: %R", timeout);
        }
        goto done;
    }
    if (lc_py_origin(self, &url, verify, cert, proxy, &wire.origin) < 0) {
        goto done;
    }
    if (lc_buf_append(&wire.bytes, bytes.buf, (size_t)bytes.len) < 0) {
        PyErr_NoMemory();
        goto done;
    }
    call.method = method;
    wire.url = Py_NewRef(url_object);
    wire.is_head = PyUnicode_CompareWithASCIIString(method, "HEAD") == 0;
    wire.host = url.host;
    wire.path = url.path;
    wire.secure = url.is_https;
    response = lc_py_exchange(self, &wire, &call, start_ns);
    if (response != NULL) {
        response->length = lc_py_response_length(response);
    }
done:
    lc_py_wire_free(&wire);
    PyBuffer_Release(&bytes);
    return (PyObject *)response;
}

/* --- set-up and settings --- */

static int split_base(struct py_session *self)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(self->base_url, &len);
    if (text == NULL) {
        return -1;
    }
    struct lc_sv base = {text, (size_t)len};
    self->origin = NULL;
    self->base_is_plain = lc_url_split(base, &self->base) == 0 && self->base.userinfo.ptr == NULL &&
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

/* --- cookies --- */

static PyObject *sv_str(struct lc_sv text)
{
    return PyUnicode_DecodeLatin1(text.ptr, (Py_ssize_t)text.len, NULL);
}

static PyObject *session_cookie_list(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_session *self = (struct py_session *)op;
    PyObject *list = PyList_New(0);
    for (struct lc_cookie *at = self->jar.first; list != NULL && at != NULL; at = at->next) {
        PyObject *expires = at->expires == LC_COOKIE_SESSION ? Py_NewRef(Py_None)
                                                             : PyLong_FromLongLong(at->expires);
        PyObject *row = Py_BuildValue(
            "NNNNNNNNN", sv_str(at->domain), sv_str(at->path), sv_str(at->name), sv_str(at->value),
            expires, PyBool_FromLong(at->secure), PyBool_FromLong(at->http_only),
            PyBool_FromLong(at->domain_specified), PyBool_FromLong(at->path_specified));
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *session_cookie_put(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    const char *domain, *path, *name, *value;
    PyObject *expires;
    int secure, http_only, domain_specified, path_specified;
    if (!PyArg_ParseTuple(args, "ssssOpppp:_cookie_put", &domain, &path, &name, &value, &expires,
                          &secure, &http_only, &domain_specified, &path_specified)) {
        return NULL;
    }
    long long until = expires == Py_None ? LC_COOKIE_SESSION : PyLong_AsLongLong(expires);
    if (until == -1 && PyErr_Occurred()) {
        return NULL;
    }
    struct lc_cookie cookie = {
        .expires = until,
        .domain = lc_sv_of(domain),
        .path = lc_sv_of(path),
        .name = lc_sv_of(name),
        .value = lc_sv_of(value),
        .secure = secure != 0,
        .http_only = http_only != 0,
        .domain_specified = domain_specified != 0,
        .path_specified = path_specified != 0,
    };
    if (lc_cookies_put(&self->jar, &cookie) < 0) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

static struct lc_sv sv_or_any(const char *text)
{
    return text != NULL ? lc_sv_of(text) : (struct lc_sv){NULL, 0};
}

static PyObject *session_cookie_remove(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    const char *domain, *path, *name;
    if (!PyArg_ParseTuple(args, "zzz:_cookie_remove", &domain, &path, &name)) {
        return NULL;
    }
    return PyLong_FromSize_t(
        lc_cookies_remove(&self->jar, sv_or_any(domain), sv_or_any(path), sv_or_any(name)));
}

PyDoc_STRVAR(close_doc,
             "close($self, /)\n--\n\nCloses the session's connections; it can be used again.");

static PyObject *session_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_session *self = (struct py_session *)op;
    if (self->engine != NULL && self->engine->core != NULL &&
        lc_engine_is_ours(self->engine->core)) {
        lc_pool_close(&self->pool);
    }
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
        lc_pool_init(&self->pool, 10);
    }
    return (PyObject *)self;
}

static int session_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct py_session *self = (struct py_session *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->engine);
    Py_VISIT(self->request_event);
    Py_VISIT(self->user);
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
    Py_XDECREF(session_close(op, NULL));
    Py_CLEAR(self->engine);
    Py_CLEAR(self->base_url);
    Py_CLEAR(self->base_origin);
    Py_CLEAR(self->request_event);
    Py_CLEAR(self->user);
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

#define LC_PY_VERB_ROW(verb_name)                                                                  \
    {                                                                                              \
#verb_name, (PyCFunction)(void (*)(void))session_##verb_name,                              \
            METH_FASTCALL | METH_KEYWORDS, "See request()."                                        \
    }

static PyMethodDef session_methods[] = {
    {"request", (PyCFunction)(void (*)(void))session_request, METH_FASTCALL | METH_KEYWORDS,
     request_doc},
    LC_PY_VERB_ROW(get),
    LC_PY_VERB_ROW(options),
    LC_PY_VERB_ROW(head),
    LC_PY_VERB_ROW(post),
    LC_PY_VERB_ROW(put),
    LC_PY_VERB_ROW(patch),
    LC_PY_VERB_ROW(delete),
    {"_exchange", session_exchange, METH_VARARGS, exchange_doc},
    {"_setup", session_setup, METH_VARARGS, setup_doc},
    {"_set_timeouts", session_set_timeouts, METH_O,
     "_set_timeouts($self, timeout, /)\n--\n\nDefaults."},
    {"_cookie_list", session_cookie_list, METH_NOARGS, NULL},
    {"_cookie_put", session_cookie_put, METH_VARARGS, NULL},
    {"_cookie_remove", session_cookie_remove, METH_VARARGS, NULL},
    {"close", session_close, METH_NOARGS, close_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef session_members[] = {
    {"request_name", T_OBJECT, offsetof(struct py_session, request_name), 0,
     "The name of requests that are given none; None: their path."},
    {"base_url", T_OBJECT, offsetof(struct py_session, base_url), READONLY, NULL},
    {"request_event", T_OBJECT, offsetof(struct py_session, request_event), 0, NULL},
    {"_user_context", T_OBJECT, offsetof(struct py_session, user_context), 0,
     "user.context if its class overrides it."},
    {"user", T_OBJECT, offsetof(struct py_session, user), 0, NULL},
    {"_request_overridden", T_BOOL, offsetof(struct py_session, request_overridden), 0, NULL},
    {"_long_way_only", T_BOOL, offsetof(struct py_session, long_way_only), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef session_getset[] = {
#define LC_PY_SETTING_GETSET(setting)                                                              \
    {#setting, get_##setting, set_##setting, "See requests.Session.", NULL},
    LC_PY_SETTINGS(LC_PY_SETTING_GETSET)
#undef LC_PY_SETTING_GETSET
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
