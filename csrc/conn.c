#include "conn.h"

#include "sock.h"

#include <unistd.h>

/* --- pools --- */

void lc_pool_init(struct lc_pool *pool, size_t max_idle)
{
    *pool = (struct lc_pool){.max_idle = max_idle};
}

void lc_pool_pass_on(struct lc_pool *pool)
{
    if (pool->waiting_first != NULL) {
        pool->on_room(pool->waiting_first);
    }
}

static void take_from_list(struct lc_conn *conn)
{
    struct lc_pool *pool = conn->pool;
    if (conn->prev != NULL) {
        conn->prev->next = conn->next;
    } else {
        pool->first = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->prev = conn->prev;
    }
    conn->next = conn->prev = NULL;
}

static void unlink_conn(struct lc_conn *conn)
{
    struct lc_pool *pool = conn->pool;
    if (pool != NULL) {
        take_from_list(conn);
        conn->pool = NULL;
        pool->open--;
        lc_pool_pass_on(pool);
    }
}

static void leave_rest_queue(struct lc_conn *conn)
{
    struct lc_rest_queue *queue = conn->rests_in;
    if (queue == NULL) {
        return;
    }
    struct lc_conn *before = conn->rested_before, *after = conn->rested_after;
    *(before != NULL ? &before->rested_after : &queue->first) = after;
    *(after != NULL ? &after->rested_before : &queue->last) = before;
    conn->rested_before = conn->rested_after = NULL;
    conn->rests_in = NULL;
}

void lc_conn_came_to_rest(struct lc_conn *conn, struct lc_rest_queue *queue, uint64_t now_ns)
{
    if (conn->tls == NULL || conn->state != LC_CONN_IDLE) {
        return;
    }
    leave_rest_queue(conn);
    conn->rests_in = queue;
    conn->rested_ns = now_ns;
    conn->rested_before = queue->last;
    *(queue->last != NULL ? &queue->last->rested_after : &queue->first) = conn;
    queue->last = conn;
}

void lc_rest_queue_shrink(struct lc_rest_queue *queue, uint64_t before_ns)
{
    struct lc_conn *conn;
    while ((conn = queue->first) != NULL && conn->rested_ns < before_ns) {
        leave_rest_queue(conn);
        if (conn->state == LC_CONN_IDLE) {
            lc_tls_release_buffers(conn->tls);
        }
    }
}

/* Servers give sessions in the handshake or with what they send first. One of a connection that TLS
 * failed on is spoilt. */
static void keep_session(struct lc_conn *conn)
{
    if (conn->tls != NULL && conn->pool != NULL && lc_tls_reason(conn->tls)[0] == '\0') {
        lc_tls_sessions_keep(&conn->pool->sessions, conn->origin, conn->tls);
    }
}

static void link_first(struct lc_pool *pool, struct lc_conn *conn)
{
    conn->pool = pool;
    conn->prev = NULL;
    conn->next = pool->first;
    if (pool->first != NULL) {
        pool->first->prev = conn;
    }
    pool->first = conn;
}

void lc_pool_close(struct lc_pool *pool)
{
    while (pool->first != NULL) {
        struct lc_conn *conn = pool->first;
        if (conn->state == LC_CONN_IDLE) {
            lc_conn_close(conn);
        } else {
            unlink_conn(conn);
        }
    }
    pool->idle = 0;
}

void lc_pool_forget(struct lc_pool *pool)
{
    lc_tls_sessions_free(&pool->sessions);
}

static bool is_too_old(const struct lc_pool *pool, const struct lc_conn *conn)
{
    return pool->lifetime_ns != 0 && lc_now_ns() - conn->opened_ns >= pool->lifetime_ns;
}

struct lc_conn *lc_pool_take(struct lc_pool *pool, struct lc_origin *origin)
{
    struct lc_conn *next;
    for (struct lc_conn *conn = pool->first; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->state != LC_CONN_IDLE || conn->origin != origin) {
            continue;
        }
        /* The loop notices a peer that closes an idle connection when it turns; between two turns
         * only the kernel knows. */
        if (is_too_old(pool, conn) || lc_conn_is_stale(conn)) {
            lc_conn_close(conn);
            continue;
        }
        conn->state = LC_CONN_BUSY;
        conn->uses++;
        pool->idle--;
        return conn;
    }
    return NULL;
}

/* The idle connection that was used longest ago; NULL if there is none. */
static struct lc_conn *last_idle(struct lc_pool *pool)
{
    struct lc_conn *last = NULL;
    for (struct lc_conn *conn = pool->first; conn != NULL; conn = conn->next) {
        if (conn->state == LC_CONN_IDLE) {
            last = conn;
        }
    }
    return last;
}

bool lc_pool_reserve(struct lc_pool *pool)
{
    if (pool->max_open != 0 && pool->open >= pool->max_open) {
        struct lc_conn *conn = last_idle(pool);
        if (conn == NULL) {
            return false;
        }
        /* Nobody is told: the room has a taker. */
        take_from_list(conn);
        conn->pool = NULL;
        pool->idle--;
        pool->open--;
        lc_conn_close(conn);
    }
    pool->open++;
    return true;
}

void lc_pool_unreserve(struct lc_pool *pool)
{
    pool->open--;
    lc_pool_pass_on(pool);
}

void lc_pool_wait(struct lc_pool *pool, struct lc_pool_waiter *waiter, bool in_front,
                  lc_pool_room_cb on_room)
{
    pool->on_room = on_room;
    waiter->pool = pool;
    waiter->next = in_front ? pool->waiting_first : NULL;
    waiter->prev = in_front ? NULL : pool->waiting_last;
    *(waiter->prev != NULL ? &waiter->prev->next : &pool->waiting_first) = waiter;
    *(waiter->next != NULL ? &waiter->next->prev : &pool->waiting_last) = waiter;
}

