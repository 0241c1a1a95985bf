#include "h2_peer.h"

#include <unistd.h>

/* --- one request --- */

static void test_a_request_is_answered_over_http2(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    uint64_t before = lc_now_ns();
    sent_get(&sent);
    h2_accept(&peer, &lane);
    struct h2_frame frame;
    h2_expect(&peer, H2_HEADERS, &frame);
    CHECK_INT(frame.flags, H2_END_HEADERS | H2_END_STREAM);
    h2_send_head(&peer, frame.stream, "200", "server: h2_peer\nset-cookie: a=b\n", 0);
    h2_send_data(&peer, frame.stream, "hello", H2_END_STREAM);
    sent_await(&sent);
    CHECK_BYTES(sent.head.ptr, sent.head.len,
                "HTTP/2 200 \r\nserver: h2_peer\r\nset-cookie: a=b\r\n\r\n");
    struct lc_transfer_result *result = &sent.result;
    CHECK(before <= result->sent && result->sent <= result->first_byte);
    CHECK(result->first_byte <= result->last_byte && result->last_byte <= result->read);
    CHECK(result->connect_ns > 0 && result->connect_ns >= result->lookup_ns);
    CHECK_INT(result->tls_ns, 0);
    CHECK_INT(result->resent, 0);
    CHECK(!result->reused);
    sent_expect(&sent, 0, "hello");
    h2_close(&peer);
    lane_close(&lane);
}

static void test_a_kept_connection_serves_the_next_request(void)
{
    struct lane lane;
    struct h2_peer peer;
    struct lc_transfer_counts counts;
    lane_open(&lane);
    for (int i = 0; i < 3; i++) {
        struct sent sent = sent_on(&lane);
        sent_get(&sent);
        if (i == 0) {
            h2_accept(&peer, &lane);
        }
        CHECK_INT(h2_expect_request(&peer), 1 + 2 * i);
        h2_answer(&peer, peer.stream, "again");
        sent_expect(&sent, 0, "again");
        CHECK_INT(sent.result.reused, i > 0);
        CHECK_INT(sent.result.connect_ns == 0, i > 0);
    }
    lc_transfers_count(lane.transfers, &counts);
    CHECK_INT(counts.opened, 1);
    CHECK_INT(counts.connections, 1);
    CHECK_INT(counts.transfers, 0);
    h2_close(&peer);
    lane_close(&lane);
}

static void test_an_empty_body_and_one_of_many_frames(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent empty = sent_on(&lane), large = sent_on(&lane);
    sent_get(&empty);
    h2_accept(&peer, &lane);
    h2_send_head(&peer, h2_expect_request(&peer), "204", "", H2_END_STREAM);
    sent_expect(&empty, 0, "");
    CHECK_INT(empty.bodies, 0);
    sent_get(&large);
    h2_send_head(&peer, h2_expect_request(&peer), "200", "content-length: 3276800\n", 0);
    char piece[16384];
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 200; i++) {
        h2_send(&peer, H2_DATA, i == 199 ? H2_END_STREAM : 0, peer.stream, piece, sizeof piece);
    }
    sent_await(&large);
    CHECK_INT(large.result.err, 0);
    CHECK_INT(large.body.len, 200 * sizeof piece);
    sent_free(&large);
    h2_close(&peer);
    lane_close(&lane);
}

static void test_a_response_to_head_has_no_body(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    for (int i = 0; i < 2; i++) {
        struct sent sent = sent_on(&lane);
        sent_begin(&sent, "HEAD / HTTP/1.1\r\n\r\n");
        if (i == 0) {
            h2_accept(&peer, &lane);
        }
        h2_send_head(&peer, h2_expect_request(&peer), "200", "content-length: 100\n",
                     H2_END_STREAM);
        sent_await(&sent);
        CHECK_BYTES(sent.head.ptr, sent.head.len, "HTTP/2 200 \r\ncontent-length: 100\r\n\r\n");
        sent_expect(&sent, 0, "");
    }
    h2_close(&peer);
    lane_close(&lane);
}

static void test_interim_responses_and_trailers_are_dropped(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    h2_accept(&peer, &lane);
    uint32_t stream = h2_expect_request(&peer);
    h2_send_head(&peer, stream, "103", "link: </style.css>\n", 0);
    h2_send_head(&peer, stream, "103", "link: </more.css>\n", 0);
    h2_send_head(&peer, stream, "200", "x-final: yes\n", 0);
    h2_send_data(&peer, stream, "body", 0);
    char trailer[] = "\0\x9x-trailer\1t";
    h2_send(&peer, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream, trailer, sizeof trailer - 1);
    sent_await(&sent);
    CHECK_BYTES(sent.head.ptr, sent.head.len, "HTTP/2 200 \r\nx-final: yes\r\n\r\n");
    sent_expect(&sent, 0, "body");
    CHECK_INT(sent.heads, 1);
    h2_close(&peer);
    lane_close(&lane);
}

