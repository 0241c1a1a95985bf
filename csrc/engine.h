/* The engine: one libuv loop, its connections, its timers and the list of completed operations.
 *
 * An operation is a request or a sleep. It is known by an id, never by a pointer handed out: a
 * stale id finds nothing. Each operation that was begun completes exactly once, by being appended
 * to the completed list, or is cancelled; nothing calls back. A request that sends or receives its
 * body piece by piece completes with each piece and goes on as a new operation when the owner says
 * so (lc_engine_resume). The owner's cycle is
 *
 *     lc_engine_turn()  ->  lc_engine_take() until NULL  ->  wait on lc_engine_fd() readable or
 *     lc_engine_wait_ns() passed.
 *
 * After a submit the loop must turn before the owner sleeps: lc_engine_is_dirty() says so. An
 * engine belongs to one thread and one process. */
#ifndef LC_ENGINE_H
#define LC_ENGINE_H

#include "conn.h"
#include "connect.h"
#include "http1.h"
#include "timers.h"

enum { LC_REASON_MAX = 256 };

/* How a request travels: over our own HTTP/1.1, or whole through libcurl. */
enum lc_http_version {
    LC_HTTP_1,
    LC_HTTP_2, /* by ALPN, with HTTP/1.1 as fall-back; without TLS by prior knowledge */
};

struct lc_request {
    struct lc_pool *pool;
    struct lc_origin *origin;
    struct lc_buf wire; /* head and body as they go on the wire; the engine takes it over */
    bool is_head;
    bool streams;    /* completes with the head; lc_exchange_body() has what came of the body */
    bool feeds;      /* `wire` is the head alone; the body comes by lc_exchange_feed() */
    bool chunked;    /* what is fed goes out in the chunked coding where HTTP/1.1 is spoken */
    uint8_t version; /* enum lc_http_version */
    /* How often it may be sent again on a new connection, if no byte of a response came: after the
     * peer closed or reset the present one; after a time-out. What was not sent at all because a
     * kept connection turned out closed goes to a new one in any case, as with requests. */
    uint16_t resend_closed;
    uint16_t resend_late;
    uint64_t connect_timeout_ns; /* 0: none */
    uint64_t read_timeout_ns;    /* between two arrivals; 0: none */
    size_t max_head;
    size_t max_body;
    /* When the caller began, monotonic: response times count from here, or from the first write if
     * that is on a kept connection and nothing was waited for. */
    uint64_t start_ns;
    void *data; /* the caller's */
};

/* What the arrival of a response's last byte was read from: the kernel's receive timestamp; the
 * clock when this process read it; the clock when the loop saw the socket ready (libcurl reads). */
enum lc_arrival { LC_ARRIVAL_NONE, LC_ARRIVAL_KERNEL, LC_ARRIVAL_READ, LC_ARRIVAL_LOOP };

/* Moments of one request, monotonic nanoseconds; 0: did not happen. With several connections those
 * of the last one. */
struct lc_times {
    uint64_t start;
    uint64_t lookup;    /* duration */
    uint64_t connect;   /* duration of look-up and connect together */
    uint64_t connected; /* a connection was there, kept or new; the handshake, if any, follows */
    uint64_t tls;       /* duration of the handshake */
    uint64_t ready;     /* sending began */
    uint64_t sent;      /* the write that took the last byte began */
    uint64_t first_byte;
    uint64_t last_byte;
    uint64_t read;    /* when this process read the last byte */
    uint64_t ended;   /* the last byte arrived, or the end of the stream, or it failed */
    uint64_t resumed; /* when the caller ran on; set by the caller */
    uint8_t arrival;  /* enum lc_arrival: the source of first_byte and last_byte */
};

enum lc_op_kind { LC_OP_SLEEP, LC_OP_REQUEST };

/* What a completed operation looks like; the base of every operation. */
struct lc_op {
    struct lc_op *next; /* in the completed list */
    uint64_t id;
    void *data;
    struct lc_timer timer;
    uint8_t kind;
    uint8_t state;
};

struct lc_engine;

