#include "connect_bench.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- results --- */

static void test_the_socket_is_given_away_connected(void)
{
    struct bench bench;
    struct outcome outcome;
    char byte;
    bench_open(&bench);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK(outcome.fd >= 0);
    CHECK_INT(outcome.os_errno, 0);
    CHECK_INT(outcome.lookup_ns, 0); /* nothing was looked up */
    CHECK(outcome.connect_ns > 0 && outcome.connect_ns < RIG_PATIENCE_MS * RIG_MS);
    int peer = bench_accept(&bench);
    expect_joined(outcome.fd, peer);
    close(outcome.fd);
    CHECK_INT(recv(peer, &byte, 1, 0), 0); /* nobody else holds it */
    close(peer);
    bench_close(&bench);
}

static void test_a_socket_lives_on_without_its_connector(void)
{
    struct bench bench;
    struct outcome outcome;
    bench_open(&bench);
    bench_connect(&bench, &outcome);
    int peer = bench_accept(&bench);
    bench.descriptors += 2;
    bench_close(&bench);
    expect_joined(outcome.fd, peer);
    close(outcome.fd);
    close(peer);
}

static void test_a_refusal_names_the_system_error(void)
{
    struct bench bench;
    struct outcome outcome;
    bench_open(&bench);
    close(bench.listener);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK_INT(outcome.fd, -1);
    CHECK_INT(outcome.os_errno, ECONNREFUSED);
    CHECK_BYTES(outcome.reason, strlen(outcome.reason), strerror(ECONNREFUSED));
    bench.listener = peer_listen(1, &bench.port);
    bench_close(&bench);
}

static void test_what_cannot_be_read_fails_the_attempt(void)
{
    static const char *const URLS[] = {"http://127.0.0.1:99999/", "http:///", "nothing://x/"};
    struct bench bench;
    struct outcome outcome;
    bench_open(&bench);
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        bench.target.url = URLS[i];
        bench_connect(&bench, &outcome);
        CHECK_INT(outcome.err, LC_ECONNECT);
        CHECK(strstr(outcome.reason, "URL") != NULL);
    }
    bench.target = (struct lc_connect_target){.url = bench.url, .resolve = "nonsense"};
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK(strstr(outcome.reason, "cannot be read") != NULL);
    bench_close(&bench);
}

/* --- names --- */

static void test_a_name_is_looked_up(void)
{
    struct bench bench;
    struct outcome outcome;
    bench_open(&bench);
    snprintf(bench.url, sizeof bench.url, "http://localhost:%u/", bench.port);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK(outcome.lookup_ns > 0 && outcome.connect_ns >= outcome.lookup_ns);
    int peer = bench_accept(&bench);
    expect_joined(outcome.fd, peer);
    close(outcome.fd);
    close(peer);
    bench_close(&bench);
}

static void test_a_name_that_does_not_resolve_is_told(void)
{
    struct bench bench;
    struct outcome outcome;
    char url[512];
    bench_open(&bench);
    bench.target.url = "http://a..b:80/"; /* no name server is asked for an empty label */
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ERESOLVE);
    CHECK_INT(outcome.fd, -1);
    CHECK(outcome.eai != 0);
    CHECK_BYTES(outcome.reason, strlen(outcome.reason), gai_strerror(outcome.eai));
    snprintf(url, sizeof url, "http://%0300d.test/", 0); /* longer than any name can be */
    bench.target.url = url;
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ERESOLVE);
    CHECK_INT(outcome.eai, EAI_NONAME);
    bench_close(&bench);
}

static int resolve_never(const char *host, const char *service, const struct addrinfo *hints,
                         struct addrinfo **found)
{
    (void)service;
    (void)hints;
    (void)found;
    fprintf(stderr, "%s was looked up\n", host);
    exit(1);
}

static void test_given_addresses_are_not_looked_up(void)
{
    static const struct lc_lookup_config NEVER = {.resolve = resolve_never};
    struct bench bench;
    struct outcome outcome;
    char resolve[128];
    bench_open_with(&bench, &NEVER);
    snprintf(resolve, sizeof resolve, "name.test:%u:127.0.0.2,127.0.0.1", bench.port);
    snprintf(bench.url, sizeof bench.url, "http://NAME.test:%u/", bench.port);
    bench.target.resolve = resolve;
    bench_connect(&bench, &outcome); /* nobody listens on the first address */
    CHECK_INT(outcome.err, 0);
    CHECK_INT(outcome.lookup_ns, 0);
    close(bench_accept(&bench));
    close(outcome.fd);
    bench_close(&bench);
}

