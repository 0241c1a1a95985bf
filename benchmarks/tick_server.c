/* A server that answers every request a fixed time after it has read it: the yardstick for what clients call latency.
 *
 * usage: tick_server DELAY_US; prints its port, serves until SIGTERM, then prints how late its own answers were.
 * One thread, epoll. It spins through the last millisecond before an answer is due, so it wants a core for itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 65536
#define LATE_BUCKETS 100000
#define SPIN_NS 1000000

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

struct due {
    int64_t at_ns;
    int fd;
};

/* Answers are due in the order the requests were read, so a ring is all the queue there is. */
struct server {
    int epoll_fd;
    int listen_fd;
    int64_t delay_ns;
    struct due ring[MAX_FDS];
    uint32_t head;
    uint32_t tail;
    unsigned char matched[MAX_FDS];
    uint64_t late_us[LATE_BUCKETS];
    uint64_t answers;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int watch(struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_server(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->epoll_fd = epoll_create1(0);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (server->epoll_fd < 0 || server->listen_fd < 0) {
        return -1;
    }
    if (bind(server->listen_fd, (struct sockaddr *)&address, len) < 0 || listen(server->listen_fd, 4096) < 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &len) < 0) {
        return -1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return watch(server, server->listen_fd);
}

static void accept_all(struct server *server)
{
    for (;;) {
        int on = 1;
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) {
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (fd >= MAX_FDS || watch(server, fd) < 0) {
            close(fd);
            continue;
        }
        server->matched[fd] = 0;
    }
}

/* Counts how much of the blank line that ends a head was seen; a client here sends one request at a time. */
static int head_ends(unsigned char *matched, const char *data, ssize_t len)
{
    static const char END[] = "\r\n\r\n";
    for (ssize_t i = 0; i < len; i++) {
        *matched = data[i] == END[*matched] ? *matched + 1 : data[i] == '\r';
        if (*matched == 4) {
            *matched = 0;
            return 1;
        }
    }
    return 0;
}

static void read_request(struct server *server, int fd)
{
    char data[8192];
    ssize_t got = read(fd, data, sizeof data);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(fd);
        return;
    }
    if (got > 0 && head_ends(&server->matched[fd], data, got)) {
        server->ring[server->tail++ % MAX_FDS] = (struct due){now_ns() + server->delay_ns, fd};
    }
}

static void answer_due(struct server *server)
{
    while (server->head != server->tail) {
        struct due due = server->ring[server->head % MAX_FDS];
        int64_t late_ns = now_ns() - due.at_ns;
        if (late_ns < 0) {
            return;
        }
        int64_t late_us = late_ns / 1000;
        server->head++;
        server->late_us[late_us < LATE_BUCKETS ? late_us : LATE_BUCKETS - 1]++;
        server->answers++;
        /* A client that went away meanwhile is no concern of the clock. */
        (void)!send(due.fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    }
}

static int wait_ms(const struct server *server)
{
    if (server->head == server->tail) {
        return 100;
    }
    int64_t left_ns = server->ring[server->head % MAX_FDS].at_ns - now_ns() - SPIN_NS;
    return left_ns > 0 ? (int)(left_ns / 1000000) : 0;
}

static unsigned late_quantile(const struct server *server, double quantile)
{
    uint64_t seen = 0;
    for (unsigned us = 0; us < LATE_BUCKETS; us++) {
        seen += server->late_us[us];
        if ((double)seen >= quantile * (double)server->answers) {
            return us;
        }
    }
    return LATE_BUCKETS;
}

static void serve(struct server *server)
{
    struct epoll_event events[256];
    while (!stopping) {
        int count = epoll_wait(server->epoll_fd, events, 256, wait_ms(server));
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == server->listen_fd) {
                accept_all(server);
            } else {
                read_request(server, events[i].data.fd);
            }
            answer_due(server);
        }
        answer_due(server);
    }
}

int main(int argc, char **argv)
{
    struct server *server = calloc(1, sizeof *server);
    if (argc != 2 || server == NULL) {
        fprintf(stderr, "usage: tick_server DELAY_US\n");
        return 2;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    server->delay_ns = (int64_t)atol(argv[1]) * 1000;
    if (open_server(server) < 0) {
        perror("tick_server");
        return 1;
    }
    serve(server);
    printf("%llu %u %u %u\n", (unsigned long long)server->answers, late_quantile(server, 0.5),
           late_quantile(server, 0.99), late_quantile(server, 1.0));
    free(server);
    return 0;
}