static void test_a_body_is_uploaded_whole(void)
{
    static const size_t SIZES[] = {0, 1, LC_TRANSFER_SHARED_BODY, 1000000};
    char *body = lc_alloc(1000000);
    CHECK(body != NULL);
    for (size_t i = 0; i < 1000000; i++) {
        body[i] = (char)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        for (int unknown = 0; unknown < 2; unknown++) {
            struct lane lane;
            struct h2_peer peer;
            struct lc_buf got;
            lc_buf_init(&got, 1 << 20);
            lane_open(&lane);
            struct sent sent = sent_with(&lane, body, SIZES[i]);
            sent.unknown_len = unknown;
            sent_begin(&sent, "POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n");
            h2_accept(&peer, &lane);
            h2_expect_request(&peer);
            CHECK_INT(h2_expect_body(&peer, &got), SIZES[i]);
            CHECK(SIZES[i] == 0 || memcmp(got.ptr, body, SIZES[i]) == 0);
            h2_answer(&peer, peer.stream, "thanks");
            sent_expect(&sent, 0, "thanks");
            CHECK(sent.result.sent <= sent.result.first_byte);
            lc_buf_free(&got);
            h2_close(&peer);
            lane_close(&lane);
        }
    }
    lc_free(body);
}

/* --- who shares a connection --- */

static void test_requests_at_the_same_time_share_a_connection(void)
{
    enum { COUNT = 20 };
    struct lane lane;
    struct h2_peer peer;
    struct lc_transfer_counts counts;
    struct sent sents[COUNT];
    lane_open(&lane);
    for (int i = 0; i < COUNT; i++) {
        sents[i] = sent_on(&lane);
        sent_get(&sents[i]);
    }
    h2_accept(&peer, &lane);
    uint32_t streams[COUNT];
    for (int i = 0; i < COUNT; i++) {
        streams[i] = h2_expect_request(&peer);
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        char body[16];
        snprintf(body, sizeof body, "%u", streams[i]);
        h2_answer(&peer, streams[i], body);
    }
    for (int i = 0; i < COUNT; i++) {
        char body[16];
        snprintf(body, sizeof body, "%u", 1 + 2 * i);
        sent_expect(&sents[i], 0, body);
        CHECK_INT(sents[i].result.reused, i > 0);
    }
    lc_transfers_count(lane.transfers, &counts);
    CHECK_INT(counts.opened, 1);
    lane_expect_no_connection(&lane);
    h2_close(&peer);
    lane_close(&lane);
}

