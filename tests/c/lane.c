#include "lane.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the lane --- */

struct lc_origin lane_origin(const char *host, uint16_t port, char url[64])
{
    snprintf(url, 64, "http://%s:%u/", host, port);
    return (struct lc_origin){.connect_url = url,
                              .host = host,
                              .proxy = "",
                              .source = "",
                              .unix_socket = "",
                              .resolve = ""};
}

void lane_open(struct lane *lane)
{
    *lane = (struct lane){.descriptors = rig_count_descriptors()};
    lane->listener = peer_listen(RIG_BACKLOG, &lane->port);
    CHECK_INT(uv_loop_init(&lane->loop), 0);
    CHECK_INT(lc_connector_new(&lane->loop, NULL, &lane->connector), 0);
    CHECK_INT(lc_transfers_new(&lane->loop, lane->connector, &lane->transfers), 0);
    CHECK_INT(lc_transfer_scope_new(lane->transfers, 8, 0, &lane->scope), 0);
    lane->origin = lane_origin("127.0.0.1", lane->port, lane->url);
}

void lane_end(struct lane *lane)
{
    lc_connector_close(lane->connector);
    while (uv_loop_close(&lane->loop) == UV_EBUSY) {
        uv_run(&lane->loop, UV_RUN_NOWAIT);
    }
    close(lane->listener);
    CHECK_INT(rig_count_descriptors(), lane->descriptors);
}

void lane_close(struct lane *lane)
{
    struct lc_transfer_counts counts;
    if (lane->scope != NULL) {
        lc_transfer_scope_close(lane->scope);
    }
    lc_transfers_count(lane->transfers, &counts);
    CHECK_INT(counts.transfers, 0);
    CHECK_INT(counts.connections, 0);
    lc_transfers_close(lane->transfers);
    lane_end(lane);
}

static bool turn_lane(struct lane *lane)
{
    bool more = lc_connector_turn(lane->connector);
    return lc_transfers_turn(lane->transfers) || more;
}

void lane_turn(struct lane *lane, int fd)
{
    struct pollfd watched[] = {{.fd = uv_backend_fd(&lane->loop), .events = POLLIN},
                               {.fd = fd, .events = POLLIN}};
    unsigned told = lane->told;
    bool more = turn_lane(lane);
    if (lane->told != told) {
        return; /* the caller may have waited for that */
    }
    uv_update_time(&lane->loop);
    int wait_ms = more ? 0 : uv_backend_timeout(&lane->loop);
    bool bounded = wait_ms >= 0 && wait_ms < RIG_PATIENCE_MS;
    CHECK(poll(watched, 2, bounded ? wait_ms : RIG_PATIENCE_MS) > 0 || bounded);
    uv_run(&lane->loop, UV_RUN_NOWAIT);
    (void)turn_lane(lane);
}

void lane_run(struct lane *lane)
{
    struct pollfd watched = {.fd = uv_backend_fd(&lane->loop), .events = POLLIN};
    uv_update_time(&lane->loop);
    int wait_ms = uv_backend_timeout(&lane->loop);
    bool bounded = wait_ms >= 0 && wait_ms < RIG_PATIENCE_MS;
    CHECK(poll(&watched, 1, bounded ? wait_ms : RIG_PATIENCE_MS) > 0 || bounded);
    uv_run(&lane->loop, UV_RUN_NOWAIT);
}

int lane_accept(struct lane *lane)
{
    int fd;
    while ((fd = accept4(lane->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        CHECK_INT(errno, EAGAIN);
        lane_turn(lane, lane->listener);
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a Unix socket has none */
    return fd;
}

bool lane_has_connection(struct lane *lane)
{
    struct pollfd listener = {.fd = lane->listener, .events = POLLIN};
    return poll(&listener, 1, 0) == 1;
}

void lane_expect_no_connection(struct lane *lane)
{
    CHECK(!lane_has_connection(lane));
}

void lane_read(struct lane *lane, int fd, char *into, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, into, len, 0);
        if (got > 0) {
            into += got;
            len -= (size_t)got;
            continue;
        }
        CHECK(got < 0 && errno == EAGAIN);
        lane_turn(lane, fd);
    }
}

void lane_expect(struct lane *lane, int fd, const char *text)
{
    char got[4096];
    size_t len = strlen(text);
    CHECK(len < sizeof got);
    lane_read(lane, fd, got, len);
    CHECK_BYTES(got, len, text);
}

void lane_expect_closed(struct lane *lane, int fd)
{
    char bytes[4096];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) != 0) {
        if (got < 0 && errno == ECONNRESET) {
            break;
        }
        if (got < 0) {
            CHECK_INT(errno, EAGAIN);
            lane_turn(lane, fd);
        }
    }
    close(fd);
}

/* --- events --- */

