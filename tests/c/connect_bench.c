#include "connect_bench.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_done(void *owner, const struct lc_connect_result *result)
{
    struct outcome *outcome = owner;
    outcome->calls++;
    outcome->err = result->err;
    outcome->fd = result->fd;
    outcome->os_errno = result->os_errno;
    outcome->eai = result->eai;
    outcome->lookup_ns = result->lookup_ns;
    outcome->connect_ns = result->connect_ns;
    CHECK(result->reason != NULL);
    snprintf(outcome->reason, sizeof outcome->reason, "%s", result->reason);
}

void bench_open_with(struct bench *bench, const struct lc_lookup_config *lookups)
{
    *bench = (struct bench){.descriptors = rig_count_descriptors()};
    bench->listener = peer_listen(RIG_BACKLOG, &bench->port);
    CHECK_INT(uv_loop_init(&bench->loop), 0);
    CHECK_INT(lc_connector_new(&bench->loop, lookups, &bench->connector), 0);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/", bench->port);
    bench->target = (struct lc_connect_target){.url = bench->url};
}

void bench_open(struct bench *bench)
{
    bench_open_with(bench, NULL);
}

void bench_close(struct bench *bench)
{
    lc_connector_close(bench->connector);
    while (uv_loop_close(&bench->loop) == UV_EBUSY) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    close(bench->listener);
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

struct lc_connect *bench_start(struct bench *bench, struct outcome *outcome)
{
    struct lc_connect *attempt = NULL;
    *outcome = (struct outcome){.fd = -1};
    CHECK_INT(lc_connect_start(bench->connector, &bench->target, on_done, outcome, &attempt), 0);
    CHECK(attempt != NULL);
    CHECK_INT(outcome->calls, 0); /* never from inside */
    return attempt;
}

void bench_turn(struct bench *bench, int fd)
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

void bench_await(struct bench *bench, const struct outcome *outcome)
{
    while (outcome->calls == 0) {
        bench_turn(bench, -1);
    }
    CHECK_INT(outcome->calls, 1);
}

void bench_connect(struct bench *bench, struct outcome *outcome)
{
    bench_start(bench, outcome);
    bench_await(bench, outcome);
}

int bench_accept(struct bench *bench)
{
    int fd;
    while ((fd = accept4(bench->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        CHECK_INT(errno, EAGAIN);
        bench_turn(bench, bench->listener);
    }
    return fd;
}

/* Some bytes, at most so many. */
static size_t receive_some(struct bench *bench, int fd, char *into, size_t len)
{
    ssize_t got;
    while ((got = recv(fd, into, len, 0)) < 0) {
        CHECK_INT(errno, EAGAIN);
        bench_turn(bench, fd);
    }
    CHECK(got > 0);
    return (size_t)got;
}

void bench_receive(struct bench *bench, int fd, void *into, size_t len)
{
    char *at = into;
    while (len > 0) {
        size_t got = receive_some(bench, fd, at, len);
        at += got;
        len -= got;
    }
}

void bench_receive_until(struct bench *bench, int fd, char *into, size_t size, const char *end)
{
    size_t len = 0;
    do {
        CHECK(len < size - 1);
        len += receive_some(bench, fd, into + len, size - 1 - len);
        into[len] = '\0';
    } while (strstr(into, end) == NULL);
}

void expect_joined(int fd, int peer)
{
    char byte;
    peer_send(fd, "x");
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    CHECK_INT(byte, 'x');
}
