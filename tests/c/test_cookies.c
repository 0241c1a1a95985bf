#include "check.h"

#include "cookies.h"

#define NOW 1800000000 /* 15 January 2027 */

static int set_from(struct lc_cookies *jar, const char *host, const char *path, const char *text)
{
    /* Copies of their own, so that the sanitizer sees a read past them. */
    const char *texts[3] = {text, host, path};
    struct lc_sv views[3];
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(texts[i]);
        char *copy = malloc(len > 0 ? len : 1);
        CHECK(copy != NULL);
        memcpy(copy, texts[i], len);
        views[i] = (struct lc_sv){copy, len};
    }
    int rc = lc_cookies_set_from(jar, views[0], views[1], views[2], false, NOW);
    for (size_t i = 0; i < 3; i++) {
        free((char *)(uintptr_t)views[i].ptr);
    }
    return rc;
}

static void set(struct lc_cookies *jar, const char *host, const char *path, const char *text)
{
    CHECK_INT(set_from(jar, host, path, text), 0);
}

static void check_header(struct lc_cookies *jar, const char *host, const char *path, bool secure,
                         const char *want)
{
    struct lc_buf out;
    lc_buf_init(&out, 10000);
    CHECK_INT(lc_cookies_header(jar, lc_sv_of(host), lc_sv_of(path), secure, NOW, &out), 0);
    CHECK_BYTES(out.ptr, out.len, want);
    lc_buf_free(&out);
}

enum { SECURE = 1, DOMAIN = 2, PATH = 4 };

#define EXAMPLE "www.example.com", "/a/b/c"
#define LOCAL "localhost", "/x/y"
#define REFUSED(...)                                                                               \
    {                                                                                              \
        __VA_ARGS__, NULL, NULL, NULL, NULL, 0                                                     \
    }

