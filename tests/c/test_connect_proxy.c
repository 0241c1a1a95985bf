#include "connect_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The bench's server as a proxy of that scheme, with these credentials ("": none). */
static void use_proxy(struct bench *bench, char proxy[128], const char *scheme,
                      const char *userinfo)
{
    snprintf(proxy, 128, "%s://%s%s127.0.0.1:%u", scheme, userinfo, *userinfo ? "@" : "",
             bench->port);
    bench->target.proxy = proxy;
}

static void expect_failure(const struct outcome *outcome, int err, const char *reason)
{
    CHECK_INT(outcome->err, err);
    CHECK_INT(outcome->fd, -1);
    CHECK_BYTES(outcome->reason, strlen(outcome->reason), reason);
}

/* The same of the bench's own server as a proxy. */
static void expect_proxys_failure(const struct bench *bench, const struct outcome *outcome, int err,
                                  const char *kind, const char *words)
{
    char reason[LC_CONNECT_REASON_MAX];
    snprintf(reason, sizeof reason, "%s 127.0.0.1:%u: %s", kind, bench->port, words);
    expect_failure(outcome, err, reason);
}

/* --- which proxy --- */

static void test_the_environments_proxy_is_not_obeyed(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    bench_open(&bench);
    CHECK_INT(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    CHECK_INT(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    close(outcome.fd);
    close(bench_accept(&bench));
    /* Nor what it says of hosts without one. */
    CHECK_INT(setenv("no_proxy", "*", 1), 0);
    use_proxy(&bench, proxy, "socks5h", "");
    bench.target.url = "http://server.test:80/";
    bench_start(&bench, &outcome);
    int peer = bench_accept(&bench);
    char greeting[2];
    bench_receive(&bench, peer, greeting, sizeof greeting);
    CHECK_INT(greeting[0], 5);
    CHECK_INT(unsetenv("http_proxy"), 0);
    CHECK_INT(unsetenv("all_proxy"), 0);
    CHECK_INT(unsetenv("no_proxy"), 0);
    close(peer);
    bench_await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    bench_close(&bench);
}

static void test_a_plain_proxy_is_connected_to_in_the_place_of_the_host(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    bench_open(&bench);
    bench.target.url = "http://server.test:80/";
    use_proxy(&bench, proxy, "http", "");
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    int peer = bench_accept(&bench);
    expect_joined(outcome.fd, peer); /* not a byte was said to the proxy */
    close(peer);
    close(outcome.fd);
    bench_close(&bench);
}

static void test_a_proxy_that_cannot_be_reached_is_told(void)
{
    struct bench bench;
    struct outcome outcome;
    char words[128];
    bench_open(&bench);
    bench.target.proxy = "http://127.0.0.2:1"; /* nobody listens */
    bench_connect(&bench, &outcome);
    expect_failure(&outcome, LC_ECONNECT, "Proxy 127.0.0.2:1: Connection refused");
    CHECK_INT(outcome.os_errno, ECONNREFUSED);
    bench.target.proxy = "http://a..b:3128";
    bench_connect(&bench, &outcome);
    snprintf(words, sizeof words, "Proxy a..b:3128: %s", gai_strerror(outcome.eai));
    expect_failure(&outcome, LC_ERESOLVE, words);
    bench.target.tunnel = true;
    bench.target.proxy = "http://127.0.0.2:1";
    bench_connect(&bench, &outcome);
    expect_failure(&outcome, LC_ECONNECT, "Proxy 127.0.0.2:1: Connection refused");
    CHECK_INT(outcome.os_errno, ECONNREFUSED);
    bench.target.proxy = "https://127.0.0.1:1";
    bench_connect(&bench, &outcome);
    expect_failure(&outcome, LC_ECONNECT, "Proxy: its URL cannot be used");
    bench_close(&bench);
}

static void test_a_proxys_name_is_looked_up(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    bench_open(&bench);
    bench.target.url = "http://server.test:80/";
    snprintf(proxy, sizeof proxy, "http://localhost:%u", bench.port);
    bench.target.proxy = proxy;
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK(outcome.lookup_ns > 0);
    close(outcome.fd);
    bench_close(&bench);
}

/* --- CONNECT --- */

static void begin_tunnel(struct bench *bench, struct outcome *outcome, const char *userinfo,
                         char head[1024], int *peer)
{
    char proxy[128];
    use_proxy(bench, proxy, "http", userinfo);
    bench->target.url = "http://server.test:443/";
    bench->target.tunnel = true;
    bench_start(bench, outcome);
    *peer = bench_accept(bench);
    bench_receive_until(bench, *peer, head, 1024, "\r\n\r\n");
    CHECK_INT(outcome->calls, 0);
}

static void test_a_tunnel_is_open_when_the_proxy_agrees(void)
{
    struct bench bench;
    struct outcome outcome;
    char head[1024];
    int peer;
    bench_open(&bench);
    for (int i = 0; i < 2; i++) { /* the second time with the same handle of libcurl's */
        begin_tunnel(&bench, &outcome, i == 1 ? "user:pass%40word" : "", head, &peer);
        CHECK(strncmp(head, "CONNECT server.test:443 HTTP/1.1\r\nHost: server.test:443\r\n", 57) ==
              0);
        const char *credentials = strstr(head, "Proxy-Authorization: Basic dXNlcjpwYXNzQHdvcmQ=");
        CHECK((credentials != NULL) == (i == 1));
        peer_send(peer, "HTTP/1.1 200 Connection established\r\n\r\n");
        bench_await(&bench, &outcome);
        CHECK_INT(outcome.err, 0);
        expect_joined(outcome.fd, peer);
        expect_joined(peer, outcome.fd);
        close(outcome.fd);
        close(peer);
    }
    bench_close(&bench);
}

static void test_a_proxy_that_refuses_a_tunnel_is_told(void)
{
    static const char *const ANSWERS[][2] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
         "Tunnel connection failed: 403 Forbidden"},
        {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
         "Content-Length: 0\r\n\r\n",
         "Tunnel connection failed: 407 Proxy Authentication Required"},
        {"HTTP/1.0 502 Bad gateway\r\n\r\n", "Tunnel connection failed: 502 Bad gateway"}};
    struct bench bench;
    struct outcome outcome;
    char head[1024];
    int peer;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++) {
        begin_tunnel(&bench, &outcome, "", head, &peer);
        peer_send(peer, ANSWERS[i][0]);
        close(peer);
        bench_await(&bench, &outcome);
        expect_proxys_failure(&bench, &outcome, LC_ECONNECT, "Proxy", ANSWERS[i][1]);
    }
    begin_tunnel(&bench, &outcome, "", head, &peer);
    close(peer); /* without a word */
    bench_await(&bench, &outcome);
    expect_proxys_failure(&bench, &outcome, LC_ECONNECT, "Proxy", "Proxy CONNECT aborted");
    bench_close(&bench);
}

