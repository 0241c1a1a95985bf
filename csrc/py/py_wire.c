#include "py_session.h"

enum { MAX_REQUEST = 1 << 30 };

struct lc_sv lc_py_view(PyObject *text)
{
    Py_ssize_t len;
    const char *ptr = PyUnicode_AsUTF8AndSize(text, &len);
    return (struct lc_sv){ptr, ptr != NULL ? (size_t)len : 0};
}

/* What would end the line, and the request with it. */
static bool has_line_end(struct lc_sv text)
{
    return memchr(text.ptr, '\n', text.len) != NULL || memchr(text.ptr, '\r', text.len) != NULL ||
           memchr(text.ptr, '\0', text.len) != NULL;
}

/* A str whose characters are all latin-1 and no line ends, as it goes on the wire. */
static bool header_view(PyObject *text, struct lc_sv *out)
{
    if (PyBytes_CheckExact(text)) {
        *out = (struct lc_sv){PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text)};
    } else if (PyUnicode_CheckExact(text) && PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND) {
        *out = (struct lc_sv){(const char *)PyUnicode_1BYTE_DATA(text),
                              (size_t)PyUnicode_GET_LENGTH(text)};
    } else {
        return false;
    }
    return !has_line_end(*out) && (out->len == 0 || (out->ptr[0] != ' ' && out->ptr[0] != '\t'));
}

static int append(struct lc_buf *buf, const char *bytes, size_t len)
{
    int rc = lc_buf_append(buf, bytes, len);
    if (rc < 0) {
        PyErr_SetString(rc == LC_ENOMEM ? PyExc_MemoryError : PyExc_ValueError, lc_strerror(rc));
        return -1;
    }
    return 0;
}

static int append_sv(struct lc_buf *buf, struct lc_sv text)
{
    return append(buf, text.ptr, text.len);
}

static int append_text(struct lc_buf *buf, const char *text)
{
    return append(buf, text, strlen(text));
}

static int append_header(struct lc_buf *buf, struct lc_sv name, struct lc_sv value)
{
    if (append_sv(buf, name) < 0 || append_text(buf, ": ") < 0 || append_sv(buf, value) < 0) {
        return -1;
    }
    return append_text(buf, "\r\n");
}

/* --- headers --- */

struct header_set {
    PyObject *session_store; /* {lower-cased name: (name, value)}, or NULL */
    PyObject *call_headers;  /* dict, or NULL */
    bool has_cookie;
    bool has_authorization;
    bool has_accept;
    bool has_accept_encoding;
    bool has_user_agent;
    bool has_content_type;
    bool has_content_length;
};

static void note_name(struct header_set *set, struct lc_sv name)
{
    if (lc_sv_equal_nocase(name, lc_sv_of("Cookie"))) {
        set->has_cookie = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Accept-Encoding"))) {
        set->has_accept_encoding = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("User-Agent"))) {
        set->has_user_agent = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Accept"))) {
        set->has_accept = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Authorization"))) {
        set->has_authorization = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Content-Type"))) {
        set->has_content_type = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Content-Length"))) {
        set->has_content_length = true;
    }
}

/* The call's own header of that name: its key and value (borrowed), false if it has none. */
static bool find_in_call(struct header_set *set, struct lc_sv name, PyObject **key,
                         PyObject **value)
{
    Py_ssize_t at = 0;
    struct lc_sv other;
    while (set->call_headers != NULL && PyDict_Next(set->call_headers, &at, key, value)) {
        if (header_view(*key, &other) && lc_sv_equal_nocase(name, other)) {
            return true;
        }
    }
    return false;
}

static int append_pair(struct lc_wire *wire, struct header_set *set, PyObject *key, PyObject *value)
{
    struct lc_sv name, text;
    if (value == Py_None) {
        return LC_WAY_SHORT; /* None removes a default */
    }
    if (!header_view(key, &name) || !header_view(value, &text) || name.len == 0 ||
        lc_sv_equal_nocase(name, lc_sv_of("Host")) ||
        lc_sv_equal_nocase(name, lc_sv_of("Transfer-Encoding")) ||
        memchr(name.ptr, ':', name.len) != NULL) {
        return LC_WAY_LONG;
    }
    note_name(set, name);
    return append_header(&wire->bytes, name, text) < 0 ? LC_WAY_ERROR : LC_WAY_SHORT;
}

