/* Requests that ask for HTTP/2 and fall back on HTTP/1.1: what the engine makes of the other lane.
 * The frames of HTTP/2 itself are in test_transfer*.c. */
#include "tls_peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char POST[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n";
static const char CHUNKED[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char HEAD_OF_TEN[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

/* A server with TLS that does not know ALPN. */
struct secure {
    struct rig rig;
    struct certs certs;
    struct cert cert;
    struct tls_peer_config server;
    struct tls_peer peer;
};

static void secure_open(struct secure *secure)
{
    certs_open(&secure->certs);
    secure->cert = certs_issue_good(&secure->certs);
    secure->server = (struct tls_peer_config){.cert = &secure->cert};
    rig_open(&secure->rig);
    struct lc_tls_config config = {.verify = false};
    rig_use_tls(&secure->rig, &config, "127.0.0.1");
}

static void secure_close(struct secure *secure)
{
    rig_close(&secure->rig);
    cert_free(&secure->cert);
    certs_close(&secure->certs);
}

static struct lc_request request_of(struct secure *secure, const char *wire)
{
    struct lc_request request = rig_request(&secure->rig, wire);
    request.version = LC_HTTP_2;
    return request;
}

static uint64_t begin(struct secure *secure, struct lc_request *request)
{
    uint64_t id = rig_begin(&secure->rig, request);
    tls_peer_accept(&secure->peer, &secure->server, &secure->rig);
    return id;
}

static void resume(struct secure *secure, struct lc_exchange *exchange)
{
    uint64_t id;
    CHECK_INT(lc_engine_resume(exchange, &secure->rig, &id), 0);
}

static void test_a_request_is_answered_and_timed(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    begin(&secure, &request);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK_INT(exchange->err, 0);
    CHECK(exchange->ended && !exchange->reused);
    CHECK_INT(exchange->response.status, 200);
    CHECK_BYTES(exchange->response.body.ptr, exchange->response.body.len, "ok");
    const struct lc_times *times = &exchange->times;
    CHECK_INT(times->arrival, LC_ARRIVAL_LOOP);
    CHECK(times->connect > 0 && times->tls > 0);
    CHECK(times->start < times->sent && times->sent <= times->first_byte);
    CHECK(times->first_byte <= times->last_byte && times->last_byte <= times->read);
    CHECK_INT(times->ended, times->last_byte);
    lc_op_free(&exchange->op);
    CHECK_INT(rig_counts(&secure.rig).connections, 1);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_connection_is_kept_and_used_again(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    begin(&secure, &request);
    for (int i = 0; i < 3; i++) {
        tls_peer_expect(&secure.peer, &secure.rig, GET);
        tls_peer_send(&secure.peer, OK);
        struct lc_exchange *exchange = rig_take(&secure.rig);
        CHECK_INT(exchange->err, 0);
        CHECK(exchange->reused == (i > 0));
        lc_op_free(&exchange->op);
        if (i < 2) {
            request = request_of(&secure, GET);
            rig_begin(&secure.rig, &request);
        }
    }
    CHECK_INT(rig_counts(&secure.rig).opened, 1);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_streamed_response_comes_in_pieces(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    request.streams = true;
    begin(&secure, &request);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK(!exchange->ended && exchange->response.head_done);
    resume(&secure, exchange);
    tls_peer_send(&secure.peer, "0123");
    CHECK(rig_take(&secure.rig) == exchange);
    struct lc_sv piece = lc_exchange_body(exchange);
    CHECK_BYTES(piece.ptr, piece.len, "0123");
    lc_exchange_consume(exchange, piece.len);
    resume(&secure, exchange);
    tls_peer_send(&secure.peer, "456789");
    size_t got = 0;
    while (got < 6 || !exchange->ended) {
        CHECK(rig_take(&secure.rig) == exchange);
        got += lc_exchange_body(exchange).len;
        lc_exchange_consume(exchange, lc_exchange_body(exchange).len);
        if (!exchange->ended) {
            resume(&secure, exchange);
        }
    }
    CHECK_INT(exchange->err, 0);
    CHECK_INT(exchange->received, 10);
    lc_op_free(&exchange->op);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_streamed_response_that_is_dropped_closes_its_connection(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    request.streams = true;
    begin(&secure, &request);
    tls_peer_send(&secure.peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    lc_op_free(&exchange->op);
    rig_settle(&secure.rig);
    CHECK_INT(rig_counts(&secure.rig).connections, 0);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_fed_body_is_sent_as_it_comes(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, CHUNKED);
    request.feeds = request.chunked = true;
    begin(&secure, &request);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK(exchange->hungry && !exchange->ended);
    CHECK_INT(lc_exchange_feed(exchange, "abc", 3, false), 0);
    resume(&secure, exchange);
    CHECK(rig_take(&secure.rig) == exchange);
    CHECK(exchange->hungry);
    CHECK_INT(lc_exchange_feed(exchange, "", 0, true), 0);
    resume(&secure, exchange);
    tls_peer_expect(&secure.peer, &secure.rig, CHUNKED);
    tls_peer_expect(&secure.peer, &secure.rig, "3\r\nabc\r\n0\r\n\r\n");
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_whole_body_is_sent(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, POST);
    request.wire.max = 1000;
    CHECK_INT(lc_buf_append(&request.wire, "body", 4), 0);
    begin(&secure, &request);
    tls_peer_expect(&secure.peer, &secure.rig, POST);
    tls_peer_expect(&secure.peer, &secure.rig, "body");
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_body_past_the_limit_is_named(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    request.max_body = 5;
    begin(&secure, &request);
    tls_peer_send(&secure.peer, HEAD_OF_TEN);
    tls_peer_send(&secure.peer, "0123456789");
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK_INT(exchange->err, LC_ELIMIT);
    CHECK_BYTES(exchange->reason, strlen(exchange->reason),
                "the response body is longer than the limit");
    lc_op_free(&exchange->op);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_the_connect_time_out_ends_with_the_connection(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    request.connect_timeout_ns = 20 * RIG_MS;
    rig_begin(&secure.rig, &request);
    int fd = rig_accept(&secure.rig); /* and no handshake */
    rig_expect_result(&secure.rig, LC_ECONNTIMEOUT, 0, "");
    close(fd);
    request = request_of(&secure, GET);
    request.connect_timeout_ns = 5000 * RIG_MS;
    request.read_timeout_ns = 20 * RIG_MS;
    begin(&secure, &request);
    rig_expect_result(&secure.rig, LC_EREADTIMEOUT, 0, "");
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_request_can_be_cancelled_in_every_phase(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    uint64_t id = rig_begin(&secure.rig, &request);
    CHECK(lc_engine_cancel(secure.rig.engine, id) == &secure.rig);
    request = request_of(&secure, GET);
    id = rig_begin(&secure.rig, &request);
    int fd = rig_accept(&secure.rig);
    CHECK(lc_engine_cancel(secure.rig.engine, id) == &secure.rig);
    rig_settle(&secure.rig);
    close(fd);
    request = request_of(&secure, GET);
    id = begin(&secure, &request);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    CHECK(lc_engine_cancel(secure.rig.engine, id) == &secure.rig);
    rig_settle(&secure.rig);
    CHECK_INT(rig_counts(&secure.rig).operations, 0);
    CHECK_INT(rig_counts(&secure.rig).connections, 0);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_the_engine_may_go_in_the_middle(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    request.streams = true;
    begin(&secure, &request);
    tls_peer_send(&secure.peer, HEAD_OF_TEN);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    request = request_of(&secure, GET);
    rig_begin(&secure.rig, &request);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
    CHECK(exchange->engine == NULL && exchange->transfer == NULL);
    lc_op_free(&exchange->op);
}

static void test_the_lanes_have_connections_of_their_own(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = request_of(&secure, GET);
    begin(&secure, &request);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    struct tls_peer first = secure.peer;
    rig_get(&secure.rig, GET);
    tls_peer_accept(&secure.peer, &secure.server, &secure.rig);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    CHECK_INT(rig_counts(&secure.rig).connections, 2);
    lc_engine_pool_close(&secure.rig.pool); /* closes both */
    rig_settle(&secure.rig);
    CHECK_INT(rig_counts(&secure.rig).connections, 0);
    tls_peer_close(&first);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_request_is_answered_and_timed);
    RUN(test_a_connection_is_kept_and_used_again);
    RUN(test_a_streamed_response_comes_in_pieces);
    RUN(test_a_streamed_response_that_is_dropped_closes_its_connection);
    RUN(test_a_fed_body_is_sent_as_it_comes);
    RUN(test_a_whole_body_is_sent);
    RUN(test_a_body_past_the_limit_is_named);
    RUN(test_the_connect_time_out_ends_with_the_connection);
    RUN(test_a_request_can_be_cancelled_in_every_phase);
    RUN(test_the_engine_may_go_in_the_middle);
    RUN(test_the_lanes_have_connections_of_their_own);
    return 0;
}