static void test_a_tunnel_that_is_cancelled_is_closed(void)
{
    struct bench bench;
    struct outcome outcome, other;
    char proxy[128], head[1024], byte;
    bench_open(&bench);
    use_proxy(&bench, proxy, "http", "");
    bench.target.tunnel = true;
    struct lc_connect *attempt = bench_start(&bench, &outcome);
    bench_start(&bench, &other);
    int peers[] = {bench_accept(&bench), bench_accept(&bench)};
    for (int i = 0; i < 2; i++) {
        bench_receive_until(&bench, peers[i], head, sizeof head, "\r\n\r\n");
    }
    lc_connect_cancel(attempt);
    CHECK_INT(recv(peers[0], &byte, 1, 0), 0);
    peer_send(peers[1], "HTTP/1.1 200 OK\r\n\r\n");
    bench_await(&bench, &other);
    CHECK_INT(other.err, 0);
    CHECK_INT(outcome.calls, 0);
    close(other.fd);
    close(peers[0]);
    close(peers[1]);
    bench_start(&bench, &outcome);
    int peer = bench_accept(&bench);
    bench_receive_until(&bench, peer, head, sizeof head, "\r\n\r\n");
    bench.descriptors++;
    bench_close(&bench); /* with a tunnel in flight */
    CHECK_INT(recv(peer, &byte, 1, 0), 0);
    close(peer);
}

