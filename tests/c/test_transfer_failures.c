#include "h2_peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the server does once it has read the request. */
typedef void (*act)(struct h2_peer *peer, struct sent *sent);

static void answer(struct h2_peer *peer, struct sent *sent, const char *body)
{
    h2_expect_request(peer);
    h2_answer(peer, peer->stream, body);
    sent_expect(sent, 0, body);
}

/* The server still works, on the same connection if that survived. */
static void expect_next(struct lane *lane, struct h2_peer *peer, bool survives)
{
    struct sent next = sent_on(lane);
    sent_get(&next);
    if (!survives) {
        h2_close(peer);
        h2_accept(peer, lane);
    }
    answer(peer, &next, "next");
    lane_expect_no_connection(lane);
}

/* A request fails so, on a new connection and on one that has served before; the next one works. */
static void expect_failure(act misbehave, bool survives, int err, const char *words)
{
    for (int kept = 0; kept < 2; kept++) {
        struct lane lane;
        struct h2_peer peer;
        lane_open(&lane);
        struct sent first = sent_on(&lane), sent = sent_on(&lane);
        if (kept) {
            sent_get(&first);
            h2_accept(&peer, &lane);
            answer(&peer, &first, "first");
        }
        sent_get(&sent);
        if (!kept) {
            h2_accept(&peer, &lane);
        }
        h2_expect_request(&peer);
        misbehave(&peer, &sent);
        sent_expect_error(&sent, err, words);
        CHECK_INT(sent.result.resent, 0);
        CHECK_INT(sent.result.reused, kept);
        expect_next(&lane, &peer, survives);
        h2_close(&peer);
        lane_close(&lane);
    }
}

/* --- resets of a stream --- */

static void reset_internal(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_reset(peer, peer->stream, H2_INTERNAL_ERROR);
}

static void reset_cancel(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_reset(peer, peer->stream, H2_CANCEL);
}

static void reset_without_error(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_reset(peer, peer->stream, H2_NO_ERROR);
}

static void reset_in_the_body(struct h2_peer *peer, struct sent *sent)
{
    h2_send_head(peer, peer->stream, "200", "", 0);
    h2_send_data(peer, peer->stream, "abc", 0);
    while (sent->body.len < 3) {
        lane_turn(peer->lane, -1);
    }
    h2_send_reset(peer, peer->stream, H2_INTERNAL_ERROR);
}

static void test_a_reset_is_told_with_its_code(void)
{
    expect_failure(reset_internal, true, LC_ERESET,
                   "HTTP/2 stream was not closed cleanly: INTERNAL_ERROR (err 2)");
    expect_failure(reset_cancel, true, LC_ERESET, "CANCEL");
    expect_failure(reset_in_the_body, true, LC_ERESET, "INTERNAL_ERROR");
    expect_failure(reset_without_error, true, LC_EPROTO, "response header");
}

static void test_a_reset_leaves_the_other_streams_alone(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent a = sent_on(&lane), b = sent_on(&lane), c = sent_on(&lane);
    sent_get(&a);
    sent_get(&b);
    sent_get(&c);
    h2_accept(&peer, &lane);
    uint32_t first = h2_expect_request(&peer), second = h2_expect_request(&peer);
    h2_expect_request(&peer);
    h2_send_reset(&peer, second, H2_INTERNAL_ERROR);
    sent_expect_error(&b, LC_ERESET, "INTERNAL_ERROR");
    h2_answer(&peer, peer.stream, "c");
    h2_answer(&peer, first, "a");
    sent_expect(&c, 0, "c");
    sent_expect(&a, 0, "a");
    lane_expect_no_connection(&lane);
    h2_close(&peer);
    lane_close(&lane);
}

/* --- the end of a connection --- */

static void end(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    CHECK_INT(shutdown(peer->fd, SHUT_WR), 0);
}

static void end_in_the_body(struct h2_peer *peer, struct sent *sent)
{
    h2_send_head(peer, peer->stream, "200", "", 0);
    h2_send_data(peer, peer->stream, "abc", 0);
    end(peer, sent);
}

/* The descriptor stays one that may be closed. */
static void tcp_reset(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    peer_reset(peer->fd);
    peer->fd = dup(peer->lane->listener);
    CHECK(peer->fd >= 0);
}

static void tcp_reset_in_the_body(struct h2_peer *peer, struct sent *sent)
{
    h2_send_head(peer, peer->stream, "200", "", 0);
    h2_send_data(peer, peer->stream, "abc", 0);
    while (sent->body.len < 3) {
        lane_turn(peer->lane, -1);
    }
    tcp_reset(peer, sent);
}

/* It may have been the last that the server processed. */
static void goaway_and_end(struct h2_peer *peer, struct sent *sent)
{
    h2_send_goaway(peer, peer->stream, H2_ENHANCE_YOUR_CALM);
    end(peer, sent);
}

