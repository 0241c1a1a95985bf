#include "py_headers.h"

/* --- text --- */

bool lc_py_has_line_end(struct lc_sv text)
{
    return memchr(text.ptr, '\n', text.len) != NULL || memchr(text.ptr, '\r', text.len) != NULL ||
           memchr(text.ptr, '\0', text.len) != NULL;
}

bool lc_py_header_view(PyObject *text, struct lc_sv *out)
{
    if (PyBytes_CheckExact(text)) {
        *out = (struct lc_sv){PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text)};
    } else if (PyUnicode_CheckExact(text) && PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND) {
        *out = (struct lc_sv){(const char *)PyUnicode_1BYTE_DATA(text),
                              (size_t)PyUnicode_GET_LENGTH(text)};
    } else {
        return false;
    }
    return !lc_py_has_line_end(*out) &&
           (out->len == 0 || (out->ptr[0] != ' ' && out->ptr[0] != '\t'));
}

int lc_py_append(struct lc_buf *buf, struct lc_sv text)
{
    int rc = lc_buf_append(buf, text.ptr, text.len);
    if (rc < 0) {
        PyErr_SetString(rc == LC_ENOMEM ? PyExc_MemoryError : PyExc_ValueError, lc_strerror(rc));
        return LC_WAY_ERROR;
    }
    return LC_WAY_SHORT;
}

int lc_py_append_header(struct lc_buf *buf, struct lc_sv name, struct lc_sv value)
{
    if (lc_py_append(buf, name) < 0 || lc_py_append(buf, lc_sv_of(": ")) < 0 ||
        lc_py_append(buf, value) < 0) {
        return LC_WAY_ERROR;
    }
    return lc_py_append(buf, lc_sv_of("\r\n"));
}

/* RFC 9110, 5.6.2. */
static bool is_token(struct lc_sv text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && memchr("!#$%&'*+-.^_`|~", c, 15) == NULL) {
            return false;
        }
    }
    return text.len > 0;
}

static bool has_control(struct lc_sv text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

/* --- what has been written --- */

static void note_name(struct lc_header_set *set, struct lc_sv name)
{
    if (lc_sv_equal_nocase(name, lc_sv_of("Cookie"))) {
        set->has_cookie = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Accept-Encoding"))) {
        set->has_accept_encoding = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("User-Agent"))) {
        set->has_user_agent = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Authorization"))) {
        set->has_authorization = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Content-Type"))) {
        set->has_content_type = true;
    } else if (lc_sv_equal_nocase(name, lc_sv_of("Content-Length"))) {
        set->has_content_length = true;
    }
}

static bool may_be_written(const struct lc_header_set *set, PyObject *value, struct lc_sv name,
                           struct lc_sv text)
{
    if (name.len == 0 || lc_sv_equal_nocase(name, lc_sv_of("Host")) ||
        lc_sv_equal_nocase(name, lc_sv_of("Transfer-Encoding")) ||
        memchr(name.ptr, ':', name.len) != NULL) {
        return false;
    }
    if (!set->strict) {
        return true;
    }
    /* An empty content type counts as none there. */
    return is_token(name) && PyUnicode_CheckExact(value) && !has_control(text) &&
           !(text.len == 0 && lc_sv_equal_nocase(name, lc_sv_of("Content-Type")));
}

static int write_pair(struct lc_wire *wire, struct lc_header_set *set, PyObject *key,
                      PyObject *value)
{
    struct lc_sv name, text;
    if (value == Py_None && !set->strict) {
        return LC_WAY_SHORT; /* None removes a default */
    }
    if (!lc_py_header_view(key, &name) || !lc_py_header_view(value, &text) ||
        !may_be_written(set, value, name, text)) {
        return LC_WAY_LONG;
    }
    note_name(set, name);
    return lc_py_append_header(&wire->bytes, name, text);
}

static int write_added(struct lc_wire *wire, struct lc_header_set *set,
                       struct lc_added_header *added)
{
    added->written = true;
    note_name(set, added->name);
    return lc_py_append_header(&wire->bytes, added->name, added->value);
}

/* --- headers of the call, and added ones --- */