static void test_an_ipv6_address_is_connected_to(void)
{
    struct bench bench;
    struct outcome outcome;
    if (!lc_address_has_ipv6()) {
        printf("skipped: this machine has no IPv6\n");
        return;
    }
    bench_open(&bench);
    close(bench.listener);
    bench.listener = peer_listen_at("::1", 1, &bench.port);
    snprintf(bench.url, sizeof bench.url, "http://[::1]:%u/", bench.port);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK_INT(outcome.lookup_ns, 0);
    close(outcome.fd);
    snprintf(bench.url, sizeof bench.url, "http://[::1%%251]:%u/", bench.port); /* with a zone */
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    close(outcome.fd);
    bench_close(&bench);
}

/* --- options --- */

static void test_the_source_is_used_and_named(void)
{
    struct bench bench;
    struct outcome outcome;
    bench_open(&bench);
    bench.target.source = "127.0.0.9";
    bench_connect(&bench, &outcome);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int peer = bench_accept(&bench);
    CHECK_INT(getpeername(peer, (struct sockaddr *)&address, &size), 0);
    CHECK_INT(ntohl(address.sin_addr.s_addr), 0x7f000009);
    close(peer);
    close(outcome.fd);
    bench.target.source = "nothing0";
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK_INT(outcome.os_errno, ENODEV);
    CHECK(strstr(outcome.reason, "interface nothing0") != NULL);
    bench_close(&bench);
}

/* Neither the name is looked up nor the proxy connected to. */
static void test_a_unix_socket_takes_the_place_of_name_and_proxy(void)
{
    struct bench bench;
    struct outcome outcome;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/lc-test-connect-%d", (int)getpid());
    bench_open(&bench);
    close(bench.listener);
    bench.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(bench.listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(bench.listener, 1), 0);
    bench.target = (struct lc_connect_target){
        .url = "http://a..b:80/", .proxy = "http://127.0.0.1:1", .unix_socket = address.sun_path};
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    int peer = bench_accept(&bench);
    expect_joined(outcome.fd, peer);
    close(outcome.fd);
    close(peer);
    CHECK_INT(unlink(address.sun_path), 0);
    bench_connect(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK_INT(outcome.os_errno, ENOENT);
    CHECK(strstr(outcome.reason, address.sun_path) != NULL);
    bench_close(&bench);
}

/* --- several addresses --- */

static void test_after_the_connect_time_out_the_next_address_is_tried(void)
{
    struct bench bench;
    struct outcome outcome;
    char resolve[128];
    bench_open(&bench);
    uint16_t port;
    int silent = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    close(bench.listener);
    bench.listener = peer_listen_at("127.0.0.2", RIG_BACKLOG, &port);
    snprintf(resolve, sizeof resolve, "name.test:%u:127.0.0.1,127.0.0.2", port);
    snprintf(bench.url, sizeof bench.url, "http://name.test:%u/", port);
    bench.target.resolve = resolve;
    struct lc_connect *attempt = bench_start(&bench, &outcome);
    CHECK(!lc_connect_next_address(attempt)); /* it has not begun */
    CHECK(!lc_connector_turn(bench.connector));
    CHECK_INT(outcome.calls, 0);
    CHECK(lc_connect_next_address(attempt));
    CHECK_INT(outcome.calls, 0); /* told in a turn only */
    bench_await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    close(outcome.fd);
    snprintf(resolve, sizeof resolve, "name.test:%u:127.0.0.1", port);
    attempt = bench_start(&bench, &outcome);
    CHECK(!lc_connector_turn(bench.connector));
    CHECK(!lc_connect_next_address(attempt)); /* there is none, and it goes on */
    CHECK_INT(outcome.calls, 0);
    lc_connect_cancel(attempt);
    close(silent);
    close(filler);
    bench_close(&bench);
}

/* --- many --- */

/* More than begin in one turn. */
static void test_hundreds_of_attempts_at_once_all_end(void)
{
    enum { COUNT = 300 };
    static struct outcome outcomes[COUNT];
    struct bench bench;
    bench_open(&bench);
    for (int i = 0; i < COUNT; i++) {
        bench_start(&bench, &outcomes[i]);
    }
    CHECK(lc_connector_turn(bench.connector)); /* more wait */
    for (int i = 0; i < COUNT; i++) {
        bench_await(&bench, &outcomes[i]);
        CHECK_INT(outcomes[i].err, 0);
    }
    CHECK(!lc_connector_turn(bench.connector));
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(outcomes[i].calls, 1);
        close(bench_accept(&bench));
        close(outcomes[i].fd);
    }
    bench_close(&bench);
}

/* --- cancelling --- */

static void test_a_cancelled_attempt_does_not_call_back(void)
{
    struct bench bench;
    struct outcome waiting, looking_up, dialling, other;
    char url[64];
    uint16_t port;
    bench_open(&bench);
    int silent = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    bench.target.url = "http://localhost:1/";
    struct lc_connect *looks_up = bench_start(&bench, &looking_up);
    bench.target.url = url;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    struct lc_connect *dials = bench_start(&bench, &dialling);
    CHECK(!lc_connector_turn(bench.connector));
    bench.target.url = bench.url;
    struct lc_connect *waits = bench_start(&bench, &waiting);
    lc_connect_cancel(waits);
    lc_connect_cancel(looks_up);
    lc_connect_cancel(dials);
    bench_connect(&bench, &other);
    CHECK_INT(other.err, 0);
    CHECK_INT(waiting.calls + looking_up.calls + dialling.calls, 0);
    close(other.fd);
    close(silent);
    close(filler);
    bench_close(&bench);
}

