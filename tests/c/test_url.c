#include "check.h"

#include "url.h"

static struct lc_sv exact_copy(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    CHECK(copy != NULL);
    memcpy(copy, text, len);
    return (struct lc_sv){copy, len};
}

static void free_copy(struct lc_sv copy)
{
    free((char *)(uintptr_t)copy.ptr);
}

static void test_a_url_is_split_into_its_parts(void)
{
    static const struct {
        const char *url, *scheme, *userinfo, *host, *target, *path;
        unsigned port;
        bool given, https, ipv6;
    } cases[] = {
        {"http://a.b", "http", NULL, "a.b", "", "", 80, false, false, false},
        {"https://a.b/", "https", NULL, "a.b", "/", "/", 443, false, true, false},
        {"HTTPS://A.b/x?y#z", "HTTPS", NULL, "A.b", "/x?y", "/x", 443, false, true, false},
        {"http://a:8080/x/y?q=1?/#f#g", "http", NULL, "a", "/x/y?q=1?/", "/x/y", 8080, true, false,
         false},
        {"http://a:/x", "http", NULL, "a", "/x", "/x", 80, false, false, false},
        {"http://a:00080?x", "http", NULL, "a", "?x", "", 80, true, false, false},
        {"http://a:65535#x/y", "http", NULL, "a", "", "", 65535, true, false, false},
        {"http://u:p@a/", "http", "u:p", "a", "/", "/", 80, false, false, false},
        {"http://u@v:w@a:1/", "http", "u@v:w", "a", "/", "/", 1, true, false, false},
        {"http://@a/", "http", "", "a", "/", "/", 80, false, false, false},
        {"http://a/@b:c", "http", NULL, "a", "/@b:c", "/@b:c", 80, false, false, false},
        {"https://[::1]:8443/x", "https", NULL, "::1", "/x", "/x", 8443, true, true, true},
        {"http://u@[fe80::1%25eth0]", "http", "u", "fe80::1%25eth0", "", "", 80, false, false,
         true},
        {"http://[::ffff:1.2.3.4]/", "http", NULL, "::ffff:1.2.3.4", "/", "/", 80, false, false,
         true},
        {"http://b\xc3\xbc"
         "cher.de/",
         "http", NULL,
         "b\xc3\xbc"
         "cher.de",
         "/", "/", 80, false, false, false},
        {"http://a/b c\x01", "http", NULL, "a", "/b c\x01", "/b c\x01", 80, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lc_sv url = exact_copy(cases[i].url);
        struct lc_url out;
        CHECK_INT(lc_url_split(url, &out), 0);
        CHECK_BYTES(out.scheme.ptr, out.scheme.len, cases[i].scheme);
        CHECK((out.userinfo.ptr == NULL) == (cases[i].userinfo == NULL));
        if (cases[i].userinfo != NULL) {
            CHECK_BYTES(out.userinfo.ptr, out.userinfo.len, cases[i].userinfo);
        }
        CHECK_BYTES(out.host.ptr, out.host.len, cases[i].host);
        CHECK_BYTES(out.target.ptr, out.target.len, cases[i].target);
        CHECK_BYTES(out.path.ptr, out.path.len, cases[i].path);
        CHECK_INT(out.port, cases[i].port);
        CHECK_INT(out.port_given, cases[i].given);
        CHECK_INT(out.is_https, cases[i].https);
        CHECK_INT(out.host_is_ipv6, cases[i].ipv6);
        free_copy(url);
    }
}

static void test_what_is_no_absolute_http_url_is_refused(void)
{
    static const char *const cases[] = {
        "",
        "/",
        "a.b",
        "ftp://a/",
        "http:/a",
        "http//a",
        "http:",
        "http://",
        "https://",
        "http:///x",
        "http://?x",
        "http://:80/",
        "http://u@/",
        "http://u@:1",
        "http://a:b/",
        "http://a:80x",
        "http://a:-1",
        "http://a:0/",
        "http://a:65536/",
        "http://a:99999999999999999999/",
        "http://a:1:2/",
        "http://a b/",
        "http://a\t/",
        "http://a\x7f/",
        "http://u u@a/",
        "http://a\\b/",
        "http://a\"",
        "http://<a>",
        "http://a|b",
        "http://a^b",
        "http://{a}",
        "http://a`",
        "http://a]",
        "http://[::1",
        "http://[]",
        "http://[::1]x",
        "http://[1]/",
        "http://[::g]",
        "http://[::1%]",
        "http://[::1%25 ]",
        "http://[::1%25/]",
        " http://a/",
        "httpss://a/",
        "http://::1/",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lc_sv url = exact_copy(cases[i]);
        struct lc_url out = {.port = 7};
        CHECK_INT(lc_url_split(url, &out), LC_EINVAL);
        CHECK_INT(out.port, 7);
        free_copy(url);
    }
}

static bool is_clean(const char *target)
{
    struct lc_sv copy = exact_copy(target);
    bool clean = lc_url_target_is_clean(copy);
    free_copy(copy);
    return clean;
}

static void test_a_target_that_requests_would_send_as_it_is_is_clean(void)
{
    static const char *const cases[] = {
        "/",       "//",       "//a",
        "/a//b",   "/a/",      "/...",
        "/a/.b",   "/a/..b",   "/a/...",
        "/.a/b.",  "/a.",      "/a?../b",
        "/a?/./b", "/a??",     "/a?b?",
        "/?x",     "/%2F",     "/%00",
        "/%C3%A9", "/a;b?c;d", "/!$&'()*+,-./0:;=@A_z~?!$&'()*+,-./0:;=?@A_z~%20",
        "/*",      "/a/;",     "/a?%20",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(is_clean(cases[i]));
    }
}

static void test_a_target_that_requests_would_change_is_not_clean(void)
{
    static const char *const cases[] = {
        "",       "*",      "a",       "?x",       "/a?",     "/.",     "/..",     "/./",
        "/../a",  "/a/.",   "/a/..",   "/a/./b",   "/a/../b", "/a/.?x", "/a/..?x", "/%41",
        "/%7E",   "/%2f",   "/%c3%A9", "/%zz",     "/%",      "/%2",    "/a?%",    "/a?%4",
        "/a?%41", "/a?%2f", "/a#b",    "/a b",     "/a\"b",   "/a<b",   "/a>b",    "/a[b",
        "/a]b",   "/a\\b",  "/a^b",    "/a`b",     "/a{b",    "/a|b",   "/a}b",    "/\xc3\xa9",
        "/\x7f",  "/a\tb",  "/a?b c",  "/a?b[]=c", "/a?\x01",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK(!is_clean(cases[i]));
    }
}

int main(void)
{
    RUN(test_a_url_is_split_into_its_parts);
    RUN(test_what_is_no_absolute_http_url_is_refused);
    RUN(test_a_target_that_requests_would_send_as_it_is_is_clean);
    RUN(test_a_target_that_requests_would_change_is_not_clean);
    return 0;
}
