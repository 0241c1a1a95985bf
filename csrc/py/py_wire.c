#include "py_headers.h"

enum { MAX_REQUEST = 1 << 30 };

struct lc_sv lc_py_view(PyObject *text)
{
    Py_ssize_t len;
    const char *ptr = PyUnicode_AsUTF8AndSize(text, &len);
    return (struct lc_sv){ptr, ptr != NULL ? (size_t)len : 0};
}

/* --- the body --- */

enum body_kind { BODY_NONE, BODY_BYTES, BODY_TEXT, BODY_FORM, BODY_JSON };

/* The content types that the two clients write for a body of that kind; NULL: none. */
static const char *const content_types[][BODY_JSON + 1] = {
    [LC_FLAVOUR_REQUESTS] = {NULL, NULL, NULL, "application/x-www-form-urlencoded",
                             "application/json"},
    [LC_FLAVOUR_FAST] = {NULL, "application/octet-stream", "text/plain; charset=utf-8",
                         "application/x-www-form-urlencoded; charset=utf-8", "application/json"},
};

struct body {
    PyObject *owner; /* new reference that keeps the bytes alive, or NULL */
    struct lc_sv bytes;
    enum body_kind kind;
};

static int body_of_text(struct body *body, PyObject *text)
{
    if (PyBytes_CheckExact(text)) {
        body->bytes = (struct lc_sv){PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text)};
        return LC_WAY_SHORT;
    }
    body->bytes = lc_py_view(text);
    return body->bytes.ptr != NULL ? LC_WAY_SHORT : LC_WAY_ERROR;
}

static int make_body(struct py_session *session, const struct lc_call *call, struct body *body)
{
    PyObject *data = call->data;
    int truth = 0;
    if (data != NULL && (truth = PyObject_IsTrue(data)) < 0) {
        return LC_WAY_ERROR;
    }
    if (truth && (PyBytes_CheckExact(data) || PyUnicode_CheckExact(data))) {
        body->kind = PyBytes_CheckExact(data) ? BODY_BYTES : BODY_TEXT;
        return body_of_text(body, data);
    }
    if (truth) {
        if (!PyDict_CheckExact(data)) {
            return LC_WAY_LONG;
        }
        body->kind = BODY_FORM;
    } else if (call->json != NULL) {
        data = call->json;
        body->kind = BODY_JSON;
    } else {
        return LC_WAY_SHORT;
    }
    const char *encoder = body->kind == BODY_FORM ? "_encode_form" : "_encode_json";
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

static int append_text(struct lc_wire *wire, const char *text)
{
    return lc_py_append(&wire->bytes, lc_sv_of(text));
}

static int append_length(struct lc_wire *wire, const char *name, const struct body *body)
{
    char length[48];
    snprintf(length, sizeof length, "%s: %zu\r\n", name, body->bytes.len);
    return append_text(wire, length);
}

/* --- requests' order --- */

/* The session's credentials as a header line: Basic for a pair, the long way for anything else. */
static int append_auth(struct py_session *session, struct lc_wire *wire, struct lc_header_set *set)
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
        way = lc_py_append(&wire->bytes, bytes);
    }
    Py_DECREF(line);
    return way;
}

/* Host, defaults, the call's headers, cookies, then what describes the body, and credentials. */
static int append_as_requests(struct py_session *session, struct lc_wire *wire,
                              struct lc_header_set *set, struct lc_sv method,
                              const struct body *body)
{
    static const char *const without_length[] = {"GET", "HEAD", NULL};
    const char *content_type = content_types[LC_FLAVOUR_REQUESTS][body->kind];
    int way = lc_py_headers_write_host(session, wire);
    if (way == LC_WAY_SHORT) {
        way = lc_py_headers_write(session, wire, set);
    }
    if (way == LC_WAY_SHORT && set->has_content_length) {
        way = LC_WAY_LONG;
    }
    if (way == LC_WAY_SHORT) {
        way = lc_py_headers_write_cookies(session, wire, set);
    }
    if (way == LC_WAY_SHORT && (body->bytes.len > 0 || !is_one_of(method, without_length))) {
        way = append_length(wire, "Content-Length", body);
    }
    if (way == LC_WAY_SHORT && content_type != NULL && !set->has_content_type) {
        way = lc_py_append_header(&wire->bytes, lc_sv_of("Content-Type"), lc_sv_of(content_type));
    }
    return way == LC_WAY_SHORT ? append_auth(session, wire, set) : way;
}

/* --- the fast client's order --- */

/* What Locust's fast client adds to the headers of a call: credentials of the base URL, the codings
 * that it can undo, and what json= means. */
