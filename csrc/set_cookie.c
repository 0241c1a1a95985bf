#include "cookies.h"

#include "cookie_date.h"
#include "cookie_host.h"

/* A Set-Cookie value, read but not yet judged. Of an attribute that is repeated the first counts,
 * of Max-Age the last: so does http.cookiejar. */
struct attributes {
    struct lc_sv name;
    struct lc_sv value;  /* ptr NULL without '=' */
    struct lc_sv domain; /* ptr NULL if not given */
    struct lc_sv path;   /* ptr NULL if not given */
    int64_t expires;
    int version;
    bool has_version;
    bool has_expires;
    bool has_max_age;
    bool has_secure;
    bool secure;
    bool http_only;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct lc_sv trim(struct lc_sv text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

static struct lc_sv strip_quotes(struct lc_sv text)
{
    if (text.len > 0 && text.ptr[0] == '"') {
        text.ptr++;
        text.len--;
    }
    if (text.len > 0 && text.ptr[text.len - 1] == '"') {
        text.len--;
    }
    return text;
}

/* The next "name=value" up to a semicolon; value.ptr is NULL without '='. False at the end. */
static bool next_pair(struct lc_sv *rest, struct lc_sv *name, struct lc_sv *value)
{
    if (rest->ptr == NULL) {
        return false;
    }
    const char *semicolon = rest->len > 0 ? memchr(rest->ptr, ';', rest->len) : NULL;
    struct lc_sv pair = *rest;
    if (semicolon != NULL) {
        pair.len = (size_t)(semicolon - rest->ptr);
        *rest = (struct lc_sv){semicolon + 1, rest->len - pair.len - 1};
    } else {
        *rest = (struct lc_sv){0};
    }
    const char *equals = pair.len > 0 ? memchr(pair.ptr, '=', pair.len) : NULL;
    *value = (struct lc_sv){0};
    if (equals != NULL) {
        size_t len = (size_t)(equals - pair.ptr);
        *value = trim((struct lc_sv){equals + 1, pair.len - len - 1});
        pair.len = len;
    }
    *name = trim(pair);
    return true;
}

/* A decimal number, kept within +-10^18. */
static bool parse_number(struct lc_sv text, int64_t *number)
{
    const int64_t most = 1000000000000000000;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t i = negative || (text.len > 0 && text.ptr[0] == '+');
    int64_t n = 0;
    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        n = n < most / 10 ? n * 10 + (text.ptr[i] - '0') : most;
    }
    *number = negative ? -n : n;
    return true;
}

static bool is_word(struct lc_sv text, const char *word)
{
    return lc_sv_equal_nocase(text, lc_sv_of(word));
}

static bool read_max_age(struct attributes *out, struct lc_sv value, int64_t now)
{
    int64_t age;
    if (!parse_number(value, &age)) {
        return false;
    }
    out->expires = now + age;
    out->has_expires = out->has_max_age = true;
    return true;
}

static bool read_version(struct attributes *out, struct lc_sv value)
{
    int64_t version;
    if (out->has_version) {
        return true;
    }
    if (!parse_number(trim(strip_quotes(value)), &version)) {
        return false;
    }
    out->has_version = true;
    out->version = version == 0 ? 0 : version == 1 ? 1 : 2;
    return true;
}

/* False if the first one has no value. */
static bool keep_first(struct lc_sv *kept, struct lc_sv value)
{
    if (kept->ptr == NULL) {
        *kept = value;
    }
    return kept->ptr != NULL;
}

/* False if the attribute makes the whole cookie invalid. */
static bool read_attribute(struct attributes *out, struct lc_sv name, struct lc_sv value,
                           int64_t now)
{
    switch (name.len) {
    case 4:
        if (is_word(name, "Path")) {
            return keep_first(&out->path, value);
        }
        break;
    case 6:
        if (is_word(name, "Domain")) {
            return keep_first(&out->domain, value);
        }
        if (is_word(name, "Secure") && !out->has_secure) {
            out->has_secure = true;
            out->secure = value.ptr == NULL || value.len > 0;
        }
        break;
    case 7:
        if (is_word(name, "Max-Age")) {
            return read_max_age(out, value, now);
        }
        if (is_word(name, "Version")) {
            return read_version(out, value);
        }
        if (is_word(name, "Expires") && !out->has_max_age && !out->has_expires) {
            out->has_expires = lc_cookie_date_parse(strip_quotes(value), now, &out->expires);
        }
        break;
    case 8:
        out->http_only |= is_word(name, "HttpOnly");
        break;
    default:
        break;
    }
    return true;
}

static bool read_attributes(struct attributes *out, struct lc_sv text, int64_t now)
{
    struct lc_sv name, value;
    *out = (struct attributes){0};
    if (!next_pair(&text, &out->name, &out->value) || out->name.len == 0) {
        return false;
    }
    while (next_pair(&text, &name, &value)) {
        if (!read_attribute(out, name, value, now)) {
            return false;
        }
    }
    return true;
}

/* The directory of the request's path; old-style cookies of version 1 keep its slash. */
static struct lc_sv default_path(struct lc_sv path, int version)
{
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/') {
        len--;
    }
    if (len > 0 && version == 0) {
        len--;
    }
    return len > 0 ? (struct lc_sv){path.ptr, len} : lc_sv_of("/");
}

