/* One connection, plain or TLS, and the pool that keeps it while it is idle.
 *
 * A connection belongs to one pool (a user's, or one that several users share) and one origin. It
 * watches its socket all its life, so that a peer that closes an idle connection is noticed by the
 * loop; only a reader who has enough for now lets it rest. Memory goes in libuv's close callback.
 */
#ifndef LC_CONN_H
#define LC_CONN_H

#include "lc.h"
#include "tls_sessions.h"

#include <uv.h>

/* Where a connection leads: scheme, host, port and TLS configuration. Equal origins of one engine
 * are one object, so that comparing pointers is enough. */
struct lc_origin {
    struct lc_origin *next;
    struct lc_tls_context *tls_context;     /* NULL: plain */
    const struct lc_tls_config *tls_config; /* what the context was made of, or NULL */
    const char *connect_url;                /* http://host:port/ */
    const char *host;                       /* without brackets */
    const char *proxy;                      /* "" for none */
    const char *source;                     /* local address or interface; "": any */
    const char *unix_socket;                /* path that takes the place of the address; "": none */
    const char *resolve;                    /* "host:port:address[,address]"; "": look it up */
    char bytes[];
};

struct lc_conn;
struct lc_pool;
struct lc_transfer_scope;

/* Who waits for a connection of a pool that has as many as it may; in order of arrival. */
struct lc_pool_waiter {
    struct lc_pool_waiter *next, *prev;
    struct lc_pool *pool; /* NULL: does not wait */
};

/* Called when a pool that somebody waits for may have room, never more than once per change. */
typedef void (*lc_pool_room_cb)(struct lc_pool_waiter *first);

struct lc_pool {
    struct lc_conn *first; /* all its connections, the most recently used first */
    size_t idle;
    size_t open; /* connections, and attempts that were counted by lc_pool_reserve */
    /* settings */
    size_t max_idle;                 /* more than that are closed after use */
    size_t max_open;                 /* more than that are never open at once; 0: any number */
    uint64_t lifetime_ns;            /* older connections are not used again; 0: no limit */
    struct lc_transfer_scope *scope; /* connections of the other lane; NULL: none yet */
    struct lc_tls_sessions sessions;
    /* private */
    struct lc_pool_waiter *waiting_first, *waiting_last;
    lc_pool_room_cb on_room;
};

/* Connections in the order they came to rest; see lc_conn_came_to_rest. */
struct lc_rest_queue {
    struct lc_conn *first, *last;
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
    uint64_t opened_ns;
    struct lc_conn *rested_after, *rested_before; /* in rests_in */
    struct lc_rest_queue *rests_in;               /* NULL: in none */
    uint64_t rested_ns;
    int64_t *live; /* the engine's count of connections not yet freed */
    int fd;
    uint8_t state;
    bool rests; /* reads are not watched */
    bool watches_write;
};

void lc_pool_init(struct lc_pool *pool, size_t max_idle);
/* Closes the idle connections and lets go of the busy ones, which close after use. It may be used
 * again, and resumes its TLS sessions then; lc_pool_forget lets go of these, its last memory. */
void lc_pool_close(struct lc_pool *pool);
void lc_pool_forget(struct lc_pool *pool);
/* Takes the most recently used idle connection to that origin, NULL if there is none. Stale ones
 * (closed by the peer) are closed on the way. It is BUSY afterwards. */
struct lc_conn *lc_pool_take(struct lc_pool *pool, struct lc_origin *origin);
/* Room for one more connection, counted from now on; closes an idle one to another origin if that
 * makes it. False: the pool has as many as it may. */
bool lc_pool_reserve(struct lc_pool *pool) LC_MUST_USE;
/* Gives back the room of an attempt that came to nothing. */
void lc_pool_unreserve(struct lc_pool *pool);
/* Waits for room, behind the others or, if it was called in vain, in front of them. */
void lc_pool_wait(struct lc_pool *pool, struct lc_pool_waiter *waiter, bool in_front,
                  lc_pool_room_cb on_room);
void lc_pool_wait_end(struct lc_pool_waiter *waiter);
/* Who was told of room gave up before taking it: the next one may have it. */
void lc_pool_pass_on(struct lc_pool *pool);

/* Takes over a connected descriptor, whatever the result, and the room that was reserved for it.
 * `*live` counts the connection until its memory is freed. */
int lc_conn_open(uv_loop_t *loop, struct lc_pool *pool, struct lc_origin *origin, int fd,
                 lc_conn_cb on_event, int64_t *live, struct lc_conn **out) LC_MUST_USE;
/* Back to the pool, or closed if the pool has enough or is gone. */
void lc_conn_release(struct lc_conn *conn);
void lc_conn_close(struct lc_conn *conn);
/* True if an idle connection can no longer be used: the peer closed it, or sent bytes that nobody
 * asked for and that would be taken for the next response. */
bool lc_conn_is_stale(struct lc_conn *conn);
/* TLS has buffers for what is under way. One that rests for long gives them back, one that is used
 * again at once keeps them: getting them anew costs as much as a request. */
void lc_conn_came_to_rest(struct lc_conn *conn, struct lc_rest_queue *queue, uint64_t now_ns);
void lc_rest_queue_shrink(struct lc_rest_queue *queue, uint64_t before_ns);
/* Whether to hear of the socket becoming writable. */
int lc_conn_watch(struct lc_conn *conn, bool write) LC_MUST_USE;
/* Whether to hear of nothing that arrives for the time being. */
int lc_conn_rest(struct lc_conn *conn, bool rests) LC_MUST_USE;
ssize_t lc_conn_read(struct lc_conn *conn, char *into, size_t len,
                     uint64_t *arrival_realtime_ns) LC_MUST_USE;
ssize_t lc_conn_write(struct lc_conn *conn, const char *from, size_t len) LC_MUST_USE;
/* Words for the last error of the connection, "" if there are none beyond the code. */
const char *lc_conn_reason(const struct lc_conn *conn);

#endif
