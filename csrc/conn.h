/* One connection, plain or TLS, and the pool that keeps it while it is idle.
 *
 * A connection belongs to one pool (a user's, or one that several users share) and one origin. It
 * watches its socket all its life, so that a peer that closes an idle connection is noticed by the
 * loop. Memory goes in libuv's close callback. */
#ifndef LC_CONN_H
#define LC_CONN_H

#include "lc.h"
#include "tls.h"

#include <uv.h>

/* Where a connection leads: scheme, host, port and TLS configuration. Equal origins of one engine
 * are one object, so that comparing pointers is enough. */
struct lc_origin {
    struct lc_origin *next;
    struct lc_tls_context *tls_context; /* NULL: plain */
    const char *connect_url;            /* http://host:port/ */
    const char *host;                   /* without brackets */
    const char *proxy;                  /* "" for none */
    char bytes[];
};

struct lc_conn;

struct lc_pool {
    struct lc_conn *first; /* all its connections, the most recently used first */
    size_t max_idle;       /* more than that are closed after use */
    size_t idle;
};

enum lc_conn_state { LC_CONN_HANDSHAKE, LC_CONN_IDLE, LC_CONN_BUSY, LC_CONN_CLOSED };

/* Called for readable and writable, and with status < 0 when the watch itself failed. */
typedef void (*lc_conn_cb)(struct lc_conn *conn, int status, bool readable, bool writable);

struct lc_conn {
    uv_poll_t poll;
    struct lc_conn *next, *prev; /* in the pool */
    struct lc_pool *pool;
    struct lc_origin *origin;
    struct lc_tls *tls;
    lc_conn_cb on_event;
    void *owner;   /* of the request in flight; NULL when idle */
    uint64_t uses; /* requests begun on it */
    int64_t *live; /* the engine's count of connections not yet freed */
    int fd;
    uint8_t state;
    bool watches_write;
};

void lc_pool_init(struct lc_pool *pool, size_t max_idle);
/* Closes the idle connections and lets go of the busy ones, which close after use. */
void lc_pool_close(struct lc_pool *pool);
/* Takes the most recently used idle connection to that origin, NULL if there is none. Stale ones
 * (closed by the peer) are closed on the way. It is BUSY afterwards. */
struct lc_conn *lc_pool_take(struct lc_pool *pool, struct lc_origin *origin);

/* Takes over a connected descriptor, whatever the result. `*live` counts the connection until its
 * memory is freed. */
int lc_conn_open(uv_loop_t *loop, struct lc_pool *pool, struct lc_origin *origin, int fd,
                 lc_conn_cb on_event, int64_t *live, struct lc_conn **out) LC_MUST_USE;
/* Back to the pool, or closed if the pool has enough or is gone. */
void lc_conn_release(struct lc_conn *conn);
void lc_conn_close(struct lc_conn *conn);
/* True if an idle connection can no longer be used: the peer closed it, or sent bytes that nobody
 * asked for and that would be taken for the next response. */
bool lc_conn_is_stale(struct lc_conn *conn);
/* Whether to hear of the socket becoming writable. */
int lc_conn_watch(struct lc_conn *conn, bool write) LC_MUST_USE;
ssize_t lc_conn_read(struct lc_conn *conn, char *into, size_t len,
                     uint64_t *arrival_realtime_ns) LC_MUST_USE;
ssize_t lc_conn_write(struct lc_conn *conn, const char *from, size_t len) LC_MUST_USE;
/* Words for the last error of the connection, "" if there are none beyond the code. */
const char *lc_conn_reason(const struct lc_conn *conn);

#endif
