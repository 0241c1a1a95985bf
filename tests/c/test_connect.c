#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connector on a loop of its own. */
struct bench {
    uv_loop_t loop;
    struct lc_connector *connector;
    int listener, descriptors;
    uint16_t port;
    char url[64];
    struct lc_connect_target target;
};

/* What became of one attempt; its owner points here. */
struct outcome {
    int calls, err, fd, os_errno;
    uint64_t lookup_ns, connect_ns;
    char reason[LC_CONNECT_REASON_MAX];
};

static void on_done(void *owner, const struct lc_connect_result *result)
{
    struct outcome *outcome = owner;
    outcome->calls++;
    outcome->err = result->err;
    outcome->fd = result->fd;
    outcome->os_errno = result->os_errno;
    outcome->lookup_ns = result->lookup_ns;
    outcome->connect_ns = result->connect_ns;
    CHECK(result->reason != NULL);
    snprintf(outcome->reason, sizeof outcome->reason, "%s", result->reason);
}

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){.descriptors = rig_count_descriptors()};
    bench->listener = peer_listen(RIG_BACKLOG, &bench->port);
    CHECK_INT(uv_loop_init(&bench->loop), 0);
    CHECK_INT(lc_connector_new(&bench->loop, on_done, &bench->connector), 0);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/", bench->port);
    bench->target = (struct lc_connect_target){.url = bench->url};
}

static void bench_close(struct bench *bench)
{
    lc_connector_close(bench->connector);
    while (uv_loop_close(&bench->loop) == UV_EBUSY) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    close(bench->listener);
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

static struct lc_connect *start(struct bench *bench, struct outcome *outcome)
{
    struct lc_connect *attempt = NULL;
    CHECK_INT(lc_connect_start(bench->connector, &bench->target, outcome, &attempt), 0);
    CHECK(attempt != NULL);
    CHECK_INT(outcome->calls, 0); /* never from inside */
    return attempt;
}

/* One turn, which waits for what libuv waits for, and for `fd` (-1: none). */
static void turn(struct bench *bench, int fd)
{
    bool more = lc_connector_turn(bench->connector);
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    more = lc_connector_turn(bench->connector) || more;
    struct pollfd watched[] = {{.fd = uv_backend_fd(&bench->loop), .events = POLLIN},
                               {.fd = fd, .events = POLLIN}};
    uv_update_time(&bench->loop);
    int wait_ms = more ? 0 : uv_backend_timeout(&bench->loop);
    CHECK(poll(watched, 2, wait_ms >= 0 && wait_ms < RIG_PATIENCE_MS ? wait_ms : RIG_PATIENCE_MS) >
              0 ||
          wait_ms >= 0);
}

static void await(struct bench *bench, const struct outcome *outcome)
{
    while (outcome->calls == 0) {
        turn(bench, -1);
    }
    CHECK_INT(outcome->calls, 1);
}

static int accept_one(struct bench *bench)
{
    int fd;
    while ((fd = accept4(bench->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        CHECK_INT(errno, EAGAIN);
        turn(bench, bench->listener);
    }
    return fd;
}

static void expect_bytes(struct bench *bench, int fd, char *into, size_t size, const char *end)
{
    size_t len = 0;
    do {
        ssize_t more = recv(fd, into + len, size - 1 - len, 0);
        if (more > 0) {
            len += (size_t)more;
            into[len] = '\0';
            continue;
        }
        CHECK(more < 0 && errno == EAGAIN);
        turn(bench, fd);
    } while (len == 0 || strstr(into, end) == NULL);
}

/* --- results --- */

static void test_the_socket_is_given_away_connected(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    char byte;
    bench_open(&bench);
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK(outcome.fd >= 0);
    CHECK_INT(outcome.os_errno, 0);
    CHECK(outcome.connect_ns > 0 && outcome.connect_ns >= outcome.lookup_ns);
    CHECK(outcome.connect_ns < RIG_PATIENCE_MS * RIG_MS);
    int peer = accept_one(&bench);
    peer_send(outcome.fd, "x");
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    close(outcome.fd);
    CHECK_INT(recv(peer, &byte, 1, 0), 0); /* nobody else holds it */
    close(peer);
    bench_close(&bench);
}

static void test_a_socket_lives_on_without_its_connector(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench);
    start(&bench, &outcome);
    await(&bench, &outcome);
    int peer = accept_one(&bench);
    bench.descriptors += 2;
    bench_close(&bench);
    peer_send(outcome.fd, "x");
    char byte;
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    close(outcome.fd);
    close(peer);
}

static void test_a_refusal_names_the_system_error(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench);
    close(bench.listener);
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK_INT(outcome.fd, -1);
    CHECK_INT(outcome.os_errno, ECONNREFUSED);
    CHECK(strstr(outcome.reason, "connect") != NULL);
    bench.listener = peer_listen(1, &bench.port);
    bench_close(&bench);
}

static void test_a_name_that_does_not_resolve_is_told(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench);
    bench.target.url = "http://a..b:80/"; /* no name server is asked for an empty label */
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ERESOLVE);
    CHECK_INT(outcome.fd, -1);
    CHECK(strstr(outcome.reason, "a..b") != NULL);
    bench_close(&bench);
}

