/* Connected sockets: name look-up, addresses, proxies, Unix sockets, one after the other.
 *
 * One connector per loop. Names are looked up for each attempt (lookup.h), the socket is connected
 * by dial.h, and tunnel.h lets libcurl talk to a proxy that wants to be talked to. An attempt ends
 * exactly once, through the done callback, from lc_connector_turn and never from inside
 * lc_connect_start; a cancelled attempt does not call back. */
#ifndef LC_CONNECT_H
#define LC_CONNECT_H

#include "lookup.h"

#include <uv.h>

enum { LC_CONNECT_REASON_MAX = 256 };

/* NULL and "" are the same: not given. */
struct lc_connect_target {
    const char *url;         /* http://host:port/ of the origin; the path is not used */
    const char *proxy;       /* as lc_proxy_parse reads it; a SOCKS proxy is always tunnelled */
    bool tunnel;             /* through an HTTP proxy by CONNECT; else it is only connected to */
    const char *source;      /* local address, or the name of an interface */
    const char *unix_socket; /* path; no name is looked up then, and no proxy is used */
    const char *resolve;     /* "host:port:address[,address]", as lc_resolve_find reads it */
};

struct lc_connect_result {
    int err;             /* 0, LC_ERESOLVE, LC_ECONNECT, LC_ENOMEM */
    int fd;              /* the caller's from now on; -1 with an error */
    int os_errno;        /* of the failed connect, 0 if unknown */
    int eai;             /* getaddrinfo's code with LC_ERESOLVE */
    uint64_t lookup_ns;  /* duration of the name look-ups; 0: there was none */
    uint64_t connect_ns; /* duration from the start, look-ups and proxy included; 0 with an error */
    const char *reason; /* in words; begins with "Proxy host:port: " or "SOCKS proxy host:port: " if
                         * it was on the way through one; valid during the callback */
};

struct lc_connector;
struct lc_connect;

typedef void (*lc_connect_cb)(void *owner, const struct lc_connect_result *result);

/* Once in a process, before the first thread. */
int lc_connect_init_process(void) LC_MUST_USE;

/* `lookups` may be NULL; a test may have names looked up by functions of its own. */
int lc_connector_new(uv_loop_t *loop, const struct lc_lookup_config *lookups,
                     struct lc_connector **out) LC_MUST_USE;
/* Cancels what is in flight. The memory goes when the loop has run the close callbacks. */
void lc_connector_close(struct lc_connector *connector);
/* The target's strings must live until the attempt ends. */
int lc_connect_start(struct lc_connector *connector, const struct lc_connect_target *target,
                     lc_connect_cb done, void *owner, struct lc_connect **out) LC_MUST_USE;
/* The connect time-out has passed: gives up the address that is being tried and goes on with the
 * next, which has the whole time-out again, as with urllib3. False: there is none. */
bool lc_connect_next_address(struct lc_connect *attempt) LC_MUST_USE;
void lc_connect_cancel(struct lc_connect *attempt);
/* Gives attempts that wait for their start, and results that wait for their callback, their turn;
 * call once per loop iteration. True if more wait: do not sleep. */
bool lc_connector_turn(struct lc_connector *connector);

#endif
