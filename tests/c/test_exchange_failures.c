/* Requests that fail or nearly do: resets, truncation, limits, large bodies, time-outs. */
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* A request whose body is more than the kernel takes while the server reads nothing. */
static struct lc_request large_request(struct rig *rig, size_t size)
{
    struct lc_request request = rig_request(rig, "POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    request.wire.max = size;
    size_t body = size - request.wire.len;
    CHECK_INT(lc_buf_reserve(&request.wire, body), 0);
    memset(request.wire.ptr + request.wire.len, 'b', body);
    request.wire.len = size;
    return request;
}

enum { LARGE = 16 << 20 };

static int accept_request(struct rig *rig)
{
    int peer = rig_accept(rig);
    rig_expect(rig, peer, GET);
    return peer;
}

/* --- connections that end too early --- */

static void test_a_close_before_the_response_is_closed(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    close(accept_request(&rig));
    rig_expect_result(&rig, LC_ECLOSED, 0, "");
    CHECK_INT(rig_counts(&rig).opened, 1);
    rig_close(&rig);
}

static void test_a_reset_before_the_response_is_a_reset(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    peer_reset(accept_request(&rig));
    rig_expect_result(&rig, LC_ERESET, 0, "");
    rig_close(&rig);
}

static void test_a_close_in_the_middle_of_a_response_truncates_it(void)
{
    static const char *const STARTS[] = {
        "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"};
    for (size_t i = 0; i < sizeof STARTS / sizeof STARTS[0]; i++) {
        struct rig rig;
        rig_open(&rig);
        rig_get(&rig, GET);
        int peer = accept_request(&rig);
        peer_send(peer, STARTS[i]);
        close(peer);
        struct lc_exchange *exchange = rig_take(&rig);
        CHECK_INT(exchange->err, LC_ETRUNCATED);
        lc_op_free(&exchange->op);
        rig_close(&rig);
    }
}

static void test_a_reset_in_the_middle_of_a_response_is_a_reset(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.resend_closed = 2; /* which it may not, since bytes of a response came */
    rig_begin(&rig, &request);
    int peer = accept_request(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
    rig_turn(&rig, -1);
    peer_reset(peer);
    rig_expect_result(&rig, LC_ERESET, 200, "ab");
    CHECK_INT(rig_counts(&rig).opened, 1);
    rig_close(&rig);
}

static void test_a_response_that_came_before_the_reset_counts(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = accept_request(&rig);
    peer_send(peer, OK);
    peer_reset(peer); /* both are in the socket when the loop turns */
    rig_expect_result(&rig, 0, 200, "ok");
    rig_close(&rig);
}

static void test_a_broken_response_is_told_in_words(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = accept_request(&rig);
    peer_send(peer, "SSH-2.0-OpenSSH_9.2\r\n");
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_EPROTO);
    CHECK(exchange->reason != NULL && strlen(exchange->reason) > 0);
    lc_op_free(&exchange->op);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_a_body_past_the_limit_ends_the_request(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.max_body = 1;
    rig_begin(&rig, &request);
    int peer = accept_request(&rig);
    peer_send(peer, OK);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_ELIMIT);
    lc_op_free(&exchange->op);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_a_refused_connection_names_the_system_error(void)
{
    struct rig rig;
    rig_open(&rig);
    close(rig.listener);
    rig_get(&rig, GET);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_ECONNECT);
    CHECK_INT(exchange->os_errno, ECONNREFUSED);
    CHECK(exchange->reason != NULL && strlen(exchange->reason) > 0);
    CHECK_INT(exchange->times.sent, 0);
    lc_op_free(&exchange->op);
    rig.listener = peer_listen(1, &rig.port);
    rig_close(&rig);
}

/* --- large request bodies --- */

static void read_all(struct rig *rig, int peer, size_t size)
{
    static char block[65536];
    for (size_t got = 0; got < size;) {
        size_t left = size - got;
        ssize_t more = recv(peer, block, left < sizeof block ? left : sizeof block, 0);
        if (more > 0) {
            got += (size_t)more;
        } else {
            CHECK(more < 0 && errno == EAGAIN);
            rig_turn(rig, peer);
        }
    }
}

static void test_a_large_request_is_sent_as_the_server_reads(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = large_request(&rig, LARGE);
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_settle(&rig);
    CHECK(lc_engine_take(rig.engine) == NULL);
    read_all(&rig, peer, LARGE);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);
    CHECK(!rig.pool.first->watches_write);
    close(peer);
    rig_close(&rig);
}

static void test_an_early_answer_ends_the_request_and_its_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = large_request(&rig, LARGE);
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_settle(&rig);
    peer_send(peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->response.status, 413);
    CHECK_INT(exchange->times.sent, 0);
    CHECK(exchange->times.first_byte >= exchange->times.start);
    CHECK_INT(rig.pool.idle, 0);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

