/* The lane of our own: HTTP/1.1 over connections of the pool, one at a time.
 *
 * Phases: connecting (attempt set), handshake, sending and receiving (both at once: a server may
 * answer early). */
#include "engine_private.h"

#include <stdio.h>

/* So much is read of one connection; then the others have their turn. */
#define READ_PER_EVENT ((size_t)1 << 20)

/* --- ends --- */

void lc_http1_lane_detach(struct lc_exchange *exchange)
{
    if (exchange->conn != NULL) {
        lc_conn_close(exchange->conn);
        exchange->conn = NULL;
    }
    if (exchange->attempt != NULL) {
        lc_connect_cancel(exchange->attempt);
        exchange->attempt = NULL;
        lc_pool_unreserve(exchange->request.pool);
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
        lc_exchange_keep_reason(exchange, reason);
    }
    lc_exchange_keep_reason(exchange, response->error);
}

bool lc_http1_lane_is_connecting(const struct lc_exchange *exchange)
{
    return exchange->conn == NULL || exchange->conn->state == LC_CONN_HANDSHAKE;
}

static bool may_send_again(const struct lc_exchange *exchange, int err)
{
    if (exchange->times.first_byte != 0 || exchange->began_feeding ||
        (err != LC_ECLOSED && err != LC_ERESET)) {
        return false;
    }
    if (lc_http1_lane_is_connecting(exchange)) {
        return false; /* it is connecting that failed */
    }
    return (exchange->reused && exchange->written == 0) ||
           exchange->tries < exchange->request.resend_closed;
}

static void fail(struct lc_exchange *exchange, int err)
{
    if (may_send_again(exchange, err)) {
        exchange->tries++;
        lc_exchange_send_again(exchange);
        return;
    }
    if (exchange->conn != NULL) {
        lc_exchange_keep_reason(exchange, lc_conn_reason(exchange->conn));
    }
    keep_parser_reason(exchange);
    lc_exchange_finish(exchange, err);
}

/* --- receiving --- */

static void complete_response(struct lc_exchange *exchange, bool bytes_left)
{
    struct lc_conn *conn = exchange->conn;
    if (exchange->response.keep_alive && lc_exchange_is_all_sent(exchange) && !bytes_left) {
        exchange->conn = NULL;
        lc_conn_release(conn);
        lc_conn_came_to_rest(conn, &exchange->engine->resting, exchange->times.read);
    }
    exchange->times.ended = exchange->times.last_byte;
    lc_exchange_finish(exchange, 0);
}

static void end_of_stream(struct lc_exchange *exchange)
{
    int rc = lc_http1_eof(&exchange->response);
    if (rc == LC_HTTP1_DONE) {
        exchange->response.keep_alive = false;
        exchange->times.read = exchange->times.ended = lc_now_ns();
        lc_exchange_finish(exchange, 0);
    } else {
        fail(exchange, rc);
    }
}

/* A piece of a response that goes on; false: reading stops here. */
static bool take_piece(struct lc_exchange *exchange)
{
    if (lc_exchange_has_news(exchange)) {
        lc_exchange_tell(exchange);
    }
    if (lc_exchange_wants(exchange) > 0) {
        return true;
    }
    if (lc_conn_rest(exchange->conn, true) < 0) {
        fail(exchange, LC_ESYS);
    }
    return false;
}

/* What came in one read, and what the parser made of it. */
struct reading {
    ssize_t got;
    size_t wanted;
    int parsed;      /* what the parser said, if got > 0 */
    bool bytes_left; /* behind the response */
};

static void read_piece(struct lc_exchange *exchange, struct reading *reading)
{
    struct lc_http1 *response = &exchange->response;
    char *into;
    uint64_t arrival = 0;
    size_t room = lc_http1_room(response, &into), wants = lc_exchange_wants(exchange);
    room = room < wants ? room : wants;
    into = room > 0 ? into : exchange->engine->read_buffer;
    reading->wanted = room > 0 ? room : LC_READ_BUFFER;
    reading->got = lc_conn_read(exchange->conn, into, reading->wanted, &arrival);
    if (reading->got <= 0) {
        return;
    }
    lc_exchange_note_arrival(exchange, arrival);
    size_t len = (size_t)reading->got, used = len;
    reading->parsed =
        room > 0 ? lc_http1_took(response, len) : lc_http1_feed(response, into, len, &used);
    reading->bytes_left = used < len;
}

static void receive(struct lc_exchange *exchange, bool to_the_end)
{
    struct lc_conn *conn = exchange->conn;
    size_t taken = 0;
    for (;;) {
        struct reading reading;
        read_piece(exchange, &reading);
        if (reading.got == LC_EAGAIN) {
            return;
        }
        if (reading.got == 0) {
            end_of_stream(exchange);
            return;
        }
        if (reading.got < 0) {
            fail(exchange, (int)reading.got);
            return;
        }
        if (reading.parsed == LC_HTTP1_DONE) {
            complete_response(exchange, reading.bytes_left);
            return;
        }
        if (reading.parsed < 0) {
            fail(exchange, reading.parsed);
            return;
        }
        if (!take_piece(exchange)) {
            return;
        }
        taken += (size_t)reading.got;
        /* A short read has emptied a plain socket; OpenSSL may hold more than the socket shows. */
        bool enough = (size_t)reading.got < reading.wanted || taken >= READ_PER_EVENT;
        if (conn->tls == NULL && enough && !to_the_end) {
            return;
        }
    }
}

/* The connection is broken. What the server said before, if anything, is the better answer: a
 * response that came ahead of a reset is still in the socket. An owner who still feeds does not
 * read: what is too much for the window would wait for him in vain. */
