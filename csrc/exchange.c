/* One request and its response on one connection at a time; declared in engine.h.
 *
 * Phases: connecting (attempt set), handshake, sending and receiving (both at once: a server may
 * answer early). Every end goes through finish(), exactly once. */
#include "engine_private.h"

#include <stdio.h>

enum { READS_PER_EVENT = 16 }; /* a megabyte; then the other connections have their turn */

static void begin_connecting(struct lc_exchange *exchange);
static void send_request(struct lc_exchange *exchange);

/* --- ends --- */

static void detach_conn(struct lc_exchange *exchange)
{
    if (exchange->conn != NULL) {
        lc_conn_close(exchange->conn);
        exchange->conn = NULL;
    }
}

static void detach_attempt(struct lc_exchange *exchange)
{
    if (exchange->attempt != NULL) {
        lc_connect_cancel(exchange->attempt);
        exchange->attempt = NULL;
    }
}

static void finish(struct lc_exchange *exchange, int err)
{
    detach_attempt(exchange);
    detach_conn(exchange);
    exchange->err = err;
    if (exchange->times.ended == 0) {
        exchange->times.ended = lc_now_ns();
    }
    lc_engine_complete(exchange->engine, &exchange->op);
}

static void keep_reason(struct lc_exchange *exchange, const char *reason)
{
    if (reason == NULL || *reason == '\0' || exchange->reason != NULL) {
        return;
    }
    size_t size = strlen(reason) + 1;
    exchange->reason = lc_alloc(size);
    if (exchange->reason != NULL) {
        memcpy(exchange->reason, reason, size);
    }
}

/* The parser's words, with the bytes that they are about. */
static void keep_parser_reason(struct lc_exchange *exchange)
{
    char reason[LC_REASON_MAX];
    const struct lc_http1 *response = &exchange->response;
    if (response->error != NULL && response->error_bytes.len > 0) {
        snprintf(reason, sizeof reason, "%s: %.*s", response->error, (int)response->error_bytes.len,
                 response->error_bytes.ptr);
        keep_reason(exchange, reason);
    }
    keep_reason(exchange, response->error);
}

static bool may_send_again(const struct lc_exchange *exchange, int err)
{
    if (exchange->times.first_byte != 0 || (err != LC_ECLOSED && err != LC_ERESET)) {
        return false;
    }
    if (exchange->conn == NULL || exchange->conn->state == LC_CONN_HANDSHAKE) {
        return false; /* it is connecting that failed */
    }
    return (exchange->reused && exchange->written == 0) ||
           exchange->tries < exchange->request.resend_closed;
}

static void send_again(struct lc_exchange *exchange)
{
    exchange->resent += exchange->written > 0;
    detach_attempt(exchange);
    detach_conn(exchange);
    begin_connecting(exchange);
}

static void fail(struct lc_exchange *exchange, int err)
{
    if (may_send_again(exchange, err)) {
        exchange->tries++;
        send_again(exchange);
        return;
    }
    if (exchange->conn != NULL) {
        keep_reason(exchange, lc_conn_reason(exchange->conn));
    }
    keep_parser_reason(exchange);
    finish(exchange, err);
}

/* --- time-outs --- */

/* Sets the deadline of the phase that begins. The timer itself is only moved when it would fire
 * too late; when it fires too early it is set again. */
static void set_deadline(struct lc_exchange *exchange, uint64_t now_ns, uint64_t timeout_ns)
{
    struct lc_timer *timer = &exchange->op.timer;
    exchange->deadline_ns = timeout_ns != 0 ? now_ns + timeout_ns : UINT64_MAX;
    if (timeout_ns == 0 || (timer->place != 0 && timer->due_ns <= exchange->deadline_ns)) {
        return;
    }
    if (lc_timers_start(&exchange->engine->timers, timer, exchange->deadline_ns) < 0) {
        fail(exchange, LC_ENOMEM);
    }
}

/* Something moved: the read time-out begins anew, without touching the timer. */
static void extend_deadline(struct lc_exchange *exchange, uint64_t now_ns)
{
    if (exchange->request.read_timeout_ns != 0) {
        exchange->deadline_ns = now_ns + exchange->request.read_timeout_ns;
    }
}

void lc_exchange_on_timer(struct lc_engine *engine, struct lc_exchange *exchange)
{
    if (exchange->deadline_ns > lc_now_ns()) {
        if (exchange->deadline_ns != UINT64_MAX &&
            lc_timers_start(&engine->timers, &exchange->op.timer, exchange->deadline_ns) < 0) {
            fail(exchange, LC_ENOMEM);
        }
        return;
    }
    if (exchange->times.first_byte == 0 && exchange->late_tries < exchange->request.resend_late) {
        exchange->late_tries++;
        send_again(exchange);
        return;
    }
    bool connecting = exchange->attempt != NULL || exchange->conn->state == LC_CONN_HANDSHAKE;
    exchange->times.ended = exchange->deadline_ns; /* not when this process came to notice it */
    finish(exchange, connecting ? LC_ECONNTIMEOUT : LC_EREADTIMEOUT);
}

