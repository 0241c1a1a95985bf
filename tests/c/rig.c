#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the server's acts --- */

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int peer_listen_at(const char *text, int backlog, uint16_t *port)
{
    struct lc_address address;
    CHECK(lc_address_parse(lc_sv_of(text), *port, &address));
    int on = 1,
        fd = socket(lc_address_family(&address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_INT(bind(fd, &address.socket.any, address.len), 0);
    CHECK_INT(listen(fd, backlog), 0);
    CHECK_INT(getsockname(fd, &address.socket.any, &address.len), 0);
    /* The port is at the same place in both families. */
    *port = ntohs(address.socket.v4.sin_port);
    return fd;
}

int peer_listen(int backlog, uint16_t *port)
{
    *port = 0;
    return peer_listen_at("127.0.0.1", backlog, port);
}

void peer_send_bytes(int fd, const char *bytes, size_t len)
{
    CHECK_INT(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

void peer_send(int fd, const char *text)
{
    peer_send_bytes(fd, text, strlen(text));
}

void peer_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

int peer_fill_backlog(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* --- the life of a rig --- */

int rig_count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

void rig_prepare_process(void)
{
    struct rig rig;
    alarm(100);
    CHECK_INT(lc_connect_init_process(), 0);
    /* libuv opens its signal pipe with the first loop and keeps it. */
    rig_open(&rig);
    rig.descriptors = -1;
    rig_close(&rig);
}

void rig_open(struct rig *rig)
{
    *rig = (struct rig){.descriptors = rig_count_descriptors()};
    CHECK_INT(lc_engine_new(&rig->engine), 0);
    lc_pool_init(&rig->pool, 8);
    rig->listener = peer_listen(RIG_BACKLOG, &rig->port);
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = rig->port};
    CHECK_INT(lc_engine_origin(rig->engine, &spec, &rig->origin), 0);
}

void rig_close(struct rig *rig)
{
    close(rig->listener);
    lc_engine_pool_close(&rig->pool);
    lc_pool_forget(&rig->pool);
    CHECK(rig->pool.first == NULL);
    CHECK_INT(rig->pool.idle, 0);
    lc_engine_free(rig->engine);
    CHECK_INT(rig->pool.open, 0);
    CHECK(rig->pool.waiting_first == NULL);
    if (rig->descriptors >= 0) {
        CHECK_INT(rig_count_descriptors(), rig->descriptors);
    }
}

void rig_use_tls(struct rig *rig, const struct lc_tls_config *config, const char *host)
{
    char reason[LC_TLS_REASON_MAX];
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = rig->port};
    CHECK_INT(lc_engine_tls_context(rig->engine, config, &spec.tls_context, reason), 0);
    CHECK_INT(lc_engine_origin(rig->engine, &spec, &rig->origin), 0);
    rig->origin->host = host;
}

/* --- requests --- */

struct lc_request rig_request(struct rig *rig, const char *wire)
{
    struct lc_request request = {.pool = &rig->pool,
                                 .origin = rig->origin,
                                 .connect_timeout_ns = RIG_PATIENCE_MS * RIG_MS,
                                 .read_timeout_ns = RIG_PATIENCE_MS * RIG_MS,
                                 .max_head = 65536,
                                 .max_body = 1 << 24,
                                 .start_ns = lc_now_ns(),
                                 .data = rig};
    lc_buf_init(&request.wire, strlen(wire));
    CHECK_INT(lc_buf_append(&request.wire, wire, strlen(wire)), 0);
    return request;
}

uint64_t rig_begin(struct rig *rig, struct lc_request *request)
{
    uint64_t id;
    CHECK_INT(lc_engine_submit(rig->engine, request, &id), 0);
    return id;
}

uint64_t rig_get(struct rig *rig, const char *wire)
{
    struct lc_request request = rig_request(rig, wire);
    return rig_begin(rig, &request);
}

struct lc_engine_counts rig_counts(struct rig *rig)
{
    struct lc_engine_counts counts;
    lc_engine_count(rig->engine, &counts);
    return counts;
}

/* --- waiting --- */

void rig_turn(struct rig *rig, int fd)
{
    struct pollfd watched[] = {{.fd = lc_engine_fd(rig->engine), .events = POLLIN},
                               {.fd = fd, .events = POLLIN}};
    uint64_t wait_ns = lc_engine_wait_ns(rig->engine);
    bool bounded = wait_ns < RIG_PATIENCE_MS * RIG_MS;
    /* Rounded up: a wait cut short would only turn more often. */
    int wait_ms = bounded ? (int)((wait_ns + RIG_MS - 1) / RIG_MS) : RIG_PATIENCE_MS;
    int ready = poll(watched, 2, wait_ms);
    CHECK(ready > 0 || bounded);
    CHECK_INT(lc_engine_turn(rig->engine), 0);
}

void rig_settle(struct rig *rig)
{
    struct pollfd watched = {.fd = lc_engine_fd(rig->engine), .events = POLLIN};
    do {
        CHECK_INT(lc_engine_turn(rig->engine), 0);
    } while (lc_engine_is_dirty(rig->engine) || poll(&watched, 1, 0) > 0);
}

int rig_accept(struct rig *rig)
{
    for (;;) {
        int fd = accept4(rig->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int on = 1;
            CHECK_INT(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
            return fd;
        }
        CHECK_INT(errno, EAGAIN);
        rig_turn(rig, rig->listener);
    }
}

void rig_expect(struct rig *rig, int fd, const char *text)
{
    char got[4096];
    size_t len = 0;
    size_t want = strlen(text);
    CHECK(want < sizeof got);
    while (len < want) {
        ssize_t more = recv(fd, got + len, sizeof got - len, 0);
        if (more > 0) {
            len += (size_t)more;
            continue;
        }
        CHECK(more < 0 && errno == EAGAIN);
        rig_turn(rig, fd);
    }
    CHECK_BYTES(got, len, text);
}

void rig_expect_closed(struct rig *rig, int fd)
{
    char byte;
    ssize_t got;
    while ((got = recv(fd, &byte, 1, 0)) < 0 && errno == EAGAIN) {
        rig_turn(rig, fd);
    }
    CHECK(got == 0 || (got < 0 && errno == ECONNRESET));
    close(fd);
}

struct lc_exchange *rig_take(struct rig *rig)
{
    struct lc_op *op;
    while ((op = lc_engine_take(rig->engine)) == NULL) {
        rig_turn(rig, -1);
    }
    CHECK_INT(op->kind, LC_OP_REQUEST);
    return (struct lc_exchange *)op;
}

void rig_expect_result(struct rig *rig, int err, int status, const char *body)
{
    struct lc_exchange *exchange = rig_take(rig);
    CHECK_INT(exchange->err, err);
    CHECK_INT(exchange->response.status, status);
    CHECK_BYTES(exchange->response.body.ptr, exchange->response.body.len, body);
    CHECK(exchange->op.data == rig);
    lc_op_free(&exchange->op);
}
