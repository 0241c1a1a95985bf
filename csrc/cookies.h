/* A cookie jar (RFC 6265 with http.cookiejar's defaults where they differ, as requests has them).
 *
 * Small: an empty jar owns nothing, a cookie is one block. Not bound to a session or a thread. */
#ifndef LC_COOKIES_H
#define LC_COOKIES_H

#include "buf.h"

#define LC_COOKIE_SESSION INT64_MAX /* no expiry: lives as long as the jar */

struct lc_cookie {
    struct lc_cookie *next;
    int64_t expires;     /* epoch seconds, or LC_COOKIE_SESSION */
    struct lc_sv domain; /* as http.cookiejar keeps it: a leading dot if it came as attribute */
    struct lc_sv path;
    struct lc_sv name;
    struct lc_sv value; /* ptr NULL: there was no '=', None in Python; sent as the bare name */
    bool secure;
    bool http_only;
    bool domain_specified;
    bool path_specified;
    char bytes[]; /* what the views point into */
};

struct lc_cookies {
    struct lc_cookie *first; /* in order of creation, but those of one domain and, within it, of
                              * one path side by side, as http.cookiejar hands them out */
    size_t count;
};

void lc_cookies_init(struct lc_cookies *jar);
void lc_cookies_free(struct lc_cookies *jar);
/* Takes one Set-Cookie value that a response to host/path carried; `path` may be empty, an IPv6
 * host stands without brackets. A cookie that the policy refuses (other domain, public top-level
 * domain without dot, malformed) is ignored, one that has expired removes the jar's: 0 all the
 * same. Only LC_ENOMEM is an error. At most 3000 cookies, the first of the list goes. A Secure
 * cookie is taken from any channel and a Port attribute has no effect. */
int lc_cookies_set_from(struct lc_cookies *jar, struct lc_sv set_cookie, struct lc_sv host,
                        struct lc_sv path, bool secure_channel, int64_t now) LC_MUST_USE;
/* Adds or replaces (same domain, path, name) a cookie as given; views are copied. */
int lc_cookies_put(struct lc_cookies *jar, const struct lc_cookie *cookie) LC_MUST_USE;
/* Removes what matches; a view with NULL ptr matches all. Returns how many went. */
size_t lc_cookies_remove(struct lc_cookies *jar, struct lc_sv domain, struct lc_sv path,
                         struct lc_sv name);
/* Appends "a=1; b=2" for a request to host/path (longer paths first, else in the list's order) to
 * `out`, or nothing if no cookie applies; on failure `out` keeps its bytes. Expired cookies are
 * dropped. A host-only cookie also goes to hosts below its host: http.cookiejar's default. */
int lc_cookies_header(struct lc_cookies *jar, struct lc_sv host, struct lc_sv path, bool secure,
                      int64_t now, struct lc_buf *out) LC_MUST_USE;

#endif