/* --- receiving --- */

static void note_arrival(struct lc_exchange *exchange, uint64_t arrival_realtime_ns)
{
    struct lc_times *times = &exchange->times;
    uint64_t now = lc_now_ns();
    uint64_t arrival =
        arrival_realtime_ns != 0 ? arrival_realtime_ns - exchange->engine->realtime_offset_ns : now;
    uint64_t earliest = times->sent != 0 ? times->sent : times->start;
    if (arrival > now) {
        arrival = now;
    } else if (arrival < earliest) {
        arrival = earliest;
    }
    if (times->first_byte == 0) {
        times->first_byte = arrival;
    }
    times->last_byte = arrival;
    times->read = now;
    times->arrival = arrival_realtime_ns != 0 ? LC_ARRIVAL_KERNEL : LC_ARRIVAL_READ;
    extend_deadline(exchange, now);
}

static void complete_response(struct lc_exchange *exchange, bool bytes_left)
{
    struct lc_conn *conn = exchange->conn;
    bool all_sent = exchange->written == exchange->request.wire.len;
    if (exchange->response.keep_alive && all_sent && !bytes_left) {
        exchange->conn = NULL;
        lc_conn_release(conn);
    }
    exchange->times.ended = exchange->times.last_byte;
    finish(exchange, 0);
}

static void end_of_stream(struct lc_exchange *exchange)
{
    int rc = lc_http1_eof(&exchange->response);
    if (rc == LC_HTTP1_DONE) {
        exchange->response.keep_alive = false;
        exchange->times.read = exchange->times.ended = lc_now_ns();
        finish(exchange, 0);
    } else {
        fail(exchange, rc);
    }
}

static void receive(struct lc_exchange *exchange, bool to_the_end)
{
    struct lc_conn *conn = exchange->conn;
    char *buffer = exchange->engine->read_buffer;
    for (int reads = 1;; reads++) {
        uint64_t arrival = 0;
        ssize_t got = lc_conn_read(conn, buffer, LC_READ_BUFFER, &arrival);
        if (got == LC_EAGAIN) {
            return;
        }
        if (got == 0) {
            end_of_stream(exchange);
            return;
        }
        if (got < 0) {
            fail(exchange, (int)got);
            return;
        }
        note_arrival(exchange, arrival);
        size_t used;
        int rc = lc_http1_feed(&exchange->response, buffer, (size_t)got, &used);
        if (rc == LC_HTTP1_DONE) {
            complete_response(exchange, used < (size_t)got);
            return;
        }
        if (rc < 0) {
            fail(exchange, rc);
            return;
        }
        /* A short read has emptied a plain socket; OpenSSL may hold more than the socket shows. */
        bool enough = got < LC_READ_BUFFER || reads == READS_PER_EVENT;
        if (conn->tls == NULL && enough && !to_the_end) {
            return;
        }
    }
}

/* The connection is broken. What the server said before, if anything, is the better answer: a
 * response that came ahead of a reset is still in the socket. */
static void receive_rest(struct lc_exchange *exchange, int err)
{
    struct lc_conn *conn = exchange->conn;
    receive(exchange, true);
    if (exchange->op.state == LC_OP_PENDING && exchange->conn == conn) {
        fail(exchange, err);
    }
}

/* --- sending --- */

static void send_request(struct lc_exchange *exchange)
{
    struct lc_conn *conn = exchange->conn;
    struct lc_buf *wire = &exchange->request.wire;
    size_t before = exchange->written;
    while (exchange->written < wire->len) {
        ssize_t put =
            lc_conn_write(conn, wire->ptr + exchange->written, wire->len - exchange->written);
        if (put == LC_EAGAIN) {
            bool for_write = conn->tls == NULL || lc_tls_wants_write(conn->tls);
            exchange->engine->dirty = true; /* the loop must hear of the new watch */
            if (exchange->written > before) {
                extend_deadline(exchange, lc_now_ns());
            }
            if (lc_conn_watch(conn, for_write) < 0) {
                fail(exchange, LC_ESYS);
            }
            return;
        }
        if (put < 0) {
            receive_rest(exchange, (int)put);
            return;
        }
        exchange->written += (size_t)put;
    }
    exchange->times.sent = lc_now_ns();
    extend_deadline(exchange, exchange->times.sent);
    if (lc_conn_watch(conn, false) < 0) {
        fail(exchange, LC_ESYS);
    }
}

static void begin_sending(struct lc_exchange *exchange, uint64_t now_ns)
{
    exchange->written = 0;
    set_deadline(exchange, now_ns, exchange->request.read_timeout_ns);
    if (exchange->op.state == LC_OP_PENDING) {
        send_request(exchange);
    }
}

static void advance_handshake(struct lc_exchange *exchange)
{
    struct lc_conn *conn = exchange->conn;
    int rc = lc_tls_handshake(conn->tls);
    if (rc == LC_EAGAIN) {
        if (lc_conn_watch(conn, lc_tls_wants_write(conn->tls)) < 0) {
            fail(exchange, LC_ESYS);
        }
        return;
    }
    if (rc < 0) {
        fail(exchange, rc);
        return;
    }
    uint64_t now = lc_now_ns();
    exchange->times.tls = now - exchange->times.connected;
    conn->state = LC_CONN_BUSY;
    begin_sending(exchange, now);
}

