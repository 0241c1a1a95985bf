#include "dial.h"
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

struct outcome {
    int calls;
    struct lc_dial_result result;
};

struct bench {
    uv_loop_t loop;
    int descriptors;
    struct lc_dial *dial;
    struct outcome outcome;
    struct lc_address addresses[4];
    struct lc_dial_target target;
};

static void on_done(void *owner, const struct lc_dial_result *result)
{
    struct outcome *outcome = owner;
    outcome->calls++;
    outcome->result = *result;
}

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){.descriptors = rig_count_descriptors()};
    bench->target.addresses = bench->addresses;
    CHECK_INT(uv_loop_init(&bench->loop), 0);
}

static void bench_close(struct bench *bench)
{
    while (uv_loop_close(&bench->loop) == UV_EBUSY) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

static void add_address(struct bench *bench, const char *text)
{
    struct lc_address *address = &bench->addresses[bench->target.count++];
    CHECK(lc_address_parse(lc_sv_of(text), 1, address));
}

static int start(struct bench *bench)
{
    bench->outcome.calls = 0;
    return lc_dial_start(&bench->loop, &bench->target, on_done, &bench->outcome,
                         &bench->outcome.result, &bench->dial);
}

/* Starts it; it must be over at once, connected. */
static int start_connected(struct bench *bench)
{
    CHECK_INT(start(bench), 0);
    CHECK_INT(bench->outcome.calls, 0);
    CHECK_INT(bench->outcome.result.err, 0);
    CHECK(bench->outcome.result.fd >= 0);
    return bench->outcome.result.fd;
}

static void start_failed(struct bench *bench, int os_errno, const char *reason)
{
    CHECK_INT(start(bench), 0);
    CHECK_INT(bench->outcome.result.err, LC_ECONNECT);
    CHECK_INT(bench->outcome.result.fd, -1);
    CHECK_INT(bench->outcome.result.os_errno, os_errno);
    CHECK_BYTES(bench->outcome.result.reason, strlen(bench->outcome.result.reason), reason);
}

static void await(struct bench *bench)
{
    while (bench->outcome.calls == 0) {
        CHECK(uv_run(&bench->loop, UV_RUN_ONCE) != 0 || bench->outcome.calls > 0);
    }
    CHECK_INT(bench->outcome.calls, 1);
}

static void expect_end(int fd, bool peers, const char *want)
{
    struct lc_address address = {.len = sizeof address.socket};
    char text[LC_ADDRESS_TEXT_MAX];
    CHECK_INT(peers ? getpeername(fd, &address.socket.any, &address.len)
                    : getsockname(fd, &address.socket.any, &address.len),
              0);
    lc_address_format(&address, text);
    CHECK_BYTES(text, strlen(text), want);
}

static void close_both(int first, int second)
{
    close(first);
    close(second);
}

/* --- addresses --- */

static void test_on_loopback_it_is_connected_at_once(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen(RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    int fd = start_connected(&bench);
    CHECK(!uv_loop_alive(&bench.loop));
    expect_end(fd, true, "127.0.0.1");
    int peer = accept(listener, NULL, NULL);
    peer_send(fd, "x");
    char byte;
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    close_both(fd, peer);
    close(listener);
    bench_close(&bench);
}

static void test_the_next_address_is_tried_after_a_failure(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen_at("127.0.0.3", RIG_BACKLOG, &bench.target.port);
    int last = peer_listen_at("127.0.0.4", RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.2"); /* nobody listens */
    add_address(&bench, "127.0.0.3");
    add_address(&bench, "127.0.0.4");
    int fd = start_connected(&bench);
    expect_end(fd, true, "127.0.0.3");
    close(fd);
    close_both(listener, last);
    start_failed(&bench, ECONNREFUSED, strerror(ECONNREFUSED));
    bench_close(&bench);
}

static void test_without_addresses_it_fails(void)
{
    struct bench bench;
    bench_open(&bench);
    CHECK_INT(start(&bench), 0);
    CHECK_INT(bench.outcome.result.err, LC_ECONNECT);
    bench_close(&bench);
}

/* A silent address among others of its family: nothing is tried beside it, only in its place. */
static void test_a_silent_address_is_given_up_when_the_owner_says_so(void)
{
    struct bench bench;
    bench_open(&bench);
    int silent = peer_listen(0, &bench.target.port);
    int filler = peer_fill_backlog(bench.target.port);
    int listener = peer_listen_at("127.0.0.2", RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "127.0.0.2");
    CHECK_INT(start(&bench), LC_EAGAIN);
    CHECK_INT(uv_run(&bench.loop, UV_RUN_NOWAIT), 1);
    CHECK_INT(uv_backend_timeout(&bench.loop), -1); /* no timer */
    CHECK_INT(lc_dial_next(bench.dial, &bench.outcome.result), 0);
    CHECK_INT(bench.outcome.result.err, 0);
    expect_end(bench.outcome.result.fd, true, "127.0.0.2");
    close(bench.outcome.result.fd);
    bench.target.count = 1;
    CHECK_INT(start(&bench), LC_EAGAIN);
    CHECK_INT(lc_dial_next(bench.dial, &bench.outcome.result), LC_EINVAL); /* there is none */
    lc_dial_cancel(bench.dial);
    CHECK_INT(bench.outcome.calls, 0);
    close_both(listener, filler);
    close(silent);
    bench_close(&bench);
}

static void test_the_next_address_may_be_silent_or_refuse_as_well(void)
{
    struct bench bench;
    bench_open(&bench);
    int silent = peer_listen(0, &bench.target.port);
    int filler = peer_fill_backlog(bench.target.port);
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "127.0.0.2"); /* nobody listens */
    CHECK_INT(start(&bench), LC_EAGAIN);
    CHECK_INT(lc_dial_next(bench.dial, &bench.outcome.result), LC_EAGAIN);
    CHECK_INT(lc_dial_next(bench.dial, &bench.outcome.result), 0);
    CHECK_INT(bench.outcome.result.err, LC_ECONNECT);
    CHECK_INT(bench.outcome.result.os_errno, ECONNREFUSED);
    close_both(silent, filler);
    bench_close(&bench);
}

/* --- two families --- */

static void test_the_other_family_is_tried_beside_a_silent_address(void)
{
    struct bench bench;
    bench_open(&bench);
    int silent = peer_listen(0, &bench.target.port);
    int filler = peer_fill_backlog(bench.target.port);
    int listener = peer_listen_at("::1", RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "127.0.0.2"); /* of the same family: not beside it */
    add_address(&bench, "::1");
    uint64_t before = lc_now_ns();
    CHECK_INT(start(&bench), LC_EAGAIN);
    await(&bench);
    CHECK(lc_now_ns() - before >= (LC_DIAL_STAGGER_MS - 1) * RIG_MS);
    CHECK_INT(bench.outcome.result.err, 0);
    expect_end(bench.outcome.result.fd, true, "::1");
    close(bench.outcome.result.fd);
    close_both(silent, filler);
    close(listener);
    bench_close(&bench);
}

/* The other family refuses; what is silent stays the only hope. */
static void test_a_failure_beside_it_ends_nothing(void)
{
    struct bench bench;
    bench_open(&bench);
    int silent = peer_listen(0, &bench.target.port);
    int filler = peer_fill_backlog(bench.target.port);
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "::1");
    CHECK_INT(start(&bench), LC_EAGAIN);
    do {
        uv_run(&bench.loop, UV_RUN_ONCE);
    } while (uv_backend_timeout(&bench.loop) >= 0);
    CHECK_INT(bench.outcome.calls, 0);
    CHECK_INT(lc_dial_next(bench.dial, &bench.outcome.result), LC_EINVAL);
    lc_dial_cancel(bench.dial);
    close_both(silent, filler);
    bench_close(&bench);
}

/* --- from the loop --- */

/* The kernel asks a full queue again after a second; one of both has room by then, the other one is
 * gone. */
static void test_what_takes_long_is_told_from_the_loop(void)
{
    struct bench slow, gone;
    bench_open(&slow);
    bench_open(&gone);
    int listener = peer_listen(0, &slow.target.port);
    int filler = peer_fill_backlog(slow.target.port);
    int closing = peer_listen(0, &gone.target.port);
    int other_filler = peer_fill_backlog(gone.target.port);
    add_address(&slow, "127.0.0.1");
    add_address(&gone, "127.0.0.1");
    CHECK_INT(start(&slow), LC_EAGAIN);
    CHECK_INT(start(&gone), LC_EAGAIN);
    close(accept(listener, NULL, NULL));
    close(closing);
    await(&slow);
    await(&gone);
    CHECK_INT(slow.outcome.result.err, 0);
    expect_end(slow.outcome.result.fd, true, "127.0.0.1");
    CHECK_INT(gone.outcome.result.err, LC_ECONNECT);
    CHECK_INT(gone.outcome.result.os_errno, ECONNREFUSED);
    close(slow.outcome.result.fd);
    close_both(listener, filler);
    close(other_filler);
    bench_close(&gone);
    bench_close(&slow);
}

/* --- the local end --- */

static void test_the_source_address_is_used(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen(RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    bench.target.source = "127.0.0.9";
    int fd = start_connected(&bench);
    expect_end(fd, false, "127.0.0.9");
    int peer = accept(listener, NULL, NULL);
    expect_end(peer, true, "127.0.0.9");
    close_both(fd, peer);
    bench.target.source = "";
    close(start_connected(&bench));
    close(listener);
    bench_close(&bench);
}

static void test_an_interface_is_used(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen(RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    bench.target.source = "lo";
    int fd = start_connected(&bench);
    expect_end(fd, false, "127.0.0.1");
    close_both(fd, listener);
    bench_close(&bench);
}

static void test_a_source_that_cannot_be_is_named(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen(RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    bench.target.source = "192.0.2.1";
    start_failed(&bench, EADDRNOTAVAIL,
                 "Cannot assign requested address: source address 192.0.2.1");
    bench.target.source = "::1";
    start_failed(&bench, EAFNOSUPPORT,
                 "Address family not supported by protocol: source address ::1");
    bench.target.source = "nothing0";
    start_failed(&bench, ENODEV, "No such device: interface nothing0");
    bench.target.source = "an-interface-with-a-very-long-name";
    start_failed(&bench, ENODEV, "No such device: interface an-interface-with-a-very-long-name");
    close(listener);
    bench_close(&bench);
}

static void test_addresses_that_the_source_does_not_fit_are_passed_over(void)
{
    struct bench bench;
    bench_open(&bench);
    int listener = peer_listen_at("::1", RIG_BACKLOG, &bench.target.port);
    add_address(&bench, "127.0.0.1");
    add_address(&bench, "::1");
    bench.target.source = "::1";
    int fd = start_connected(&bench);
    expect_end(fd, false, "::1");
    close_both(fd, listener);
    bench_close(&bench);
}

/* --- Unix sockets --- */

static int unix_listen(char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    snprintf(path, sizeof address.sun_path, "/tmp/lc-test-dial-%d", (int)getpid());
    strcpy(address.sun_path, path);
    CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(fd, backlog), 0);
    return fd;
}

static void test_a_unix_socket_takes_the_place_of_addresses(void)
{
    struct bench bench;
    char path[108], byte;
    bench_open(&bench);
    int listener = unix_listen(path, RIG_BACKLOG);
    bench.target.unix_socket = path;
    int fd = start_connected(&bench);
    int peer = accept(listener, NULL, NULL);
    peer_send(fd, "x");
    CHECK_INT(recv(peer, &byte, 1, 0), 1);
    close_both(fd, peer);
    close(listener);
    CHECK_INT(unlink(path), 0);
    bench_close(&bench);
}

static void test_a_full_unix_socket_is_asked_again(void)
{
    struct bench bench;
    char path[108];
    bench_open(&bench);
    int listener = unix_listen(path, 0);
    bench.target.unix_socket = path;
    int first = start_connected(&bench);
    CHECK_INT(start(&bench), LC_EAGAIN);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(uv_run(&bench.loop, UV_RUN_ONCE), 1); /* asked, and still full */
        CHECK_INT(bench.outcome.calls, 0);
    }
    int peer = accept(listener, NULL, NULL);
    await(&bench);
    CHECK_INT(bench.outcome.result.err, 0);
    close(bench.outcome.result.fd);
    CHECK_INT(start(&bench), LC_EAGAIN);
    close(listener);
    await(&bench);
    CHECK_INT(bench.outcome.result.os_errno, ECONNREFUSED);
    close_both(first, peer);
    CHECK_INT(unlink(path), 0);
    bench_close(&bench);
}

static void test_a_unix_socket_that_is_not_there_is_named(void)
{
    struct bench bench;
    char path[256], reason[512];
    bench_open(&bench);
    bench.target.unix_socket = "/nowhere/socket";
    start_failed(&bench, ENOENT, "No such file or directory: Unix socket /nowhere/socket");
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    snprintf(reason, sizeof reason, "%s: Unix socket %s", strerror(ENAMETOOLONG), path);
    reason[LC_DIAL_REASON_MAX - 1] = '\0';
    bench.target.unix_socket = path;
    start_failed(&bench, ENAMETOOLONG, reason);
    bench_close(&bench);
}

/* --- without memory --- */

static void test_without_memory_it_fails(void)
{
    struct bench bench;
    bench_open(&bench);
    int silent = peer_listen(0, &bench.target.port);
    int filler = peer_fill_backlog(bench.target.port);
    add_address(&bench, "127.0.0.1");
    for (uint64_t n = 1; n <= 2; n++) { /* the dial, the watch of its socket */
        lc_alloc_fail_after(n);
        CHECK_INT(start(&bench), 0);
        CHECK_INT(bench.outcome.result.err, LC_ENOMEM);
        CHECK_INT(bench.outcome.result.fd, -1);
    }
    close_both(silent, filler);
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_on_loopback_it_is_connected_at_once);
    RUN(test_the_next_address_is_tried_after_a_failure);
    RUN(test_without_addresses_it_fails);
    RUN(test_a_silent_address_is_given_up_when_the_owner_says_so);
    RUN(test_the_next_address_may_be_silent_or_refuse_as_well);
    if (lc_address_has_ipv6()) {
        RUN(test_the_other_family_is_tried_beside_a_silent_address);
        RUN(test_a_failure_beside_it_ends_nothing);
        RUN(test_addresses_that_the_source_does_not_fit_are_passed_over);
    } else {
        printf("skipped: three tests of two families, this machine has no IPv6\n");
    }
    RUN(test_what_takes_long_is_told_from_the_loop);
    RUN(test_the_source_address_is_used);
    RUN(test_an_interface_is_used);
    RUN(test_a_source_that_cannot_be_is_named);
    RUN(test_a_unix_socket_takes_the_place_of_addresses);
    RUN(test_a_full_unix_socket_is_asked_again);
    RUN(test_a_unix_socket_that_is_not_there_is_named);
    RUN(test_without_memory_it_fails);
    return 0;
}
