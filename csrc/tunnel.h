/* A way through a proxy: libcurl connects to it and says what an HTTP proxy (CONNECT) or a SOCKS
 * proxy wants to hear.
 *
 * libcurl looks no name up: it is given the proxy's addresses. When the proxy has agreed the socket
 * is given away and libcurl forgets it. An attempt ends exactly once, in lc_tunnels_turn; a
 * cancelled one does not call back. libcurl's easy handles are reused through a small pool of idle
 * ones. */
#ifndef LC_TUNNEL_H
#define LC_TUNNEL_H

#include "address.h"
#include "proxy.h"

#include <uv.h>

enum { LC_TUNNEL_REASON_MAX = 256, LC_TUNNEL_ADDRESSES_MAX = 16 };

struct lc_tunnel_target {
    const struct lc_proxy *proxy;
    /* Of the proxy, at least one; of more than LC_TUNNEL_ADDRESSES_MAX the first. */
    const struct lc_address *addresses;
    size_t count;
    const char *url;    /* http://host:port/ of the server; the proxy is told this host */
    const char *source; /* as in struct lc_dial_target; must live until the attempt ends */
};

struct lc_tunnel_result {
    int err;      /* 0, LC_ECONNECT, LC_ENOMEM */
    int fd;       /* the caller's from now on; -1 with an error */
    int os_errno; /* of a failed connect to the proxy, 0 if the proxy itself refused */
    const char *reason;
};

struct lc_tunnels;
struct lc_tunnel;

typedef void (*lc_tunnel_cb)(void *owner, const struct lc_tunnel_result *result);

/* Once in a process, before the first thread: libcurl's own global set-up. */
int lc_tunnel_init_process(void) LC_MUST_USE;

int lc_tunnels_new(uv_loop_t *loop, lc_tunnel_cb done, struct lc_tunnels **out) LC_MUST_USE;
/* When every attempt has ended or was cancelled. */
void lc_tunnels_close(struct lc_tunnels *tunnels);
int lc_tunnel_start(struct lc_tunnels *tunnels, const struct lc_tunnel_target *target, void *owner,
                    struct lc_tunnel **out) LC_MUST_USE;
void lc_tunnel_cancel(struct lc_tunnel *tunnel);
/* Calls back for every attempt that has ended. */
void lc_tunnels_turn(struct lc_tunnels *tunnels);

#endif
