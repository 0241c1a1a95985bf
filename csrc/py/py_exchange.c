#include "py_session.h"

#include "compat.h"

#include "decode.h"
#include "py_times.h"
#include "py_stream.h"
#include "py_submit.h"
#include "sample.h"

enum { MAX_HEAD = 1 << 20 };

/* --- from the engine's result to the response --- */

/* The codings to undo, in the order they were applied; 0 if there is none, or one nobody knows. */
static size_t codings_of(const struct lc_http1 *parsed, uint8_t codings[LC_DECODER_MAX_CODINGS])
{
    size_t count = parsed->coding != LC_CODING_IDENTITY;
    codings[0] = parsed->coding;
    if (parsed->coding == LC_CODING_OTHER) {
        struct lc_sv head = {parsed->head.ptr, parsed->head.len};
        count = lc_http1_codings(head, codings, LC_DECODER_MAX_CODINGS);
    }
    for (size_t i = 0; i < count && i < LC_DECODER_MAX_CODINGS; i++) {
        if (codings[i] == LC_CODING_OTHER) {
            return 0;
        }
    }
    return count;
}

/* As lc_decode_codings, which refuses more than it can keep apart. */
static int decode(const uint8_t *codings, size_t count, struct lc_sv body, struct lc_buf *out,
                  char reason[LC_DECODER_REASON_MAX])
{
    if (count > LC_DECODER_MAX_CODINGS) {
        snprintf(reason, LC_DECODER_REASON_MAX, "Too many content encodings in the chain: %zu > %d",
                 count, LC_DECODER_MAX_CODINGS);
        return LC_EDECODE;
    }
    int rc = lc_decode_codings(codings, count, body.ptr, body.len, out, reason);
    if (rc == LC_ELIMIT) {
        snprintf(reason, LC_DECODER_REASON_MAX, "the response body is longer than the limit");
    }
    return rc;
}

static int take_content(const struct py_session *session, struct py_response *response,
                        struct lc_exchange *exchange, char reason[LC_DECODER_REASON_MAX])
{
    struct lc_http1 *parsed = &exchange->response;
    struct lc_buf decoded;
    uint8_t codings[LC_DECODER_MAX_CODINGS];
    size_t count = codings_of(parsed, codings);
    struct lc_sv body = {parsed->body.ptr, parsed->body.len};
    lc_buf_init(&decoded, session->max_body);
    if (body.len > 0 && count > 0) {
        int rc = decode(codings, count, body, &decoded, reason);
        if (rc == LC_ENOMEM) {
            PyErr_NoMemory();
            return -1;
        }
        if (rc < 0 && exchange->err == 0) {
            response->err = rc;
            response->status = 0;
            return 0;
        }
        if (rc == 0) {
            lc_buf_free(&parsed->body);
            lc_buf_move(&parsed->body, &decoded);
        }
    }
    lc_buf_move(&response->body, &parsed->body);
    response->has_body = true;
    return 0;
}

