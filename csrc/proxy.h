/* The URL of a proxy: "[scheme://][user:password@]host[:port]". */
#ifndef LC_PROXY_H
#define LC_PROXY_H

#include "url.h"

enum { LC_PROXY_MAX = 1024 };

enum lc_proxy_kind {
    LC_PROXY_HTTP,
    LC_PROXY_SOCKS4,  /* the client looks the name up, IPv4 only */
    LC_PROXY_SOCKS4A, /* the proxy does */
    LC_PROXY_SOCKS5,  /* the client does */
    LC_PROXY_SOCKS5H, /* the proxy does */
};

struct lc_proxy {
    enum lc_proxy_kind kind;
    const char *scheme; /* as libcurl names it */
    struct lc_sv userinfo;
    struct lc_sv host;        /* without brackets */
    uint16_t port;            /* if it is not given: 80 as in urllib3, of a SOCKS proxy 1080 */
    char bytes[LC_PROXY_MAX]; /* the views point into it */
};

/* Without a scheme it is an HTTP proxy. LC_EINVAL: another scheme, no host, a bad port, too long.
 */
int lc_proxy_parse(const char *text, struct lc_proxy *out) LC_MUST_USE;

#endif