/* Connected by lc_connect_next_address, and not told yet. */
static void test_a_connected_attempt_that_is_cancelled_closes_its_socket(void)
{
    struct bench bench;
    struct outcome outcome;
    char resolve[128];
    uint16_t port;
    bench_open(&bench);
    int silent = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    int listener = peer_listen_at("127.0.0.2", RIG_BACKLOG, &port);
    snprintf(resolve, sizeof resolve, "name.test:*:127.0.0.1,127.0.0.2");
    snprintf(bench.url, sizeof bench.url, "http://name.test:%u/", port);
    bench.target.resolve = resolve;
    struct lc_connect *attempt = bench_start(&bench, &outcome);
    CHECK(!lc_connector_turn(bench.connector));
    CHECK(lc_connect_next_address(attempt));
    lc_connect_cancel(attempt);
    CHECK_INT(outcome.calls, 0);
    close(silent);
    close(filler);
    close(listener);
    bench_close(&bench); /* no descriptor is left */
}

static void test_a_connector_can_close_with_attempts_in_every_stage(void)
{
    struct bench bench;
    struct outcome outcomes[3];
    uint16_t port;
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    bench_open(&bench);
    bench.target.url = "http://localhost:1/";
    bench_start(&bench, &outcomes[0]);
    bench.target.url = bench.url;
    snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%u/", port);
    bench_start(&bench, &outcomes[1]);
    CHECK(!lc_connector_turn(bench.connector));
    bench_start(&bench, &outcomes[2]);
    bench_close(&bench);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(outcomes[i].calls, 0);
    }
    close(filler);
    close(full);
}

/* --- without memory --- */

static void test_without_memory_there_is_no_connector_and_no_attempt(void)
{
    struct bench bench;
    struct lc_connector *connector = NULL;
    struct lc_connect *attempt = NULL;
    bench_open(&bench);
    for (uint64_t n = 1; n <= 5; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_connector_new(&bench.loop, NULL, &connector), LC_ENOMEM);
        CHECK(connector == NULL);
        lc_alloc_fail_after(0);
        uv_run(&bench.loop, UV_RUN_NOWAIT);
    }
    lc_alloc_fail_after(1);
    CHECK_INT(lc_connect_start(bench.connector, &bench.target, NULL, NULL, &attempt), LC_ENOMEM);
    CHECK(attempt == NULL);
    bench_close(&bench);
}

static void test_an_attempt_without_memory_fails_alone(void)
{
    struct bench bench;
    struct outcome failed, fine;
    bench_open(&bench);
    bench_start(&bench, &failed);
    lc_alloc_fail_after(1); /* the next allocation is that of its socket's connect */
    bench_await(&bench, &failed);
    CHECK_INT(failed.err, LC_ENOMEM);
    CHECK_INT(failed.fd, -1);
    bench.target.url = "http://localhost:1/";
    for (uint64_t n = 1; n <= 2; n++) {
        bench_start(&bench, &failed);
        lc_alloc_fail_after(n);
        bench_await(&bench, &failed);
        CHECK_INT(failed.err, LC_ENOMEM);
    }
    bench.target.url = bench.url;
    bench_connect(&bench, &fine);
    CHECK_INT(fine.err, 0);
    close(fine.fd);
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_the_socket_is_given_away_connected);
    RUN(test_a_socket_lives_on_without_its_connector);
    RUN(test_a_refusal_names_the_system_error);
    RUN(test_what_cannot_be_read_fails_the_attempt);
    RUN(test_a_name_is_looked_up);
    RUN(test_a_name_that_does_not_resolve_is_told);
    RUN(test_given_addresses_are_not_looked_up);
    RUN(test_an_ipv6_address_is_connected_to);
    RUN(test_the_source_is_used_and_named);
    RUN(test_a_unix_socket_takes_the_place_of_name_and_proxy);
    RUN(test_after_the_connect_time_out_the_next_address_is_tried);
    RUN(test_hundreds_of_attempts_at_once_all_end);
    RUN(test_a_cancelled_attempt_does_not_call_back);
    RUN(test_a_connected_attempt_that_is_cancelled_closes_its_socket);
    RUN(test_a_connector_can_close_with_attempts_in_every_stage);
    RUN(test_without_memory_there_is_no_connector_and_no_attempt);
    RUN(test_an_attempt_without_memory_fails_alone);
    return 0;
}