/* What http.cookiejar under requests made of each of these (Python 3.11, requests 2.34). */
static const struct {
    const char *host, *request_path, *text;
    const char *domain, *path, *name, *value;
    int flags;
} cases[] = {
    {EXAMPLE, "a=1", "www.example.com", "/a/b", "a", "1", 0},
    {EXAMPLE, "a", "www.example.com", "/a/b", "a", NULL, 0},
    {EXAMPLE, "a=", "www.example.com", "/a/b", "a", "", 0},
    REFUSED(EXAMPLE, "=1"),
    REFUSED(EXAMPLE, ""),
    REFUSED(EXAMPLE, "="),
    REFUSED(EXAMPLE, ";a=1"),
    {EXAMPLE, "$a=1", "www.example.com", "/a/b", "$a", "1", 0},
    {EXAMPLE, " a = b ; Path = /q ", "www.example.com", "/q", "a", "b", PATH},
    {EXAMPLE, "a=b=c", "www.example.com", "/a/b", "a", "b=c", 0},
    {EXAMPLE, "a b=c", "www.example.com", "/a/b", "a b", "c", 0},
    {EXAMPLE, "a=1, b=2", "www.example.com", "/a/b", "a", "1, b=2", 0},
    {EXAMPLE, "a=\"x y\"", "www.example.com", "/a/b", "a", "\"x y\"", 0},
    {EXAMPLE, "a=\"x\\\"y\"", "www.example.com", "/a/b", "a", "\"xy\"", 0},
    {EXAMPLE, "a=\"x;y\"", "www.example.com", "/a/b", "a", "\"x", 0},
    {EXAMPLE, "a=\"", "www.example.com", "/a/b", "a", "\"", 0},
    {EXAMPLE, "a=1;;=x;Path=/z", "www.example.com", "/z", "a", "1", PATH},
    {EXAMPLE, "path=/x; path=/y", "www.example.com", "/y", "path", "/x", PATH},
    {EXAMPLE, "secure; secure", "www.example.com", "/a/b", "secure", NULL, SECURE},
    {EXAMPLE, "a=1; Version=0", "www.example.com", "/a/b", "a", "1", 0},
    {EXAMPLE, "a=1; Version=1", "www.example.com", "/a/b/", "a", "1", 0},
    {EXAMPLE, "a=1; Version=\"1\"; Path=/x", "www.example.com", "/x", "a", "1", PATH},
    REFUSED(EXAMPLE, "a=1; Version=2"),
    REFUSED(EXAMPLE, "a=1; Version"),
    REFUSED(EXAMPLE, "a=1; Version=x"),
    {EXAMPLE, "a=1; Domain=example.com", ".example.com", "/a/b", "a", "1", DOMAIN},
    {EXAMPLE, "a=1; Domain=.example.com", ".example.com", "/a/b", "a", "1", DOMAIN},
    {EXAMPLE, "a=1; DOMAIN=EXAMPLE.com", ".example.com", "/a/b", "a", "1", DOMAIN},
    {EXAMPLE, "a=1; Domain=www.example.com", ".www.example.com", "/a/b", "a", "1", DOMAIN},
    REFUSED(EXAMPLE, "a=1; Domain=com"),
    REFUSED(EXAMPLE, "a=1; Domain=ple.com"),
    REFUSED(EXAMPLE, "a=1; Domain=other.com"),
    REFUSED(EXAMPLE, "a=1; Domain=sub.www.example.com"),
    REFUSED(EXAMPLE, "a=1; Domain=..example.com"),
    REFUSED(EXAMPLE, "a=1; Domain="),
    REFUSED(EXAMPLE, "a=1; Domain"),
    {EXAMPLE, "a=1; Domain=example.com; Domain=other.com", ".example.com", "/a/b", "a", "1",
     DOMAIN},
    {EXAMPLE, "a=1; Path=/", "www.example.com", "/", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/foo", "www.example.com", "/foo", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=foo", "www.example.com", "foo", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=", "www.example.com", "/a/b", "a", "1", 0},
    REFUSED(EXAMPLE, "a=1; Path"),
    {EXAMPLE, "a=1; Path=/x; Path=/y", "www.example.com", "/x", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/x; Path", "www.example.com", "/x", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/a b", "www.example.com", "/a%20b", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/%2f%zz%", "www.example.com", "/%2F%zz%", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/\351", "www.example.com", "/%C3%A9", "a", "1", PATH},
    {EXAMPLE, "a=1; Path=/[x]?y#z~!|", "www.example.com", "/%5Bx%5D%3Fy%23z~!%7C", "a", "1", PATH},
    {EXAMPLE, "a=1; Secure", "www.example.com", "/a/b", "a", "1", SECURE},
    {EXAMPLE, "a=1; secure=", "www.example.com", "/a/b", "a", "1", 0},
    {EXAMPLE, "a=1; secure=0", "www.example.com", "/a/b", "a", "1", SECURE},
    {EXAMPLE, "a=1; secure=; Secure", "www.example.com", "/a/b", "a", "1", 0},
    {"example.com", "", "a=1", "example.com", "/", "a", "1", 0},
    {"example.com", "/", "a=1", "example.com", "/", "a", "1", 0},
    {"example.com", "/a", "a=1", "example.com", "/", "a", "1", 0},
    {"example.com", "/a/", "a=1", "example.com", "/a", "a", "1", 0},
    {"Example.COM", "//x", "a=1", "example.com", "/", "a", "1", 0},
    {"example.com", "/a%2fb/c d/x", "a=1", "example.com", "/a%2Fb/c%20d", "a", "1", 0},
    {"example.com", "/a/b;c/d", "a=1; Version=1", "example.com", "/a/b;c/", "a", "1", 0},
    {LOCAL, "a=1", "localhost.local", "/x", "a", "1", 0},
    {LOCAL, "a=1; Domain=localhost", ".localhost", "/x", "a", "1", DOMAIN},
    {LOCAL, "a=1; Domain=.local", ".local", "/x", "a", "1", DOMAIN},
    {LOCAL, "a=1; Domain=localhost.local", ".localhost.local", "/x", "a", "1", DOMAIN},
    {LOCAL, "a=1; Domain=host", ".host", "/x", "a", "1", DOMAIN},
    REFUSED(LOCAL, "a=1; Domain=other"),
    {LOCAL, "a=1; Domain=", ".", "/x", "a", "1", DOMAIN},
    REFUSED("x.localhost", "/", "a=1; Domain=localhost"),
    {"127.0.0.1", "/", "a=1", "127.0.0.1", "/", "a", "1", 0},
    {"127.0.0.1", "/", "a=1; Domain=127.0.0.1", ".127.0.0.1", "/", "a", "1", DOMAIN},
    {"::1", "/", "a=1", "[::1].local", "/", "a", "1", 0},
    {"::1", "/", "a=1; Domain=[::1]", ".[::1]", "/", "a", "1", DOMAIN},
    {"foo.local", "/", "a=1; Domain=local", ".local", "/", "a", "1", DOMAIN},
    {"a.co.uk", "/", "a=1; Domain=co.uk", ".co.uk", "/", "a", "1", DOMAIN},
    {"com", "/", "a=1; Domain=com", ".com", "/", "a", "1", DOMAIN},
};

static void test_a_cookie_is_taken_as_http_cookiejar_takes_it(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lc_cookies jar;
        lc_cookies_init(&jar);
        set(&jar, cases[i].host, cases[i].request_path, cases[i].text);
        CHECK_INT(jar.count, cases[i].domain != NULL);
        if (cases[i].domain != NULL) {
            const struct lc_cookie *cookie = jar.first;
            CHECK_BYTES(cookie->domain.ptr, cookie->domain.len, cases[i].domain);
            CHECK_BYTES(cookie->path.ptr, cookie->path.len, cases[i].path);
            CHECK_BYTES(cookie->name.ptr, cookie->name.len, cases[i].name);
            CHECK((cookie->value.ptr == NULL) == (cases[i].value == NULL));
            if (cases[i].value != NULL) {
                CHECK_BYTES(cookie->value.ptr, cookie->value.len, cases[i].value);
            }
            CHECK_INT(cookie->secure, (cases[i].flags & SECURE) != 0);
            CHECK_INT(cookie->domain_specified, (cases[i].flags & DOMAIN) != 0);
            CHECK_INT(cookie->path_specified, (cases[i].flags & PATH) != 0);
            CHECK(cookie->expires == LC_COOKIE_SESSION);
            CHECK(!cookie->http_only);
        }
        lc_cookies_free(&jar);
    }
}

