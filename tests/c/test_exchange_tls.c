/* Whole requests over TLS. */
#include "tls_peer.h"

#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* An engine that knows the authority of a server for server.test. */
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
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = secure->certs.ca_file};
    rig_use_tls(&secure->rig, &config, "server.test");
}

static void secure_close(struct secure *secure)
{
    rig_close(&secure->rig);
    cert_free(&secure->cert);
    certs_close(&secure->certs);
}

/* Begins a request and has the server accept it and read it. */
static void begin_request(struct secure *secure)
{
    rig_get(&secure->rig, GET);
    tls_peer_accept(&secure->peer, &secure->server, &secure->rig);
    tls_peer_expect(&secure->peer, &secure->rig, GET);
}

/* One request, whose connection is idle afterwards. */
static void make_idle_connection(struct secure *secure)
{
    begin_request(secure);
    tls_peer_send(&secure->peer, OK);
    rig_expect_result(&secure->rig, 0, 200, "ok");
    CHECK_INT(secure->rig.pool.idle, 1);
}

static void test_a_request_over_tls_has_its_handshake_timed(void)
{
    struct secure secure;
    secure_open(&secure);
    uint64_t before = lc_now_ns();
    begin_request(&secure);
    tls_peer_send(&secure.peer, OK);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    const struct lc_times *times = &exchange->times;
    CHECK_INT(exchange->err, 0);
    CHECK_BYTES(exchange->response.body.ptr, exchange->response.body.len, "ok");
    CHECK(times->connect > 0);
    CHECK(times->tls > 0 && times->tls <= lc_now_ns() - before);
    CHECK_INT(times->ready, times->connected + times->tls);
    CHECK(times->start <= times->sent && times->sent <= times->first_byte);
    CHECK(times->first_byte <= times->last_byte && times->last_byte <= times->read);
    lc_op_free(&exchange->op);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_tls_connection_serves_again_and_has_no_second_handshake(void)
{
    struct secure secure;
    secure_open(&secure);
    make_idle_connection(&secure);
    for (int i = 0; i < 3; i++) {
        rig_get(&secure.rig, GET);
        tls_peer_expect(&secure.peer, &secure.rig, GET);
        tls_peer_send(&secure.peer, OK);
        struct lc_exchange *exchange = rig_take(&secure.rig);
        CHECK_INT(exchange->err, 0);
        CHECK(exchange->reused);
        CHECK_INT(exchange->times.tls, 0);
        lc_op_free(&exchange->op);
    }
    CHECK_INT(rig_counts(&secure.rig).opened, 1);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_response_is_read_byte_by_byte_in_records_of_one(void)
{
    struct secure secure;
    secure_open(&secure);
    begin_request(&secure);
    for (const char *at = OK; *at != '\0'; at++) {
        tls_peer_send(&secure.peer, (char[]){*at, '\0'});
        rig_turn(&secure.rig, -1);
    }
    rig_expect_result(&secure.rig, 0, 200, "ok");
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_body_ends_with_the_connection_polite_or_not(void)
{
    for (int polite = 0; polite < 2; polite++) {
        struct secure secure;
        secure_open(&secure);
        begin_request(&secure);
        tls_peer_send(&secure.peer, "HTTP/1.1 200 OK\r\n\r\nto the end");
        if (polite) {
            tls_peer_end(&secure.peer);
        }
        tls_peer_close(&secure.peer);
        rig_expect_result(&secure.rig, 0, 200, "to the end");
        CHECK_INT(secure.rig.pool.idle, 0);
        secure_close(&secure);
    }
}

static void test_a_large_request_is_sent_and_answered(void)
{
    enum { SIZE = 8 << 20 };
    static char block[65536];
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = rig_request(&secure.rig, "POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    request.wire.max = SIZE;
    CHECK_INT(lc_buf_reserve(&request.wire, SIZE - request.wire.len), 0);
    memset(request.wire.ptr + request.wire.len, 'b', SIZE - request.wire.len);
    request.wire.len = SIZE;
    rig_begin(&secure.rig, &request);
    tls_peer_accept(&secure.peer, &secure.server, &secure.rig);
    rig_settle(&secure.rig);
    CHECK(secure.rig.pool.first->watches_write);
    for (size_t got = 0; got < SIZE;) {
        ERR_clear_error();
        int more = SSL_read(secure.peer.ssl, block, sizeof block);
        if (more > 0) {
            got += (size_t)more;
        } else {
            CHECK_INT(SSL_get_error(secure.peer.ssl, more), SSL_ERROR_WANT_READ);
            rig_turn(&secure.rig, secure.peer.fd);
        }
    }
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    CHECK(!secure.rig.pool.first->watches_write);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

/* --- idle connections --- */

static void test_session_tickets_do_not_close_an_idle_connection(void)
{
    struct secure secure;
    secure_open(&secure);
    make_idle_connection(&secure);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(SSL_new_session_ticket(secure.peer.ssl), 1);
        CHECK_INT(tls_peer_handshake(&secure.peer), TLS_PEER_READY);
        if (i == 0) { /* the loop swallows this one, lc_pool_take the other */
            rig_turn(&secure.rig, -1);
            CHECK_INT(secure.rig.pool.idle, 1);
        }
    }
    rig_get(&secure.rig, GET);
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    CHECK_INT(rig_counts(&secure.rig).opened, 1);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(void)
{
    for (int turned = 0; turned < 2; turned++) {
        struct secure secure;
        secure_open(&secure);
        make_idle_connection(&secure);
        tls_peer_send(&secure.peer, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
        if (turned) {
            rig_turn(&secure.rig, -1);
            CHECK_INT(secure.rig.pool.idle, 0);
        }
        tls_peer_close(&secure.peer);
        begin_request(&secure);
        tls_peer_send(&secure.peer, OK);
        rig_expect_result(&secure.rig, 0, 200, "ok");
        CHECK_INT(rig_counts(&secure.rig).opened, 2);
        tls_peer_close(&secure.peer);
        secure_close(&secure);
    }
}

static void test_the_loop_notices_the_end_of_an_idle_connection(void)
{
    struct secure secure;
    secure_open(&secure);
    make_idle_connection(&secure);
    tls_peer_end(&secure.peer);
    tls_peer_close(&secure.peer);
    rig_turn(&secure.rig, -1);
    CHECK_INT(secure.rig.pool.idle, 0);
    secure_close(&secure);
}

/* --- handshakes that do not come about --- */

static void test_a_certificate_for_another_host_fails_the_request_in_words(void)
{
    struct secure secure;
    secure_open(&secure);
    secure.rig.origin->host = "other.test";
    struct lc_request request = rig_request(&secure.rig, GET);
    request.resend_closed = 2;
    rig_begin(&secure.rig, &request);
    tls_peer_open(&secure.peer, &secure.server, rig_accept(&secure.rig));
    struct lc_op *op;
    while ((op = lc_engine_take(secure.rig.engine)) == NULL) {
        (void)tls_peer_handshake(&secure.peer);
        rig_turn(&secure.rig, -1);
    }
    struct lc_exchange *exchange = (struct lc_exchange *)op;
    CHECK_INT(exchange->err, LC_ETLSVERIFY);
    CHECK(exchange->reason != NULL && strstr(exchange->reason, "hostname mismatch") != NULL);
    CHECK_INT(exchange->times.tls, 0);
    CHECK_INT(exchange->times.sent, 0);
    lc_op_free(&exchange->op);
    CHECK_INT(rig_counts(&secure.rig).opened, 1);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_close_or_reset_in_the_handshake_is_not_tried_again(void)
{
    for (int reset = 0; reset < 2; reset++) {
        struct secure secure;
        secure_open(&secure);
        struct lc_request request = rig_request(&secure.rig, GET);
        request.resend_closed = 2;
        rig_begin(&secure.rig, &request);
        int peer = rig_accept(&secure.rig);
        struct pollfd hello = {.fd = peer, .events = POLLIN};
        while (poll(&hello, 1, 0) == 0) {
            rig_turn(&secure.rig, peer);
        }
        if (reset) {
            peer_reset(peer);
        } else {
            char into[4096];
            CHECK(recv(peer, into, sizeof into, 0) > 0);
            close(peer);
        }
        rig_expect_result(&secure.rig, reset ? LC_ERESET : LC_ETLS, 0, "");
        CHECK_INT(rig_counts(&secure.rig).opened, 1);
        secure_close(&secure);
    }
}

static void test_a_handshake_without_an_answer_counts_as_connecting(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = rig_request(&secure.rig, GET);
    request.connect_timeout_ns = 20 * RIG_MS;
    rig_begin(&secure.rig, &request);
    int peer = rig_accept(&secure.rig);
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK_INT(exchange->err, LC_ECONNTIMEOUT);
    CHECK(exchange->times.connected != 0);
    CHECK_INT(exchange->times.tls, 0);
    CHECK_INT(exchange->times.ready, 0);
    lc_op_free(&exchange->op);
    close(peer);
    secure_close(&secure);
}

/* As after SIGSTOP: the handshake is in the middle, and its time-out has passed meanwhile. */
static void test_a_stopped_process_does_not_cost_a_handshake_its_time(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = rig_request(&secure.rig, GET);
    request.connect_timeout_ns = 40 * RIG_MS;
    rig_begin(&secure.rig, &request);
    tls_peer_open(&secure.peer, &secure.server, rig_accept(&secure.rig));
    struct pollfd hello = {.fd = secure.peer.fd, .events = POLLIN};
    while (poll(&hello, 1, 0) == 0) {
        rig_turn(&secure.rig, secure.peer.fd);
    }
    CHECK_INT(tls_peer_handshake(&secure.peer), TLS_PEER_WAITS);
    struct pollfd nothing = {.fd = -1};
    for (int i = 0; i < 3; i++) {
        CHECK_INT(poll(&nothing, 1, 30), 0);
    }
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_stopped_process_gives_a_silent_server_its_time_once(void)
{
    struct secure secure;
    secure_open(&secure);
    struct lc_request request = rig_request(&secure.rig, GET);
    request.connect_timeout_ns = 20 * RIG_MS;
    uint64_t start = lc_now_ns();
    rig_begin(&secure.rig, &request);
    int peer = rig_accept(&secure.rig);
    struct pollfd nothing = {.fd = -1};
    CHECK_INT(poll(&nothing, 1, 50), 0);
    uint64_t woken = lc_now_ns();
    struct lc_exchange *exchange = rig_take(&secure.rig);
    CHECK_INT(exchange->err, LC_ECONNTIMEOUT);
    CHECK(exchange->times.ended >= woken + 20 * RIG_MS);
    CHECK(exchange->times.ended > start + 70 * RIG_MS);
    lc_op_free(&exchange->op);
    close(peer);
    secure_close(&secure);
}

static void test_cancel_in_the_handshake(void)
{
    struct secure secure;
    secure_open(&secure);
    uint64_t id = rig_get(&secure.rig, GET);
    int peer = rig_accept(&secure.rig);
    rig_settle(&secure.rig);
    CHECK_INT(secure.rig.pool.first->state, LC_CONN_HANDSHAKE);
    CHECK(lc_engine_cancel(secure.rig.engine, id) == &secure.rig);
    rig_settle(&secure.rig);
    CHECK_INT(rig_counts(&secure.rig).connections, 0);
    close(peer);
    secure_close(&secure);
}

static void test_an_engine_can_end_in_the_handshake(void)
{
    struct secure secure;
    secure_open(&secure);
    rig_get(&secure.rig, GET);
    int peer = rig_accept(&secure.rig);
    rig_settle(&secure.rig);
    CHECK_INT(rig_counts(&secure.rig).operations, 1);
    close(peer);
    secure_close(&secure);
}

/* --- without memory --- */

static void test_any_allocation_of_a_tls_request_may_fail(void)
{
    struct secure secure;
    secure_open(&secure);
    for (uint64_t n = 1; n <= 12; n++) {
        struct lc_request request = rig_request(&secure.rig, GET);
        uint64_t id;
        bool answered = false;
        struct lc_op *op = NULL;
        int fd = -1;
        lc_alloc_fail_after(n);
        int rc = lc_engine_submit(secure.rig.engine, &request, &id);
        if (rc < 0) {
            CHECK_INT(rc, LC_ENOMEM);
            lc_alloc_fail_after(0);
            lc_buf_free(&request.wire);
            continue;
        }
        while ((op = lc_engine_take(secure.rig.engine)) == NULL) {
            if (fd < 0) {
                fd = accept4(secure.rig.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd >= 0) {
                    tls_peer_open(&secure.peer, &secure.server, fd);
                }
            } else if (tls_peer_handshake(&secure.peer) == TLS_PEER_READY && !answered) {
                tls_peer_send(&secure.peer, OK);
                answered = true;
            }
            rig_turn(&secure.rig, fd >= 0 ? fd : secure.rig.listener);
        }
        lc_alloc_fail_after(0);
        int err = ((struct lc_exchange *)op)->err;
        CHECK(err == 0 || err == LC_ENOMEM);
        lc_op_free(op);
        if (fd < 0) {
            fd = accept4(secure.rig.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0) {
                close(fd);
            }
        } else {
            tls_peer_close(&secure.peer);
        }
        lc_pool_close(&secure.rig.pool);
        rig_settle(&secure.rig);
    }
    /* The engine is as good as new. */
    make_idle_connection(&secure);
    tls_peer_close(&secure.peer);
    secure_close(&secure);
}

static void test_a_connection_that_rests_for_long_gives_its_buffers_back(void)
{
    struct secure secure;
    secure_open(&secure);
    make_idle_connection(&secure);
    struct lc_conn *conn = secure.rig.pool.first;
    struct lc_rest_queue *queue = conn->rests_in;
    CHECK(queue != NULL && queue->first == conn && queue->last == conn);
    lc_rest_queue_shrink(queue, conn->rested_ns);
    CHECK(queue->first == conn); /* not yet */
    lc_rest_queue_shrink(queue, conn->rested_ns + 1);
    CHECK(queue->first == NULL && conn->rests_in == NULL);
    rig_get(&secure.rig, GET); /* it serves as before */
    tls_peer_expect(&secure.peer, &secure.rig, GET);
    tls_peer_send(&secure.peer, OK);
    rig_expect_result(&secure.rig, 0, 200, "ok");
    CHECK(conn->rests_in == queue);
    tls_peer_close(&secure.peer);
    rig_settle(&secure.rig);
    CHECK(queue->first == NULL); /* closed, and out of the queue */
    secure_close(&secure);
}

/* One request on a connection of its own; whether the server went on with a session. */
static bool request_resumes(struct secure *secure, const struct tls_peer *before,
                            const char *answer)
{
    rig_get(&secure->rig, GET);
    int fd = rig_accept(&secure->rig);
    if (before == NULL) {
        tls_peer_open(&secure->peer, &secure->server, fd);
    } else {
        struct tls_peer again;
        tls_peer_open_again(&again, before, fd);
        secure->peer = again;
    }
    while (tls_peer_handshake(&secure->peer) != TLS_PEER_READY) {
        rig_turn(&secure->rig, fd);
    }
    tls_peer_expect(&secure->peer, &secure->rig, GET);
    bool resumed = SSL_session_reused(secure->peer.ssl);
    tls_peer_send(&secure->peer, answer);
    rig_expect_result(&secure->rig, 0, 200, "ok");
    return resumed;
}

static void check_resumption(int version, bool resume, const char *answer)
{
    struct secure secure;
    secure_open(&secure);
    secure.server.min_version = secure.server.max_version = version;
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .resume = resume, .ca_file = secure.certs.ca_file};
    rig_use_tls(&secure.rig, &config, "server.test");
    secure.rig.pool.max_idle = 0;
    CHECK(!request_resumes(&secure, NULL, answer));
    struct tls_peer first = secure.peer;
    CHECK_INT(request_resumes(&secure, &first, answer), resume);
    tls_peer_close(&secure.peer);
    lc_engine_pool_close(&secure.rig.pool); /* connections go, sessions stay */
    CHECK_INT(request_resumes(&secure, &first, answer), resume);
    tls_peer_close(&secure.peer);
    lc_pool_forget(&secure.rig.pool);
    CHECK(!request_resumes(&secure, &first, answer));
    tls_peer_close(&secure.peer);
    tls_peer_close(&first);
    secure_close(&secure);
}

static void test_a_new_connection_resumes_the_session_of_the_one_before(void)
{
    static const char last[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        check_resumption(version, true, OK);
        check_resumption(version, true, last);
    }
}

static void test_sessions_are_not_resumed_unless_told_to(void)
{
    check_resumption(TLS1_2_VERSION, false, OK);
    check_resumption(TLS1_3_VERSION, false, OK);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's side, which OpenSSL writes */
    rig_prepare_process();
    RUN(test_a_request_over_tls_has_its_handshake_timed);
    RUN(test_a_tls_connection_serves_again_and_has_no_second_handshake);
    RUN(test_a_response_is_read_byte_by_byte_in_records_of_one);
    RUN(test_a_body_ends_with_the_connection_polite_or_not);
    RUN(test_a_large_request_is_sent_and_answered);
    RUN(test_session_tickets_do_not_close_an_idle_connection);
    RUN(test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next);
    RUN(test_the_loop_notices_the_end_of_an_idle_connection);
    RUN(test_a_certificate_for_another_host_fails_the_request_in_words);
    RUN(test_a_close_or_reset_in_the_handshake_is_not_tried_again);
    RUN(test_a_handshake_without_an_answer_counts_as_connecting);
    RUN(test_a_stopped_process_does_not_cost_a_handshake_its_time);
    RUN(test_a_stopped_process_gives_a_silent_server_its_time_once);
    RUN(test_cancel_in_the_handshake);
    RUN(test_an_engine_can_end_in_the_handshake);
    RUN(test_any_allocation_of_a_tls_request_may_fail);
    RUN(test_a_connection_that_rests_for_long_gives_its_buffers_back);
    RUN(test_a_new_connection_resumes_the_session_of_the_one_before);
    RUN(test_sessions_are_not_resumed_unless_told_to);
    return 0;
}
