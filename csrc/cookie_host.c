#include "cookie_host.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool lc_cookie_host_init(struct lc_cookie_host *out, struct lc_sv host)
{
    static const char local[] = ".local";
    if (host.len == 0 || host.len > LC_COOKIE_HOST_MAX) {
        return false;
    }
    bool bare_ipv6 = host.ptr[0] != '[' && memchr(host.ptr, ':', host.len) != NULL;
    size_t len = 0;
    out->bytes[len++] = '.';
    if (bare_ipv6) {
        out->bytes[len++] = '[';
    }
    for (size_t i = 0; i < host.len; i++) {
        out->bytes[len++] = lower(host.ptr[i]);
    }
    if (bare_ipv6) {
        out->bytes[len++] = ']';
    }
    if (memchr(host.ptr, '.', host.len) == NULL) {
        memcpy(out->bytes + len, local, sizeof local - 1);
        len += sizeof local - 1;
    }
    out->len = len;
    return true;
}

bool lc_cookie_ends_with(struct lc_sv text, struct lc_sv tail)
{
    return text.len >= tail.len && memcmp(text.ptr + text.len - tail.len, tail.ptr, tail.len) == 0;
}

bool lc_cookie_host_is_in(const struct lc_cookie_host *host, struct lc_sv domain)
{
    if (domain.len == 0) {
        return true;
    }
    struct lc_sv name = {host->bytes, host->len};
    if (!lc_cookie_ends_with(name, domain)) {
        return false;
    }
    return domain.ptr[0] == '.' ||
           (domain.len < name.len && name.ptr[name.len - domain.len - 1] == '.');
}

static bool is_path_byte(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
        return true;
    }
    return c != '\0' && strchr("%/;:@&=+$,!~*'()_.-", c) != NULL;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static char *write_triplet(char *to, unsigned c)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

static bool needs_quoting(struct lc_sv path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '%' || !is_path_byte((unsigned char)path.ptr[i])) {
            return true;
        }
    }
    return false;
}

int lc_cookie_quote_path(struct lc_sv path, struct lc_buf *scratch, struct lc_sv *out)
{
    if (path.len == 0) {
        *out = lc_sv_of("/");
        return 0;
    }
    if (!needs_quoting(path)) {
        *out = path;
        return 0;
    }
    /* A byte above ASCII is what Python reads from a header as Latin-1 and quotes as UTF-8. */
    int rc = lc_buf_reserve(scratch, path.len * 6);
    if (rc < 0) {
        return rc;
    }
    char *to = scratch->ptr + scratch->len;
    const char *start = to;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c == '%' && path.len - i > 2 && is_hex(path.ptr[i + 1]) && is_hex(path.ptr[i + 2])) {
            *to++ = '%';
            *to++ = upper(path.ptr[++i]);
            *to++ = upper(path.ptr[++i]);
        } else if (is_path_byte(c)) {
            *to++ = (char)c;
        } else if (c < 0x80) {
            to = write_triplet(to, c);
        } else {
            to = write_triplet(to, 0xc0u | c >> 6);
            to = write_triplet(to, 0x80u | (c & 0x3fu));
        }
    }
    *out = (struct lc_sv){start, (size_t)(to - start)};
    scratch->len += out->len;
    return 0;
}

bool lc_cookie_path_matches(struct lc_sv cookie_path, struct lc_sv request_path)
{
    size_t len = cookie_path.len;
    if (len > request_path.len || memcmp(cookie_path.ptr, request_path.ptr, len) != 0) {
        return false;
    }
    return len == request_path.len || (len > 0 && cookie_path.ptr[len - 1] == '/') ||
           request_path.ptr[len] == '/';
}