struct lc_exchange {
    struct lc_op op;
    struct lc_engine *engine;        /* NULL: it is gone, or this was taken when it had ended */
    struct lc_exchange *next, *prev; /* of those that were taken before they ended */
    struct lc_request request;
    struct lc_pool_waiter waiter;
    struct lc_connect *attempt;
    struct lc_conn *conn;
    struct lc_transfer *transfer;
    struct lc_buf fed;    /* what was fed and is not written yet */
    size_t written;       /* of request.wire, on the present connection */
    size_t fed_written;   /* of fed */
    size_t consumed;      /* of response.body, at its beginning */
    uint64_t received;    /* bytes of the body that were consumed altogether */
    uint64_t deadline_ns; /* of the present phase; the timer is moved lazily */
    uint32_t tries;       /* connections that were closed before a response */
    uint32_t late_tries;  /* time-outs before a response after which it was sent again */
    bool reused;          /* the present connection had served before */
    bool told_head;       /* the owner has heard of the head of a streamed response */
    bool began_feeding;   /* a piece was asked for or fed: it cannot be sent again */
    bool fed_all;         /* the last piece was fed */
    bool was_late;        /* connecting got back the time for which this process was stopped */
    bool unsent;          /* the piece that was fed last is not written yet */
    bool sending;         /* by libcurl: the connection is there */
    bool paused;          /* libcurl keeps a piece of the body back */
    /* the result */
    bool ended;      /* err and response are final */
    bool hungry;     /* what was fed is written: lc_exchange_feed() has the next piece */
    int err;         /* 0 or LC_E* */
    int os_errno;    /* of a failed connect; with LC_ERESOLVE getaddrinfo's code */
    uint32_t resent; /* how often it was sent again */
    struct lc_http1 response;
    struct lc_times times;
    char *reason; /* more words on err, or NULL */
};

int lc_engine_new(struct lc_engine **out) LC_MUST_USE;
/* Closes every connection, drops every operation. In a forked child it does nothing: the loop and
 * the connections are shared with the parent, and the memory goes with the process. */
void lc_engine_free(struct lc_engine *engine);

/* False in a forked child: nothing may be closed through the loop there, a pool neither. What
 * begins or ends an operation refuses by itself. */
bool lc_engine_is_ours(const struct lc_engine *engine);

int lc_engine_fd(const struct lc_engine *engine);
/* Nanoseconds the owner may sleep, UINT64_MAX: until the descriptor is readable. */
uint64_t lc_engine_wait_ns(struct lc_engine *engine);
bool lc_engine_is_dirty(const struct lc_engine *engine);
/* Lets the loop turn once without blocking. LC_EFORKED in a forked child. */
int lc_engine_turn(struct lc_engine *engine) LC_MUST_USE;
/* The next completed operation; its memory is the caller's until lc_op_free or lc_engine_resume. */
struct lc_op *lc_engine_take(struct lc_engine *engine);
/* Of a request that has not ended, the connection is closed. */
void lc_op_free(struct lc_op *op);

/* A request that was taken before it ended goes on, as a new operation; it completes when there is
 * more of the body, when it is hungry again and when it has ended. On failure it stays the
 * caller's. */
int lc_engine_resume(struct lc_exchange *exchange, void *data, uint64_t *id) LC_MUST_USE;
/* The next piece of the body that is sent; `last`: there are no more. Only while it is hungry. */
int lc_exchange_feed(struct lc_exchange *exchange, const char *bytes, size_t len,
                     bool last) LC_MUST_USE;
/* What came of the body and was not consumed yet; valid until the next turn. */
struct lc_sv lc_exchange_body(const struct lc_exchange *exchange);
void lc_exchange_consume(struct lc_exchange *exchange, size_t len);

/* Begin an operation; LC_EFORKED in a forked child. On failure the request's wire buffer stays the
 * caller's. */
int lc_engine_submit(struct lc_engine *engine, struct lc_request *request,
                     uint64_t *id) LC_MUST_USE;
int lc_engine_sleep(struct lc_engine *engine, uint64_t duration_ns, void *data,
                    uint64_t *id) LC_MUST_USE;
/* Ends an operation that has not completed and returns its data; NULL if the id is not known, and
 * in a forked child. A completed one that was not taken yet is taken out and freed as well. */
void *lc_engine_cancel(struct lc_engine *engine, uint64_t id);
/* Cancels one operation after the other, for an owner that gives all of them up: `*place` starts at
 * 0, `*data` is what the cancelled one had. False when none is left. */
bool lc_engine_cancel_next(struct lc_engine *engine, uint32_t *place, void **data) LC_MUST_USE;

/* Origins and TLS contexts are made once per distinct configuration and live as long as the
 * engine: a run talks to a handful of them from thousands of users. */
struct lc_origin_spec {
    const char *host; /* without brackets */
    uint16_t port;
    struct lc_tls_context *tls_context; /* NULL: plain HTTP */
    /* NULL or "": none; see struct lc_origin */
    const char *proxy;
    const char *source;
    const char *unix_socket;
    const char *resolve;
};

int lc_engine_origin(struct lc_engine *engine, const struct lc_origin_spec *spec,
                     struct lc_origin **out) LC_MUST_USE;
int lc_engine_tls_context(struct lc_engine *engine, const struct lc_tls_config *config,
                          struct lc_tls_context **out, char reason[LC_TLS_REASON_MAX]) LC_MUST_USE;

/* lc_pool_close for the connections of both lanes. Also after its engine has gone, but not in a
 * forked child. */
void lc_engine_pool_close(struct lc_pool *pool);

struct lc_engine_counts {
    int64_t connections; /* not yet freed */
    uint64_t opened;
    size_t operations; /* begun and not yet taken or cancelled */
};

void lc_engine_count(const struct lc_engine *engine, struct lc_engine_counts *out);

#endif