/* Each attempt has its own addresses of the proxy's name: libcurl must not remember those of the
 * one before. */
static void test_a_tunnel_uses_the_addresses_of_its_own_look_up(void)
{
    static const char *const HOSTS[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
    struct bench bench;
    struct outcome outcome;
    char proxy[64], resolve[64], head[1024], name[INET_ADDRSTRLEN];
    bench_open(&bench);
    close(bench.listener);
    bench.listener = peer_listen_at("0.0.0.0", RIG_BACKLOG, &bench.port);
    snprintf(proxy, sizeof proxy, "http://proxy.test:%u", bench.port);
    bench.target = (struct lc_connect_target){
        .url = "http://server.test:443/", .proxy = proxy, .tunnel = true};
    for (size_t i = 0; i < sizeof HOSTS / sizeof HOSTS[0]; i++) {
        struct sockaddr_in address;
        socklen_t size = sizeof address;
        snprintf(resolve, sizeof resolve, "proxy.test:*:%s", HOSTS[i]);
        bench.target.resolve = resolve;
        bench.target.source = "127.0.0.9";
        bench_start(&bench, &outcome);
        int peer = bench_accept(&bench);
        CHECK_INT(getsockname(peer, (struct sockaddr *)&address, &size), 0);
        CHECK(inet_ntop(AF_INET, &address.sin_addr, name, sizeof name) != NULL);
        CHECK_BYTES(name, strlen(name), HOSTS[i]);
        CHECK_INT(getpeername(peer, (struct sockaddr *)&address, &size), 0);
        CHECK_INT(ntohl(address.sin_addr.s_addr), 0x7f000009);
        bench_receive_until(&bench, peer, head, sizeof head, "\r\n\r\n");
        peer_send(peer, "HTTP/1.1 200 OK\r\n\r\n");
        bench_await(&bench, &outcome);
        CHECK_INT(outcome.err, 0);
        close(outcome.fd);
        close(peer);
    }
    bench.target.source = "nothing0";
    bench_connect(&bench, &outcome);
    snprintf(head, sizeof head, "Proxy proxy.test:%u: No such device: interface nothing0",
             bench.port);
    expect_failure(&outcome, LC_ECONNECT, head);
    CHECK_INT(outcome.os_errno, ENODEV);
    bench_close(&bench);
}

/* --- SOCKS --- */

/* Agrees to no authentication. */
static void greet_socks5(struct bench *bench, int peer)
{
    unsigned char greeting[2], methods[255];
    bench_receive(bench, peer, greeting, 2);
    CHECK_INT(greeting[0], 5);
    bench_receive(bench, peer, methods, greeting[1]);
    CHECK(memchr(methods, 0, greeting[1]) != NULL);
    peer_send_bytes(peer, "\5\0", 2);
}

static int begin_socks5(struct bench *bench, struct outcome *outcome, const char *scheme,
                        const char *url)
{
    char proxy[128];
    use_proxy(bench, proxy, scheme, "");
    bench->target.url = url;
    bench_start(bench, outcome);
    int peer = bench_accept(bench);
    greet_socks5(bench, peer);
    return peer;
}

static void agree_to_socks5(struct bench *bench, struct outcome *outcome, int peer)
{
    peer_send_bytes(peer, "\5\0\0\1\0\0\0\0\0\0", 10);
    bench_await(bench, outcome);
    CHECK_INT(outcome->err, 0);
    expect_joined(outcome->fd, peer);
    expect_joined(peer, outcome->fd);
    close(outcome->fd);
    close(peer);
}

static void test_socks5h_gives_the_name_to_the_proxy(void)
{
    struct bench bench;
    struct outcome outcome;
    unsigned char request[5 + 11 + 2];
    bench_open(&bench);
    int peer = begin_socks5(&bench, &outcome, "socks5h", "http://server.test:8080/");
    bench_receive(&bench, peer, request, sizeof request);
    CHECK(memcmp(request, "\5\1\0\3\13server.test\x1f\x90", sizeof request) == 0);
    agree_to_socks5(&bench, &outcome, peer);
    CHECK_INT(outcome.lookup_ns, 0);
    bench_close(&bench);
}

static void test_socks5_gives_the_address_to_the_proxy(void)
{
    static const char *const URLS[] = {"http://localhost:8080/", "http://127.0.0.1:8080/",
                                       "http://server.test:8080/"};
    struct bench bench;
    struct outcome outcome;
    unsigned char request[4 + 4 + 2];
    bench_open(&bench);
    bench.target.resolve = "server.test:8080:127.0.0.1 localhost:8080:127.0.0.1";
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        int peer = begin_socks5(&bench, &outcome, "socks5", URLS[i]);
        bench_receive(&bench, peer, request, sizeof request);
        CHECK(memcmp(request, "\5\1\0\1\x7f\0\0\1\x1f\x90", sizeof request) == 0);
        agree_to_socks5(&bench, &outcome, peer);
    }
    bench_close(&bench);
}

