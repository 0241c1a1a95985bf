/* The moments that an exchange notes: in their order, from the right clock, also when it fails. */
#include "engine_private.h"
#include "rig.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char TO_THE_END[] = "HTTP/1.1 200 OK\r\n\r\nok";

static void check_order(const struct lc_times *times)
{
    CHECK(times->start <= times->connected && times->connected <= times->ready);
    CHECK(times->ready <= times->sent);
    CHECK(times->sent <= times->first_byte && times->first_byte <= times->last_byte);
    CHECK(times->last_byte <= times->ended && times->ended <= times->read);
    CHECK(times->read <= lc_now_ns());
    CHECK_INT(times->resumed, 0);
}

static void test_a_new_connection_and_a_kept_one(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = -1;
    for (int i = 0; i < 2; i++) {
        rig_get(&rig, GET);
        peer = i == 0 ? rig_accept(&rig) : peer;
        rig_expect(&rig, peer, GET);
        peer_send(peer, OK);
        struct lc_exchange *exchange = rig_take(&rig);
        const struct lc_times *times = &exchange->times;
        check_order(times);
        CHECK_INT(times->ended, times->last_byte);
        CHECK((times->connect != 0) == (i == 0));
        CHECK((times->connected == times->start) == (i == 1));
        lc_op_free(&exchange->op);
    }
    close(peer);
    rig_close(&rig);
}

/* The kernel stamps data, but not the end of a stream. */
static void test_a_body_to_the_end_of_the_stream_ends_later_than_its_last_byte(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, TO_THE_END);
    rig_settle(&rig);
    uint64_t before = lc_now_ns();
    close(peer);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, 0);
    check_order(&exchange->times);
    CHECK(exchange->times.last_byte < before && before <= exchange->times.ended);
    CHECK_INT(exchange->times.ended, exchange->times.read);
    lc_op_free(&exchange->op);
    rig_close(&rig);
}

static void test_the_source_of_the_arrival_is_the_kernel(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    int source = LC_ARRIVAL_NONE;
    /* Stamps begin a moment after the first socket of a machine asks for them. */
    for (int i = 0; i < 1000 && source != LC_ARRIVAL_KERNEL; i++) {
        if (i > 0) {
            rig_get(&rig, GET);
        }
        rig_expect(&rig, peer, GET);
        peer_send(peer, OK);
        struct lc_exchange *exchange = rig_take(&rig);
        source = exchange->times.arrival;
        CHECK(source == LC_ARRIVAL_KERNEL || source == LC_ARRIVAL_READ);
        lc_op_free(&exchange->op);
    }
    CHECK_INT(source, LC_ARRIVAL_KERNEL);
    close(peer);
    rig_close(&rig);
}

static void test_a_socket_without_stamps_says_so(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    int off = 0;
    CHECK_INT(setsockopt(rig.pool.first->fd, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof off), 0);
    peer_send(peer, OK);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->times.arrival, LC_ARRIVAL_READ);
    CHECK_INT(exchange->times.last_byte, exchange->times.read);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

/* A time-out that this process notices late ended when it was due. */
static void test_a_read_time_out_ends_when_it_was_due(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.read_timeout_ns = 20 * RIG_MS;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    struct pollfd nothing = {.fd = -1};
    CHECK_INT(poll(&nothing, 1, 40), 0);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_EREADTIMEOUT);
    CHECK_INT(exchange->times.ended, exchange->times.sent + 20 * RIG_MS);
    CHECK_INT(exchange->times.first_byte, 0);
    CHECK_INT(exchange->times.arrival, LC_ARRIVAL_NONE);
    lc_op_free(&exchange->op);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_a_refused_connection_has_an_end_and_nothing_else(void)
{
    struct rig rig;
    rig_open(&rig);
    close(rig.listener);
    uint64_t before = lc_now_ns();
    rig_get(&rig, GET);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_ECONNECT);
    CHECK(before <= exchange->times.ended && exchange->times.ended <= lc_now_ns());
    CHECK_INT(exchange->times.connected, 0);
    CHECK_INT(exchange->times.connect, 0);
    CHECK_INT(exchange->times.ready, 0);
    CHECK_INT(exchange->times.sent, 0);
    lc_op_free(&exchange->op);
    rig.listener = peer_listen(RIG_BACKLOG, &rig.port);
    rig_close(&rig);
}

static void test_a_connection_that_failed_leaves_no_moments_to_the_next(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.resend_closed = 1;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    uint64_t closed = lc_now_ns();
    close(peer);
    peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->resent, 1);
    CHECK(exchange->times.start < closed && exchange->times.connected > closed);
    check_order(&exchange->times);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

/* A process that is stopped between the call and the write lengthens no response time. */
static void test_on_a_kept_connection_the_clock_starts_with_the_write(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = -1;
    for (int kept = 0; kept < 2; kept++) {
        struct lc_request request = rig_request(&rig, GET);
        uint64_t began = lc_now_ns();
        request.start_ns = began - 50 * RIG_MS;
        rig_begin(&rig, &request);
        peer = kept ? peer : rig_accept(&rig);
        rig_expect(&rig, peer, GET);
        peer_send(peer, OK);
        struct lc_exchange *exchange = rig_take(&rig);
        CHECK_INT(exchange->err, 0);
        CHECK_INT(exchange->times.start >= began, kept);
        check_order(&exchange->times);
        lc_op_free(&exchange->op);
    }
    close(peer);
    rig_close(&rig);
}

/* The first bytes may come without a stamp, and the clocks drift apart between two reads. */
static void test_a_stamp_from_before_the_first_byte_counts_as_its_moment(void)
{
    struct lc_engine engine = {.realtime_offset_ns = lc_realtime_offset_ns()};
    struct lc_exchange exchange = {.engine = &engine, .deadline_ns = UINT64_MAX};
    uint64_t start = exchange.times.start = exchange.times.sent = lc_now_ns();
    lc_exchange_note_arrival(&exchange, engine.realtime_offset_ns + start - RIG_MS);
    CHECK_INT(exchange.times.first_byte, start);
    lc_exchange_note_arrival(&exchange, 0);
    uint64_t second = exchange.times.last_byte;
    CHECK(second >= start);
    lc_exchange_note_arrival(&exchange, engine.realtime_offset_ns + start);
    CHECK_INT(exchange.times.last_byte, second);
    CHECK(exchange.times.last_byte <= exchange.times.read);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_new_connection_and_a_kept_one);
    RUN(test_a_body_to_the_end_of_the_stream_ends_later_than_its_last_byte);
    RUN(test_the_source_of_the_arrival_is_the_kernel);
    RUN(test_a_socket_without_stamps_says_so);
    RUN(test_a_read_time_out_ends_when_it_was_due);
    RUN(test_a_refused_connection_has_an_end_and_nothing_else);
    RUN(test_a_connection_that_failed_leaves_no_moments_to_the_next);
    RUN(test_on_a_kept_connection_the_clock_starts_with_the_write);
    RUN(test_a_stamp_from_before_the_first_byte_counts_as_its_moment);
    return 0;
}