static void test_a_connection_that_ends_fails_its_request(void)
{
    expect_failure(end, false, LC_ECLOSED, "before end of the underlying stream");
    expect_failure(end_in_the_body, false, LC_ETRUNCATED, "before end of the underlying stream");
    expect_failure(tcp_reset, false, LC_ERESET, "reset");
    expect_failure(tcp_reset_in_the_body, false, LC_ERESET, "reset");
    expect_failure(goaway_and_end, false, LC_ECLOSED, "before end of the underlying stream");
}

static void test_a_connection_that_ends_fails_all_its_requests(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent a = sent_on(&lane), b = sent_on(&lane);
    sent_get(&a);
    sent_get(&b);
    h2_accept(&peer, &lane);
    h2_send_head(&peer, h2_expect_request(&peer), "200", "", 0);
    h2_expect_request(&peer);
    while (a.heads == 0) {
        lane_turn(&lane, -1);
    }
    end(&peer, &a);
    sent_expect_error(&a, LC_ETRUNCATED, "");
    sent_expect_error(&b, LC_ECLOSED, "");
    h2_close(&peer);
    lane_close(&lane);
}

/* --- what was not processed --- */

static void refuse(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_reset(peer, peer->stream, H2_REFUSED_STREAM);
}

static void go_away(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_goaway(peer, peer->stream - 2, H2_NO_ERROR);
}

static void test_what_a_new_connection_refuses_is_an_error(void)
{
    static const act ACTS[] = {refuse, go_away};
    static const int ERRORS[] = {LC_ERESET, LC_ECLOSED};
    static const char *const WORDS[] = {"REFUSED_STREAM", "GOAWAY"};
    for (size_t i = 0; i < 2; i++) {
        struct lane lane;
        struct h2_peer peer;
        lane_open(&lane);
        struct sent sent = sent_on(&lane);
        sent_get(&sent);
        h2_accept(&peer, &lane);
        peer.stream = h2_expect_request(&peer) + (i == 0 ? 0 : 1);
        ACTS[i](&peer, &sent);
        sent_expect_error(&sent, ERRORS[i], WORDS[i]);
        CHECK_INT(sent.result.resent, 0);
        expect_next(&lane, &peer, false);
        h2_close(&peer);
        lane_close(&lane);
    }
}

static void test_what_a_kept_connection_refuses_is_sent_again(void)
{
    static const act ACTS[] = {refuse, go_away};
    for (size_t i = 0; i < 4; i++) {
        struct lane lane;
        struct h2_peer peer, second;
        lane_open(&lane);
        struct sent first = sent_on(&lane);
        struct sent sent = i / 2 == 0 ? sent_on(&lane) : sent_with(&lane, "body", 4);
        sent_get(&first);
        h2_accept(&peer, &lane);
        answer(&peer, &first, "first");
        sent_begin(&sent, "POST / HTTP/1.1\r\n\r\n");
        h2_expect_request(&peer);
        ACTS[i % 2](&peer, &sent);
        h2_accept(&second, &lane);
        h2_expect_request(&second);
        if (sent.upload != NULL) {
            CHECK_INT(h2_expect_body(&second, NULL), 4);
        }
        h2_answer(&second, second.stream, "again");
        sent_expect(&sent, 0, "again");
        CHECK_INT(sent.result.resent, 1);
        CHECK(!sent.result.reused);
        h2_close(&peer);
        h2_close(&second);
        lane_close(&lane);
    }
}

static void test_a_goaway_lets_what_is_processed_end_and_ends_the_connection(void)
{
    struct lane lane;
    struct h2_peer peer, second;
    lane_open(&lane);
    struct sent a = sent_on(&lane), b = sent_on(&lane);
    sent_get(&a);
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    h2_send_head(&peer, peer.stream, "200", "", 0);
    h2_send_goaway(&peer, peer.stream, H2_NO_ERROR);
    while (a.heads == 0) {
        lane_turn(&lane, -1);
    }
    sent_get(&b);
    h2_accept(&second, &lane);
    answer(&second, &b, "b");
    h2_send_data(&peer, peer.stream, "a", H2_END_STREAM);
    sent_expect(&a, 0, "a");
    lane_expect_closed(&lane, peer.fd);
    h2_close(&second);
    lane_close(&lane);
}

static void test_what_is_lost_is_sent_again_as_often_as_allowed(void)
{
    static const act ACTS[] = {end, tcp_reset};
    for (size_t i = 0; i < 2; i++) {
        struct lane lane;
        struct h2_peer peer;
        lane_open(&lane);
        struct sent sent = sent_on(&lane);
        sent.resend = 2;
        sent_get(&sent);
        for (int tries = 0; tries < 3; tries++) {
            h2_accept(&peer, &lane);
            h2_expect_request(&peer);
            ACTS[i](&peer, &sent);
            if (tries < 2) {
                while (!lane_has_connection(&lane)) {
                    lane_turn(&lane, lane.listener);
                }
                h2_close(&peer);
            }
        }
        sent_expect_error(&sent, i == 0 ? LC_ECLOSED : LC_ERESET, "");
        CHECK_INT(sent.result.resent, 2);
        h2_close(&peer);
        lane_close(&lane);
    }
}