/* requests takes escaped quotes out of a quoted value. Such a value gets shorter in `scratch`. */
static int unescape_value(struct lc_sv value, struct lc_buf *scratch, struct lc_sv *out)
{
    *out = value;
    if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"' ||
        memchr(value.ptr, '\\', value.len) == NULL) {
        return 0;
    }
    int rc = lc_buf_reserve(scratch, value.len);
    if (rc < 0) {
        return rc;
    }
    char *start = scratch->ptr + scratch->len, *to = start;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len && value.ptr[i + 1] == '"') {
            i++;
        } else {
            *to++ = value.ptr[i];
        }
    }
    *out = (struct lc_sv){start, (size_t)(to - start)};
    scratch->len += out->len;
    return 0;
}

/* A domain with its dot; room for one of the longest host. */
struct domain {
    size_t len;
    char bytes[1 + LC_COOKIE_HOST_MAX + 1];
};

static bool read_domain(struct domain *out, struct lc_sv domain)
{
    if (domain.len > LC_COOKIE_HOST_MAX) {
        return false;
    }
    out->len = 0;
    if (domain.len == 0 || domain.ptr[0] != '.') {
        out->bytes[out->len++] = '.';
    }
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.ptr[i];
        out->bytes[out->len++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return true;
}

/* http.cookiejar's DefaultCookiePolicy for Netscape cookies. Below ".local", which it appends to
 * names without dots, it takes any end of the name. */
static bool may_set_for(const struct lc_cookie_host *host, const struct domain *domain)
{
    struct lc_sv dotted = {domain->bytes, domain->len}, undotted = {dotted.ptr + 1, dotted.len - 1};
    struct lc_sv name = {host->bytes, host->len}, local = lc_sv_of(".local");
    bool is_local = lc_cookie_ends_with(name, local);
    if (lc_cookie_ends_with(name, dotted)) {
        return is_local || memchr(undotted.ptr, '.', undotted.len) != NULL;
    }
    struct lc_sv without_local = {name.ptr + 1, is_local ? name.len - 1 - local.len : 0};
    return is_local && lc_cookie_ends_with(without_local, undotted);
}

/* Completes the cookie and gives it to the jar, or takes the one it expires out of it. */
static int judge(struct lc_cookies *jar, const struct attributes *read,
                 const struct lc_cookie_host *host, struct lc_cookie *cookie, int64_t now)
{
    struct domain domain = {0};
    cookie->domain = (struct lc_sv){host->bytes + 1, host->len - 1};
    if (read->domain.ptr != NULL) {
        if (!read_domain(&domain, read->domain)) {
            return 0;
        }
        cookie->domain = (struct lc_sv){domain.bytes, domain.len};
    }
    if (cookie->expires <= now) {
        /* Before the policy is asked, as http.cookiejar does. */
        (void)lc_cookies_remove(jar, cookie->domain, cookie->path, cookie->name);
        return 0;
    }
    if (read->version > 1 || (read->domain.ptr != NULL && !may_set_for(host, &domain))) {
        return 0;
    }
    return lc_cookies_put(jar, cookie);
}

int lc_cookies_set_from(struct lc_cookies *jar, struct lc_sv set_cookie, struct lc_sv host,
                        struct lc_sv path, bool secure_channel, int64_t now)
{
    struct attributes read;
    struct lc_cookie_host full_host;
    if (!read_attributes(&read, set_cookie, now) || !lc_cookie_host_init(&full_host, host)) {
        return 0;
    }
    struct lc_cookie cookie = {
        .expires = read.has_expires ? read.expires : LC_COOKIE_SESSION,
        .name = read.name,
        .secure = read.secure,
        .http_only = read.http_only,
        .domain_specified = read.domain.ptr != NULL,
        .path_specified = read.path.len > 0,
    };
    struct lc_buf path_scratch, value_scratch;
    lc_buf_init(&path_scratch, SIZE_MAX);
    lc_buf_init(&value_scratch, SIZE_MAX);
    int rc =
        lc_cookie_quote_path(read.path.len > 0 ? read.path : path, &path_scratch, &cookie.path);
    if (rc < 0) {
        goto done;
    }
    if (!cookie.path_specified) {
        cookie.path = default_path(cookie.path, read.version);
    }
    rc = unescape_value(read.value, &value_scratch, &cookie.value);
    if (rc < 0) {
        goto done;
    }
    rc = judge(jar, &read, &full_host, &cookie, now);
done:
    lc_buf_free(&value_scratch);
    lc_buf_free(&path_scratch);
    return rc;
}
