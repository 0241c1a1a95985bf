/* The other lane: whole requests by libcurl's multi interface, for HTTP/2.
 *
 * Over TLS the version is negotiated (ALPN) and HTTP/1.1 is the fall-back; without TLS HTTP/2 is
 * spoken with prior knowledge, but to an HTTP proxy HTTP/1.1. The sockets are connected by
 * connect.h, as in our own lane; libcurl is given them. It follows no redirect, keeps no cookie,
 * authenticates nowhere, decodes no content, adds no header, and obeys no variable of the
 * environment; it has no time-outs.
 *
 * A scope is what shares connections: transfers of one scope to one origin that run at the same
 * time share one HTTP/2 connection, transfers of different scopes never do. A transfer that may
 * hold up others has a connection to itself meanwhile: one that pauses its response, and one with a
 * body of more than LC_TRANSFER_SHARED_BODY or of unknown length.
 *
 * A transfer ends exactly once, through on_done, from lc_transfers_turn or lc_connector_turn; one
 * that was cancelled does not call back. The other events come while libcurl is on the stack: they
 * may append to buffers and lists, and call nothing of this file.
 *
 * A request that was not processed is sent again: refused on a connection that had served before
 * (GOAWAY, REFUSED_STREAM), or answered with a wish for HTTP/1.1. What was refused on a connection
 * made for it is an error, and what was lost is sent again as often as the caller allows. */
#ifndef LC_TRANSFER_H
#define LC_TRANSFER_H

#include "conn.h"
#include "connect.h"

enum { LC_TRANSFER_SHARED_BODY = 16384 };

struct lc_transfer_result {
    int err;            /* 0 or LC_E* */
    int os_errno;       /* 0 if none is known; with LC_ERESOLVE getaddrinfo's code */
    const char *reason; /* more words on err; valid during the callback */
    /* Durations in nanoseconds; 0 on a connection that was there. */
    uint64_t lookup_ns;
    uint64_t connect_ns; /* look-up and connect together */
    uint64_t tls_ns;
    /* Moments of the monotonic clock; 0: did not happen. An arrival is the moment the loop saw
     * that the socket had news. */
    uint64_t connected; /* a connection was there, kept or new; the handshake, if any, follows */
    uint64_t sent;
    uint64_t first_byte;
    uint64_t last_byte;
    uint64_t read;   /* when the end was noticed */
    uint32_t resent; /* how often it was sent again */
    bool reused;     /* on a connection that had served before, or serves others as well */
};

struct lc_transfer_events {
    /* There is a connection, and the request is about to be sent; again if it is sent again. NULL:
     * no matter. An error ends the transfer with that code. */
    int (*on_sending)(void *owner);
    /* The head of the final response, with status line, line ends and the empty line, names as
     * received: "HTTP/2 200 \r\nname: value\r\n\r\n". Interim responses and trailers are dropped.
     * An error ends the transfer with that code. */
    int (*on_head)(void *owner, const char *bytes, size_t len);
    /* A piece of the body, without transfer coding. LC_EAGAIN refuses it: it comes again after
     * lc_transfer_resume; only if the request said that it may pause. Other errors as above. */
    int (*on_body)(void *owner, const char *bytes, size_t len);
    /* The next piece of the request's body: bytes written to `into`, 0 at the end, LC_EAGAIN: ask
     * again after lc_transfer_resume, or an error. NULL without a body. */
    ssize_t (*on_read)(void *owner, char *into, size_t len);
    /* The request is sent again: on_read begins anew. NULL: it cannot, so that a request of which
     * a piece was read is not sent again. */
    int (*on_rewind)(void *owner);
    void (*on_done)(void *owner, const struct lc_transfer_result *result);
};

struct lc_transfers;
struct lc_transfer;
struct lc_transfer_scope;

struct lc_transfer_request {
    struct lc_transfer_scope *scope;
    const struct lc_origin *origin; /* must outlive the scope and not change */
    /* In HTTP/1 form: request line, header lines, empty line. What HTTP/2 forbids (Connection,
     * Transfer-Encoding, ...) is left out there, Host becomes :authority. Copied. */
    struct lc_sv head;
    bool has_body;
    int64_t body_len; /* -1: unknown */
    bool may_pause;   /* on_body may return LC_EAGAIN */
    uint32_t resend; /* how often it may be sent again if its connection ended without a response */
    size_t max_head; /* of the response; more is LC_ELIMIT */
    const struct lc_transfer_events *events;
    void *owner;
};

/* The connector must outlive it, and is given its turn by its owner. */
int lc_transfers_new(uv_loop_t *loop, struct lc_connector *connector,
                     struct lc_transfers **out) LC_MUST_USE;
/* Cancels what is in flight and closes every connection; scopes are closed afterwards or before.
 * The memory goes when the loop has run the close callbacks. */
void lc_transfers_close(struct lc_transfers *transfers);
/* Calls back for what has ended, lets begin what waits, resumes what was told to. Call before and
 * after the loop turns, behind lc_connector_turn, and before sleeping after any other call of this
 * file. True if the connector has something to do: do not sleep. */
bool lc_transfers_turn(struct lc_transfers *transfers);

/* `max_idle` connections of a scope at most are kept for later (0: none), and none is used again
 * that is older than `lifetime_ns` (0: no limit; rounded up to seconds). */
int lc_transfer_scope_new(struct lc_transfers *transfers, size_t max_idle, uint64_t lifetime_ns,
                          struct lc_transfer_scope **out) LC_MUST_USE;
/* Closes the idle connections; transfers in flight go on, and their connections close after use. */
void lc_transfer_scope_close(struct lc_transfer_scope *scope);

/* LC_EINVAL: the head cannot be read, or it is a HEAD with a body, which libcurl cannot send. */
int lc_transfer_start(const struct lc_transfer_request *request,
                      struct lc_transfer **out) LC_MUST_USE;
/* At any moment but from inside an event. A connection that nobody else uses closes. */
void lc_transfer_cancel(struct lc_transfer *transfer);
/* The connect time-out has passed: true if there is another address, which is tried now. */
bool lc_transfer_next_address(struct lc_transfer *transfer) LC_MUST_USE;
/* After LC_EAGAIN from on_body or on_read; the event comes in a later turn. */
void lc_transfer_resume(struct lc_transfer *transfer);

struct lc_transfer_counts {
    int64_t connections; /* open and usable */
    uint64_t opened;     /* that became usable */
    size_t transfers;    /* begun and not ended */
};

void lc_transfers_count(const struct lc_transfers *transfers, struct lc_transfer_counts *out);

#endif
