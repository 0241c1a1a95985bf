/* One connected stream socket: TCP to the first of several addresses that answers, or Unix.
 *
 * The addresses are tried in their order, the next after a failure, as Python's create_connection
 * does. If there are addresses of the other family, too, one of them is tried beside the present
 * one after LC_DIAL_STAGGER_MS (RFC 8305, 5), and the first that is connected counts: a family that
 * leads nowhere costs no more than that. Within a family nothing runs in parallel, so that a load
 * test loads the same addresses as without us; an address that is silent there is given up by the
 * owner (lc_dial_next).
 *
 * On loopback a connection is there at once: no watch, no callback. */
#ifndef LC_DIAL_H
#define LC_DIAL_H

#include "address.h"

#include <uv.h>

enum { LC_DIAL_REASON_MAX = 256, LC_DIAL_STAGGER_MS = 250 };

struct lc_dial_target {
    const struct lc_address *addresses; /* copied */
    size_t count;
    uint16_t port;           /* takes the place of the addresses' ports */
    const char *source;      /* local address or interface; NULL or "": any */
    const char *unix_socket; /* path, in the place of addresses; NULL or "": none */
};

struct lc_dial_result {
    int err; /* 0, LC_ECONNECT, LC_ENOMEM */
    int fd;  /* the caller's from now on; -1 with an error */
    int os_errno;
    char reason[LC_DIAL_REASON_MAX]; /* of the last address that was tried */
};

struct lc_dial;

/* It is over; the result is valid during the callback. */
typedef void (*lc_dial_cb)(void *owner, const struct lc_dial_result *result);

/* 0: it is over and `*result` says how; LC_EAGAIN: it calls back from the loop. The strings must
 * live until then. */
int lc_dial_start(uv_loop_t *loop, const struct lc_dial_target *target, lc_dial_cb done,
                  void *owner, struct lc_dial_result *result, struct lc_dial **out) LC_MUST_USE;
/* Gives up what is being tried and goes on with the next address. 0: it is over, as with
 * lc_dial_start; LC_EAGAIN: under way; LC_EINVAL: there is none, and nothing has changed. */
int lc_dial_next(struct lc_dial *dial, struct lc_dial_result *result) LC_MUST_USE;
void lc_dial_cancel(struct lc_dial *dial);

#endif
