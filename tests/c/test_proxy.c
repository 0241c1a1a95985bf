#include "check.h"
#include "proxy.h"

static void expect(const char *text, enum lc_proxy_kind kind, const char *userinfo,
                   const char *host, uint16_t port)
{
    struct lc_proxy proxy;
    CHECK_INT(lc_proxy_parse(text, &proxy), 0);
    CHECK_INT(proxy.kind, kind);
    CHECK_BYTES(proxy.userinfo.ptr, proxy.userinfo.len, userinfo);
    CHECK_BYTES(proxy.host.ptr, proxy.host.len, host);
    CHECK_INT(proxy.port, port);
}

static void test_every_kind_of_proxy_is_read(void)
{
    expect("http://127.0.0.1:3128", LC_PROXY_HTTP, "", "127.0.0.1", 3128);
    expect("HTTP://proxy.test", LC_PROXY_HTTP, "", "proxy.test", 80);
    expect("proxy.test:3128", LC_PROXY_HTTP, "", "proxy.test", 3128);
    expect("socks4://p", LC_PROXY_SOCKS4, "", "p", 1080);
    expect("socks4a://p:1", LC_PROXY_SOCKS4A, "", "p", 1);
    expect("socks5://user:pass%40word@p", LC_PROXY_SOCKS5, "user:pass%40word", "p", 1080);
    expect("socks5h://[::1]:9050/", LC_PROXY_SOCKS5H, "", "::1", 9050);
}

static void test_others_are_refused(void)
{
    static const char *const BAD[] = {"https://p:1",  "ftp://p",        "://p",        "http://",
                                      "http://p:0x1", "http://p:99999", "socks5://a b"};
    struct lc_proxy proxy;
    char long_name[LC_PROXY_MAX];
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CHECK_INT(lc_proxy_parse(BAD[i], &proxy), LC_EINVAL);
    }
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CHECK_INT(lc_proxy_parse(long_name, &proxy), LC_EINVAL);
}

int main(void)
{
    RUN(test_every_kind_of_proxy_is_read);
    RUN(test_others_are_refused);
    return 0;
}