/* The call's own header of that name: its key and value (borrowed), false if it has none. */
static bool find_in_call(struct lc_header_set *set, struct lc_sv name, PyObject **key,
                         PyObject **value)
{
    Py_ssize_t at = 0;
    struct lc_sv other;
    while (set->call_headers != NULL && PyDict_Next(set->call_headers, &at, key, value)) {
        if (lc_py_header_view(*key, &other) && lc_sv_equal_nocase(name, other)) {
            return true;
        }
    }
    return false;
}

static struct lc_added_header *find_added(struct lc_header_set *set, struct lc_sv name)
{
    for (size_t i = 0; i < set->added_count; i++) {
        if (lc_sv_equal_nocase(set->added[i].name, name)) {
            return &set->added[i];
        }
    }
    return NULL;
}

/* Names that differ in their case only: one header for both clients, and the last value counts. */
static bool has_twice(PyObject *headers)
{
    Py_ssize_t at = 0, other_at;
    PyObject *key, *value;
    struct lc_sv name, other;
    while (PyDict_GET_SIZE(headers) > 1 && PyDict_Next(headers, &at, &key, &value)) {
        other_at = at;
        if (!lc_py_header_view(key, &name)) {
            continue;
        }
        while (PyDict_Next(headers, &other_at, &key, &value)) {
            if (lc_py_header_view(key, &other) && lc_sv_equal_nocase(name, other)) {
                return true;
            }
        }
    }
    return false;
}

bool lc_py_headers_take(struct lc_header_set *set, const struct lc_call *call)
{
    set->call_headers = call->headers;
    return call->headers == NULL || (PyDict_CheckExact(call->headers) && !has_twice(call->headers));
}

bool lc_py_headers_has(struct lc_header_set *set, const char *name)
{
    PyObject *key, *value;
    return find_in_call(set, lc_sv_of(name), &key, &value);
}

void lc_py_headers_add(struct lc_header_set *set, const char *name, struct lc_sv value)
{
    if (!lc_py_headers_has(set, name)) {
        set->added[set->added_count++] = (struct lc_added_header){lc_sv_of(name), value, false};
    }
}

/* --- defaults --- */

/* One default of the session: the call's value for it if the call has one. */
static int write_default(struct lc_wire *wire, struct lc_header_set *set, PyObject *pair)
{
    struct lc_sv name;
    if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2) {
        return LC_WAY_LONG;
    }
    PyObject *key = PyTuple_GET_ITEM(pair, 0), *value = PyTuple_GET_ITEM(pair, 1);
    PyObject *own_key, *own_value;
    if (!lc_py_header_view(key, &name)) {
        return LC_WAY_LONG;
    }
    if (find_in_call(set, name, &own_key, &own_value)) {
        return write_pair(wire, set, own_key, own_value);
    }
    struct lc_added_header *added = find_added(set, name);
    return added != NULL ? write_added(wire, set, added) : write_pair(wire, set, key, value);
}

static bool is_default(struct py_session *session, struct lc_header_set *set, PyObject *key)
{
    struct lc_sv name, other;
    Py_ssize_t at = 0;
    PyObject *lower, *pair;
    if (!lc_py_header_view(key, &name)) {
        return false;
    }
    if (set->session_store == NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(session->wire_headers); i++) {
            pair = PyTuple_GET_ITEM(session->wire_headers, i);
            if (lc_py_header_view(PyTuple_GET_ITEM(pair, 0), &other) &&
                lc_sv_equal_nocase(name, other)) {
                return true;
            }
        }
        return false;
    }
    while (PyDict_Next(set->session_store, &at, &lower, &pair)) {
        if (lc_py_header_view(lower, &other) && lc_sv_equal_nocase(name, other)) {
            return true;
        }
    }
    return false;
}

static int write_defaults(struct py_session *session, struct lc_wire *wire,
                          struct lc_header_set *set)
{
    int way = LC_WAY_SHORT;
    if (set->session_store == NULL) {
        for (Py_ssize_t i = 0; way == LC_WAY_SHORT && i < PyTuple_GET_SIZE(session->wire_headers);
             i++) {
            way = write_default(wire, set, PyTuple_GET_ITEM(session->wire_headers, i));
        }
        return way;
    }
    Py_ssize_t at = 0;
    PyObject *lower, *pair;
    while (way == LC_WAY_SHORT && PyDict_Next(set->session_store, &at, &lower, &pair)) {
        way = write_default(wire, set, pair);
    }
    return way;
}

