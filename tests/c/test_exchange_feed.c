/* Requests whose bodies are sent piece by piece. */
#include "rig.h"

#include <sys/socket.h>
#include <unistd.h>

static const char POST[] = "POST / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* Begins it; returns when the head is written and the engine asks for the first piece. */
static struct lc_exchange *begin_feeding(struct rig *rig, bool chunked, int *peer)
{
    struct lc_request request = rig_request(rig, POST);
    request.feeds = true;
    request.chunked = chunked;
    rig_begin(rig, &request);
    *peer = rig_accept(rig);
    struct lc_exchange *exchange = rig_take(rig);
    CHECK(exchange->hungry && !exchange->ended);
    rig_expect(rig, *peer, POST);
    return exchange;
}

static void resume(struct lc_exchange *exchange, struct rig *rig)
{
    uint64_t id;
    CHECK_INT(lc_engine_resume(exchange, rig, &id), 0);
}

static void feed(struct lc_exchange *exchange, struct rig *rig, const char *piece, bool last)
{
    CHECK(exchange->hungry);
    CHECK_INT(lc_exchange_feed(exchange, piece, strlen(piece), last), 0);
    CHECK(!exchange->hungry);
    resume(exchange, rig);
}

static void test_pieces_go_out_in_chunks(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, true, &peer);
    feed(exchange, &rig, "abc", false);
    CHECK(rig_take(&rig) == exchange);
    feed(exchange, &rig, "", false); /* no chunk: that would be the end */
    CHECK(rig_take(&rig) == exchange);
    feed(exchange, &rig, "0123456789abcdefg", false);
    CHECK(rig_take(&rig) == exchange);
    feed(exchange, &rig, "", true);
    rig_expect(&rig, peer, "3\r\nabc\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);
    close(peer);
    rig_close(&rig);
}

static void test_the_last_piece_may_have_bytes(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, true, &peer);
    feed(exchange, &rig, "end", true);
    rig_expect(&rig, peer, "3\r\nend\r\n0\r\n\r\n");
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

static void test_pieces_of_a_known_length_go_out_as_they_are(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, false, &peer);
    feed(exchange, &rig, "abc", false);
    CHECK(rig_take(&rig) == exchange);
    feed(exchange, &rig, "de", true);
    rig_expect(&rig, peer, "abcde");
    CHECK(exchange->times.sent > exchange->times.start);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

static void test_a_body_of_no_pieces_ends_at_once(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, false, &peer);
    feed(exchange, &rig, "", true);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);
    close(peer);
    rig_close(&rig);
}

static void test_an_early_answer_ends_the_request(void)
{
    struct rig rig;
    int peer;
    uint64_t id;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, true, &peer);
    peer_send(peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    while (!exchange->ended) {
        rig_turn(&rig, -1);
    }
    CHECK_INT(lc_exchange_feed(exchange, "late", 4, false), LC_EINVAL);
    CHECK_INT(lc_engine_resume(exchange, &rig, &id), 0);
    rig_expect_result(&rig, 0, 413, "");
    rig_expect_closed(&rig, peer); /* the server still waits for the body */
    rig_close(&rig);
}

static void test_the_head_of_a_streamed_response_comes_when_all_is_fed(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, POST);
    request.feeds = request.streams = true;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    struct lc_exchange *exchange = rig_take(&rig);
    rig_expect(&rig, peer, POST);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    feed(exchange, &rig, "a", false);
    CHECK(rig_take(&rig) == exchange);
    CHECK(exchange->hungry && !exchange->ended);
    feed(exchange, &rig, "b", true);
    CHECK(rig_take(&rig) == exchange);
    CHECK_INT(exchange->response.status, 200);
    rig_expect(&rig, peer, "ab");
    lc_op_free(&exchange->op);
    close(peer);
    rig_close(&rig);
}

static void test_a_piece_larger_than_the_socket_takes_is_written_bit_by_bit(void)
{
    enum { SIZE = 8 << 20 };
    struct rig rig;
    int peer;
    char *piece = malloc(SIZE), into[65536];
    size_t got = 0;
    CHECK(piece != NULL);
    memset(piece, 'x', SIZE);
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, false, &peer);
    CHECK_INT(lc_exchange_feed(exchange, piece, SIZE, true), 0);
    resume(exchange, &rig);
    while (got < SIZE) {
        ssize_t more = recv(peer, into, sizeof into, 0);
        if (more > 0) {
            got += (size_t)more;
        } else {
            rig_turn(&rig, peer);
        }
    }
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    free(piece);
    close(peer);
    rig_close(&rig);
}

static void test_a_dead_kept_connection_is_replaced_before_the_first_piece(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    rig_get(&rig, POST);
    int first = rig_accept(&rig);
    rig_expect(&rig, first, POST);
    peer_send(first, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(first);
    struct lc_exchange *exchange = begin_feeding(&rig, true, &peer);
    feed(exchange, &rig, "x", true);
    rig_expect(&rig, peer, "1\r\nx\r\n0\r\n\r\n");
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

static void test_what_was_fed_in_part_is_not_sent_again(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, POST);
    request.feeds = request.chunked = true;
    request.resend_closed = 3;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    struct lc_exchange *exchange = rig_take(&rig);
    feed(exchange, &rig, "x", false);
    CHECK(rig_take(&rig) == exchange);
    rig_expect(&rig, peer, "POST / HTTP/1.1\r\nHost: x\r\n\r\n1\r\nx\r\n");
    close(peer);
    feed(exchange, &rig, "y", true);
    exchange = rig_take(&rig);
    CHECK(exchange->ended);
    CHECK(exchange->err == LC_ECLOSED || exchange->err == LC_ERESET);
    CHECK_INT(exchange->resent, 0);
    lc_op_free(&exchange->op);
    rig_close(&rig);
}

static void test_no_time_out_counts_while_the_owner_has_no_piece(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, POST);
    request.feeds = true;
    request.read_timeout_ns = 20 * RIG_MS;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    struct lc_exchange *exchange = rig_take(&rig);
    rig_settle(&rig);
    CHECK(lc_engine_wait_ns(rig.engine) > 20 * RIG_MS);
    feed(exchange, &rig, "all", true);
    rig_expect_result(&rig, LC_EREADTIMEOUT, 0, "");
    close(peer);
    rig_close(&rig);
}

