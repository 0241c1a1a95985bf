/* Responses whose bodies are read piece by piece. */
#include "rig.h"

#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char HEAD_OF_TEN[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

enum { MANY = 32 << 20, BLOCK = 65536 };

static void begin_stream(struct rig *rig)
{
    struct lc_request request = rig_request(rig, GET);
    request.streams = true;
    rig_begin(rig, &request);
}

/* Begins a streamed request whose server has read it; its descriptor. */
static int open_stream(struct rig *rig)
{
    begin_stream(rig);
    int peer = rig_accept(rig);
    rig_expect(rig, peer, GET);
    return peer;
}

static void resume(struct lc_exchange *exchange, struct rig *rig)
{
    uint64_t id;
    CHECK_INT(lc_engine_resume(exchange, rig, &id), 0);
    CHECK(id == exchange->op.id);
}

static void expect_piece(struct lc_exchange *exchange, const char *text)
{
    struct lc_sv piece = lc_exchange_body(exchange);
    CHECK_BYTES(piece.ptr, piece.len, text);
    lc_exchange_consume(exchange, piece.len);
    CHECK_INT(lc_exchange_body(exchange).len, 0);
}

static void test_the_head_comes_before_the_body_and_pieces_as_they_arrive(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK(!exchange->ended);
    CHECK_INT(exchange->response.status, 200);
    expect_piece(exchange, "");
    CHECK_INT(rig_counts(&rig).operations, 0);
    resume(exchange, &rig);
    peer_send(peer, "01234");
    CHECK(rig_take(&rig) == exchange);
    CHECK(!exchange->ended);
    expect_piece(exchange, "01234");
    resume(exchange, &rig);
    peer_send(peer, "56789");
    CHECK(rig_take(&rig) == exchange);
    CHECK(exchange->ended);
    CHECK_INT(exchange->err, 0);
    expect_piece(exchange, "56789");
    CHECK_INT(exchange->received, 10);
    CHECK_INT(rig.pool.idle, 1); /* the connection is back before the response is freed */
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

static void test_what_arrives_while_nobody_waits_is_there_at_once(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    peer_send(peer, "0123456789");
    while (!exchange->ended) {
        rig_turn(&rig, -1);
    }
    CHECK(lc_engine_take(rig.engine) == NULL);
    resume(exchange, &rig);
    CHECK(lc_engine_is_dirty(rig.engine));
    CHECK(rig_take(&rig) == exchange);
    expect_piece(exchange, "0123456789");
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

static void test_a_whole_response_in_one_segment_ends_with_its_head(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK(exchange->ended);
    expect_piece(exchange, "ok");
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

static void test_chunks_are_joined(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2");
    struct lc_exchange *exchange = rig_take(&rig);
    expect_piece(exchange, "abc");
    resume(exchange, &rig);
    peer_send(peer, "\r\nde\r\n0\r\n\r\n");
    CHECK(rig_take(&rig) == exchange);
    expect_piece(exchange, "de");
    CHECK(exchange->ended);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

/* The response has ended, and its body waits to be read. */
static struct lc_exchange *take_ten_that_ended(struct rig *rig, int peer)
{
    peer_send(peer, HEAD_OF_TEN);
    peer_send(peer, "0123456789");
    struct lc_exchange *exchange = rig_take(rig);
    while (!exchange->ended) {
        resume(exchange, rig);
        CHECK(rig_take(rig) == exchange);
    }
    return exchange;
}

static void test_pieces_are_consumed_in_any_size(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    struct lc_exchange *exchange = take_ten_that_ended(&rig, peer);
    for (size_t i = 0; i < 10; i++) {
        struct lc_sv rest = lc_exchange_body(exchange);
        CHECK_BYTES(rest.ptr, rest.len, &"0123456789"[i]);
        lc_exchange_consume(exchange, 1);
    }
    CHECK_INT(lc_exchange_body(exchange).len, 0);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

/* Sends what the socket takes; returns how many bytes. */
static size_t send_some(int peer, size_t len)
{
    static const char block[BLOCK] = {0};
    size_t sent = 0;
    while (sent < len) {
        size_t size = len - sent < sizeof block ? len - sent : sizeof block;
        ssize_t put = send(peer, block, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put <= 0) {
            break;
        }
        sent += (size_t)put;
    }
    return sent;
}

static void test_a_reader_who_takes_his_time_stops_the_server(void)
{
    struct rig rig;
    size_t sent = 0, consumed = 0;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
    struct lc_exchange *exchange = rig_take(&rig);
    /* Nobody reads: what the engine holds stays within its window. */
    for (int i = 0; i < 400; i++) {
        sent += send_some(peer, MANY - sent);
        rig_settle(&rig);
    }
    size_t held = lc_exchange_body(exchange).len;
    CHECK(held >= 256 * 1024 && held < 512 * 1024);
    CHECK(sent < MANY && exchange->conn->rests);
    while (consumed < MANY) {
        size_t len = lc_exchange_body(exchange).len;
        lc_exchange_consume(exchange, len);
        consumed += len;
        if (exchange->ended) {
            continue;
        }
        resume(exchange, &rig);
        sent += send_some(peer, MANY - sent);
        struct lc_op *op;
        while ((op = lc_engine_take(rig.engine)) == NULL) {
            sent += send_some(peer, MANY - sent);
            rig_turn(&rig, -1);
        }
    }
    CHECK_INT(consumed, MANY);
    CHECK_INT(exchange->received, MANY);
    CHECK(exchange->ended);
    CHECK_INT(exchange->err, 0);
    CHECK_INT(rig.pool.idle, 1);
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

static void test_a_response_that_is_dropped_half_read_closes_its_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    lc_op_free(&exchange->op);
    rig_expect_closed(&rig, peer);
    rig_settle(&rig);
    CHECK_INT(rig_counts(&rig).connections, 0);
    CHECK_INT(rig.pool.open, 0);
    rig_close(&rig);
}

static void test_a_wait_for_the_next_piece_can_be_cancelled(void)
{
    struct rig rig;
    uint64_t id;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(lc_engine_resume(exchange, &rig, &id), 0);
    CHECK(lc_engine_cancel(rig.engine, id) == &rig); /* and frees it */
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_a_head_that_nobody_took_can_be_cancelled(void)
{
    struct rig rig;
    struct lc_request request;
    rig_open(&rig);
    request = rig_request(&rig, GET);
    request.streams = true;
    uint64_t id = rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(peer, HEAD_OF_TEN);
    rig_settle(&rig);
    CHECK(lc_engine_cancel(rig.engine, id) == &rig);
    rig_expect_closed(&rig, peer);
    rig_close(&rig);
}

static void test_the_engine_may_go_before_the_response(void)
{
    struct rig rig;
    uint64_t id;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    close(peer);
    rig_close(&rig);
    CHECK(exchange->engine == NULL && exchange->ended);
    CHECK(lc_engine_resume(exchange, NULL, &id) < 0);
    lc_op_free(&exchange->op);
}

static void test_the_engine_may_go_before_a_response_that_has_ended(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    struct lc_exchange *exchange = take_ten_that_ended(&rig, peer);
    close(peer);
    rig_close(&rig);
    CHECK_INT(exchange->err, 0);
    expect_piece(exchange, "0123456789");
    lc_op_free(&exchange->op);
}

static void expect_end(struct rig *rig, struct lc_exchange *exchange, int err)
{
    while (!exchange->ended) {
        resume(exchange, rig);
        CHECK(rig_take(rig) == exchange);
        lc_exchange_consume(exchange, lc_exchange_body(exchange).len);
    }
    CHECK_INT(exchange->err, err);
    CHECK_INT(exchange->response.status, 200);
    lc_op_free(&exchange->op);
}

static void test_a_body_that_breaks_off_ends_with_its_error(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    peer_send(peer, "0123");
    struct lc_exchange *exchange = rig_take(&rig);
    close(peer);
    expect_end(&rig, exchange, LC_ETRUNCATED);
    peer = open_stream(&rig);
    peer_send(peer, HEAD_OF_TEN);
    exchange = rig_take(&rig);
    peer_reset(peer);
    expect_end(&rig, exchange, LC_ERESET);
    peer = open_stream(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    exchange = rig_take(&rig);
    peer_send(peer, "no size\r\n");
    expect_end(&rig, exchange, LC_EPROTO);
    close(peer);
    rig_close(&rig);
}

static void test_the_read_time_out_counts_only_while_somebody_waits(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.streams = true;
    request.read_timeout_ns = 30 * RIG_MS;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    peer_send(peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&rig);
    rig_settle(&rig);
    CHECK(lc_engine_wait_ns(rig.engine) > 30 * RIG_MS);
    expect_end(&rig, exchange, LC_EREADTIMEOUT);
    close(peer);
    rig_close(&rig);
}

static void test_a_body_longer_than_the_limit_of_whole_bodies_is_no_error(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.streams = true;
    request.max_body = 3;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    peer_send(peer, HEAD_OF_TEN);
    peer_send(peer, "0123456789");
    struct lc_exchange *exchange = rig_take(&rig);
    expect_end(&rig, exchange, 0);
    close(peer);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_the_head_comes_before_the_body_and_pieces_as_they_arrive);
    RUN(test_what_arrives_while_nobody_waits_is_there_at_once);
    RUN(test_a_whole_response_in_one_segment_ends_with_its_head);
    RUN(test_chunks_are_joined);
    RUN(test_pieces_are_consumed_in_any_size);
    RUN(test_a_reader_who_takes_his_time_stops_the_server);
    RUN(test_a_response_that_is_dropped_half_read_closes_its_connection);
    RUN(test_a_wait_for_the_next_piece_can_be_cancelled);
    RUN(test_a_head_that_nobody_took_can_be_cancelled);
    RUN(test_the_engine_may_go_before_the_response);
    RUN(test_the_engine_may_go_before_a_response_that_has_ended);
    RUN(test_a_body_that_breaks_off_ends_with_its_error);
    RUN(test_the_read_time_out_counts_only_while_somebody_waits);
    RUN(test_a_body_longer_than_the_limit_of_whole_bodies_is_no_error);
    return 0;
}