/* One default of the session: the call's value for it if the call has one. */
static int append_default(struct lc_wire *wire, struct header_set *set, PyObject *pair)
{
    struct lc_sv name;
    if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
        return LC_WAY_LONG;
    }
    PyObject *key = PyTuple_GET_ITEM(pair, 0), *value = PyTuple_GET_ITEM(pair, 1);
    PyObject *own_key, *own_value;
    if (!header_view(key, &name)) {
        return LC_WAY_LONG;
    }
    if (find_in_call(set, name, &own_key, &own_value)) {
        key = own_key;
        value = own_value;
    }
    return append_pair(wire, set, key, value);
}

static bool is_default(struct py_session *session, struct header_set *set, PyObject *key)
{
    struct lc_sv name, other;
    Py_ssize_t at = 0;
    PyObject *lower, *pair;
    if (!header_view(key, &name)) {
        return false;
    }
    if (set->session_store == NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(session->wire_headers); i++) {
            pair = PyTuple_GET_ITEM(session->wire_headers, i);
            if (header_view(PyTuple_GET_ITEM(pair, 0), &other) && lc_sv_equal_nocase(name, other)) {
                return true;
            }
        }
        return false;
    }
    while (PyDict_Next(set->session_store, &at, &lower, &pair)) {
        if (header_view(lower, &other) && lc_sv_equal_nocase(name, other)) {
            return true;
        }
    }
    return false;
}

/* The first line of the session's block is Host. */
static int append_host(struct py_session *session, struct lc_wire *wire)
{
    const char *block = PyBytes_AS_STRING(session->header_block);
    const char *end = strchr(block, '\n');
    size_t len = end != NULL ? (size_t)(end + 1 - block) : 0;
    return append(&wire->bytes, block, len) < 0 ? LC_WAY_ERROR : LC_WAY_SHORT;
}

static int append_defaults(struct py_session *session, struct lc_wire *wire, struct header_set *set)
{
    int way = LC_WAY_SHORT;
    if (set->session_store == NULL) {
        for (Py_ssize_t i = 0; way == LC_WAY_SHORT && i < PyTuple_GET_SIZE(session->wire_headers);
             i++) {
            way = append_default(wire, set, PyTuple_GET_ITEM(session->wire_headers, i));
        }
        return way;
    }
    Py_ssize_t at = 0;
    PyObject *lower, *pair;
    while (way == LC_WAY_SHORT && PyDict_Next(set->session_store, &at, &lower, &pair)) {
        way = append_default(wire, set, pair);
    }
    return way;
}

static int append_call_headers(struct py_session *session, struct lc_wire *wire,
                               struct header_set *set)
{
    int way = LC_WAY_SHORT;
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (way == LC_WAY_SHORT && set->call_headers != NULL &&
           PyDict_Next(set->call_headers, &at, &key, &value)) {
        if (!is_default(session, set, key)) {
            way = append_pair(wire, set, key, value);
        }
    }
    return way;
}

static int append_cookies(struct py_session *session, struct lc_wire *wire, struct header_set *set)
{
    struct lc_buf header;
    if (session->jar.count == 0 || set->has_cookie) {
        return LC_WAY_SHORT;
    }
    lc_buf_init(&header, 1 << 20);
    int rc = lc_cookies_header(&session->jar, wire->host, wire->path, wire->secure,
                               (int64_t)(lc_realtime_ns() / 1000000000u), &header);
    struct lc_sv value = {header.ptr, header.len};
    if (rc == 0 && header.len > 0 && has_line_end(value)) {
        lc_buf_free(&header);
        return LC_WAY_LONG; /* which refuses it in words */
    }
    if (rc == 0 && header.len > 0) {
        rc = append_header(&wire->bytes, lc_sv_of("Cookie"), value);
    } else if (rc < 0) {
        PyErr_SetString(PyExc_MemoryError, lc_strerror(rc));
    }
    lc_buf_free(&header);
    return rc < 0 ? LC_WAY_ERROR : LC_WAY_SHORT;
}