/* --- events --- */

static void on_conn_event(struct lc_conn *conn, int status, bool readable, bool writable)
{
    struct lc_exchange *exchange = conn->owner;
    if (conn->state == LC_CONN_IDLE) {
        if (status < 0 || lc_conn_is_stale(conn)) {
            lc_conn_close(conn);
        }
        return;
    }
    if (exchange == NULL || conn->state == LC_CONN_CLOSED) {
        return;
    }
    if (conn->state == LC_CONN_HANDSHAKE) {
        advance_handshake(exchange);
        if (status < 0 && conn->state == LC_CONN_HANDSHAKE) {
            fail(exchange, LC_ERESET);
        }
        return;
    }
    if (status < 0) {
        /* libuv says so of a reset, and has stopped watching. */
        receive_rest(exchange, LC_ERESET);
        return;
    }
    bool unsent = exchange->written < exchange->request.wire.len;
    if (unsent && (writable || conn->tls != NULL)) {
        send_request(exchange);
    }
    if (readable && exchange->op.state == LC_OP_PENDING && exchange->conn == conn) {
        receive(exchange, false);
    }
}

static void attach(struct lc_exchange *exchange, struct lc_conn *conn)
{
    conn->owner = exchange;
    exchange->conn = conn;
}

void lc_exchange_on_connected(void *owner, const struct lc_connect_result *result)
{
    struct lc_exchange *exchange = owner;
    struct lc_engine *engine = exchange->engine;
    exchange->attempt = NULL;
    exchange->times.lookup = result->lookup_ns;
    exchange->times.connect = result->connect_ns;
    if (result->err != 0) {
        exchange->os_errno = result->os_errno;
        keep_reason(exchange, result->reason);
        fail(exchange, result->err);
        return;
    }
    struct lc_conn *conn;
    int rc = lc_conn_open(&engine->loop, exchange->request.pool, exchange->request.origin,
                          result->fd, on_conn_event, &engine->connections, &conn);
    if (rc < 0) {
        fail(exchange, rc);
        return;
    }
    engine->opened++;
    conn->uses = 1;
    attach(exchange, conn);
    uint64_t now = lc_now_ns();
    exchange->times.connected = now;
    if (conn->state == LC_CONN_HANDSHAKE) {
        advance_handshake(exchange);
    } else {
        begin_sending(exchange, now);
    }
}

/* --- beginnings --- */

static void begin_connecting(struct lc_exchange *exchange)
{
    struct lc_engine *engine = exchange->engine;
    const struct lc_origin *origin = exchange->request.origin;
    struct lc_connect_target target = {
        .url = origin->connect_url, .proxy = origin->proxy, .tunnel = origin->tls_context != NULL};
    exchange->reused = false;
    exchange->written = 0;
    exchange->times.lookup = exchange->times.connect = exchange->times.connected = 0;
    exchange->times.tls = exchange->times.sent = 0;
    engine->dirty = true;
    int rc = lc_connect_start(engine->connector, &target, exchange, &exchange->attempt);
    if (rc < 0) {
        finish(exchange, rc);
        return;
    }
    set_deadline(exchange, lc_now_ns(), exchange->request.connect_timeout_ns);
}

int lc_exchange_begin(struct lc_engine *engine, struct lc_request *request,
                      struct lc_exchange **out)
{
    struct lc_exchange *exchange = lc_alloc_zero(sizeof *exchange);
    if (exchange == NULL) {
        return LC_ENOMEM;
    }
    exchange->op.kind = LC_OP_REQUEST;
    exchange->op.data = request->data;
    exchange->engine = engine;
    int rc = lc_engine_register(engine, &exchange->op);
    if (rc < 0) {
        lc_free(exchange);
        return rc;
    }
    exchange->request = *request;
    lc_buf_init(&request->wire, request->wire.max);
    exchange->times.start = request->start_ns;
    lc_http1_init(&exchange->response, request->is_head, request->max_head, request->max_body);
    *out = exchange;
    struct lc_conn *conn = lc_pool_take(request->pool, request->origin);
    if (conn != NULL) {
        attach(exchange, conn);
        exchange->reused = true;
        exchange->times.connected = request->start_ns;
        begin_sending(exchange, request->start_ns);
    } else {
        begin_connecting(exchange);
    }
    if (exchange->op.state != LC_OP_PENDING) {
        engine->dirty = true;
    }
    return 0;
}

void lc_exchange_abort(struct lc_engine *engine, struct lc_exchange *exchange)
{
    (void)engine;
    detach_attempt(exchange);
    detach_conn(exchange);
}

void lc_exchange_free(struct lc_exchange *exchange)
{
    lc_buf_free(&exchange->request.wire);
    lc_http1_free(&exchange->response);
    lc_free(exchange->reason);
    lc_free(exchange);
}
