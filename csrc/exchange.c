/* One request and its response, whatever lane it takes; declared in engine.h.
 *
 * Every end goes through lc_exchange_finish(), exactly once. Until then a streamed body, either
 * way, completes the operation with each piece, and the owner resumes it. */
#include "engine_private.h"

#include <stdio.h>

/* So much of a streamed body may wait for the owner; then reading rests. */
#define STREAM_WINDOW ((size_t)256 * 1024)
/* Timers fire within a millisecond or two; later than this, the process was not there. */
#define LATE_NS UINT64_C(10000000)

/* --- ends --- */

static void detach(struct lc_exchange *exchange)
{
    lc_pool_wait_end(&exchange->waiter);
    lc_http1_lane_detach(exchange);
    lc_transfer_lane_detach(exchange);
}

/* The owner of a streamed response reads when nothing is left to be fed. */
static bool reads_now(const struct lc_exchange *exchange)
{
    return exchange->request.streams && (!exchange->request.feeds || exchange->fed_all);
}

void lc_exchange_tell(struct lc_exchange *exchange)
{
    if (exchange->op.state == LC_OP_PENDING) {
        exchange->told_head |= reads_now(exchange) && exchange->response.head_done;
        lc_engine_complete(exchange->engine, &exchange->op);
    }
}

void lc_exchange_finish(struct lc_exchange *exchange, int err)
{
    detach(exchange);
    exchange->err = err;
    exchange->ended = true;
    if (exchange->times.ended == 0) {
        exchange->times.ended = lc_now_ns();
    }
    lc_exchange_tell(exchange);
}

void lc_exchange_keep_reason(struct lc_exchange *exchange, const char *reason)
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

/* --- time-outs --- */

/* The timer itself is only moved when it would fire too late; when it fires too early it is set
 * again. */
bool lc_exchange_set_deadline(struct lc_exchange *exchange, uint64_t now_ns, uint64_t timeout_ns)
{
    struct lc_timer *timer = &exchange->op.timer;
    exchange->deadline_ns = timeout_ns != 0 ? now_ns + timeout_ns : UINT64_MAX;
    if (timeout_ns == 0 || (timer->place != 0 && timer->due_ns <= exchange->deadline_ns)) {
        return true;
    }
    if (lc_timers_start(&exchange->engine->timers, timer, exchange->deadline_ns) < 0) {
        lc_exchange_finish(exchange, LC_ENOMEM);
        return false;
    }
    return true;
}

void lc_exchange_extend_deadline(struct lc_exchange *exchange, uint64_t now_ns)
{
    if (exchange->request.read_timeout_ns != 0) {
        exchange->deadline_ns = now_ns + exchange->request.read_timeout_ns;
    }
}

static bool is_connecting(const struct lc_exchange *exchange)
{
    return exchange->request.version == LC_HTTP_2 ? !exchange->sending
                                                  : lc_http1_lane_is_connecting(exchange);
}

/* Of a response nothing is lost while this process is stopped, or busy: it has arrived, and was
 * read before time-outs are judged. But connecting takes steps of our own, so a time-out that is
 * noticed late gets the time back, once, in which the loop did not turn. */
static bool is_forgiven(struct lc_exchange *exchange, uint64_t now_ns)
{
    if (exchange->was_late || now_ns - exchange->deadline_ns < LATE_NS ||
        !is_connecting(exchange)) {
        return false;
    }
    uint64_t gap = exchange->engine->gap_ns, most = exchange->request.connect_timeout_ns;
    exchange->was_late = true;
    exchange->deadline_ns = now_ns + (gap < most ? gap : most);
    return true;
}

static bool next_address(struct lc_exchange *exchange)
{
    if (exchange->attempt != NULL) {
        return lc_connect_next_address(exchange->attempt);
    }
    return lc_transfer_lane_next_address(exchange);
}

void lc_exchange_on_timer(struct lc_engine *engine, struct lc_exchange *exchange)
{
    uint64_t now = lc_now_ns();
    if (exchange->deadline_ns <= now && next_address(exchange)) {
        engine->dirty = true; /* it may be connected already */
        exchange->deadline_ns = now + exchange->request.connect_timeout_ns;
    }
    if (exchange->deadline_ns > now || is_forgiven(exchange, now)) {
        if (exchange->deadline_ns != UINT64_MAX &&
            lc_timers_start(&engine->timers, &exchange->op.timer, exchange->deadline_ns) < 0) {
            lc_exchange_finish(exchange, LC_ENOMEM);
        }
        return;
    }
    bool connecting = is_connecting(exchange);
    if (exchange->times.first_byte == 0 && !exchange->began_feeding &&
        exchange->late_tries < exchange->request.resend_late) {
        exchange->late_tries++;
        lc_exchange_send_again(exchange);
        return;
    }
    exchange->times.ended = exchange->deadline_ns; /* not when this process came to notice it */
    lc_exchange_finish(exchange, connecting ? LC_ECONNTIMEOUT : LC_EREADTIMEOUT);
}