static void test_socks5_may_be_told_an_ipv6_address(void)
{
    struct bench bench;
    struct outcome outcome;
    unsigned char request[4 + 16 + 2];
    bench_open(&bench);
    int peer = begin_socks5(&bench, &outcome, "socks5", "http://[2001:db8::1]:80/");
    bench_receive(&bench, peer, request, sizeof request);
    CHECK(memcmp(request, "\5\1\0\4\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50",
                 sizeof request) == 0);
    agree_to_socks5(&bench, &outcome, peer);
    bench_close(&bench);
}

static void test_socks5_tells_of_a_name_that_does_not_resolve(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    bench_open(&bench);
    use_proxy(&bench, proxy, "socks5", "");
    bench.target.url = "http://a..b:80/";
    bench_connect(&bench, &outcome);
    expect_proxys_failure(&bench, &outcome, LC_ERESOLVE, "SOCKS proxy", gai_strerror(outcome.eai));
    bench_close(&bench);
}

static void test_socks4_gives_an_ipv4_address_and_socks4a_the_name(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    unsigned char request[9 + 12];
    bench_open(&bench);
    for (int a = 0; a < 2; a++) {
        use_proxy(&bench, proxy, a ? "socks4a" : "socks4", "");
        bench.target.url = a ? "http://server.test:8080/" : "http://localhost:8080/";
        bench_start(&bench, &outcome);
        int peer = bench_accept(&bench);
        bench_receive(&bench, peer, request, a ? 9 + 12 : 9);
        CHECK(memcmp(request, a ? "\4\1\x1f\x90\0\0\0\1\0server.test" : "\4\1\x1f\x90\x7f\0\0\1\0",
                     a ? 9 + 12 : 9) == 0);
        peer_send_bytes(peer, "\0\x5a\0\0\0\0\0\0", 8);
        bench_await(&bench, &outcome);
        CHECK_INT(outcome.err, 0);
        expect_joined(outcome.fd, peer);
        close(outcome.fd);
        close(peer);
    }
    bench_close(&bench);
}

