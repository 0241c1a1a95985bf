#include "url.h"

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* How many bytes of the URL are "http://" or "https://"; 0 if it has neither. */
static size_t scheme_len(struct lc_sv url, bool *is_https)
{
    static const char prefix[] = "https://";
    size_t with = sizeof prefix - 1, without = with - 1;
    if (url.len >= with && lc_sv_equal_nocase((struct lc_sv){url.ptr, with}, lc_sv_of(prefix))) {
        *is_https = true;
        return with;
    }
    *is_https = false;
    return url.len >= without &&
                   lc_sv_equal_nocase((struct lc_sv){url.ptr, without}, lc_sv_of("http://"))
               ? without
               : 0;
}

/* Bytes before the first of '/', '?', '#'; LC_EINVAL for control bytes and spaces among them. */
static int authority_len(const char *ptr, size_t len, size_t *authority)
{
    size_t i = 0;
    while (i < len && ptr[i] != '/' && ptr[i] != '?' && ptr[i] != '#') {
        if ((unsigned char)ptr[i] <= ' ' || ptr[i] == 0x7f) {
            return LC_EINVAL;
        }
        i++;
    }
    *authority = i;
    return 0;
}

/* Non-ASCII bytes pass: whether such a name is encoded for the DNS is the caller's choice. */
static bool is_host_name(struct lc_sv host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (memchr("\"<>[\\]^`{|}", host.ptr[i], 11) != NULL) {
            return false;
        }
    }
    return host.len > 0;
}

/* Digits, colons and dots, at least two colons, then an optional zone behind '%' (RFC 6874). */
static bool is_ipv6(struct lc_sv host)
{
    size_t i = 0, colons = 0;
    for (; i < host.len && host.ptr[i] != '%'; i++) {
        colons += host.ptr[i] == ':';
        if (!is_hex(host.ptr[i]) && host.ptr[i] != ':' && host.ptr[i] != '.') {
            return false;
        }
    }
    if (i < host.len && i + 1 == host.len) {
        return false;
    }
    for (; i < host.len; i++) {
        if (!is_alnum((unsigned char)host.ptr[i]) && memchr("%-._~", host.ptr[i], 5) == NULL) {
            return false;
        }
    }
    return colons >= 2;
}

/* The text behind the host: nothing, ':' or ':' and a number. */
static int parse_port(struct lc_sv text, struct lc_url *out)
{
    out->port = out->is_https ? 443 : 80;
    if (text.len == 0) {
        return 0;
    }
    if (text.ptr[0] != ':') {
        return LC_EINVAL;
    }
    unsigned port = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return LC_EINVAL;
        }
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
        if (port > UINT16_MAX) {
            return LC_EINVAL;
        }
    }
    if (text.len > 1) {
        if (port == 0) {
            return LC_EINVAL;
        }
        out->port = (uint16_t)port;
        out->port_given = true;
    }
    return 0;
}

static int split_authority(struct lc_sv authority, struct lc_url *out)
{
    const char *ptr = authority.ptr;
    size_t len = authority.len, host = len;
    while (host > 0 && ptr[host - 1] != '@') {
        host--;
    }
    if (host > 0) {
        out->userinfo = (struct lc_sv){ptr, host - 1};
        ptr += host;
        len -= host;
    }
    out->host_is_ipv6 = len > 0 && ptr[0] == '[';
    const char *end;
    if (out->host_is_ipv6) {
        end = memchr(ptr, ']', len);
        if (end == NULL) {
            return LC_EINVAL;
        }
        out->host = (struct lc_sv){ptr + 1, (size_t)(end - ptr) - 1};
        end++;
    } else {
        end = memchr(ptr, ':', len);
        end = end != NULL ? end : ptr + len;
        out->host = (struct lc_sv){ptr, (size_t)(end - ptr)};
    }
    if (out->host_is_ipv6 ? !is_ipv6(out->host) : !is_host_name(out->host)) {
        return LC_EINVAL;
    }
    return parse_port((struct lc_sv){end, len - (size_t)(end - ptr)}, out);
}

int lc_url_split(struct lc_sv url, struct lc_url *out)
{
    struct lc_url parts = {0};
    size_t prefix = scheme_len(url, &parts.is_https), authority = 0;
    if (prefix == 0) {
        return LC_EINVAL;
    }
    parts.scheme = (struct lc_sv){url.ptr, prefix - 3};
    const char *ptr = url.ptr + prefix;
    size_t len = url.len - prefix;
    int rc = authority_len(ptr, len, &authority);
    if (rc == 0) {
        rc = split_authority((struct lc_sv){ptr, authority}, &parts);
    }
    if (rc < 0) {
        return rc;
    }
    ptr += authority;
    len -= authority;
    const char *fragment = len > 0 ? memchr(ptr, '#', len) : NULL;
    len = fragment != NULL ? (size_t)(fragment - ptr) : len;
    const char *query = len > 0 ? memchr(ptr, '?', len) : NULL;
    parts.target = (struct lc_sv){ptr, len};
    parts.path = (struct lc_sv){ptr, query != NULL ? (size_t)(query - ptr) : len};
    *out = parts;
    return 0;
}

/* RFC 3986, 2.3: what never needs to be quoted. */
static bool is_unreserved(unsigned char c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Reserved characters that requests leaves alone in a path and in a query. */
static bool is_kept(unsigned char c)
{
    switch (c) {
    case '!':
    case '$':
    case '&':
    case '\'':
    case '(':
    case ')':
    case '*':
    case '+':
    case ',':
    case '/':
    case ':':
    case ';':
    case '=':
    case '?':
    case '@':
        return true;
    default:
        return false;
    }
}

static unsigned upper_hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* A triplet that stays: upper-case digits, and no byte that could stand for itself. */
static bool is_clean_triplet(const char *ptr, size_t left)
{
    if (left < 3 || !is_hex(ptr[1]) || !is_hex(ptr[2]) || ptr[1] >= 'a' || ptr[2] >= 'a') {
        return false;
    }
    return !is_unreserved((unsigned char)(upper_hex_value(ptr[1]) << 4 | upper_hex_value(ptr[2])));
}

/* A path segment "." or ".." starts at the dot behind a slash. */
static bool is_dot_segment(const char *ptr, size_t left)
{
    size_t dots = left > 1 && ptr[1] == '.' ? 2 : 1;
    return left == dots || ptr[dots] == '/' || ptr[dots] == '?';
}

bool lc_url_target_is_clean(struct lc_sv target)
{
    if (target.len == 0 || target.ptr[0] != '/') {
        return false;
    }
    bool in_path = true;
    for (size_t i = 1; i < target.len; i++) {
        const char *ptr = target.ptr + i;
        unsigned char c = (unsigned char)*ptr;
        if (c == '.' && in_path && ptr[-1] == '/' && is_dot_segment(ptr, target.len - i)) {
            return false;
        }
        if (is_unreserved(c)) {
            continue;
        }
        if (c == '%') {
            if (!is_clean_triplet(ptr, target.len - i)) {
                return false;
            }
            i += 2;
            continue;
        }
        if (!is_kept(c)) {
            return false;
        }
        if (c == '?' && in_path) {
            in_path = false;
            if (i + 1 == target.len) {
                return false; /* requests drops the mark of an empty query */
            }
        }
    }
    return true;
}