/* --- what the lanes ask --- */

void lc_exchange_note_arrival(struct lc_exchange *exchange, uint64_t arrival_realtime_ns)
{
    struct lc_times *times = &exchange->times;
    uint64_t now = lc_now_ns();
    uint64_t arrival =
        arrival_realtime_ns != 0 ? arrival_realtime_ns - exchange->engine->realtime_offset_ns : now;
    uint64_t earliest = times->last_byte != 0 ? times->last_byte
                        : times->sent != 0    ? times->sent
                                              : times->start;
    if (arrival > now) {
        arrival = now;
    } else if (arrival < earliest) {
        arrival = earliest; /* what came first may have no stamp, and the offset drifts */
    }
    if (times->first_byte == 0) {
        times->first_byte = arrival;
    }
    times->last_byte = arrival;
    times->read = now;
    times->arrival = arrival_realtime_ns != 0 ? LC_ARRIVAL_KERNEL : LC_ARRIVAL_READ;
    lc_exchange_extend_deadline(exchange, now);
}

bool lc_exchange_is_all_sent(const struct lc_exchange *exchange)
{
    return exchange->written == exchange->request.wire.len &&
           (!exchange->request.feeds || (exchange->fed_all && !exchange->unsent));
}

bool lc_exchange_has_news(const struct lc_exchange *exchange)
{
    return exchange->ended || (reads_now(exchange) && exchange->response.head_done &&
                               (!exchange->told_head || lc_exchange_body(exchange).len > 0));
}

size_t lc_exchange_wants(const struct lc_exchange *exchange)
{
    size_t held = exchange->response.body.len - exchange->consumed;
    if (!exchange->request.streams) {
        return SIZE_MAX;
    }
    return held < STREAM_WINDOW ? STREAM_WINDOW - held : 0;
}

/* --- beginnings --- */

static void on_room(struct lc_pool_waiter *waiter)
{
    struct lc_exchange *exchange =
        (struct lc_exchange *)((char *)waiter - offsetof(struct lc_exchange, waiter));
    /* Not now: who makes room is in the middle of something. */
    lc_pool_wait_end(waiter);
    lc_pool_wait(&exchange->engine->starting, waiter, false, NULL);
    exchange->engine->dirty = true;
}

/* On a connection of the pool, on a new one, or when there is room for one. */
static void start(struct lc_exchange *exchange, uint64_t now_ns, bool waited)
{
    if (exchange->request.version == LC_HTTP_2) {
        lc_transfer_lane_start(exchange, now_ns);
    } else if (!lc_http1_lane_start(exchange, now_ns)) {
        exchange->deadline_ns = UINT64_MAX;
        lc_pool_wait(exchange->request.pool, &exchange->waiter, waited, on_room);
    }
}

void lc_exchange_start_waiting(struct lc_engine *engine)
{
    struct lc_pool_waiter *last = engine->starting.waiting_last, *waiter;
    while ((waiter = engine->starting.waiting_first) != NULL) {
        struct lc_exchange *exchange =
            (struct lc_exchange *)((char *)waiter - offsetof(struct lc_exchange, waiter));
        lc_pool_wait_end(waiter);
        start(exchange, lc_now_ns(), true);
        if (waiter == last) {
            break; /* who came meanwhile has the next turn */
        }
    }
}

void lc_exchange_send_again(struct lc_exchange *exchange)
{
    exchange->resent += exchange->written > 0;
    exchange->times = (struct lc_times){.start = exchange->times.start};
    detach(exchange);
    start(exchange, lc_now_ns(), false);
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
    lc_buf_init(&exchange->fed, SIZE_MAX);
    exchange->times.start = request->start_ns;
    lc_http1_init(&exchange->response, request->is_head, request->max_head,
                  request->streams ? SIZE_MAX : request->max_body);
    *out = exchange;
    start(exchange, request->start_ns, false);
    if (exchange->op.state != LC_OP_PENDING) {
        engine->dirty = true;
    }
    return 0;
}