static void test_the_expiry_is_read(void)
{
    enum { REFUSE = -1, DROP = -2 };
    static const struct {
        const char *attributes;
        int64_t expires;
    } dates[] = {
        {"Max-Age=100", NOW + 100},
        {"max-age= +100 ", NOW + 100},
        {"Max-Age=99999999999999999999", NOW + 1000000000000000000},
        {"Max-Age=0", DROP},
        {"Max-Age=-5", DROP},
        {"Max-Age=", REFUSE},
        {"Max-Age", REFUSE},
        {"Max-Age=1.5", REFUSE},
        {"Max-Age=\"10\"", REFUSE},
        {"Max-Age=5; Max-Age=10", NOW + 10},
        {"Max-Age=100; Expires=Wed, 09 Feb 1994 22:23:32 GMT", NOW + 100},
        {"Expires=Wed, 09 Feb 1994 22:23:32 GMT; Max-Age=100", NOW + 100},
        {"Expires=Wed, 09 Feb 2094 22:23:32 GMT; Max-Age=0", DROP},
        {"Expires=x; Expires=Wed, 09 Feb 2094 22:23:32 GMT", 3916592612},
        {"Expires=Wed, 09 Feb 2094 22:23:32 GMT; Expires=Wed, 09 Feb 1994 22:23:32 GMT",
         3916592612},
        {"Expires", LC_COOKIE_SESSION},
        {"Expires=", LC_COOKIE_SESSION},
        {"Expires=0", LC_COOKIE_SESSION},
        {"Expires=Wed, 09 Feb 1994 22:23:32 GMT", DROP},
        {"Expires=Thu, 01 Jan 1970 00:00:00 GMT", DROP},
        {"Expires=Thu, 01 Jan 1969 00:00:00 GMT", LC_COOKIE_SESSION},
        {"Expires=\"Wednesday, 09-Feb-94 22:23:32 GMT\"", DROP},
        {"Expires=Wed Feb  9 22:23:32 2094", 3916592612},
        {"Expires=Wed Feb  9 22:23:32 1994", DROP},
        {"Expires=9 feb 2094", 3916512000},
        {"Expires=09/02/2094:22:23 +0100", 3916588980},
    };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        struct lc_cookies jar;
        char text[200];
        lc_cookies_init(&jar);
        set(&jar, "a.b", "/", "a=old");
        snprintf(text, sizeof text, "a=new; %s", dates[i].attributes);
        set(&jar, "a.b", "/", text);
        CHECK_INT(jar.count, dates[i].expires != DROP);
        if (dates[i].expires == REFUSE) {
            CHECK_BYTES(jar.first->value.ptr, jar.first->value.len, "old");
        } else if (dates[i].expires != DROP) {
            CHECK_BYTES(jar.first->value.ptr, jar.first->value.len, "new");
            CHECK_INT(jar.first->expires, dates[i].expires);
        }
        lc_cookies_free(&jar);
    }
}

