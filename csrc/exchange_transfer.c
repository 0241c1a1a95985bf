/* The other lane: the whole request by libcurl, for HTTP/2. */
#include "engine_private.h"
#include "transfer.h"

#include <stdlib.h>

/* --- what is sent --- */

static struct lc_sv head_of(const struct lc_buf *wire)
{
    static const char end[] = "\r\n\r\n";
    const char *found = memmem(wire->ptr, wire->len, end, sizeof end - 1);
    size_t len = found != NULL ? (size_t)(found - wire->ptr) + sizeof end - 1 : wire->len;
    return (struct lc_sv){wire->ptr, len};
}

/* Copies what is left of one buffer. */
static size_t copy_rest(const struct lc_buf *from, size_t *written, char *into, size_t len)
{
    size_t left = from->len - *written;
    size_t count = left < len ? left : len;
    memcpy(into, from->ptr + *written, count);
    *written += count;
    return count;
}

static ssize_t on_read(void *owner, char *into, size_t len)
{
    struct lc_exchange *exchange = owner;
    lc_exchange_extend_deadline(exchange, lc_now_ns());
    if (exchange->written < exchange->request.wire.len) {
        return (ssize_t)copy_rest(&exchange->request.wire, &exchange->written, into, len);
    }
    if (!exchange->request.feeds) {
        return 0;
    }
    if (exchange->fed_written < exchange->fed.len) {
        return (ssize_t)copy_rest(&exchange->fed, &exchange->fed_written, into, len);
    }
    exchange->unsent = false;
    if (exchange->fed_all) {
        return 0;
    }
    exchange->hungry = exchange->began_feeding = true;
    lc_exchange_tell(exchange);
    return LC_EAGAIN;
}

static int on_rewind(void *owner)
{
    struct lc_exchange *exchange = owner;
    exchange->written = head_of(&exchange->request.wire).len;
    return 0;
}

/* The connection is there: from now on the read time-out counts. */
static int on_sending(void *owner)
{
    struct lc_exchange *exchange = owner;
    struct lc_timer *timer = &exchange->op.timer;
    exchange->sending = true;
    exchange->deadline_ns = UINT64_MAX;
    exchange->times.ready = lc_now_ns();
    lc_exchange_extend_deadline(exchange, exchange->times.ready);
    if (exchange->op.state != LC_OP_PENDING || exchange->deadline_ns == UINT64_MAX ||
        (timer->place != 0 && timer->due_ns <= exchange->deadline_ns)) {
        return 0;
    }
    return lc_timers_start(&exchange->engine->timers, timer, exchange->deadline_ns);
}

/* --- what arrives --- */

static void note_arrival(struct lc_exchange *exchange)
{
    lc_exchange_note_arrival(exchange, 0);
    exchange->times.arrival = LC_ARRIVAL_LOOP;
}

static int on_head(void *owner, const char *bytes, size_t len)
{
    struct lc_exchange *exchange = owner;
    note_arrival(exchange);
    int rc = lc_http1_adopt_head(&exchange->response, bytes, len);
    if (rc == 0 && lc_exchange_has_news(exchange)) {
        lc_exchange_tell(exchange);
    }
    return rc;
}

static int on_body(void *owner, const char *bytes, size_t len)
{
    struct lc_exchange *exchange = owner;
    if (lc_exchange_wants(exchange) == 0) {
        exchange->paused = true;
        return LC_EAGAIN;
    }
    note_arrival(exchange);
    int rc = lc_http1_adopt_body(&exchange->response, bytes, len);
    if (rc == 0 && lc_exchange_has_news(exchange)) {
        lc_exchange_tell(exchange);
    }
    return rc;
}

static void take_times(struct lc_times *times, const struct lc_transfer_result *result)
{
    times->lookup = result->lookup_ns;
    times->connect = result->connect_ns;
    times->tls = result->tls_ns;
    times->connected = result->connected;
    times->sent = result->sent;
    if (times->sent != 0 && times->ready > times->sent) {
        times->ready = times->sent; /* libcurl may have sent before it said so */
    }
    times->first_byte = result->first_byte;
    times->last_byte = result->last_byte;
    times->read = result->read;
    times->arrival = result->first_byte != 0 ? LC_ARRIVAL_LOOP : LC_ARRIVAL_NONE;
}

