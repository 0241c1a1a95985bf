/* URLs (RFC 3986) as far as a request needs them: split an absolute http(s) URL, join a base with a
 * path by plain concatenation (Locust's rule) and re-quote a request target as requests does. */
#ifndef LC_URL_H
#define LC_URL_H

#include "buf.h"

struct lc_url {
    struct lc_sv scheme;   /* as written */
    struct lc_sv userinfo; /* without '@'; ptr NULL if there is none */
    struct lc_sv host;     /* without brackets of an IPv6 address */
    struct lc_sv target;   /* path and query, without fragment; empty if there is none */
    struct lc_sv path;     /* the target's path */
    uint16_t port;         /* the scheme's default if not given */
    bool port_given;
    bool is_https;
    bool host_is_ipv6;
};

/* Splits an absolute URL; views point into it. LC_EINVAL: no http(s) scheme, no host, a bad port,
 * control bytes or spaces in the authority. */
int lc_url_split(struct lc_sv url, struct lc_url *out) LC_MUST_USE;
/* True if the target's bytes can go on the wire as they are: printable ASCII, valid %XX triplets
 * only, none of the characters that requests would quote. The common case, kept fast. */
bool lc_url_target_is_clean(struct lc_sv target);

#endif