/* Closing with unread bytes in the socket makes the server's kernel send a reset. */
static void test_an_early_answer_counts_although_the_server_then_resets(void)
{
    static const char *const ANSWERS[] = {"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
                                          "HTTP/1.0 413 Too Large\r\n\r\nno"};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_open(&rig);
        struct lc_request request = large_request(&rig, LARGE);
        rig_begin(&rig, &request);
        int peer = rig_accept(&rig);
        rig_settle(&rig);
        peer_send(peer, ANSWERS[i]);
        close(peer);
        rig_expect_result(&rig, i == 0 ? 0 : LC_ERESET, 413, "no");
        rig_close(&rig);
    }
}

/* --- time-outs --- */

static void test_connecting_times_out(void)
{
    struct rig rig;
    uint16_t port;
    rig_open(&rig);
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = port};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &rig.origin), 0);
    struct lc_request request = rig_request(&rig, GET);
    request.connect_timeout_ns = 20 * RIG_MS;
    request.resend_closed = 2;
    uint64_t start = lc_now_ns();
    rig_begin(&rig, &request);
    rig_expect_result(&rig, LC_ECONNTIMEOUT, 0, "");
    CHECK(lc_now_ns() - start >= 20 * RIG_MS);
    close(filler);
    close(full);
    rig_close(&rig);
}

static void test_a_silent_server_times_out(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.read_timeout_ns = 20 * RIG_MS;
    rig_begin(&rig, &request);
    int peer = accept_request(&rig);
    rig_expect_result(&rig, LC_EREADTIMEOUT, 0, "");
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_without_time_outs_there_is_no_timer(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.connect_timeout_ns = request.read_timeout_ns = 0;
    rig_begin(&rig, &request);
    int peer = accept_request(&rig);
    rig_settle(&rig);
    /* What is left is libcurl's own bound on connecting, a day. */
    CHECK(lc_engine_wait_ns(rig.engine) > 3600 * 1000 * RIG_MS);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

/* Much longer than a step of these tests, so that a busy machine does not decide them. */
static const uint64_t PATIENCE_NS = 200 * 1000000;

static void test_each_arrival_begins_the_read_time_out_anew(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.read_timeout_ns = PATIENCE_NS;
    uint64_t start = lc_now_ns();
    rig_begin(&rig, &request);
    int peer = accept_request(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\n\r\n");
    struct pollfd nothing = {.fd = -1};
    int dots = 0;
    for (; lc_now_ns() - start < PATIENCE_NS + PATIENCE_NS / 4; dots++) {
        peer_send(peer, ".");
        rig_settle(&rig);
        CHECK(lc_engine_take(rig.engine) == NULL);
        CHECK_INT(poll(&nothing, 1, 5), 0);
    }
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_EREADTIMEOUT);
    CHECK_INT(exchange->response.body.len, dots);
    CHECK(lc_now_ns() - exchange->times.read >= PATIENCE_NS);
    lc_op_free(&exchange->op);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_sending_progress_begins_the_read_time_out_anew(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = large_request(&rig, LARGE);
    request.read_timeout_ns = PATIENCE_NS;
    uint64_t start = lc_now_ns();
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    struct pollfd nothing = {.fd = -1};
    size_t left = LARGE;
    while (lc_now_ns() - start < PATIENCE_NS + PATIENCE_NS / 4 && left > LARGE / 2) {
        read_all(&rig, peer, LARGE / 256);
        left -= LARGE / 256;
        rig_settle(&rig);
        CHECK(lc_engine_take(rig.engine) == NULL);
        CHECK_INT(poll(&nothing, 1, 5), 0);
    }
    read_all(&rig, peer, left);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_close_before_the_response_is_closed);
    RUN(test_a_reset_before_the_response_is_a_reset);
    RUN(test_a_close_in_the_middle_of_a_response_truncates_it);
    RUN(test_a_reset_in_the_middle_of_a_response_is_a_reset);
    RUN(test_a_response_that_came_before_the_reset_counts);
    RUN(test_a_broken_response_is_told_in_words);
    RUN(test_a_body_past_the_limit_ends_the_request);
    RUN(test_a_refused_connection_names_the_system_error);
    RUN(test_a_large_request_is_sent_as_the_server_reads);
    RUN(test_an_early_answer_ends_the_request_and_its_connection);
    RUN(test_an_early_answer_counts_although_the_server_then_resets);
    RUN(test_connecting_times_out);
    RUN(test_a_silent_server_times_out);
    RUN(test_without_time_outs_there_is_no_timer);
    RUN(test_each_arrival_begins_the_read_time_out_anew);
    RUN(test_sending_progress_begins_the_read_time_out_anew);
    return 0;
}