static void receive_rest(struct lc_exchange *exchange, int err)
{
    struct lc_conn *conn = exchange->conn;
    receive(exchange, true);
    bool feeds = exchange->request.feeds && !exchange->fed_all;
    if (!exchange->ended && exchange->conn == conn && (feeds || !conn->rests)) {
        fail(exchange, err);
    }
}

/* --- sending --- */

static void wait_for_writing(struct lc_exchange *exchange, bool progress)
{
    struct lc_conn *conn = exchange->conn;
    bool for_write = conn->tls == NULL || lc_tls_wants_write(conn->tls);
    exchange->engine->dirty = true; /* the loop must hear of the new watch */
    if (progress) {
        lc_exchange_extend_deadline(exchange, lc_now_ns());
    }
    if (lc_conn_watch(conn, for_write) < 0) {
        fail(exchange, LC_ESYS);
    }
}

/* Writes one buffer from where it stands; true if all of it is written. `*began_ns` is when the
 * last write began: the peer may answer while it lasts, and the process may be stopped as long. */
static bool write_out(struct lc_exchange *exchange, const struct lc_buf *bytes, size_t *written,
                      uint64_t *began_ns)
{
    struct lc_conn *conn = exchange->conn;
    size_t before = *written;
    while (*written < bytes->len) {
        *began_ns = lc_now_ns();
        ssize_t put = lc_conn_write(conn, bytes->ptr + *written, bytes->len - *written);
        if (put == LC_EAGAIN) {
            wait_for_writing(exchange, *written > before);
            return false;
        }
        if (put < 0) {
            receive_rest(exchange, (int)put);
            return false;
        }
        *written += (size_t)put;
    }
    return true;
}

static void send_request(struct lc_exchange *exchange)
{
    struct lc_conn *conn = exchange->conn;
    uint64_t began_ns = 0;
    if (!write_out(exchange, &exchange->request.wire, &exchange->written, &began_ns) ||
        (exchange->request.feeds &&
         !write_out(exchange, &exchange->fed, &exchange->fed_written, &began_ns))) {
        return;
    }
    exchange->unsent = false;
    exchange->times.sent = began_ns != 0 ? began_ns : lc_now_ns();
    lc_exchange_extend_deadline(exchange, exchange->times.sent);
    if (lc_conn_watch(conn, false) < 0) {
        fail(exchange, LC_ESYS);
    } else if (exchange->request.feeds && !exchange->fed_all) {
        exchange->hungry = exchange->began_feeding = true;
        lc_exchange_tell(exchange);
    }
}

static void begin_sending(struct lc_exchange *exchange, uint64_t now_ns)
{
    exchange->written = 0;
    exchange->times.ready = now_ns;
    if (lc_exchange_set_deadline(exchange, now_ns, exchange->request.read_timeout_ns)) {
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

void lc_http1_lane_resume(struct lc_exchange *exchange)
{
    struct lc_conn *conn = exchange->conn;
    if (exchange->unsent) {
        send_request(exchange);
    }
    if (exchange->ended || exchange->conn != conn || !conn->rests ||
        lc_exchange_wants(exchange) == 0) {
        return;
    }
    exchange->engine->dirty = true;
    if (lc_conn_rest(conn, false) < 0) {
        fail(exchange, LC_ESYS);
    } else {
        receive(exchange, false); /* OpenSSL may hold what the socket no longer shows */
    }
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
    bool unsent =
        exchange->written < exchange->request.wire.len || exchange->fed_written < exchange->fed.len;
    if (unsent && (writable || conn->tls != NULL)) {
        send_request(exchange);
    }
    if (readable && !exchange->ended && exchange->conn == conn) {
        receive(exchange, false);
    }
}

static void attach(struct lc_exchange *exchange, struct lc_conn *conn)
{
    conn->owner = exchange;
    exchange->conn = conn;
}

static void on_connected(void *owner, const struct lc_connect_result *result)
{
    struct lc_exchange *exchange = owner;
    struct lc_engine *engine = exchange->engine;
    exchange->attempt = NULL;
    exchange->times.lookup = result->lookup_ns;
    exchange->times.connect = result->connect_ns;
    if (result->err != 0) {
        lc_pool_unreserve(exchange->request.pool);
        exchange->os_errno = result->err == LC_ERESOLVE ? result->eai : result->os_errno;
        lc_exchange_keep_reason(exchange, result->reason);
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
    struct lc_connect_target target = {.url = origin->connect_url,
                                       .proxy = origin->proxy,
                                       .tunnel = origin->tls_context != NULL,
                                       .source = origin->source,
                                       .unix_socket = origin->unix_socket,
                                       .resolve = origin->resolve};
    exchange->reused = false;
    exchange->written = 0;
    engine->dirty = true;
    int rc =
        lc_connect_start(engine->connector, &target, on_connected, exchange, &exchange->attempt);
    if (rc < 0) {
        lc_pool_unreserve(exchange->request.pool);
        lc_exchange_finish(exchange, rc);
    } else if (!lc_exchange_set_deadline(exchange, lc_now_ns(),
                                         exchange->request.connect_timeout_ns)) {
        return;
    }
}

bool lc_http1_lane_start(struct lc_exchange *exchange, uint64_t now_ns)
{
    struct lc_pool *pool = exchange->request.pool;
    struct lc_conn *conn = lc_pool_take(pool, exchange->request.origin);
    if (conn != NULL) {
        attach(exchange, conn);
        exchange->reused = true;
        if (now_ns == exchange->times.start) {
            /* It did not wait for room: what this process took until here is no response time. */
            exchange->times.start = now_ns = lc_now_ns();
        }
        exchange->times.connected = now_ns;
        begin_sending(exchange, now_ns);
        return true;
    }
    if (!lc_pool_reserve(pool)) {
        return false;
    }
    begin_connecting(exchange);
    return true;
}