void lc_exchange_abort(struct lc_exchange *exchange)
{
    struct lc_engine *engine = exchange->engine;
    bool had_room = exchange->waiter.pool == &engine->starting;
    if (!exchange->ended) {
        exchange->ended = true;
        exchange->err = LC_ECANCELLED;
    }
    detach(exchange);
    if (had_room) {
        lc_pool_pass_on(exchange->request.pool);
    }
}

void lc_exchange_free(struct lc_exchange *exchange)
{
    bool here = exchange->engine != NULL && lc_engine_is_ours(exchange->engine);
    if (here && !exchange->ended) {
        lc_exchange_abort(exchange);
    }
    lc_engine_forget_open(exchange);
    lc_buf_free(&exchange->request.wire);
    lc_buf_free(&exchange->fed);
    lc_http1_free(&exchange->response);
    lc_free(exchange->reason);
    lc_free(exchange);
}

/* --- bodies piece by piece --- */

int lc_engine_resume(struct lc_exchange *exchange, void *data, uint64_t *id)
{
    struct lc_engine *engine = exchange->engine;
    if (engine == NULL || !lc_engine_is_ours(engine)) {
        return LC_EFORKED;
    }
    int rc = lc_engine_register(engine, &exchange->op);
    if (rc < 0) {
        return rc;
    }
    lc_engine_forget_open(exchange);
    exchange->op.data = data;
    *id = exchange->op.id;
    /* What was fed goes out first, even if a head is there already. */
    bool goes_on = !exchange->ended && (exchange->unsent || !lc_exchange_has_news(exchange));
    if (goes_on &&
        lc_exchange_set_deadline(exchange, lc_now_ns(), exchange->request.read_timeout_ns)) {
        if (exchange->request.version == LC_HTTP_2) {
            lc_transfer_lane_resume(exchange);
        } else {
            lc_http1_lane_resume(exchange);
        }
    }
    if (lc_exchange_has_news(exchange)) {
        lc_exchange_tell(exchange);
    }
    if (exchange->op.state != LC_OP_PENDING) {
        engine->dirty = true;
    }
    return 0;
}

/* One chunk of the chunked coding (RFC 9112, 7.1); an empty piece is none, it would be the end. */
static int append_chunk(struct lc_buf *fed, const char *bytes, size_t len, bool last)
{
    static const char end[] = "0\r\n\r\n";
    char size[24];
    int digits = snprintf(size, sizeof size, "%zx\r\n", len);
    int rc = lc_buf_reserve(fed, len + (size_t)digits + 2 + sizeof end);
    if (rc == 0 && len > 0) {
        rc = lc_buf_append(fed, size, (size_t)digits);
        rc = rc == 0 ? lc_buf_append(fed, bytes, len) : rc;
        rc = rc == 0 ? lc_buf_append(fed, "\r\n", 2) : rc;
    }
    return rc == 0 && last ? lc_buf_append(fed, end, sizeof end - 1) : rc;
}

int lc_exchange_feed(struct lc_exchange *exchange, const char *bytes, size_t len, bool last)
{
    struct lc_buf *fed = &exchange->fed;
    if (!exchange->hungry || exchange->ended) {
        return LC_EINVAL;
    }
    fed->len = exchange->fed_written = 0;
    int rc = exchange->request.chunked ? append_chunk(fed, bytes, len, last)
                                       : lc_buf_append(fed, bytes, len);
    if (rc < 0) {
        fed->len = 0;
        return rc;
    }
    exchange->began_feeding = true;
    exchange->fed_all = last;
    exchange->unsent = true;
    exchange->hungry = false;
    return 0;
}

struct lc_sv lc_exchange_body(const struct lc_exchange *exchange)
{
    const struct lc_buf *body = &exchange->response.body;
    if (body->len == exchange->consumed) {
        return (struct lc_sv){"", 0};
    }
    return (struct lc_sv){body->ptr + exchange->consumed, body->len - exchange->consumed};
}

void lc_exchange_consume(struct lc_exchange *exchange, size_t len)
{
    struct lc_buf *body = &exchange->response.body;
    exchange->consumed += len;
    exchange->received += len;
    if (exchange->consumed == body->len) {
        body->len = exchange->consumed = 0;
    } else if (exchange->consumed > body->len / 2) {
        body->len -= exchange->consumed;
        memmove(body->ptr, body->ptr + exchange->consumed, body->len);
        exchange->consumed = 0;
    }
}
