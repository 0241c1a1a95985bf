#include "proxy.h"

#include <stdio.h>

int lc_proxy_parse(const char *text, struct lc_proxy *out)
{
    static const struct {
        const char *scheme;
        enum lc_proxy_kind kind;
    } SCHEMES[] = {{"http", LC_PROXY_HTTP},
                   {"socks4", LC_PROXY_SOCKS4},
                   {"socks4a", LC_PROXY_SOCKS4A},
                   {"socks5", LC_PROXY_SOCKS5},
                   {"socks5h", LC_PROXY_SOCKS5H}};
    const char *separator = strstr(text, "://");
    const char *rest = separator != NULL ? separator + 3 : text;
    struct lc_sv scheme = lc_sv_of("http");
    size_t i = 0;
    if (separator != NULL) {
        scheme = (struct lc_sv){text, (size_t)(separator - text)};
    }
    while (!lc_sv_equal_nocase(scheme, lc_sv_of(SCHEMES[i].scheme))) {
        if (++i == sizeof SCHEMES / sizeof SCHEMES[0]) {
            return LC_EINVAL;
        }
    }
    struct lc_url url;
    int len = snprintf(out->bytes, sizeof out->bytes, "http://%s", rest);
    if (len < 0 || (size_t)len >= sizeof out->bytes) {
        return LC_EINVAL;
    }
    int rc = lc_url_split((struct lc_sv){out->bytes, (size_t)len}, &url);
    if (rc < 0) {
        return rc;
    }
    out->kind = SCHEMES[i].kind;
    out->scheme = SCHEMES[i].scheme;
    out->userinfo = url.userinfo;
    out->host = url.host;
    out->port = url.port_given || out->kind == LC_PROXY_HTTP ? url.port : 1080;
    return 0;
}