static void test_more_streams_than_the_server_allows_take_another_connection(void)
{
    struct lane lane;
    struct h2_peer first, second;
    lane_open(&lane);
    struct sent a = sent_on(&lane), b = sent_on(&lane), c = sent_on(&lane);
    sent_get(&a);
    h2_accept(&first, &lane);
    h2_send_setting(&first, H2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
    h2_expect_request(&first);
    h2_answer(&first, first.stream, "a");
    sent_expect(&a, 0, "a");
    sent_get(&b);
    sent_get(&c);
    h2_expect_request(&first);
    h2_accept(&second, &lane);
    h2_expect_request(&second);
    h2_answer(&second, second.stream, "c");
    sent_expect(&c, 0, "c");
    h2_answer(&first, first.stream, "b");
    sent_expect(&b, 0, "b");
    h2_close(&first);
    h2_close(&second);
    lane_close(&lane);
}

static void test_scopes_share_no_connection(void)
{
    struct lane lane;
    struct h2_peer first, second;
    lane_open(&lane);
    struct lc_transfer_scope *one = lane.scope, *other;
    CHECK_INT(lc_transfer_scope_new(lane.transfers, 8, 0, &other), 0);
    struct sent a = sent_on(&lane), b = sent_on(&lane);
    sent_get(&a);
    h2_accept(&first, &lane);
    h2_expect_request(&first);
    h2_answer(&first, first.stream, "a");
    sent_expect(&a, 0, "a");
    lane.scope = other;
    sent_get(&b);
    h2_accept(&second, &lane);
    h2_expect_request(&second);
    h2_answer(&second, second.stream, "b");
    sent_expect(&b, 0, "b");
    lc_transfer_scope_close(one);
    lane_expect_closed(&lane, first.fd);
    struct sent c = sent_on(&lane);
    sent_get(&c);
    h2_expect_request(&second);
    h2_answer(&second, second.stream, "c");
    sent_expect(&c, 0, "c");
    h2_close(&second);
    lane_close(&lane);
}

static void test_a_scope_that_is_closed_lets_its_requests_end(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    lc_transfer_scope_close(lane.scope);
    lane.scope = NULL;
    h2_answer(&peer, peer.stream, "late");
    sent_expect(&sent, 0, "late");
    lane_expect_closed(&lane, peer.fd);
    lane_close(&lane);
}

static void test_a_scope_outlives_its_lane(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct lc_transfer_scope *scope = lane.scope;
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    h2_answer(&peer, peer.stream, "x");
    sent_expect(&sent, 0, "x");
    h2_close(&peer);
    struct sent running = sent_on(&lane), waiting = sent_on(&lane);
    sent_get(&running);
    sent_get(&waiting);
    lc_transfers_close(lane.transfers);
    lc_transfer_scope_close(scope);
    CHECK_INT(running.calls + waiting.calls, 0);
    lane_end(&lane);
}

static void test_a_scope_that_keeps_nothing_connects_each_time(void)
{
    struct lane lane;
    lane_open(&lane);
    lc_transfer_scope_close(lane.scope);
    CHECK_INT(lc_transfer_scope_new(lane.transfers, 0, 0, &lane.scope), 0);
    for (int i = 0; i < 3; i++) {
        struct h2_peer peer;
        struct sent sent = sent_on(&lane);
        sent_get(&sent);
        h2_accept(&peer, &lane);
        h2_expect_request(&peer);
        h2_answer(&peer, peer.stream, "x");
        sent_expect(&sent, 0, "x");
        lane_expect_closed(&lane, peer.fd);
    }
    lane_close(&lane);
}

static void test_a_dead_host_does_not_hold_up_other_targets_or_scopes(void)
{
    struct lane lane;
    struct h2_peer peer;
    uint16_t port;
    char url[64];
    lane_open(&lane);
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    lane.descriptors += 2;
    struct sent stuck[3], sents[3];
    struct lc_origin dead = lane_origin("127.0.0.1", port, url);
    for (int i = 0; i < 3; i++) {
        stuck[i] = sent_on(&lane);
        stuck[i].origin = &dead;
        sent_get(&stuck[i]);
    }
    for (int i = 0; i < 3; i++) {
        sents[i] = sent_on(&lane);
        sent_get(&sents[i]);
    }
    h2_accept(&peer, &lane);
    for (int i = 0; i < 3; i++) {
        h2_expect_request(&peer);
    }
    for (int i = 0; i < 3; i++) {
        h2_answer(&peer, 1 + 2 * (uint32_t)i, "x");
        sent_expect(&sents[i], 0, "x");
        sent_cancel(&stuck[i]);
    }
    h2_close(&peer);
    close(full);
    close(filler);
    lane.descriptors -= 2;
    lane_close(&lane);
}

/* --- what cannot be sent --- */

static void test_a_head_that_cannot_be_read_is_refused(void)
{
    static const char *const HEADS[] = {
        "",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\n",
        "GET /\r\n\r\n",
        " / HTTP/1.1\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nnothing\r\n\r\n",
        "GET / HTTP/1.1\r\n: nothing\r\n\r\n",
        "GET / HTTP/1.1\r\nname: value\r\n",
        "GET / HTTP/1.1\r\nname: value\n\r\n",
        "\r\n",
    };
    struct lane lane;
    lane_open(&lane);
    for (size_t i = 0; i < sizeof HEADS / sizeof HEADS[0]; i++) {
        struct sent sent = sent_on(&lane);
        CHECK_INT(sent_try(&sent, HEADS[i]), LC_EINVAL);
    }
    struct sent sent = sent_with(&lane, "x", 1);
    CHECK_INT(sent_try(&sent, "HEAD / HTTP/1.1\r\n\r\n"), LC_EINVAL);
    lane_close(&lane);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_request_is_answered_over_http2);
    RUN(test_a_kept_connection_serves_the_next_request);
    RUN(test_an_empty_body_and_one_of_many_frames);
    RUN(test_a_response_to_head_has_no_body);
    RUN(test_interim_responses_and_trailers_are_dropped);
    RUN(test_a_body_is_uploaded_whole);
    RUN(test_requests_at_the_same_time_share_a_connection);
    RUN(test_more_streams_than_the_server_allows_take_another_connection);
    RUN(test_scopes_share_no_connection);
    RUN(test_a_scope_that_is_closed_lets_its_requests_end);
    RUN(test_a_scope_outlives_its_lane);
    RUN(test_a_scope_that_keeps_nothing_connects_each_time);
    RUN(test_a_dead_host_does_not_hold_up_other_targets_or_scopes);
    RUN(test_a_head_that_cannot_be_read_is_refused);
    return 0;
}