static void on_done(void *owner, const struct lc_transfer_result *result)
{
    struct lc_exchange *exchange = owner;
    exchange->transfer = NULL;
    take_times(&exchange->times, result);
    exchange->resent += result->resent;
    exchange->reused = result->reused;
    exchange->os_errno = result->os_errno;
    if (result->err != 0) {
        lc_exchange_keep_reason(exchange, exchange->response.error);
        lc_exchange_keep_reason(exchange, result->reason);
    } else {
        exchange->times.ended = result->last_byte;
    }
    lc_exchange_finish(exchange, result->err);
}

static const struct lc_transfer_events EVENTS = {.on_sending = on_sending,
                                                 .on_head = on_head,
                                                 .on_body = on_body,
                                                 .on_read = on_read,
                                                 .on_rewind = on_rewind,
                                                 .on_done = on_done};
/* A body that is fed is gone once it was read. */
static const struct lc_transfer_events FED_EVENTS = {.on_sending = on_sending,
                                                     .on_head = on_head,
                                                     .on_body = on_body,
                                                     .on_read = on_read,
                                                     .on_done = on_done};

/* --- the lane --- */

void lc_transfer_lane_detach(struct lc_exchange *exchange)
{
    if (exchange->transfer != NULL) {
        lc_transfer_cancel(exchange->transfer);
        exchange->transfer = NULL;
        exchange->engine->dirty = true;
    }
}

bool lc_transfer_lane_next_address(struct lc_exchange *exchange)
{
    return exchange->transfer != NULL && lc_transfer_next_address(exchange->transfer);
}

void lc_transfer_lane_resume(struct lc_exchange *exchange)
{
    if (exchange->transfer != NULL && (exchange->unsent || exchange->paused)) {
        exchange->paused = false;
        lc_transfer_resume(exchange->transfer);
        exchange->engine->dirty = true;
    }
}

static int64_t told_length(struct lc_sv head)
{
    struct lc_sv value;
    char digits[24] = "";
    if (!lc_http1_find_header(head, "Content-Length", &value) || value.len >= sizeof digits) {
        return -1;
    }
    memcpy(digits, value.ptr, value.len);
    return strtoll(digits, NULL, 10);
}

static int begin(struct lc_exchange *exchange)
{
    struct lc_engine *engine = exchange->engine;
    struct lc_request *request = &exchange->request;
    struct lc_pool *pool = request->pool;
    int rc = 0;
    if (engine->transfers == NULL) {
        rc = lc_transfers_new(&engine->loop, engine->connector, &engine->transfers);
    }
    if (rc == 0 && pool->scope == NULL) {
        rc = lc_transfer_scope_new(engine->transfers, pool->max_idle, pool->lifetime_ns,
                                   &pool->scope);
    }
    if (rc < 0) {
        return rc;
    }
    struct lc_sv head = head_of(&request->wire);
    size_t body_len = request->wire.len - head.len;
    struct lc_transfer_request transfer = {
        .scope = pool->scope,
        .origin = request->origin,
        .head = head,
        .has_body = request->feeds || body_len > 0,
        .body_len = request->feeds ? told_length(head) : (int64_t)body_len,
        .may_pause = request->streams,
        .resend = request->resend_closed,
        .max_head = request->max_head,
        .events = request->feeds ? &FED_EVENTS : &EVENTS,
        .owner = exchange,
    };
    exchange->written = head.len;
    exchange->sending = false;
    request->chunked = false; /* libcurl frames what it is given */
    return lc_transfer_start(&transfer, &exchange->transfer);
}

void lc_transfer_lane_start(struct lc_exchange *exchange, uint64_t now_ns)
{
    exchange->engine->dirty = true;
    int rc = begin(exchange);
    if (rc < 0) {
        lc_exchange_finish(exchange, rc);
    } else if (!lc_exchange_set_deadline(exchange, now_ns, exchange->request.connect_timeout_ns)) {
        return;
    }
}

void lc_engine_pool_close(struct lc_pool *pool)
{
    struct lc_transfer_scope *scope = pool->scope;
    pool->scope = NULL;
    if (scope != NULL) {
        lc_transfer_scope_close(scope);
    }
    lc_pool_close(pool);
}