void lc_pool_wait_end(struct lc_pool_waiter *waiter)
{
    struct lc_pool *pool = waiter->pool;
    if (pool == NULL) {
        return;
    }
    *(waiter->prev != NULL ? &waiter->prev->next : &pool->waiting_first) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->prev : &pool->waiting_last) = waiter->prev;
    *waiter = (struct lc_pool_waiter){0};
}

/* --- connections --- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct lc_conn *conn = poll->data;
    conn->on_event(conn, status, (events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct lc_conn *conn = handle->data;
    --*conn->live;
    lc_count_closed(LC_COUNT_CONNECTIONS);
    lc_free(conn);
}

int lc_conn_open(uv_loop_t *loop, struct lc_pool *pool, struct lc_origin *origin, int fd,
                 lc_conn_cb on_event, int64_t *live, struct lc_conn **out)
{
    int rc = LC_ENOMEM;
    struct lc_conn *conn = lc_alloc_zero(sizeof *conn);
    if (conn == NULL) {
        goto fail_alloc;
    }
    if (origin->tls_context != NULL) {
        rc = lc_tls_new(origin->tls_context, fd, origin->host, &conn->tls);
        if (rc < 0) {
            goto fail_tls;
        }
        lc_tls_sessions_offer(&pool->sessions, origin, conn->tls);
    }
    if (uv_poll_init_socket(loop, &conn->poll, fd) != 0) {
        rc = LC_ESYS;
        goto fail_poll;
    }
    conn->poll.data = conn;
    conn->opened_ns = lc_now_ns();
    conn->live = live;
    conn->fd = fd;
    conn->origin = origin;
    conn->on_event = on_event;
    conn->state = conn->tls != NULL ? LC_CONN_HANDSHAKE : LC_CONN_BUSY;
    ++*live;
    lc_count_opened(LC_COUNT_CONNECTIONS);
    link_first(pool, conn);
    /* Reads are watched all its life: registered once, never again per request. */
    if (uv_poll_start(&conn->poll, UV_READABLE, on_poll) != 0) {
        lc_conn_close(conn);
        return LC_ESYS;
    }
    *out = conn;
    return 0;

fail_poll:
    lc_tls_free(conn->tls);
fail_tls:
    lc_free(conn);
fail_alloc:
    close(fd);
    lc_pool_unreserve(pool);
    return rc;
}

void lc_conn_release(struct lc_conn *conn)
{
    struct lc_pool *pool = conn->pool;
    conn->owner = NULL;
    keep_session(conn);
    if (pool == NULL || pool->idle >= pool->max_idle || is_too_old(pool, conn) ||
        lc_conn_watch(conn, false) < 0 || lc_conn_rest(conn, false) < 0) {
        lc_conn_close(conn);
        return;
    }
    conn->state = LC_CONN_IDLE;
    pool->idle++;
    if (pool->first != conn) {
        take_from_list(conn);
        link_first(pool, conn);
    }
    lc_pool_pass_on(pool);
}

void lc_conn_close(struct lc_conn *conn)
{
    if (conn->state == LC_CONN_CLOSED) {
        return;
    }
    leave_rest_queue(conn);
    if (conn->state == LC_CONN_IDLE && conn->pool != NULL) {
        conn->pool->idle--;
    }
    keep_session(conn);
    unlink_conn(conn);
    conn->state = LC_CONN_CLOSED;
    conn->owner = NULL;
    lc_tls_free(conn->tls);
    conn->tls = NULL;
    uv_close((uv_handle_t *)&conn->poll, on_closed);
    close(conn->fd);
}

bool lc_conn_is_stale(struct lc_conn *conn)
{
    char byte;
    uint64_t arrival;
    if (!lc_sock_is_stale(conn->fd)) {
        return false;
    }
    /* TLS sends records of its own (session tickets): reading lets OpenSSL swallow them. */
    return conn->tls == NULL || lc_conn_read(conn, &byte, 1, &arrival) != LC_EAGAIN;
}

static int apply_watch(struct lc_conn *conn)
{
    int events = (conn->rests ? 0 : UV_READABLE) | (conn->watches_write ? UV_WRITABLE : 0);
    int rc = events != 0 ? uv_poll_start(&conn->poll, events, on_poll) : uv_poll_stop(&conn->poll);
    return rc == 0 ? 0 : LC_ESYS;
}

int lc_conn_watch(struct lc_conn *conn, bool write)
{
    if (conn->watches_write == write) {
        return 0;
    }
    conn->watches_write = write;
    return apply_watch(conn);
}

int lc_conn_rest(struct lc_conn *conn, bool rests)
{
    if (conn->rests == rests) {
        return 0;
    }
    conn->rests = rests;
    return apply_watch(conn);
}

ssize_t lc_conn_read(struct lc_conn *conn, char *into, size_t len, uint64_t *arrival_realtime_ns)
{
    return conn->tls != NULL ? lc_tls_read(conn->tls, into, len, arrival_realtime_ns)
                             : lc_sock_read(conn->fd, into, len, arrival_realtime_ns);
}

ssize_t lc_conn_write(struct lc_conn *conn, const char *from, size_t len)
{
    return conn->tls != NULL ? lc_tls_write(conn->tls, from, len)
                             : lc_sock_write(conn->fd, from, len);
}

const char *lc_conn_reason(const struct lc_conn *conn)
{
    return conn->tls != NULL ? lc_tls_reason(conn->tls) : "";
}
