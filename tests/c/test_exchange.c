/* Whole requests over a plain connection: framing, splits, keep-alive. */
#include "rig.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char HEAD[] = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct sample {
    const char *wire;
    int status;
    const char *body;
    bool is_head;
    bool ends_with_close; /* the server closes, and the connection is not used again */
};

static const struct sample SAMPLES[] = {
    {OK, 200, "ok", false, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n",
     200, "abcdefg", false, false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nc",
     201, "c", false, false},
    {"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, "", false, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, "", false, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end", false, true},
    {"HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", 404, "gone", false, true},
    {"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 500, "", false, true},
};

enum { SAMPLE_COUNT = sizeof SAMPLES / sizeof SAMPLES[0] };

static void begin_sample(struct rig *rig, const struct sample *sample)
{
    struct lc_request request = rig_request(rig, sample->is_head ? HEAD : GET);
    request.is_head = sample->is_head;
    rig_begin(rig, &request);
}

/* The connection that the request comes by: a new one if there is none yet. */
static void expect_sample(struct rig *rig, const struct sample *sample, int *peer)
{
    if (*peer < 0) {
        *peer = rig_accept(rig);
    }
    rig_expect(rig, *peer, sample->is_head ? HEAD : GET);
}

static void end_sample(struct rig *rig, const struct sample *sample, int *peer)
{
    if (sample->ends_with_close) {
        close(*peer);
        *peer = -1;
    }
    struct lc_exchange *exchange = rig_take(rig);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->response.status, sample->status);
    CHECK_BYTES(exchange->response.body.ptr, exchange->response.body.len, sample->body);
    CHECK_INT(exchange->response.keep_alive, !sample->ends_with_close);
    const struct lc_times *times = &exchange->times;
    CHECK(times->start <= times->sent && times->sent <= times->first_byte);
    CHECK(times->first_byte <= times->last_byte && times->last_byte <= times->read);
    CHECK_INT(exchange->resent, 0);
    lc_op_free(&exchange->op);
    CHECK_INT(rig->pool.idle, sample->ends_with_close ? 0 : 1);
}

static void test_every_response_is_read_from_every_split(void)
{
    struct rig rig;
    int peer = -1;
    rig_open(&rig);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct sample *sample = &SAMPLES[i];
        size_t len = strlen(sample->wire);
        for (size_t split = 1; split <= len; split++) {
            begin_sample(&rig, sample);
            expect_sample(&rig, sample, &peer);
            peer_send_bytes(peer, sample->wire, split);
            if (split < len) {
                rig_turn(&rig, -1);
                peer_send_bytes(peer, sample->wire + split, len - split);
            }
            end_sample(&rig, sample, &peer);
        }
    }
    close(peer);
    rig_close(&rig);
}

static void test_every_response_is_read_byte_by_byte(void)
{
    struct rig rig;
    int peer = -1;
    rig_open(&rig);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        begin_sample(&rig, &SAMPLES[i]);
        expect_sample(&rig, &SAMPLES[i], &peer);
        for (const char *at = SAMPLES[i].wire; *at != '\0'; at++) {
            peer_send_bytes(peer, at, 1);
            rig_turn(&rig, -1);
        }
        end_sample(&rig, &SAMPLES[i], &peer);
    }
    close(peer);
    rig_close(&rig);
}

static void test_a_body_larger_than_the_read_buffer_arrives_whole(void)
{
    enum { SIZE = 1 << 20 };
    struct rig rig;
    rig_open(&rig);
    char *body = lc_alloc(SIZE);
    CHECK(body != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        body[i] = (char)('a' + i % 23);
    }
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
    for (size_t sent = 0; sent < SIZE;) {
        ssize_t put = send(peer, body + sent, SIZE - sent, MSG_NOSIGNAL);
        if (put > 0) {
            sent += (size_t)put;
        }
        rig_settle(&rig);
    }
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->response.body.len, SIZE);
    CHECK(memcmp(exchange->response.body.ptr, body, SIZE) == 0);
    lc_op_free(&exchange->op);
    lc_free(body);
    close(peer);
    rig_close(&rig);
}

static void test_a_connection_serves_one_request_after_the_other(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = -1;
    for (int i = 0; i < 5; i++) {
        rig_get(&rig, GET);
        if (peer < 0) {
            peer = rig_accept(&rig);
        }
        rig_expect(&rig, peer, GET);
        peer_send(peer, OK);
        struct lc_exchange *exchange = rig_take(&rig);
        CHECK_INT(exchange->err, 0);
        CHECK_INT(exchange->reused, i > 0);
        CHECK((exchange->times.connect != 0) == (i == 0));
        CHECK_INT(rig.pool.first->uses, i + 1);
        lc_op_free(&exchange->op);
    }
    CHECK_INT(rig_counts(&rig).opened, 1);
    close(peer);
    rig_close(&rig);
}