static int append_headers(struct py_session *session, const struct lc_call *call,
                          struct lc_wire *wire, struct header_set *set)
{
    if (call->headers != NULL) {
        if (!PyDict_CheckExact(call->headers)) {
            return LC_WAY_LONG;
        }
        set->call_headers = call->headers;
    }
    PyObject *store = NULL; /* held while it is iterated over */
    if (session->headers != NULL) {
        store = PyObject_GetAttr(session->headers, session->state->str_store);
        if (store == NULL || !PyDict_Check(store)) {
            if (store == NULL && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
                return LC_WAY_ERROR;
            }
            PyErr_Clear();
            Py_XDECREF(store);
            return LC_WAY_LONG; /* a mapping of the user's own */
        }
        set->session_store = store;
    }
    int way;
    if (store == NULL && set->call_headers == NULL) {
        way = append(&wire->bytes, PyBytes_AS_STRING(session->header_block),
                     (size_t)PyBytes_GET_SIZE(session->header_block)) < 0
                  ? LC_WAY_ERROR
                  : LC_WAY_SHORT;
    } else {
        way = append_host(session, wire);
        if (way == LC_WAY_SHORT) {
            way = append_defaults(session, wire, set);
        }
        if (way == LC_WAY_SHORT) {
            way = append_call_headers(session, wire, set);
        }
        if (way == LC_WAY_SHORT && !(set->has_accept_encoding && set->has_user_agent)) {
            way = LC_WAY_LONG; /* removed: the long way knows what comes instead */
        }
    }
    Py_XDECREF(store);
    return way != LC_WAY_SHORT ? way : append_cookies(session, wire, set);
}

/* --- the body --- */

/* What the two clients send when the call does not say: requests' habits, geventhttpclient's. */
struct habits {
    const char *form;  /* content type of a dict */
    const char *text;  /* of a str; NULL: none */
    const char *bytes; /* of bytes; NULL: none */
    const char *content_type_name;
    bool json_accept;     /* "Accept: application/json" with json */
    bool length_if_named; /* methods that say Content-Length: 0: those named, or the others */
    const char *const *methods;
};

static const char *const requests_without_length[] = {"GET", "HEAD", NULL};
static const char *const fast_with_length[] = {"POST", "PUT", "PATCH", NULL};

static const struct habits habits_of[] = {
    [LC_FLAVOUR_REQUESTS] = {"application/x-www-form-urlencoded", NULL, NULL, "Content-Type", false,
                             false, requests_without_length},
    [LC_FLAVOUR_FAST] = {"application/x-www-form-urlencoded; charset=utf-8",
                         "text/plain; charset=utf-8", "application/octet-stream", "content-type",
                         true, true, fast_with_length},
};

struct body {
    PyObject *owner; /* new reference that keeps the bytes alive, or NULL */
    struct lc_sv bytes;
    const char *content_type; /* NULL: none */
    bool is_json;
    bool present;
};

static int body_of_text(struct body *body, PyObject *text)
{
    if (PyBytes_CheckExact(text)) {
        body->bytes = (struct lc_sv){PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text)};
    } else {
        body->bytes = lc_py_view(text);
        if (body->bytes.ptr == NULL) {
            return LC_WAY_ERROR;
        }
    }
    body->present = true;
    return LC_WAY_SHORT;
}

static int make_body(struct py_session *session, const struct lc_call *call, struct body *body)
{
    PyObject *data = call->data;
    const char *encoder = NULL;
    int truth = 0;
    if (data != NULL && (truth = PyObject_IsTrue(data)) < 0) {
        return LC_WAY_ERROR;
    }
    const struct habits *habits = &habits_of[session->flavour];
    if (truth && (PyBytes_CheckExact(data) || PyUnicode_CheckExact(data))) {
        body->content_type = PyBytes_CheckExact(data) ? habits->bytes : habits->text;
        return body_of_text(body, data);
    }
    if (truth) {
        if (!PyDict_CheckExact(data)) {
            return LC_WAY_LONG;
        }
        encoder = "_encode_form";
        body->content_type = habits->form;
    } else if (call->json != NULL) {
        data = call->json;
        encoder = "_encode_json";
        body->content_type = "application/json";
        body->is_json = true;
    } else {
        return LC_WAY_SHORT;
    }
    body->owner = PyObject_CallMethod((PyObject *)session, encoder, "(O)", data);
    return body->owner != NULL ? body_of_text(body, body->owner) : LC_WAY_ERROR;
}

static bool is_one_of(struct lc_sv method, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (method.len == strlen(*names) && memcmp(method.ptr, *names, method.len) == 0) {
            return true;
        }
    }
    return false;
}

/* The session's credentials as a header line: Basic for a pair, the long way for anything else. */
static int append_auth(struct py_session *session, struct lc_wire *wire, struct header_set *set)
{
    if (session->auth == NULL || session->auth == Py_None) {
        return LC_WAY_SHORT;
    }
    PyObject *line = PyObject_CallMethod((PyObject *)session, "_auth_line", "(O)", session->auth);
    if (line == NULL) {
        return LC_WAY_ERROR;
    }
    int way = LC_WAY_LONG;
    if (PyBytes_CheckExact(line) && !set->has_authorization) {
        struct lc_sv bytes = {PyBytes_AS_STRING(line), (size_t)PyBytes_GET_SIZE(line)};
        way = append_sv(&wire->bytes, bytes) < 0 ? LC_WAY_ERROR : LC_WAY_SHORT;
    }
    Py_DECREF(line);
    return way;
}