static void test_what_libcurl_cannot_read_fails_the_attempt(void)
{
    static const char *const URLS[] = {"http://127.0.0.1:99999/", "http:///", "nothing://x/"};
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        struct bench bench;
        struct outcome outcome = {0};
        bench_open(&bench);
        bench.target.url = URLS[i];
        start(&bench, &outcome);
        await(&bench, &outcome);
        CHECK_INT(outcome.err, LC_ECONNECT);
        CHECK(outcome.reason[0] != '\0');
        bench_close(&bench);
    }
}

/* --- proxies --- */

static void test_the_environments_proxy_is_not_obeyed(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench);
    CHECK_INT(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(unsetenv("http_proxy"), 0);
    CHECK_INT(outcome.err, 0);
    close(outcome.fd);
    bench_close(&bench);
}

static void test_a_plain_proxy_is_connected_to_in_the_place_of_the_host(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    char proxy[64];
    bench_open(&bench);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", bench.port);
    bench.target = (struct lc_connect_target){.url = "http://server.test:80/", .proxy = proxy};
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    close(accept_one(&bench));
    close(outcome.fd);
    bench_close(&bench);
}

static void begin_tunnel(struct bench *bench, struct outcome *outcome, int *peer)
{
    char proxy[64], head[1024];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", bench->port);
    bench->target = (struct lc_connect_target){
        .url = "http://server.test:443/", .proxy = proxy, .tunnel = true};
    start(bench, outcome);
    *peer = accept_one(bench);
    expect_bytes(bench, *peer, head, sizeof head, "\r\n\r\n");
    CHECK(strncmp(head, "CONNECT server.test:443 HTTP/1.1\r\n", 34) == 0);
    CHECK_INT(outcome->calls, 0);
}

static void test_a_tunnel_is_open_when_the_proxy_agrees(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    char byte;
    int peer;
    bench_open(&bench);
    begin_tunnel(&bench, &outcome, &peer);
    peer_send(peer, "HTTP/1.1 200 Connection established\r\n\r\n");
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    peer_send(outcome.fd, "x");
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    close(outcome.fd);
    close(peer);
    bench_close(&bench);
}

static void test_a_proxy_that_refuses_is_told(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    int peer;
    bench_open(&bench);
    begin_tunnel(&bench, &outcome, &peer);
    peer_send(peer, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ECONNECT);
    CHECK(strstr(outcome.reason, "403") != NULL);
    close(peer);
    bench_close(&bench);
}

static void test_a_proxy_that_does_not_resolve_is_told(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench);
    bench.target.proxy = "http://a..b:3128";
    start(&bench, &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ERESOLVE);
    bench_close(&bench);
}

/* --- many --- */