static void test_an_expired_cookie_is_dropped_when_cookies_are_sent(void)
{
    struct lc_cookies jar;
    struct lc_buf out;
    lc_cookies_init(&jar);
    lc_buf_init(&out, 100);
    set(&jar, "a.b", "/", "a=1; Max-Age=10");
    set(&jar, "a.b", "/", "b=2");
    check_header(&jar, "a.b", "/", false, "a=1; b=2");
    CHECK_INT(lc_cookies_header(&jar, lc_sv_of("x.y"), lc_sv_of("/"), false, NOW + 10, &out), 0);
    CHECK_INT(out.len, 0);
    CHECK_INT(jar.count, 1);
    check_header(&jar, "a.b", "/", false, "b=2");
    lc_cookies_free(&jar);
}

static void test_host_path_and_channel_decide_what_is_sent(void)
{
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    check_header(&jar, "example.com", "/", false, "");
    set(&jar, "example.com", "/", "host=1");
    set(&jar, "example.com", "/", "dom=1; Domain=example.com");
    set(&jar, "example.com", "/", "deep=1; Path=/a/b");
    set(&jar, "example.com", "/", "p=1; Path=/a");
    set(&jar, "example.com", "/", "sl=1; Path=/a/");
    set(&jar, "example.com", "/", "sec=1; Secure; HttpOnly");
    check_header(&jar, "example.com", "", false, "host=1; dom=1");
    check_header(&jar, "EXAMPLE.com", "/", false, "host=1; dom=1");
    check_header(&jar, "www.example.com", "/", false, "host=1; dom=1");
    check_header(&jar, "xexample.com", "/", false, "");
    check_header(&jar, "com", "/", false, "");
    check_header(&jar, "", "/", false, "");
    check_header(&jar, "example.com", "/a", false, "p=1; host=1; dom=1");
    check_header(&jar, "example.com", "/a/", false, "sl=1; p=1; host=1; dom=1");
    check_header(&jar, "example.com", "/ab", false, "host=1; dom=1");
    check_header(&jar, "example.com", "/a/b", false, "deep=1; sl=1; p=1; host=1; dom=1");
    check_header(&jar, "example.com", "/a/bc", false, "sl=1; p=1; host=1; dom=1");
    check_header(&jar, "example.com", "/a/b/c", false, "deep=1; sl=1; p=1; host=1; dom=1");
    check_header(&jar, "example.com", "/", true, "host=1; sec=1; dom=1");
    lc_cookies_free(&jar);
}