static void test_feeding_may_run_out_of_memory(void)
{
    struct rig rig;
    int peer;
    rig_open(&rig);
    struct lc_exchange *exchange = begin_feeding(&rig, true, &peer);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_exchange_feed(exchange, "abc", 3, false), LC_ENOMEM);
    lc_alloc_fail_after(0);
    feed(exchange, &rig, "abc", true);
    rig_expect(&rig, peer, "3\r\nabc\r\n0\r\n\r\n");
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

static void test_a_request_that_asked_for_a_piece_is_not_sent_again(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, POST);
    request.feeds = request.chunked = true;
    request.resend_closed = request.resend_late = 3;
    rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    struct lc_exchange *exchange = rig_take(&rig);
    rig_expect(&rig, peer, POST);
    close(peer); /* while the owner makes the piece */
    while (!exchange->ended) {
        rig_turn(&rig, -1);
    }
    resume(exchange, &rig);
    rig_expect_result(&rig, LC_ECLOSED, 0, "");
    rig_close(&rig);
}

/* Begins one that streams as well, whose head is there before a piece was fed. */
static struct lc_exchange *begin_with_an_early_head(struct rig *rig, int *peer, const char *head)
{
    struct lc_request request = rig_request(rig, POST);
    request.feeds = request.chunked = request.streams = true;
    rig_begin(rig, &request);
    *peer = rig_accept(rig);
    struct lc_exchange *exchange = rig_take(rig);
    rig_expect(rig, *peer, POST);
    peer_send(*peer, head);
    while (!exchange->response.head_done) {
        rig_turn(rig, -1);
    }
    return exchange;
}

static void test_an_early_head_waits_for_the_last_piece_and_holds_it_up_no_longer(void)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
    };
    for (int i = 0; i < 2; i++) {
        struct rig rig;
        int peer;
        rig_open(&rig);
        struct lc_exchange *exchange = begin_with_an_early_head(&rig, &peer, heads[i]);
        feed(exchange, &rig, "abc", false);
        CHECK(rig_take(&rig) == exchange);
        feed(exchange, &rig, "", true);
        CHECK(rig_take(&rig) == exchange);
        CHECK(!exchange->ended);
        CHECK_INT(lc_exchange_body(exchange).len, i);
        rig_expect(&rig, peer, "3\r\nabc\r\n0\r\n\r\n");
        peer_send(peer, i == 0 ? "ok" : "k");
        do {
            resume(exchange, &rig);
            CHECK(rig_take(&rig) == exchange);
            lc_exchange_consume(exchange, lc_exchange_body(exchange).len);
        } while (!exchange->ended);
        CHECK_INT(exchange->err, 0);
        lc_op_free(&exchange->op);
        close(peer);
        rig_close(&rig);
    }
}

/* The owner does not read while he feeds: the rest of the response would wait for him. */
static void test_a_connection_that_breaks_behind_a_full_window_ends_a_request_that_feeds(void)
{
    enum { SIZE = 1 << 20 };
    struct rig rig;
    int peer;
    char *body = malloc(SIZE);
    CHECK(body != NULL);
    memset(body, 'x', SIZE);
    rig_open(&rig);
    struct lc_exchange *exchange =
        begin_with_an_early_head(&rig, &peer, "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n");
    while (!exchange->conn->rests) {
        ssize_t sent = send(peer, body, SIZE, MSG_DONTWAIT | MSG_NOSIGNAL);
        CHECK(sent > 0 || exchange->response.body.len > 0);
        rig_turn(&rig, -1);
    }
    peer_reset(peer);
    CHECK_INT(lc_exchange_feed(exchange, body, SIZE, false), 0);
    resume(exchange, &rig);
    CHECK(rig_take(&rig) == exchange);
    CHECK(exchange->ended && exchange->err == LC_ERESET);
    lc_op_free(&exchange->op);
    free(body);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_pieces_go_out_in_chunks);
    RUN(test_the_last_piece_may_have_bytes);
    RUN(test_pieces_of_a_known_length_go_out_as_they_are);
    RUN(test_a_body_of_no_pieces_ends_at_once);
    RUN(test_an_early_answer_ends_the_request);
    RUN(test_the_head_of_a_streamed_response_comes_when_all_is_fed);
    RUN(test_a_piece_larger_than_the_socket_takes_is_written_bit_by_bit);
    RUN(test_a_dead_kept_connection_is_replaced_before_the_first_piece);
    RUN(test_what_was_fed_in_part_is_not_sent_again);
    RUN(test_no_time_out_counts_while_the_owner_has_no_piece);
    RUN(test_feeding_may_run_out_of_memory);
    RUN(test_a_request_that_asked_for_a_piece_is_not_sent_again);
    RUN(test_an_early_head_waits_for_the_last_piece_and_holds_it_up_no_longer);
    RUN(test_a_connection_that_breaks_behind_a_full_window_ends_a_request_that_feeds);
    return 0;
}