/* More than begin in one turn, and more than handles are kept. */
static void test_hundreds_of_attempts_at_once_all_end(void)
{
    enum { COUNT = 300 };
    static struct outcome outcomes[COUNT];
    struct bench bench;
    bench_open(&bench);
    for (int round = 0; round < 2; round++) {
        memset(outcomes, 0, sizeof outcomes);
        for (int i = 0; i < COUNT; i++) {
            start(&bench, &outcomes[i]);
        }
        CHECK(lc_connector_turn(bench.connector)); /* more wait */
        for (int i = 0; i < COUNT; i++) {
            await(&bench, &outcomes[i]);
            CHECK_INT(outcomes[i].err, 0);
        }
        CHECK(!lc_connector_turn(bench.connector));
        for (int i = 0; i < COUNT; i++) {
            CHECK_INT(outcomes[i].calls, 1);
            close(accept_one(&bench));
            close(outcomes[i].fd);
        }
    }
    bench_close(&bench);
}

/* --- cancelling --- */

static void test_a_cancelled_attempt_does_not_call_back(void)
{
    enum stage { WAITING, RUNNING, FINISHED, STAGES };
    for (int stage = WAITING; stage < STAGES; stage++) {
        struct bench bench;
        struct outcome outcome = {0}, other = {0};
        bench_open(&bench);
        struct lc_connect *attempt = start(&bench, &outcome);
        start(&bench, &other);
        if (stage >= RUNNING) {
            (void)lc_connector_turn(bench.connector);
        }
        if (stage == FINISHED) {
            int peers[] = {-1, -1};
            /* libcurl has its result once both are connected and the loop has run. */
            while (peers[0] < 0 || peers[1] < 0) {
                int *peer = peers[0] < 0 ? &peers[0] : &peers[1];
                uv_run(&bench.loop, UV_RUN_NOWAIT);
                *peer = accept(bench.listener, NULL, NULL);
            }
            uv_run(&bench.loop, UV_RUN_NOWAIT);
            close(peers[0]);
            close(peers[1]);
        }
        lc_connect_cancel(attempt);
        await(&bench, &other);
        CHECK_INT(other.err, 0);
        CHECK_INT(outcome.calls, 0);
        close(other.fd);
        bench_close(&bench);
    }
}

static void test_a_connector_can_close_with_attempts_in_every_stage(void)
{
    struct bench bench;
    struct outcome outcomes[3] = {{0}};
    uint16_t port;
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    bench_open(&bench);
    snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%u/", port);
    start(&bench, &outcomes[0]);
    (void)lc_connector_turn(bench.connector);
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    start(&bench, &outcomes[1]);
    (void)lc_connector_turn(bench.connector);
    start(&bench, &outcomes[2]);
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
    lc_alloc_fail_after(1);
    CHECK_INT(lc_connector_new(&bench.loop, on_done, &connector), LC_ENOMEM);
    CHECK(connector == NULL);
    for (uint64_t n = 1; n <= 3; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_connect_start(bench.connector, &bench.target, NULL, &attempt), LC_ENOMEM);
        CHECK(attempt == NULL);
    }
    bench_close(&bench);
}

static void test_an_attempt_that_cannot_be_watched_fails_alone(void)
{
    struct bench bench;
    struct outcome failed = {0}, fine = {0};
    bench_open(&bench);
    start(&bench, &failed);
    lc_alloc_fail_after(1); /* the next allocation is the watch of its socket */
    await(&bench, &failed);
    CHECK_INT(failed.err, LC_ENOMEM);
    CHECK_INT(failed.fd, -1);
    start(&bench, &fine);
    await(&bench, &fine);
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
    RUN(test_a_name_that_does_not_resolve_is_told);
    RUN(test_what_libcurl_cannot_read_fails_the_attempt);
    RUN(test_the_environments_proxy_is_not_obeyed);
    RUN(test_a_plain_proxy_is_connected_to_in_the_place_of_the_host);
    RUN(test_a_tunnel_is_open_when_the_proxy_agrees);
    RUN(test_a_proxy_that_refuses_is_told);
    RUN(test_a_proxy_that_does_not_resolve_is_told);
    RUN(test_hundreds_of_attempts_at_once_all_end);
    RUN(test_a_cancelled_attempt_does_not_call_back);
    RUN(test_a_connector_can_close_with_attempts_in_every_stage);
    RUN(test_without_memory_there_is_no_connector_and_no_attempt);
    RUN(test_an_attempt_that_cannot_be_watched_fails_alone);
    return 0;
}