static void test_a_socks_proxy_that_refuses_is_told(void)
{
    static const char *const WORDS[] = {"0x01: General SOCKS server failure",
                                        "0x02: Connection not allowed by ruleset",
                                        "0x03: Network unreachable",
                                        "0x04: Host unreachable",
                                        "0x05: Connection refused",
                                        "0x06: TTL expired",
                                        "0x07: Command not supported, or protocol error",
                                        "0x08: Address type not supported"};
    struct bench bench;
    struct outcome outcome;
    unsigned char request[5 + 11 + 2];
    bench_open(&bench);
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        int peer = begin_socks5(&bench, &outcome, "socks5h", "http://server.test:8080/");
        bench_receive(&bench, peer, request, sizeof request);
        char refusal[] = "\5\0\0\1\0\0\0\0\0";
        refusal[1] = (char)(i + 1);
        peer_send_bytes(peer, refusal, sizeof refusal);
        bench_await(&bench, &outcome);
        expect_proxys_failure(&bench, &outcome, LC_ECONNECT, "SOCKS proxy", WORDS[i]);
        close(peer);
    }
    bench_close(&bench);
}

static void test_a_socks_proxy_that_refuses_the_user_is_told(void)
{
    struct bench bench;
    struct outcome outcome;
    unsigned char greeting[2], methods[255], credentials[1 + 1 + 4 + 1 + 6];
    char proxy[128];
    bench_open(&bench);
    for (int known = 0; known < 2; known++) {
        use_proxy(&bench, proxy, "socks5h", "user:secret");
        bench.target.url = "http://server.test:8080/";
        bench_start(&bench, &outcome);
        int peer = bench_accept(&bench);
        bench_receive(&bench, peer, greeting, 2);
        bench_receive(&bench, peer, methods, greeting[1]);
        CHECK(memchr(methods, 2, greeting[1]) != NULL);
        peer_send_bytes(peer, known ? "\5\2" : "\5\xff", 2);
        if (known) {
            bench_receive(&bench, peer, credentials, sizeof credentials);
            CHECK(memcmp(credentials, "\1\4user\6secret", sizeof credentials) == 0);
            peer_send_bytes(peer, "\1\1", 2);
        }
        bench_await(&bench, &outcome);
        expect_proxys_failure(&bench, &outcome, LC_ECONNECT, "SOCKS proxy",
                              known ? "SOCKS5 authentication failed"
                                    : "All offered SOCKS5 authentication methods were rejected");
        close(peer);
    }
    bench_close(&bench);
}

/* --- without memory --- */

/* For the proxy's URL, the tunnel, the watch of its socket. */
static void test_without_memory_the_attempt_fails(void)
{
    struct bench bench;
    struct outcome outcome;
    char proxy[128];
    bench_open(&bench);
    use_proxy(&bench, proxy, "socks5h", "");
    for (uint64_t n = 1; n <= 3; n++) {
        bench_start(&bench, &outcome);
        lc_alloc_fail_after(n);
        bench_await(&bench, &outcome);
        CHECK_INT(outcome.err, LC_ENOMEM);
        CHECK_INT(outcome.fd, -1);
    }
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_the_environments_proxy_is_not_obeyed);
    RUN(test_a_plain_proxy_is_connected_to_in_the_place_of_the_host);
    RUN(test_a_proxy_that_cannot_be_reached_is_told);
    RUN(test_a_proxys_name_is_looked_up);
    RUN(test_a_tunnel_is_open_when_the_proxy_agrees);
    RUN(test_a_proxy_that_refuses_a_tunnel_is_told);
    RUN(test_a_tunnel_that_is_cancelled_is_closed);
    RUN(test_a_tunnel_uses_the_addresses_of_its_own_look_up);
    RUN(test_socks5h_gives_the_name_to_the_proxy);
    RUN(test_socks5_gives_the_address_to_the_proxy);
    RUN(test_socks5_may_be_told_an_ipv6_address);
    RUN(test_socks5_tells_of_a_name_that_does_not_resolve);
    RUN(test_socks4_gives_an_ipv4_address_and_socks4a_the_name);
    RUN(test_a_socks_proxy_that_refuses_is_told);
    RUN(test_a_socks_proxy_that_refuses_the_user_is_told);
    RUN(test_without_memory_the_attempt_fails);
    return 0;
}
