/* A URL: its parts lie inside it, and a clean target comes back from a URL made of it. */
#include "fuzz.h"

#include "url.h"

static void check_inside(struct lc_sv part, struct lc_sv whole)
{
    FUZZ_CHECK(part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_split(struct lc_sv url)
{
    struct lc_url out;
    int rc = lc_url_split(url, &out);
    if (rc < 0) {
        FUZZ_CHECK(rc == LC_EINVAL);
        return;
    }
    check_inside(out.scheme, url);
    check_inside(out.host, url);
    check_inside(out.target, url);
    check_inside(out.path, out.target);
    FUZZ_CHECK(out.host.len > 0 && out.port > 0);
    FUZZ_CHECK(out.port_given || out.port == (out.is_https ? 443 : 80));
    for (size_t i = 0; i < out.host.len; i++) {
        FUZZ_CHECK((unsigned char)out.host.ptr[i] > ' ' && out.host.ptr[i] != '@');
    }
    (void)lc_url_target_is_clean(out.target);
}

static void check_target(struct lc_sv target)
{
    static const char prefix[] = "http://host";
    if (!lc_url_target_is_clean(target)) {
        return;
    }
    struct lc_buf url;
    struct lc_url out;
    lc_buf_init(&url, SIZE_MAX);
    FUZZ_CHECK(lc_buf_append(&url, prefix, sizeof prefix - 1) == 0);
    FUZZ_CHECK(lc_buf_append(&url, target.ptr, target.len) == 0);
    FUZZ_CHECK(lc_url_split((struct lc_sv){url.ptr, url.len}, &out) == 0);
    FUZZ_CHECK(out.target.len == target.len && out.path.len > 0 && out.path.ptr[0] == '/');
    lc_buf_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lc_sv text = {(const char *)data, size};
    check_split(text);
    check_target(text);
    FUZZ_CHECK(lc_alloc_live() == 0);
    return 0;
}
