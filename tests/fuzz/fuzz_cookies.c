/* The first line is a host, the second a path, each further one a Set-Cookie value. */
#include "fuzz.h"

#include "cookies.h"

#define NOW 1800000000

static struct lc_sv next_line(const char **at, const char *end)
{
    const char *start = *at;
    const char *line_end = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    *at = line_end != NULL ? line_end + 1 : end;
    return (struct lc_sv){start, (size_t)((line_end != NULL ? line_end : end) - start)};
}

static void check_jar(const struct lc_cookies *jar)
{
    size_t count = 0;
    for (const struct lc_cookie *cookie = jar->first; cookie != NULL; cookie = cookie->next) {
        FUZZ_CHECK(cookie->name.len > 0 && cookie->domain.len > 0 && cookie->path.len > 0);
        FUZZ_CHECK(cookie->expires > NOW);
        FUZZ_CHECK(cookie->domain_specified == (cookie->domain.ptr[0] == '.') ||
                   !cookie->domain_specified);
        count++;
    }
    FUZZ_CHECK(count == jar->count && count <= 3000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct lc_sv host = next_line(&at, end), path = next_line(&at, end), none = {0};
    struct lc_cookies jar;
    struct lc_buf plain, secure;
    lc_cookies_init(&jar);
    lc_buf_init(&plain, SIZE_MAX);
    lc_buf_init(&secure, SIZE_MAX);
    while (at < end) {
        struct lc_sv text = next_line(&at, end);
        FUZZ_CHECK(lc_cookies_set_from(&jar, text, host, path, false, NOW) == 0);
    }
    check_jar(&jar);
    FUZZ_CHECK(lc_cookies_header(&jar, host, path, false, NOW, &plain) == 0);
    FUZZ_CHECK(lc_cookies_header(&jar, host, path, true, NOW, &secure) == 0);
    FUZZ_CHECK(plain.len <= secure.len);
    size_t count = jar.count;
    FUZZ_CHECK(lc_cookies_remove(&jar, none, none, none) == count && jar.first == NULL);
    lc_buf_free(&secure);
    lc_buf_free(&plain);
    lc_cookies_free(&jar);
    FUZZ_CHECK(lc_alloc_live() == 0);
    return 0;
}