static void test_a_connection_with_bytes_behind_the_response_is_not_used_again(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok more");
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 0);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_the_pool_keeps_max_idle_connections(void)
{
    enum { COUNT = 5, KEPT = 2 };
    struct rig rig;
    int peers[COUNT];
    rig_open(&rig);
    rig.pool.max_idle = KEPT;
    for (int i = 0; i < COUNT; i++) {
        rig_get(&rig, GET);
    }
    for (int i = 0; i < COUNT; i++) {
        peers[i] = rig_accept(&rig);
        rig_expect(&rig, peers[i], GET);
    }
    for (int i = 0; i < COUNT; i++) {
        peer_send(peers[i], OK);
        rig_expect_result(&rig, 0, 200, "ok");
    }
    rig_settle(&rig);
    CHECK_INT(rig.pool.idle, KEPT);
    CHECK_INT(rig_counts(&rig).connections, KEPT);
    for (int i = KEPT; i < COUNT; i++) {
        rig_expect_closed(&rig, peers[i]);
    }
    close(peers[0]);
    close(peers[1]);
    rig_close(&rig);
}

static void test_hundreds_of_requests_at_once_are_all_answered(void)
{
    enum { COUNT = 300 };
    struct rig rig;
    int peers[COUNT];
    rig_open(&rig);
    for (int i = 0; i < COUNT; i++) {
        rig_get(&rig, GET);
    }
    CHECK_INT(rig_counts(&rig).operations, COUNT);
    for (int i = 0; i < COUNT; i++) {
        peers[i] = rig_accept(&rig);
        rig_expect(&rig, peers[i], GET);
        peer_send(peers[i], OK);
    }
    for (int i = 0; i < COUNT; i++) {
        rig_expect_result(&rig, 0, 200, "ok");
    }
    CHECK_INT(rig_counts(&rig).opened, COUNT);
    CHECK_INT(rig.pool.idle, rig.pool.max_idle);
    for (int i = 0; i < COUNT; i++) {
        close(peers[i]);
    }
    rig_close(&rig);
}

static void test_the_loop_notices_that_the_peer_closes_an_idle_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);
    close(peer);
    rig_turn(&rig, -1);
    CHECK_INT(rig.pool.idle, 0);
    rig_settle(&rig);
    CHECK_INT(rig_counts(&rig).connections, 0);
    rig_close(&rig);
}

static void test_the_loop_notices_that_the_peer_resets_an_idle_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    peer_reset(peer);
    rig_turn(&rig, -1);
    CHECK_INT(rig.pool.idle, 0);
    rig_close(&rig);
}

static void test_an_idle_connection_that_died_between_two_turns_is_replaced(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    /* Closed, and the loop has not turned since. */
    peer_send(peer, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    close(peer);
    rig_get(&rig, GET);
    CHECK_INT(rig.pool.idle, 0);
    peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig_counts(&rig).opened, 2);
    close(peer);
    rig_close(&rig);
}

/* The kernel stamps what it receives, so a loop that is late does not lengthen response times. */
static void test_a_response_that_waited_for_the_loop_has_its_arrival_time(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    bool seen = false;
    /* Stamps begin a moment after the first socket of a machine asks for them. */
    for (int i = 0; i < 20 && !seen; i++) {
        if (i > 0) {
            rig_get(&rig, GET);
        }
        rig_expect(&rig, peer, GET);
        peer_send(peer, OK);
        uint64_t answered = lc_now_ns();
        struct pollfd nothing = {.fd = -1};
        CHECK_INT(poll(&nothing, 1, 50), 0);
        struct lc_exchange *exchange = rig_take(&rig);
        const struct lc_times *times = &exchange->times;
        CHECK(times->sent <= times->first_byte && times->first_byte == times->last_byte);
        CHECK(times->last_byte <= times->read);
        CHECK(times->read >= answered + 49 * RIG_MS);
        seen = times->last_byte <= answered + 25 * RIG_MS;
        lc_op_free(&exchange->op);
    }
    CHECK(seen);
    close(peer);
    rig_close(&rig);
}

static void test_a_stamp_from_before_the_request_was_sent_is_not_believed(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    /* As after a step of the real-time clock: the request seems to be sent after the answer came.
     */
    struct lc_exchange *pending = rig.pool.first->owner;
    uint64_t sent = pending->times.sent = lc_now_ns();
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK(exchange == pending);
    CHECK(exchange->times.first_byte >= sent);
    CHECK(exchange->times.last_byte >= exchange->times.first_byte);
    CHECK(exchange->times.read >= exchange->times.last_byte);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_every_response_is_read_from_every_split);
    RUN(test_every_response_is_read_byte_by_byte);
    RUN(test_a_body_larger_than_the_read_buffer_arrives_whole);
    RUN(test_a_connection_serves_one_request_after_the_other);
    RUN(test_a_connection_with_bytes_behind_the_response_is_not_used_again);
    RUN(test_the_pool_keeps_max_idle_connections);
    RUN(test_hundreds_of_requests_at_once_are_all_answered);
    RUN(test_the_loop_notices_that_the_peer_closes_an_idle_connection);
    RUN(test_the_loop_notices_that_the_peer_resets_an_idle_connection);
    RUN(test_an_idle_connection_that_died_between_two_turns_is_replaced);
    RUN(test_a_response_that_waited_for_the_loop_has_its_arrival_time);
    RUN(test_a_stamp_from_before_the_request_was_sent_is_not_believed);
    return 0;
}