static int add_headers(struct py_session *session, struct lc_header_set *set,
                       const struct body *body)
{
    struct lc_sv authorization;
    if (session->auth != NULL && session->auth != Py_None) {
        if (!lc_py_header_view(session->auth, &authorization) ||
            lc_py_headers_has(set, "Authorization")) {
            return LC_WAY_LONG;
        }
        lc_py_headers_add(set, "Authorization", authorization);
    }
    lc_py_headers_add(set, "Accept-Encoding", lc_sv_of("gzip, deflate, br"));
    if (body->kind == BODY_JSON) {
        struct lc_sv json = lc_sv_of(content_types[LC_FLAVOUR_FAST][BODY_JSON]);
        lc_py_headers_add(set, "Content-Type", json);
        lc_py_headers_add(set, "Accept", json);
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

/* Defaults, the call's headers, what describes the body, cookies, Host, then the length if it is
 * not among what describes the body. */
static int append_as_geventhttpclient(struct py_session *session, struct lc_wire *wire,
                                      struct lc_header_set *set, struct lc_sv method,
                                      const struct body *body)
{
    static const char *const with_length[] = {"POST", "PUT", "PATCH", NULL};
    set->strict = true;
    int way = add_headers(session, set, body);
    if (way == LC_WAY_SHORT) {
        way = lc_py_headers_write(session, wire, set);
    }
    if (way == LC_WAY_SHORT && set->has_content_length) {
        way = LC_WAY_LONG;
    }
    const char *content_type =
        set->has_content_type ? NULL : content_types[LC_FLAVOUR_FAST][body->kind];
    bool has_length = body->kind == BODY_FORM || (body->kind == BODY_TEXT && content_type != NULL);
    if (way == LC_WAY_SHORT && content_type != NULL) {
        way = lc_py_append_header(&wire->bytes, lc_sv_of("content-type"), lc_sv_of(content_type));
    }
    if (way == LC_WAY_SHORT && has_length) {
        way = append_length(wire, "content-length", body);
    }
    if (way == LC_WAY_SHORT) {
        way = lc_py_headers_write_cookies(session, wire, set);
    }
    if (way == LC_WAY_SHORT) {
        way = lc_py_headers_write_host(session, wire);
    }
    if (way == LC_WAY_SHORT && !has_length &&
        (body->bytes.len > 0 || is_one_of(method, with_length))) {
        way = append_length(wire, "Content-Length", body);
    }
    return way;
}

static int write_request(struct py_session *session, const struct lc_call *call,
                         struct lc_wire *wire, const struct body *body)
{
    struct lc_sv method = lc_py_view(call->method);
    struct lc_sv target = lc_py_view(wire->target);
    struct lc_header_set set = {0};
    size_t room = method.len + target.len + body->bytes.len + 64 +
                  (size_t)PyBytes_GET_SIZE(session->header_block);
    wire->is_head = method.len == 4 && memcmp(method.ptr, "HEAD", 4) == 0;
    int rc = lc_buf_reserve(&wire->bytes, room);
    if (rc < 0) {
        PyErr_SetString(PyExc_MemoryError, lc_strerror(rc));
        return LC_WAY_ERROR;
    }
    if (!lc_py_headers_take(&set, call)) {
        return LC_WAY_LONG;
    }
    if (lc_py_append(&wire->bytes, method) < 0 || append_text(wire, " ") < 0 ||
        lc_py_append(&wire->bytes, target) < 0 || append_text(wire, " HTTP/1.1\r\n") < 0) {
        return LC_WAY_ERROR;
    }
    if (call->http_version == LC_PY_HTTP_1_0) {
        lc_py_wire_set_1_0(&wire->bytes);
    }
    int way = session->flavour == LC_FLAVOUR_FAST
                  ? append_as_geventhttpclient(session, wire, &set, method, body)
                  : append_as_requests(session, wire, &set, method, body);
    if (way != LC_WAY_SHORT) {
        return way;
    }
    return append_text(wire, "\r\n") < 0 ? LC_WAY_ERROR : lc_py_append(&wire->bytes, body->bytes);
}

LC_OFF_STACK int lc_py_wire_build(struct py_session *session, const struct lc_call *call,
                                  struct lc_wire *wire)
{
    struct body body = {0};
    lc_buf_init(&wire->bytes, MAX_REQUEST);
    int way = lc_py_resolve_target(session, call, wire);
    if (way == LC_WAY_SHORT) {
        way = make_body(session, call, &body);
        wire->body_is_text = body.kind == BODY_TEXT || body.kind == BODY_FORM;
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