static void test_hosts_without_a_dot_and_addresses(void)
{
    static const struct lc_cookie anywhere = {.expires = LC_COOKIE_SESSION,
                                              .domain = {"", 0},
                                              .path = {"/", 1},
                                              .name = {"any", 3},
                                              .value = {"3", 1}};
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    set(&jar, "localhost", "/", "a=1");
    set(&jar, "localhost", "/", "never=1; Domain=localhost");
    set(&jar, "127.0.0.1", "/", "ip=4");
    set(&jar, "::1", "/", "ip=6");
    CHECK_INT(lc_cookies_put(&jar, &anywhere), 0);
    check_header(&jar, "localhost", "/", false, "a=1; any=3");
    check_header(&jar, "localhost.local", "/", false, "a=1; any=3");
    check_header(&jar, "other", "/", false, "any=3");
    check_header(&jar, "127.0.0.1", "/", false, "ip=4; any=3");
    check_header(&jar, "::1", "/", false, "ip=6; any=3");
    lc_cookies_free(&jar);
}

static void test_a_request_path_is_compared_quoted(void)
{
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    set(&jar, "a.b", "/", "a=1; Path=/x y");
    set(&jar, "a.b", "/x%2fy/z", "b=2");
    check_header(&jar, "a.b", "/x y/z", false, "a=1");
    check_header(&jar, "a.b", "/x%20y", false, "a=1");
    check_header(&jar, "a.b", "/x%2Fy/", false, "b=2");
    lc_cookies_free(&jar);
}

static void test_the_order_is_that_of_http_cookiejar(void)
{
    static const char *const texts[] = {
        "a=1; path=/x",
        "b=2; Domain=example.com; path=/y",
        "c=3; path=/x",
        "d=4; path=/y",
        "e=5; Domain=example.com; path=/x",
        "f=6; path=/x",
        "a=7; path=/x",
        "n; path=/x",
    };
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        set(&jar, "a.example.com", "/", texts[i]);
    }
    check_header(&jar, "a.example.com", "/x/y", false, "a=7; c=3; f=6; n; e=5");
    check_header(&jar, "a.example.com", "/y", false, "d=4; b=2");
    set(&jar, "a.example.com", "/", "a=7; path=/x; Max-Age=0");
    set(&jar, "a.example.com", "/", "a=8; path=/x");
    check_header(&jar, "a.example.com", "/x", false, "c=3; f=6; n; a=8; e=5");
    lc_cookies_free(&jar);
}

static void test_cookies_are_removed_by_what_is_given(void)
{
    struct lc_cookies jar;
    struct lc_sv all = {NULL, 0};
    lc_cookies_init(&jar);
    set(&jar, "a.b", "/", "x=1");
    set(&jar, "a.b", "/", "y=1");
    set(&jar, "a.b", "/p/q", "x=1");
    set(&jar, "c.d", "/", "x=1");
    CHECK_INT(lc_cookies_remove(&jar, lc_sv_of("a.b"), lc_sv_of("/"), lc_sv_of("z")), 0);
    CHECK_INT(lc_cookies_remove(&jar, lc_sv_of("a.b"), lc_sv_of("/"), lc_sv_of("x")), 1);
    CHECK_INT(lc_cookies_remove(&jar, lc_sv_of("c.d"), all, all), 1);
    CHECK_INT(lc_cookies_remove(&jar, all, all, lc_sv_of("x")), 1);
    check_header(&jar, "a.b", "/p/q", false, "y=1");
    CHECK_INT(lc_cookies_remove(&jar, all, all, all), 1);
    CHECK(jar.first == NULL && jar.count == 0);
    lc_cookies_free(&jar);
}

