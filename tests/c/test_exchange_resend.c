/* Requests that are sent again on another connection, and those that are not. */
#include "rig.h"

#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int accept_request(struct rig *rig)
{
    int peer = rig_accept(rig);
    rig_expect(rig, peer, GET);
    return peer;
}

/* One request that leaves its connection in the pool; the server's end of it. */
static int make_idle_connection(struct rig *rig)
{
    rig_get(rig, GET);
    int peer = accept_request(rig);
    peer_send(peer, OK);
    rig_expect_result(rig, 0, 200, "ok");
    CHECK_INT(rig->pool.idle, 1);
    return peer;
}

static void test_a_request_that_was_written_is_not_sent_twice(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = make_idle_connection(&rig);
    rig_get(&rig, GET);
    rig_expect(&rig, peer, GET);
    close(peer);
    rig_expect_result(&rig, LC_ECLOSED, 0, "");
    CHECK_INT(rig_counts(&rig).opened, 1);
    rig_close(&rig);
}

/* The one case that lc_pool_take cannot see: the peer closes between the look
 * at the socket and the write. */
static void test_a_request_none_of_which_was_written_goes_by_a_new_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = make_idle_connection(&rig);
    /* Our own direction is shut down: the look finds nothing, the write fails at once. */
    CHECK_INT(shutdown(rig.pool.first->fd, SHUT_WR), 0);
    rig_get(&rig, GET);
    close(peer);
    peer = accept_request(&rig);
    peer_send(peer, OK);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->resent, 0); /* it was sent once */
    CHECK(!exchange->reused);
    lc_op_free(&exchange->op);
    CHECK_INT(rig_counts(&rig).opened, 2);
    close(peer);
    rig_close(&rig);
}

static void begin_stubborn(struct rig *rig)
{
    struct lc_request request = rig_request(rig, GET);
    request.resend_closed = 2;
    rig_begin(rig, &request);
}

static void expect_resent(struct rig *rig, int err, uint32_t resent)
{
    struct lc_exchange *exchange = rig_take(rig);
    CHECK_INT(exchange->err, err);
    CHECK_INT(exchange->resent, resent);
    lc_op_free(&exchange->op);
}

static void test_resend_closed_sends_again_after_a_close_and_counts(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = make_idle_connection(&rig);
    begin_stubborn(&rig);
    rig_expect(&rig, peer, GET);
    close(peer);
    peer_reset(accept_request(&rig));
    peer = accept_request(&rig);
    peer_send(peer, OK);
    expect_resent(&rig, 0, 2);
    CHECK_INT(rig_counts(&rig).opened, 3);
    close(peer);
    rig_close(&rig);
}

static void test_resend_closed_takes_no_more_connections_than_allowed(void)
{
    struct rig rig;
    rig_open(&rig);
    begin_stubborn(&rig);
    for (int i = 0; i < 3; i++) {
        close(accept_request(&rig));
    }
    expect_resent(&rig, LC_ECLOSED, 2);
    CHECK_INT(rig_counts(&rig).opened, 3);
    rig_close(&rig);
}

static void test_a_late_answer_is_asked_for_again_and_counted(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.read_timeout_ns = 20 * RIG_MS;
    request.resend_late = 1;
    rig_begin(&rig, &request);
    int silent = accept_request(&rig);
    int peer = accept_request(&rig);
    peer_send(peer, OK);
    expect_resent(&rig, 0, 1);
    request = rig_request(&rig, GET);
    request.read_timeout_ns = 20 * RIG_MS;
    request.resend_late = 1;
    rig_begin(&rig, &request);
    rig_expect(&rig, peer, GET);
    int second = accept_request(&rig);
    expect_resent(&rig, LC_EREADTIMEOUT, 1);
    close(silent);
    close(peer);
    close(second);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_request_that_was_written_is_not_sent_twice);
    RUN(test_a_request_none_of_which_was_written_goes_by_a_new_connection);
    RUN(test_resend_closed_sends_again_after_a_close_and_counts);
    RUN(test_a_late_answer_is_asked_for_again_and_counted);
    RUN(test_resend_closed_takes_no_more_connections_than_allowed);
    return 0;
}