static void test_a_server_that_wants_http1_gets_it(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_with(&lane, "body", 4);
    sent_begin(&sent, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    h2_send_reset(&peer, peer.stream, H2_HTTP_1_1_REQUIRED);
    int second = lane_accept(&lane);
    lane_expect(&lane, second, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    peer_send(second, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
    sent_expect(&sent, 0, "old");
    CHECK_INT(sent.result.resent, 1);
    close(second);
    h2_close(&peer);
    lane_close(&lane);
}

/* --- broken rules --- */

static void garbage(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    peer_send(peer->fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void bad_hpack(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send(peer, H2_HEADERS, H2_END_HEADERS, peer->stream, "\xff\xff\xff\xff", 4);
}

static void data_before_head(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_data(peer, peer->stream, "x", H2_END_STREAM);
}

static void short_body(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_head(peer, peer->stream, "200", "content-length: 10\n", 0);
    h2_send_data(peer, peer->stream, "abc", H2_END_STREAM);
}

static void long_body(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_head(peer, peer->stream, "200", "content-length: 1\n", 0);
    h2_send_data(peer, peer->stream, "abc", H2_END_STREAM);
}

static void upper_case(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send_head(peer, peer->stream, "200", "Upper: case\n", H2_END_STREAM);
}

static void no_status(struct h2_peer *peer, struct sent *sent)
{
    (void)sent;
    h2_send(peer, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, peer->stream, "\0\1a\1b", 5);
}

static void test_a_server_that_breaks_the_protocol_fails_the_request(void)
{
    expect_failure(garbage, false, LC_EPROTO, "broke the HTTP/2 protocol");
    expect_failure(bad_hpack, false, LC_EPROTO, "broke the HTTP/2 protocol");
    expect_failure(data_before_head, false, LC_EPROTO, "broke the HTTP/2 protocol");
    expect_failure(short_body, true, LC_EPROTO, "PROTOCOL_ERROR");
    expect_failure(long_body, true, LC_EPROTO, "PROTOCOL_ERROR");
    expect_failure(upper_case, true, LC_EPROTO, "PROTOCOL_ERROR");
    expect_failure(no_status, true, LC_EPROTO, "PROTOCOL_ERROR");
}

static void test_a_head_beyond_the_limit_fails_the_request(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    sent.max_head = 30;
    sent_get(&sent);
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    h2_send_head(&peer, peer.stream, "200", "name: a value that is too long\n", H2_END_STREAM);
    sent_expect_error(&sent, LC_ELIMIT, "");
    expect_next(&lane, &peer, true);
    h2_close(&peer);
    lane_close(&lane);
}

static void test_an_error_of_an_event_ends_the_transfer(void)
{
    for (int which = 0; which < 3; which++) {
        struct lane lane;
        struct h2_peer peer;
        lane_open(&lane);
        struct sent sent = which == 2 ? sent_with(&lane, "x", 1) : sent_on(&lane);
        *(which == 0 ? &sent.head_err : which == 1 ? &sent.body_err : &sent.read_err) = LC_EDECODE;
        sent_begin(&sent, "POST / HTTP/1.1\r\n\r\n");
        h2_accept(&peer, &lane);
        h2_expect_request(&peer);
        if (which < 2) {
            h2_answer(&peer, peer.stream, "x");
        }
        sent_await(&sent);
        CHECK_INT(sent.result.err, LC_EDECODE);
        sent_free(&sent);
        peer.ended[peer.stream] = true; /* the client says so, too */
        expect_next(&lane, &peer, true);
        h2_close(&peer);
        lane_close(&lane);
    }
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_reset_is_told_with_its_code);
    RUN(test_a_reset_leaves_the_other_streams_alone);
    RUN(test_a_connection_that_ends_fails_its_request);
    RUN(test_a_connection_that_ends_fails_all_its_requests);
    RUN(test_what_a_new_connection_refuses_is_an_error);
    RUN(test_what_a_kept_connection_refuses_is_sent_again);
    RUN(test_a_goaway_lets_what_is_processed_end_and_ends_the_connection);
    RUN(test_what_is_lost_is_sent_again_as_often_as_allowed);
    RUN(test_a_server_that_wants_http1_gets_it);
    RUN(test_a_server_that_breaks_the_protocol_fails_the_request);
    RUN(test_a_head_beyond_the_limit_fails_the_request);
    RUN(test_an_error_of_an_event_ends_the_transfer);
    return 0;
}
