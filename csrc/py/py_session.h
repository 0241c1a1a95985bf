/* The HTTP session as a Python object: connection pool, cookie jar, settings, and the short way of
 * a plain call from Python to the engine and back.
 *
 *   py_session  the type: settings, pool, origin
 *   py_cookies  its cookies, for the Python view of them
 *   py_verbs    request(), get(), post(), ...: which way a call goes
 *   py_call     the arguments of request(), get(), post(), ...
 *   py_target   where a request goes: origin, path and query
 *   py_headers  the header lines of the request
 *   py_wire     the bytes of the request
 *   py_exchange the request itself: submit, park, response, sample
 *   py_submit   a greenlet waits for the engine, and feeds it
 *   py_stream   a body that is read while it arrives
 *   py_pool     connections that several sessions share */
#ifndef LC_PY_SESSION_H
#define LC_PY_SESSION_H

#include "cookies.h"
#include "engine.h"
#include "module.h"
#include "py_engine.h"
#include "py_pool.h"
#include "py_response.h"
#include "py_watch.h"
#include "url.h"

/* Settings of requests.Session that users read, set and mutate; NULL is the default: X(name). */
#define LC_PY_SETTINGS(X)                                                                          \
    X(headers)                                                                                     \
    X(auth)                                                                                        \
    X(proxies)                                                                                     \
    X(hooks)                                                                                       \
    X(params)                                                                                      \
    X(verify)                                                                                      \
    X(cert)                                                                                        \
    X(adapters)                                                                                    \
    X(cookies)

enum lc_flavour { LC_FLAVOUR_REQUESTS, LC_FLAVOUR_FAST };

/* X(constant, what users write, version of the engine's request). */
#define LC_PY_HTTP_VERSIONS(X)                                                                     \
    X(LC_PY_HTTP_1_1, "1.1", LC_HTTP_1)                                                            \
    X(LC_PY_HTTP_1_0, "1.0", LC_HTTP_1)                                                            \
    X(LC_PY_HTTP_2, "2", LC_HTTP_2)

enum lc_py_http_version {
#define LC_PY_HTTP_ENUM(constant, text, version) constant,
    LC_PY_HTTP_VERSIONS(LC_PY_HTTP_ENUM)
#undef LC_PY_HTTP_ENUM
};

struct py_session {
    PyObject_HEAD
    struct lc_state *state; /* of the module, which the type keeps alive */
    struct py_engine *engine;
    PyObject *base_url;
    PyObject *request_event;
    PyObject *user;
    struct py_watch *watch; /* NULL: patches of libraries do not matter */
    PyObject *user_context; /* user.context if its class overrides it, or NULL */
    PyObject *request_name; /* default name of requests, or NULL */
    PyTypeObject *response_type;
    PyTypeObject *context_type; /* of responses of calls with catch_response=True */
    PyObject *base_origin;      /* str: base_url without its path */
    PyObject *header_block;     /* bytes: Host and default headers as they go on the wire */
    PyObject *wire_headers;     /* default headers with their values, a tuple of pairs */
#define LC_PY_SETTING_FIELD(setting) PyObject *setting;
    LC_PY_SETTINGS(LC_PY_SETTING_FIELD)
#undef LC_PY_SETTING_FIELD
    struct lc_cookies jar;
    struct lc_pool own_pool;
    struct lc_pool *pool;         /* own_pool, or the shared one's */
    struct py_pool *shared_pool;  /* NULL: the session has its own */
    PyObject *connection_options; /* of the user's class; NULL or None: nothing is set */
    struct lc_origin *origin;     /* of base_url; NULL until the first request or after a change */
    struct lc_url base;           /* views into base_url's UTF-8; valid if base_is_plain */
    uint64_t connect_timeout_ns;
    uint64_t read_timeout_ns;
    size_t max_body;         /* bytes, as received and as decoded */
    bool base_is_plain;      /* absolute http(s) URL without query, fragment or credentials */
    uint32_t watch_changes;  /* changes of the watch when the flags below were set */
    char request_overridden; /* a subclass or the user replaced request() */
    char keeps_cookies;      /* false: requests takes cookies out of responses */
    char long_way_only;      /* an adapter of the user's, or a replaced send() */
    uint8_t flavour;
    uint8_t http_version;   /* enum lc_py_http_version */
    uint16_t resend_closed; /* see struct lc_request */
    uint16_t resend_late;
};