LC_RARE static int take_cookies(struct py_session *session, const struct lc_wire *wire,
                                struct lc_exchange *exchange)
{
    struct lc_sv head = {exchange->response.head.ptr, exchange->response.head.len};
    struct lc_sv name, value;
    size_t pos = 0;
    int64_t now = (int64_t)(lc_realtime_ns() / 1000000000u);
    while (lc_http1_next_header(head, &pos, &name, &value)) {
        if (lc_sv_equal_nocase(name, lc_sv_of("Set-Cookie")) &&
            lc_cookies_set_from(&session->jar, value, wire->host, wire->path, wire->secure, now) <
                0) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

/* Turns the engine's code into the exception that users of this kind of session know. */
LC_RARE static int take_error(struct py_session *session, struct py_response *response,
                              const struct lc_exchange *exchange, const char *reason)
{
    if (reason == NULL) {
        reason = lc_strerror(response->err);
    }
    /* It may show bytes of the peer. */
    PyObject *text = PyUnicode_DecodeUTF8(reason, (Py_ssize_t)strlen(reason), "surrogateescape");
    uint64_t timeout_ns = response->err == LC_ECONNTIMEOUT ? exchange->request.connect_timeout_ns
                                                           : exchange->request.read_timeout_ns;
    PyObject *error = PyObject_CallMethod(
        (PyObject *)session, "_failed", "OiNinKdO", (PyObject *)response, response->err, text,
        exchange->os_errno, (Py_ssize_t)exchange->response.body.len,
        (unsigned long long)exchange->response.remaining, (double)timeout_ns / 1e9,
        exchange->response.head_done ? Py_True : Py_False);
    if (error == NULL) {
        return -1;
    }
    Py_XSETREF(response->exception, error);
    return 0;
}

/* geventhttpclient keeps what had come of a response that was cut short in its body. */
static bool keeps_part(const struct py_session *session, const struct lc_exchange *exchange)
{
    bool cut = exchange->err == LC_ETRUNCATED || exchange->err == LC_ERESET ||
               exchange->err == LC_EREADTIMEOUT;
    return cut && exchange->response.head_done && session->flavour == LC_FLAVOUR_FAST;
}

/* The head is there and the body is read by who wants it; whether it breaks off shows then. */
static bool is_streamed(const struct lc_exchange *exchange)
{
    return exchange->request.streams && exchange->response.head_done;
}

/* The engine still has a use for the request of a streamed response: it may not all be sent, and
 * whether it is decides what becomes of the connection. */
static int take_request(struct py_response *response, struct lc_exchange *exchange, bool streamed)
{
    struct lc_buf *wire = &exchange->request.wire;
    if (!streamed) {
        lc_buf_move(&response->wire, wire);
    } else if (lc_buf_append(&response->wire, wire->ptr, wire->len) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

LC_OFF_STACK static int fill_response(struct py_session *session, struct lc_wire *wire,
                                      struct py_response *response, struct lc_exchange *exchange)
{
    bool streamed = is_streamed(exchange);
    response->err = streamed ? 0 : exchange->err;
    response->times = exchange->times;
    if (streamed) {
        response->times.ended = 0; /* that is up to who reads */
    }
    response->resent = exchange->resent;
    if (take_request(response, exchange, streamed) < 0) {
        return -1;
    }
    const char *reason = exchange->reason;
    char undecodable[LC_DECODER_REASON_MAX];
    if (response->err == 0 || keeps_part(session, exchange)) {
        response->status = exchange->response.status;
        if ((!streamed && take_content(session, response, exchange, undecodable) < 0) ||
            (exchange->response.has_set_cookie && session->keeps_cookies &&
             take_cookies(session, wire, exchange) < 0)) {
            return -1;
        }
    }
    if (response->err != exchange->err) {
        reason = undecodable;
    }
    lc_buf_move(&response->head, &exchange->response.head);
    return response->err != 0 ? take_error(session, response, exchange, reason) : 0;
}

static uint8_t engine_version(uint8_t http_version)
{
    static const uint8_t versions[] = {
#define ENGINE_VERSION(constant, text, version) [constant] = version,
        LC_PY_HTTP_VERSIONS(ENGINE_VERSION)
#undef ENGINE_VERSION
    };
    return versions[http_version];
}

/* Methods that geventhttpclient sends again (RFC 9110, 9.2.2). */
static bool is_idempotent(PyObject *method)
{
    static const char *const names[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(method, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

LC_CALLS_PYTHON struct py_response *lc_py_exchange(struct py_session *session, struct lc_wire *wire,
                                                   const struct lc_call *call, uint64_t start_ns)
{
    struct lc_request request = {
        .pool = call->pool != NULL ? call->pool : session->pool,
        .origin = wire->origin,
        .is_head = wire->is_head,
        .streams = call->stream,
        .feeds = call->pieces != NULL,
        .chunked = call->chunked,
        .version = engine_version(call->http_version),
        .connect_timeout_ns = call->connect_timeout_ns,
        .read_timeout_ns = call->read_timeout_ns,
        .max_head = MAX_HEAD,
        .max_body = session->max_body,
        .start_ns = start_ns,
    };
    if ((session->resend_closed != 0 || session->resend_late != 0) && is_idempotent(call->method)) {
        request.resend_closed = session->resend_closed;
        request.resend_late = session->resend_late;
    }
    lc_buf_move(&request.wire, &wire->bytes);
    /* The session may be given another pool meanwhile. */
    struct py_pool *shared = (struct py_pool *)Py_XNewRef((PyObject *)session->shared_pool);
    struct lc_exchange *exchange = lc_py_submit(session->engine, &request, call->pieces);
    Py_XDECREF((PyObject *)shared);
    lc_buf_free(&request.wire);
    if (exchange == NULL) {
        return NULL;
    }
    PyTypeObject *type = call->catch_response ? session->context_type : session->response_type;
    struct py_response *response = lc_py_response_new(type);
    if (response != NULL) {
        response->catch_response = call->catch_response;
        response->body_is_text = wire->body_is_text;
        response->method = Py_NewRef(call->method);
        response->url = Py_NewRef(wire->url);
    }
    if (response != NULL && fill_response(session, wire, response, exchange) < 0) {
        Py_CLEAR(response);
    }
    if (response != NULL && is_streamed(exchange)) {
        response->stream = lc_py_stream_new(session, wire->url, exchange);
        if (response->stream == NULL) {
            Py_CLEAR(response);
        }
        return response;
    }
    lc_op_free(&exchange->op);
    lc_py_engine_let_go(session->engine);
    return response;
}

/* --- the short way --- */

static bool is_redirect(const struct py_response *response, struct lc_sv *location)
{
    switch (response->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308: {
        struct lc_sv head = {response->head.ptr, response->head.len};
        return lc_http1_find_header(head, "Location", location);
    }
    default:
        return false;
    }
}

static void set_response_time(struct py_response *response)
{
    const struct lc_times *times = &response->times;
    uint64_t end = lc_py_times_end(times, response->err);
    response->response_time_ms = end > times->start ? (double)(end - times->start) / 1e6 : 0;
}

/* An empty name is none. */
static bool is_given(PyObject *name)
{
    return name != NULL && name != Py_None &&
           !(PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == 0);
}

static void name_sample(struct py_session *session, const struct lc_call *call,
                        struct lc_wire *wire, struct py_response *response)
{
    PyObject *default_name = session->flavour == LC_FLAVOUR_FAST ? call->url : wire->target;
    PyObject *name = call->name;
    if (!is_given(name)) {
        name = is_given(session->request_name) ? session->request_name : default_name;
    }
    response->name = Py_NewRef(name);
    response->hook = Py_XNewRef(session->request_event);
    response->context = Py_XNewRef(call->context);
    response->length = lc_py_response_length(response);
}

/* The user's context() under what the call was given (Locust's documented behaviour). */
LC_CALLS_PYTHON LC_RARE static int add_user_context(struct py_session *session,
                                                    struct py_response *response)
{
    PyObject *of_user = PyObject_CallNoArgs(session->user_context);
    PyObject *merged = of_user != NULL ? PyDict_New() : NULL;
    int rc = -1;
    if (merged != NULL && PyDict_Update(merged, of_user) == 0 &&
        (response->context == NULL || PyDict_Update(merged, response->context) == 0)) {
        Py_XSETREF(response->context, Py_NewRef(merged));
        rc = 0;
    }
    Py_XDECREF(of_user);
    Py_XDECREF(merged);
    return rc;
}

/* These are fine for every kind of session; about the others the class decides. */
LC_CALLS_PYTHON static int judge(struct py_session *session, struct py_response *response)
{
    bool fine = response->status >= 200 && response->status <= 208;
    if (response->exception != NULL || fine) {
        return 0;
    }
    PyObject *error = PyObject_CallMethod((PyObject *)session, "_judge", "O", (PyObject *)response);
    if (error == NULL) {
        return -1;
    }
    if (error != Py_None) {
        response->exception = Py_NewRef(error);
    }
    Py_DECREF(error);
    return 0;
}

static PyObject *seconds_or_none(uint64_t ns)
{
    return ns != 0 ? PyFloat_FromDouble((double)ns / 1e9) : Py_NewRef(Py_None);
}

LC_CALLS_PYTHON LC_OFF_STACK static int finish_call(struct py_session *session,
                                                    const struct lc_call *call,
                                                    struct py_response *response, PyObject **out)
{
    struct lc_sv location;
    /* Where there is a status, what became of the body does not matter. */
    bool has_head = response->err == 0 || response->status != 0;
    if (has_head && call->allow_redirects && is_redirect(response, &location)) {
        /* N: the reference to the time-out goes into the call. */
        *out = PyObject_CallMethod((PyObject *)session, "_follow", "OON", (PyObject *)response,
                                   call->catch_response ? Py_True : Py_False,
                                   seconds_or_none(call->read_timeout_ns));
        return *out != NULL ? 0 : -1;
    }
    /* The fast client says what is wrong before the block begins, requests at its end. */
    bool judged = !call->catch_response || session->flavour == LC_FLAVOUR_FAST;
    if ((judged && judge(session, response) < 0) ||
        (!call->catch_response && lc_py_response_report(response) < 0)) {
        return -1;
    }
    *out = Py_NewRef((PyObject *)response);
    return 0;
}

/* What a call gives that the exception which is set ended: NULL with that exception, as a rule.
 * Locust's fast client takes a gevent.Timeout for a time-out of its own. */
LC_CALLS_PYTHON LC_RARE static struct py_response *interrupted(struct py_session *session,
                                                               const struct lc_call *call,
                                                               const struct lc_wire *wire,
                                                               uint64_t start_ns)
{
    if (session->flavour != LC_FLAVOUR_FAST) {
        return NULL;
    }
    PyObject *exception = lc_py_take_exception();
    PyObject *made =
        PyObject_CallMethod((PyObject *)session, "_interrupted", "OOOO", exception, call->method,
                            wire->url, call->catch_response ? Py_True : Py_False);
    if (made == NULL || made == Py_None) {
        if (made == Py_None) {
            lc_py_restore_exception(Py_NewRef(exception));
        }
        Py_XDECREF(made);
        Py_DECREF(exception);
        return NULL;
    }
    Py_DECREF(exception);
    struct py_response *response = (struct py_response *)made;
    Py_XSETREF(response->method, Py_NewRef(call->method));
    response->err = LC_ECANCELLED;
    response->times = (struct lc_times){.start = start_ns, .ended = lc_now_ns()};
    return response;
}

LC_CALLS_PYTHON int lc_py_session_call(struct py_session *session, const struct lc_call *call,
                                       PyObject **out)
{
    uint64_t start_ns = lc_now_ns();
    double start_time = (double)lc_realtime_ns() / 1e9;
    struct lc_wire wire = {0};
    struct py_response *response = NULL;
    int way = lc_py_wire_build(session, call, &wire);
    if (way != LC_WAY_SHORT) {
        goto done;
    }
    way = LC_WAY_ERROR;
    response = lc_py_exchange(session, &wire, call, start_ns);
    if (response == NULL) {
        response = interrupted(session, call, &wire, start_ns);
    }
    if (response == NULL) {
        goto done;
    }
    name_sample(session, call, &wire, response);
    if (session->user_context != NULL && session->user_context != Py_None &&
        add_user_context(session, response) < 0) {
        goto done;
    }
    response->start_time = start_time;
    set_response_time(response);
    if (finish_call(session, call, response, out) == 0) {
        way = LC_WAY_SHORT;
    }
done:
    lc_py_wire_free(&wire);
    Py_XDECREF(response);
    return way;
}
