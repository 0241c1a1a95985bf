/* Host names and paths as http.cookiejar compares them, for both directions: taking a cookie and
 * sending it. */
#ifndef LC_COOKIE_HOST_H
#define LC_COOKIE_HOST_H

#include "buf.h"

#define LC_COOKIE_HOST_MAX 255

/* A host in lower case behind a dot; a name without dots has ".local" appended, an IPv6 address
 * its brackets. The dot makes "ends with the domain" one comparison. */
struct lc_cookie_host {
    size_t len;
    char bytes[1 + LC_COOKIE_HOST_MAX + 2 + sizeof ".local"];
};

/* False if the host is empty or longer than a host name can be. */
bool lc_cookie_host_init(struct lc_cookie_host *out, struct lc_sv host);
/* True if the host, with ".local" where that applies, is the domain or lies below it. A domain
 * with and one without leading dot mean the same; an empty one contains every host. */
bool lc_cookie_host_is_in(const struct lc_cookie_host *host, struct lc_sv domain);
/* True if the bytes of `text` end with those of `tail`. */
bool lc_cookie_ends_with(struct lc_sv text, struct lc_sv tail);

/* The path as it is compared: `path` itself, or, if it has bytes that must be quoted, the quoted
 * form in `scratch`, which the caller frees in any case. An empty path is "/". */
int lc_cookie_quote_path(struct lc_sv path, struct lc_buf *scratch, struct lc_sv *out) LC_MUST_USE;
/* RFC 6265, 5.1.4. */
bool lc_cookie_path_matches(struct lc_sv cookie_path, struct lc_sv request_path);

#endif
