#include "rig.h"

#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of one TCP connection on loopback, neither of which blocks. */
struct ends {
    int ours, peer;
};

static struct ends open_ends(void)
{
    struct ends ends;
    uint16_t port;
    int listener = peer_listen(1, &port);
    ends.ours = peer_fill_backlog(port);
    CHECK_INT(fcntl(ends.ours, F_SETFL, O_NONBLOCK), 0);
    lc_sock_prepare(ends.ours);
    ends.peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(ends.peer >= 0);
    close(listener);
    return ends;
}

static void await_news(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    CHECK_INT(poll(&watched, 1, RIG_PATIENCE_MS), 1);
}

/* The kernel begins to stamp a moment after the first socket of the machine asks for it, and goes
 * on while there is one: these ends stay open. */
static struct ends open_ends_with_stamps(void)
{
    struct ends ends = open_ends();
    struct pollfd nothing = {.fd = -1};
    uint64_t arrival = 0;
    for (int i = 0; i < RIG_PATIENCE_MS && arrival == 0; i++) {
        char byte;
        peer_send(ends.peer, "x");
        await_news(ends.ours);
        CHECK_INT(lc_sock_read(ends.ours, &byte, 1, &arrival), 1);
        CHECK_INT(poll(&nothing, 1, arrival == 0), 0);
    }
    CHECK(arrival != 0);
    return ends;
}

static void test_bytes_come_with_the_moment_of_their_arrival(void)
{
    struct ends ends = open_ends();
    char into[16];
    uint64_t before = lc_realtime_ns();
    uint64_t arrival = 0;
    CHECK_INT(lc_sock_read(ends.ours, into, sizeof into, &arrival), LC_EAGAIN);
    CHECK_INT(arrival, 0);
    peer_send(ends.peer, "four");
    await_news(ends.ours);
    CHECK_INT(lc_sock_read(ends.ours, into, sizeof into, &arrival), 4);
    CHECK_BYTES(into, 4, "four");
    CHECK(arrival >= before && arrival <= lc_realtime_ns());
    close(ends.peer);
    close(ends.ours);
}

static void test_the_stamp_is_of_the_arrival_and_not_of_the_read(void)
{
    const uint64_t wait_ns = 20 * RIG_MS;
    struct ends ends = open_ends();
    char byte;
    uint64_t arrival = 0;
    peer_send(ends.peer, "x");
    await_news(ends.ours);
    struct pollfd nothing = {.fd = -1};
    CHECK_INT(poll(&nothing, 1, 21), 0);
    uint64_t now = lc_realtime_ns();
    CHECK_INT(lc_sock_read(ends.ours, &byte, 1, &arrival), 1);
    CHECK(arrival != 0 && arrival + wait_ns <= now);
    close(ends.peer);
    close(ends.ours);
}

static void test_a_socket_without_stamps_still_reads(void)
{
    int pair[2];
    char byte;
    uint64_t arrival = 7;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    peer_send(pair[1], "x");
    CHECK_INT(lc_sock_read(pair[0], &byte, 1, &arrival), 1);
    CHECK_INT(arrival, 0);
    close(pair[0]);
    close(pair[1]);
}

static void test_nagle_is_off(void)
{
    struct ends ends = open_ends();
    int on = 0;
    socklen_t size = sizeof on;
    CHECK_INT(getsockopt(ends.ours, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    CHECK(on != 0);
    close(ends.peer);
    close(ends.ours);
}

static void test_an_orderly_end_reads_as_zero(void)
{
    struct ends ends = open_ends();
    char byte;
    uint64_t arrival = 5;
    close(ends.peer);
    await_news(ends.ours);
    CHECK_INT(lc_sock_read(ends.ours, &byte, 1, &arrival), 0);
    CHECK_INT(arrival, 5);
    close(ends.ours);
}

static void test_a_reset_is_told_by_read_and_by_write_without_a_signal(void)
{
    struct ends ends = open_ends();
    char byte;
    uint64_t arrival;
    peer_reset(ends.peer);
    await_news(ends.ours);
    CHECK_INT(lc_sock_read(ends.ours, &byte, 1, &arrival), LC_ERESET);
    /* SIGPIPE would end the program here. */
    CHECK_INT(lc_sock_write(ends.ours, "x", 1), LC_ERESET);
    close(ends.ours);
}

static void test_a_full_socket_says_again(void)
{
    static const char block[65536];
    struct ends ends = open_ends();
    ssize_t put;
    size_t total = 0;
    while ((put = lc_sock_write(ends.ours, block, sizeof block)) > 0) {
        total += (size_t)put;
    }
    CHECK_INT(put, LC_EAGAIN);
    CHECK(total > 0);
    close(ends.peer);
    close(ends.ours);
}

static void test_what_is_no_socket_is_a_system_error(void)
{
    char byte;
    uint64_t arrival;
    CHECK_INT(lc_sock_read(-1, &byte, 1, &arrival), LC_ESYS);
    CHECK_INT(lc_sock_write(-1, "x", 1), LC_ESYS);
    CHECK(lc_sock_is_stale(-1));
    lc_sock_prepare(-1);
}

static void test_an_idle_socket_is_stale_once_anything_came(void)
{
    struct ends ends = open_ends();
    CHECK(!lc_sock_is_stale(ends.ours));
    peer_send(ends.peer, "x");
    await_news(ends.ours);
    CHECK(lc_sock_is_stale(ends.ours));
    char into[2];
    uint64_t arrival;
    /* Looking took nothing away. */
    CHECK_INT(lc_sock_read(ends.ours, into, sizeof into, &arrival), 1);
    CHECK(!lc_sock_is_stale(ends.ours));
    close(ends.peer);
    await_news(ends.ours);
    CHECK(lc_sock_is_stale(ends.ours));
    close(ends.ours);
}

static void test_a_reset_socket_is_stale(void)
{
    struct ends ends = open_ends();
    peer_reset(ends.peer);
    await_news(ends.ours);
    CHECK(lc_sock_is_stale(ends.ours));
    close(ends.ours);
}

int main(void)
{
    int descriptors = rig_count_descriptors();
    struct ends stamping = open_ends_with_stamps();
    RUN(test_bytes_come_with_the_moment_of_their_arrival);
    RUN(test_the_stamp_is_of_the_arrival_and_not_of_the_read);
    RUN(test_a_socket_without_stamps_still_reads);
    RUN(test_nagle_is_off);
    RUN(test_an_orderly_end_reads_as_zero);
    RUN(test_a_reset_is_told_by_read_and_by_write_without_a_signal);
    RUN(test_a_full_socket_says_again);
    RUN(test_what_is_no_socket_is_a_system_error);
    RUN(test_an_idle_socket_is_stale_once_anything_came);
    RUN(test_a_reset_socket_is_stale);
    close(stamping.peer);
    close(stamping.ours);
    CHECK_INT(rig_count_descriptors(), descriptors);
    return 0;
}