static void test_the_number_of_cookies_is_limited(void)
{
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    for (int i = 0; i < 3005; i++) {
        char text[32];
        snprintf(text, sizeof text, "c%d=x", i);
        set(&jar, "a.b", "/", text);
    }
    CHECK_INT(jar.count, 3000);
    CHECK_BYTES(jar.first->name.ptr, jar.first->name.len, "c5");
    lc_cookies_free(&jar);
}

static void test_what_is_too_long_for_a_host_is_refused(void)
{
    char host[300], text[400];
    struct lc_cookies jar;
    lc_cookies_init(&jar);
    memset(host, 'a', sizeof host);
    host[100] = '.';
    host[256] = '\0';
    set(&jar, host, "/", "x=1");
    snprintf(text, sizeof text, "x=1; Domain=%s", host);
    set(&jar, "a.b", "/", text);
    CHECK_INT(jar.count, 0);
    host[255] = '\0';
    snprintf(text, sizeof text, "y=1; Domain=%s", host);
    set(&jar, host, "/", "x=1");
    set(&jar, host, "/", text);
    check_header(&jar, host, "/", false, "x=1; y=1");
    lc_cookies_free(&jar);
}

static void test_a_header_that_does_not_fit_leaves_the_buffer_as_it_was(void)
{
    struct lc_cookies jar;
    struct lc_buf out;
    lc_cookies_init(&jar);
    lc_buf_init(&out, 10);
    CHECK_INT(lc_buf_append(&out, "abc", 3), 0);
    set(&jar, "a.b", "/", "name=value");
    CHECK_INT(lc_cookies_header(&jar, lc_sv_of("a.b"), lc_sv_of("/"), false, NOW, &out), LC_ELIMIT);
    CHECK_BYTES(out.ptr, out.len, "abc");
    lc_buf_free(&out);
    lc_cookies_free(&jar);
}

static void test_a_failing_allocation_is_an_error_and_keeps_the_jar(void)
{
    static const char text[] = "a=\"x\\\"y\"; Path=/p q; Max-Age=5";
    for (uint64_t n = 1;; n++) {
        struct lc_cookies jar;
        struct lc_buf out;
        lc_cookies_init(&jar);
        lc_buf_init(&out, 1000);
        set(&jar, "a.b", "/", "a=old; Path=/p q");
        lc_alloc_fail_after(n);
        int rc = set_from(&jar, "a.b", "/", text);
        if (rc == 0) {
            rc = lc_cookies_header(&jar, lc_sv_of("a.b"), lc_sv_of("/p q/r"), false, NOW, &out);
        } else {
            CHECK_BYTES(jar.first->value.ptr, jar.first->value.len, "old");
        }
        lc_alloc_fail_after(0);
        CHECK_INT(jar.count, 1);
        CHECK(rc == 0 || rc == LC_ENOMEM);
        if (rc == 0) {
            CHECK_BYTES(out.ptr, out.len, "a=\"xy\"");
        }
        lc_buf_free(&out);
        lc_cookies_free(&jar);
        if (rc == 0) {
            CHECK(n > 4);
            break;
        }
    }
}

int main(void)
{
    RUN(test_a_cookie_is_taken_as_http_cookiejar_takes_it);
    RUN(test_the_expiry_is_read);
    RUN(test_an_expired_cookie_is_dropped_when_cookies_are_sent);
    RUN(test_host_path_and_channel_decide_what_is_sent);
    RUN(test_hosts_without_a_dot_and_addresses);
    RUN(test_a_request_path_is_compared_quoted);
    RUN(test_the_order_is_that_of_http_cookiejar);
    RUN(test_cookies_are_removed_by_what_is_given);
    RUN(test_the_number_of_cookies_is_limited);
    RUN(test_what_is_too_long_for_a_host_is_refused);
    RUN(test_a_header_that_does_not_fit_leaves_the_buffer_as_it_was);
    RUN(test_a_failing_allocation_is_an_error_and_keeps_the_jar);
    return 0;
}