static int on_head(void *owner, const char *bytes, size_t len)
{
    struct sent *sent = owner;
    sent->heads++;
    CHECK_INT(sent->bodies, 0);
    CHECK_INT(sent->calls, 0);
    CHECK_INT(lc_buf_append(&sent->head, bytes, len), 0);
    return sent->head_err;
}

static int on_body(void *owner, const char *bytes, size_t len)
{
    struct sent *sent = owner;
    CHECK_INT(sent->heads, 1);
    CHECK_INT(sent->calls, 0);
    if (sent->may_pause && sent->body.len + len > sent->body_ready) {
        sent->refused = true;
        return LC_EAGAIN;
    }
    sent->bodies++;
    CHECK_INT(lc_buf_append(&sent->body, bytes, len), 0);
    return sent->body_err;
}

static ssize_t on_read(void *owner, char *into, size_t len)
{
    struct sent *sent = owner;
    CHECK_INT(sent->calls, 0);
    if (sent->read_err != 0) {
        return sent->read_err;
    }
    size_t left = sent->upload_ready - sent->uploaded;
    if (left == 0) {
        sent->starved = sent->uploaded < sent->upload_len;
        return sent->uploaded < sent->upload_len ? LC_EAGAIN : 0;
    }
    size_t piece = left < len ? left : len;
    memcpy(into, sent->upload + sent->uploaded, piece);
    sent->uploaded += piece;
    return (ssize_t)piece;
}

static int on_rewind(void *owner)
{
    struct sent *sent = owner;
    sent->rewinds++;
    sent->uploaded = 0;
    return 0;
}

static void on_done(void *owner, const struct lc_transfer_result *result)
{
    struct sent *sent = owner;
    sent->calls++;
    sent->lane->told++;
    sent->result = *result;
    CHECK(result->reason != NULL);
    snprintf(sent->reason, sizeof sent->reason, "%s", result->reason);
}

/* --- requests --- */

static const struct lc_transfer_events EVENTS = {.on_head = on_head,
                                                 .on_body = on_body,
                                                 .on_read = on_read,
                                                 .on_rewind = on_rewind,
                                                 .on_done = on_done};
static const struct lc_transfer_events NO_REWIND = {
    .on_head = on_head, .on_body = on_body, .on_read = on_read, .on_done = on_done};

struct sent sent_on(struct lane *lane)
{
    struct sent sent = {.lane = lane, .max_head = 65536};
    lc_buf_init(&sent.head, 1 << 20);
    lc_buf_init(&sent.body, 1 << 26);
    return sent;
}

struct sent sent_with(struct lane *lane, const char *body, size_t len)
{
    struct sent sent = sent_on(lane);
    sent.upload = body;
    sent.upload_len = sent.upload_ready = len;
    return sent;
}

int sent_try(struct sent *sent, const char *head)
{
    int64_t len = sent->unknown_len ? -1 : (int64_t)sent->upload_len;
    const struct lc_origin *origin = sent->origin != NULL ? sent->origin : &sent->lane->origin;
    struct lc_transfer_request request = {.scope = sent->lane->scope,
                                          .origin = origin,
                                          .head = lc_sv_of(head),
                                          .has_body = sent->upload != NULL,
                                          .body_len = len,
                                          .may_pause = sent->may_pause,
                                          .resend = sent->resend,
                                          .max_head = sent->max_head,
                                          .events = sent->cannot_rewind ? &NO_REWIND : &EVENTS,
                                          .owner = sent};
    int rc = lc_transfer_start(&request, &sent->transfer);
    CHECK_INT(sent->calls, 0); /* never from inside */
    return rc;
}

void sent_begin(struct sent *sent, const char *head)
{
    CHECK_INT(sent_try(sent, head), 0);
}

void sent_get(struct sent *sent)
{
    sent_begin(sent, "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n");
}

void sent_free(struct sent *sent)
{
    lc_buf_free(&sent->head);
    lc_buf_free(&sent->body);
}

void sent_cancel(struct sent *sent)
{
    lc_transfer_cancel(sent->transfer);
    CHECK_INT(sent->calls, 0);
    sent_free(sent);
}

void sent_await(struct sent *sent)
{
    while (sent->calls == 0) {
        lane_turn(sent->lane, -1);
    }
    CHECK_INT(sent->calls, 1);
}

void sent_expect(struct sent *sent, int err, const char *body)
{
    sent_await(sent);
    if (sent->result.err != err) {
        fprintf(stderr, "%s\n", sent->reason);
    }
    CHECK_INT(sent->result.err, err);
    CHECK_BYTES(sent->body.ptr, sent->body.len, body);
    sent_free(sent);
}

void sent_expect_error(struct sent *sent, int err, const char *words)
{
    sent_await(sent);
    if (sent->result.err != err || strstr(sent->reason, words) == NULL) {
        fprintf(stderr, "%s: \"%s\"\n", lc_strerror(sent->result.err), sent->reason);
    }
    CHECK_INT(sent->result.err, err);
    CHECK(strstr(sent->reason, words) != NULL);
    sent_free(sent);
}