/* The arguments of one call; all borrowed, NULL: not given or None. */
struct lc_call {
    PyObject *method;
    PyObject *url;
    PyObject *name;
    PyObject *context;
    PyObject *data;
    PyObject *json;
    PyObject *headers;
    PyObject *params;
    PyObject *pieces;     /* iterator of bytes: the body, sent while they come */
    struct lc_pool *pool; /* NULL: the session's */
    uint64_t connect_timeout_ns;
    uint64_t read_timeout_ns;
    uint8_t http_version;
    bool chunked; /* the pieces go out in chunks */
    bool stream;  /* the response is there with its head */
    bool catch_response;
    bool allow_redirects;
    bool simple; /* nothing that only the long way knows */
};

/* What a call becomes on the wire. */
struct lc_wire {
    struct lc_buf bytes;
    struct lc_origin *origin;
    struct lc_sv host; /* for cookies */
    struct lc_sv path;
    PyObject *host_owner; /* new reference: what host points into, or NULL */
    bool secure;
    bool is_head;
    bool body_is_text;
    PyObject *target; /* str, new reference: path and query */
    PyObject *url;    /* str, new reference: absolute */
};

enum lc_way { LC_WAY_ERROR = -1, LC_WAY_SHORT = 0, LC_WAY_LONG = 1 };

/* py_call.c. */
int lc_py_call_parse(struct py_session *session, struct lc_call *call, PyObject *const *args,
                     Py_ssize_t count, PyObject *names) LC_MUST_USE;
/* Seconds (number, pair or None) to nanoseconds; LC_WAY_LONG: leave it to the long way. */
int lc_py_timeout(PyObject *timeout, uint64_t *connect_ns, uint64_t *read_ns) LC_MUST_USE;

/* "1.0", "1.1" or "2"; -1 with ValueError that says what is possible. */
int lc_py_http_version(PyObject *text, uint8_t *out) LC_MUST_USE;

/* py_verbs.c: the methods of the type. */
#define LC_PY_VERBS(X) X(get) X(options) X(head) X(post) X(put) X(patch) X(delete) X(request)
#define LC_PY_DECLARE_VERB(verb)                                                                   \
    PyObject *lc_py_session_##verb(PyObject *op, PyObject *const *args, Py_ssize_t count,          \
                                   PyObject *names);
LC_PY_VERBS(LC_PY_DECLARE_VERB)
#undef LC_PY_DECLARE_VERB
PyObject *lc_py_session_exchange(PyObject *op, PyObject *args, PyObject *kwargs);

/* py_cookies.c: the methods behind SessionCookies. */
PyObject *lc_py_session_cookie_list(PyObject *op, PyObject *ignored);
PyObject *lc_py_session_cookie_put(PyObject *op, PyObject *args);
PyObject *lc_py_session_cookie_remove(PyObject *op, PyObject *args);

/* py_wire.c. LC_WAY_LONG: requests' own preparation has to do it. The wire is freed by the caller.
 */
int lc_py_wire_build(struct py_session *session, const struct lc_call *call,
                     struct lc_wire *wire) LC_MUST_USE;
void lc_py_wire_free(struct lc_wire *wire);
/* Makes the request line of HTTP/1.1 one of HTTP/1.0. */
void lc_py_wire_set_1_0(struct lc_buf *wire);
/* The UTF-8 of a str, owned by it; ptr NULL with an exception. */
struct lc_sv lc_py_view(PyObject *text);
/* py_target.c: sets target, path, host, origin and secure of the wire. */
int lc_py_resolve_target(struct py_session *session, const struct lc_call *call,
                         struct lc_wire *wire) LC_MUST_USE;
/* The origin for a split URL under the given verify and cert settings (NULL: the defaults). */
int lc_py_origin(struct py_session *session, const struct lc_url *url, PyObject *verify,
                 PyObject *cert, PyObject *proxy, struct lc_origin **out) LC_MUST_USE;

/* py_exchange.c: sends the wire's bytes (taken over), parks, and gives a new response without
 * judging it: content decoded, cookies taken, times set; no sample yet. NULL with what was thrown
 * into the greenlet. */
struct py_response *lc_py_exchange(struct py_session *session, struct lc_wire *wire,
                                   const struct lc_call *call, uint64_t start_ns);
/* The short way of one call, from start to sample. LC_WAY_LONG: nothing was sent. */
int lc_py_session_call(struct py_session *session, const struct lc_call *call,
                       PyObject **out) LC_MUST_USE;

#endif