static int append_body(struct py_session *session, struct lc_wire *wire, struct header_set *set,
                       struct lc_sv method, const struct body *body)
{
    const struct habits *habits = &habits_of[session->flavour];
    char length[48];
    if (set->has_content_length) {
        return LC_WAY_LONG;
    }
    bool has_body = body->present && body->bytes.len > 0;
    if (has_body || is_one_of(method, habits->methods) == habits->length_if_named) {
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", body->bytes.len);
        if (append_text(&wire->bytes, length) < 0) {
            return LC_WAY_ERROR;
        }
    }
    if (body->content_type != NULL && !set->has_content_type &&
        append_header(&wire->bytes,
                      lc_sv_of(body->is_json ? "Content-Type" : habits->content_type_name),
                      lc_sv_of(body->content_type)) < 0) {
        return LC_WAY_ERROR;
    }
    if (body->is_json && habits->json_accept && !set->has_accept &&
        append_text(&wire->bytes, "Accept: application/json\r\n") < 0) {
        return LC_WAY_ERROR;
    }
    int way = append_auth(session, wire, set);
    if (way != LC_WAY_SHORT) {
        return way;
    }
    if (append_text(&wire->bytes, "\r\n") < 0 || append_sv(&wire->bytes, body->bytes) < 0) {
        return LC_WAY_ERROR;
    }
    return LC_WAY_SHORT;
}

void lc_py_wire_set_1_0(struct lc_buf *wire)
{
    static const char version[] = "HTTP/1.1\r\n";
    const char *end = memchr(wire->ptr, '\n', wire->len);
    size_t len = end != NULL ? (size_t)(end + 1 - wire->ptr) : 0;
    if (len >= sizeof version &&
        memcmp(end + 2 - sizeof version, version, sizeof version - 1) == 0) {
        wire->ptr[len - 3] = '0';
    }
}

static int write_request(struct py_session *session, const struct lc_call *call,
                         struct lc_wire *wire, const struct body *body)
{
    struct lc_sv method = lc_py_view(call->method);
    struct lc_sv target = lc_py_view(wire->target);
    struct header_set set = {0};
    size_t room = method.len + target.len + body->bytes.len + 64 +
                  (size_t)PyBytes_GET_SIZE(session->header_block);
    wire->is_head = method.len == 4 && memcmp(method.ptr, "HEAD", 4) == 0;
    int rc = lc_buf_reserve(&wire->bytes, room);
    if (rc < 0) {
        PyErr_SetString(PyExc_MemoryError, lc_strerror(rc));
        return LC_WAY_ERROR;
    }
    if (append_sv(&wire->bytes, method) < 0 || append_text(&wire->bytes, " ") < 0 ||
        append_sv(&wire->bytes, target) < 0 || append_text(&wire->bytes, " HTTP/1.1\r\n") < 0) {
        return LC_WAY_ERROR;
    }
    if (call->http_version == LC_PY_HTTP_1_0) {
        lc_py_wire_set_1_0(&wire->bytes);
    }
    int way = append_headers(session, call, wire, &set);
    return way != LC_WAY_SHORT ? way : append_body(session, wire, &set, method, body);
}

LC_OFF_STACK int lc_py_wire_build(struct py_session *session, const struct lc_call *call,
                                  struct lc_wire *wire)
{
    struct body body = {0};
    lc_buf_init(&wire->bytes, MAX_REQUEST);
    int way = lc_py_resolve_target(session, call, wire);
    if (way == LC_WAY_SHORT) {
        way = make_body(session, call, &body);
    }
    if (way == LC_WAY_SHORT) {
        way = write_request(session, call, wire, &body);
    }
    if (way == LC_WAY_SHORT) {
        /* geventhttpclient's users see the URL as it was given, without params. */
        wire->url = session->flavour == LC_FLAVOUR_FAST
                        ? PyUnicode_Concat(session->base_url, call->url)
                        : PyUnicode_Concat(session->base_origin, wire->target);
        way = wire->url != NULL ? LC_WAY_SHORT : LC_WAY_ERROR;
    }
    Py_XDECREF(body.owner);
    return way;
}

void lc_py_wire_free(struct lc_wire *wire)
{
    lc_buf_free(&wire->bytes);
    Py_CLEAR(wire->target);
    Py_CLEAR(wire->url);
    Py_CLEAR(wire->host_owner);
}
