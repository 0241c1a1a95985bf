/* The header lines of a request: the session's defaults, the call's own, and what the client adds
 * to those of the call; in the order, and with the refusals, of the client that is imitated.
 * Functions of py_headers.c return LC_WAY_SHORT, LC_WAY_LONG (leave the call to the long way) or
 * LC_WAY_ERROR with an exception. */
#ifndef LC_PY_HEADERS_H
#define LC_PY_HEADERS_H

#include "py_session.h"

enum { LC_MAX_ADDED = 4 };

/* A header that the client adds to those of the call: it replaces a default of that name. */
struct lc_added_header {
    struct lc_sv name;
    struct lc_sv value;
    bool written;
};

struct lc_header_set {
    PyObject *session_store; /* {lower-cased name: (name, value)}, or NULL */
    PyObject *call_headers;  /* dict, or NULL */
    struct lc_added_header added[LC_MAX_ADDED];
    size_t added_count;
    bool strict;     /* names are tokens, values are str without control characters */
    bool has_cookie; /* what has been written, whoever it is from */
    bool has_authorization;
    bool has_accept_encoding;
    bool has_user_agent;
    bool has_content_type;
    bool has_content_length;
};

/* True if the text would end its line, and the request with it. */
bool lc_py_has_line_end(struct lc_sv text);
/* A str of latin-1 characters, or bytes, without line ends and leading blanks, as it goes on the
 * wire. */
bool lc_py_header_view(PyObject *text, struct lc_sv *out);
int lc_py_append(struct lc_buf *buf, struct lc_sv text) LC_MUST_USE;
int lc_py_append_header(struct lc_buf *buf, struct lc_sv name, struct lc_sv value) LC_MUST_USE;

/* Sets call_headers, which the next two look at; false if they are none the short way knows. */
bool lc_py_headers_take(struct lc_header_set *set, const struct lc_call *call);
bool lc_py_headers_has(struct lc_header_set *set, const char *name);
/* Adds a header to those of the call, unless the call has it. */
void lc_py_headers_add(struct lc_header_set *set, const char *name, struct lc_sv value);

/* Writes defaults, the call's headers and added ones; Host is not among them. */
int lc_py_headers_write(struct py_session *session, struct lc_wire *wire,
                        struct lc_header_set *set) LC_MUST_USE;
int lc_py_headers_write_host(struct py_session *session, struct lc_wire *wire) LC_MUST_USE;
/* What the jar has for the target, unless a Cookie header was written. */
int lc_py_headers_write_cookies(struct py_session *session, struct lc_wire *wire,
                                const struct lc_header_set *set) LC_MUST_USE;

#endif
