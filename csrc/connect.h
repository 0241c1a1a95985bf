/* Connections by libcurl: name look-up, happy eyeballs, proxies, Unix sockets; then the socket is
 * given away and libcurl forgets it.
 *
 * One connector per loop. An attempt ends exactly once, through the done callback, never from
 * inside lc_connect_start and never while libcurl is on the stack; a cancelled attempt does not
 * call back. libcurl's easy handles are reused through a small pool of idle ones. */
#ifndef LC_CONNECT_H
#define LC_CONNECT_H

#include "lc.h"

#include <uv.h>

enum { LC_CONNECT_REASON_MAX = 256 };

struct lc_connect_target {
    const char *url;   /* http://host:port/ of the origin; the path is not used */
    const char *proxy; /* "" or NULL: none; http://, socks5://, ... as libcurl takes it */
    bool tunnel;       /* through an HTTP proxy by CONNECT */
};

struct lc_connect_result {
    int err;             /* 0, LC_ERESOLVE, LC_ECONNECT, LC_ENOMEM */
    int fd;              /* the caller's from now on; -1 with an error */
    int os_errno;        /* of the failed connect, 0 if unknown */
    uint64_t lookup_ns;  /* duration of the name look-up */
    uint64_t connect_ns; /* duration from the start to the connected socket */
    const char *reason;  /* libcurl's words; valid during the callback */
};

struct lc_connector;
struct lc_connect;

typedef void (*lc_connect_cb)(void *owner, const struct lc_connect_result *result);

/* Once in a process, before the first thread: libcurl's own global set-up. */
int lc_connect_init_process(void) LC_MUST_USE;

int lc_connector_new(uv_loop_t *loop, lc_connect_cb done, struct lc_connector **out) LC_MUST_USE;
/* Cancels what is in flight. The memory goes when the loop has run the close callbacks. */
void lc_connector_close(struct lc_connector *connector);
/* Strings are copied. */
int lc_connect_start(struct lc_connector *connector, const struct lc_connect_target *target,
                     void *owner, struct lc_connect **out) LC_MUST_USE;
void lc_connect_cancel(struct lc_connect *attempt);
/* Gives attempts that wait for their start, and results that wait for their callback, their turn;
 * call once per loop iteration. True if more wait: do not sleep. */
bool lc_connector_turn(struct lc_connector *connector);

#endif
