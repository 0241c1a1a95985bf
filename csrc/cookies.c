#include "cookies.h"

#include "cookie_host.h"

#define MAX_COOKIES 3000

void lc_cookies_init(struct lc_cookies *jar)
{
    *jar = (struct lc_cookies){0};
}

void lc_cookies_free(struct lc_cookies *jar)
{
    while (jar->first != NULL) {
        struct lc_cookie *next = jar->first->next;
        lc_free(jar->first);
        jar->first = next;
    }
    lc_cookies_init(jar);
}

static bool is_same(struct lc_sv left, struct lc_sv right)
{
    return left.len == right.len && (left.len == 0 || memcmp(left.ptr, right.ptr, left.len) == 0);
}

static void drop(struct lc_cookies *jar, struct lc_cookie **link)
{
    struct lc_cookie *cookie = *link;
    *link = cookie->next;
    jar->count--;
    lc_free(cookie);
}

/* Copies the bytes of `from` to `*to` and moves that on; a view without bytes stays what it is. */
static struct lc_sv copy_view(struct lc_sv from, char **to)
{
    if (from.ptr == NULL) {
        return from;
    }
    struct lc_sv copy = {*to, from.len};
    memcpy(*to, from.ptr, from.len);
    *to += from.len;
    return copy;
}

static struct lc_cookie *copy_cookie(const struct lc_cookie *cookie)
{
    size_t bytes = cookie->domain.len + cookie->path.len + cookie->name.len + cookie->value.len;
    struct lc_cookie *copy = lc_alloc(sizeof *copy + bytes);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *cookie;
    char *to = copy->bytes;
    copy->domain = copy_view(cookie->domain, &to);
    copy->path = copy_view(cookie->path, &to);
    copy->name = copy_view(cookie->name, &to);
    copy->value = copy_view(cookie->value, &to);
    return copy;
}

/* Where the cookie belongs: at the one it replaces, else behind the last one of its domain and
 * path, else behind the last one of its domain, else at the end. That is the order in which
 * http.cookiejar, with its dict of dicts, hands them out. */
static struct lc_cookie **find_place(struct lc_cookies *jar, const struct lc_cookie *cookie,
                                     bool *replaces)
{
    struct lc_cookie **behind_domain = NULL, **behind_path = NULL, **link = &jar->first;
    *replaces = false;
    for (; *link != NULL; link = &(*link)->next) {
        if (!is_same((*link)->domain, cookie->domain)) {
            continue;
        }
        behind_domain = &(*link)->next;
        if (!is_same((*link)->path, cookie->path)) {
            continue;
        }
        behind_path = &(*link)->next;
        if (is_same((*link)->name, cookie->name)) {
            *replaces = true;
            return link;
        }
    }
    if (behind_path != NULL) {
        return behind_path;
    }
    return behind_domain != NULL ? behind_domain : link;
}

int lc_cookies_put(struct lc_cookies *jar, const struct lc_cookie *cookie)
{
    struct lc_cookie *copy = copy_cookie(cookie);
    if (copy == NULL) {
        return LC_ENOMEM;
    }
    bool replaces;
    struct lc_cookie **link = find_place(jar, copy, &replaces);
    copy->next = *link;
    *link = copy;
    jar->count++;
    if (replaces) {
        drop(jar, &copy->next);
    } else if (jar->count > MAX_COOKIES) {
        drop(jar, jar->first == copy ? &copy->next : &jar->first);
    }
    return 0;
}

static bool is_wanted(struct lc_sv have, struct lc_sv want)
{
    return want.ptr == NULL || is_same(have, want);
}

size_t lc_cookies_remove(struct lc_cookies *jar, struct lc_sv domain, struct lc_sv path,
                         struct lc_sv name)
{
    size_t before = jar->count;
    struct lc_cookie **link = &jar->first;
    while (*link != NULL) {
        struct lc_cookie *cookie = *link;
        if (is_wanted(cookie->domain, domain) && is_wanted(cookie->path, path) &&
            is_wanted(cookie->name, name)) {
            drop(jar, link);
        } else {
            link = &cookie->next;
        }
    }
    return before - jar->count;
}

static void drop_expired(struct lc_cookies *jar, int64_t now)
{
    struct lc_cookie **link = &jar->first;
    while (*link != NULL) {
        if ((*link)->expires != LC_COOKIE_SESSION && (*link)->expires <= now) {
            drop(jar, link);
        } else {
            link = &(*link)->next;
        }
    }
}

/* What a request is, as far as cookies ask. */
struct target {
    struct lc_cookie_host host;
    struct lc_sv path;
    bool secure;
};

static bool applies(const struct lc_cookie *cookie, const struct target *target)
{
    return (target->secure || !cookie->secure) &&
           lc_cookie_path_matches(cookie->path, target->path) &&
           lc_cookie_host_is_in(&target->host, cookie->domain);
}

static int append_cookie(const struct lc_cookie *cookie, bool first, struct lc_buf *out)
{
    int rc = first ? 0 : lc_buf_append(out, "; ", 2);
    if (rc == 0) {
        rc = lc_buf_append(out, cookie->name.ptr, cookie->name.len);
    }
    if (rc == 0 && cookie->value.ptr != NULL) {
        rc = lc_buf_append(out, "=", 1);
        if (rc == 0) {
            rc = lc_buf_append(out, cookie->value.ptr, cookie->value.len);
        }
    }
    return rc;
}

/* One pass for each length of path that applies, the longest first: nothing is sorted or kept. */
static int append_by_path(const struct lc_cookies *jar, const struct target *target,
                          struct lc_buf *out)
{
    size_t start = out->len, len = target->path.len;
    for (;;) {
        size_t next_len = 0;
        bool has_next = false;
        for (const struct lc_cookie *cookie = jar->first; cookie != NULL; cookie = cookie->next) {
            if (cookie->path.len > len || !applies(cookie, target)) {
                continue;
            }
            if (cookie->path.len < len) {
                next_len = !has_next || cookie->path.len > next_len ? cookie->path.len : next_len;
                has_next = true;
                continue;
            }
            int rc = append_cookie(cookie, out->len == start, out);
            if (rc < 0) {
                out->len = start;
                return rc;
            }
        }
        if (!has_next) {
            return 0;
        }
        len = next_len;
    }
}

int lc_cookies_header(struct lc_cookies *jar, struct lc_sv host, struct lc_sv path, bool secure,
                      int64_t now, struct lc_buf *out)
{
    drop_expired(jar, now);
    struct target target = {.secure = secure};
    if (jar->first == NULL || !lc_cookie_host_init(&target.host, host)) {
        return 0;
    }
    struct lc_buf scratch;
    lc_buf_init(&scratch, SIZE_MAX);
    int rc = lc_cookie_quote_path(path, &scratch, &target.path);
    if (rc == 0) {
        rc = append_by_path(jar, &target, out);
    }
    lc_buf_free(&scratch);
    return rc;
}