static int write_own(struct py_session *session, struct lc_wire *wire, struct lc_header_set *set)
{
    int way = LC_WAY_SHORT;
    Py_ssize_t at = 0;
    PyObject *key, *value;
    while (way == LC_WAY_SHORT && set->call_headers != NULL &&
           PyDict_Next(set->call_headers, &at, &key, &value)) {
        if (!is_default(session, set, key)) {
            way = write_pair(wire, set, key, value);
        }
    }
    for (size_t i = 0; way == LC_WAY_SHORT && i < set->added_count; i++) {
        if (!set->added[i].written) {
            way = write_added(wire, set, &set->added[i]);
        }
    }
    return way;
}

/* The session's headers as a dict that stays while it is iterated over: a new reference, NULL if
 * they are as they were made. */
static int take_store(struct py_session *session, PyObject **store)
{
    *store = NULL;
    if (session->headers == NULL) {
        return LC_WAY_SHORT;
    }
    *store = PyObject_GetAttr(session->headers, session->state->str_store);
    if (*store != NULL && PyDict_Check(*store)) {
        return LC_WAY_SHORT;
    }
    if (*store == NULL && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return LC_WAY_ERROR;
    }
    PyErr_Clear();
    Py_CLEAR(*store);
    return LC_WAY_LONG; /* a mapping of the user's own */
}

/* Where the session's block goes on behind Host, which is its first line. */
static const char *behind_host(struct py_session *session)
{
    const char *block = PyBytes_AS_STRING(session->header_block);
    const char *end = strchr(block, '\n');
    return end != NULL ? end + 1 : block;
}

/* Whether the defaults are as they were made, and nothing can replace one of them: written in one
 * piece then. geventhttpclient's only default is User-Agent. */
static bool are_untouched(struct py_session *session, const struct lc_header_set *set)
{
    return session->headers == NULL && set->call_headers == NULL &&
           (!set->strict || PyTuple_GET_SIZE(session->wire_headers) == 1);
}

static int write_untouched(struct py_session *session, struct lc_wire *wire,
                           struct lc_header_set *set)
{
    set->has_user_agent = true;
    set->has_accept_encoding = true;
    return lc_py_append(&wire->bytes, lc_sv_of(behind_host(session)));
}

int lc_py_headers_write(struct py_session *session, struct lc_wire *wire, struct lc_header_set *set)
{
    PyObject *store;
    int way = take_store(session, &store);
    if (way == LC_WAY_SHORT) {
        set->session_store = store;
        way = are_untouched(session, set) ? write_untouched(session, wire, set)
                                          : write_defaults(session, wire, set);
    }
    if (way == LC_WAY_SHORT) {
        way = write_own(session, wire, set);
    }
    if (way == LC_WAY_SHORT && !(set->has_accept_encoding && set->has_user_agent)) {
        way = LC_WAY_LONG; /* removed: the long way knows what comes instead */
    }
    Py_XDECREF(store);
    return way;
}

int lc_py_headers_write_host(struct py_session *session, struct lc_wire *wire)
{
    const char *block = PyBytes_AS_STRING(session->header_block);
    size_t len = (size_t)(behind_host(session) - block);
    return lc_py_append(&wire->bytes, (struct lc_sv){block, len});
}

int lc_py_headers_write_cookies(struct py_session *session, struct lc_wire *wire,
                                const struct lc_header_set *set)
{
    struct lc_buf header;
    if (session->jar.count == 0 || set->has_cookie) {
        return LC_WAY_SHORT;
    }
    lc_buf_init(&header, 1 << 20);
    int rc = lc_cookies_header(&session->jar, wire->host, wire->path, wire->secure,
                               (int64_t)(lc_realtime_ns() / 1000000000u), &header);
    struct lc_sv value = {header.ptr, header.len};
    int way = LC_WAY_SHORT;
    if (rc < 0) {
        PyErr_SetString(PyExc_MemoryError, lc_strerror(rc));
        way = LC_WAY_ERROR;
    } else if (header.len > 0 && lc_py_has_line_end(value)) {
        way = LC_WAY_LONG; /* which refuses it in words */
    } else if (header.len > 0) {
        way = lc_py_append_header(&wire->bytes, lc_sv_of("Cookie"), value);
    }
    lc_buf_free(&header);
    return way;
}
