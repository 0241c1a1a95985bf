/* Bodies that come and go piece by piece, and transfers that are cancelled on the way. */
#include "h2_peer.h"

#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char POST[] = "POST / HTTP/1.1\r\nHost: h\r\n\r\n";

/* --- down --- */

static void test_a_response_pauses_and_goes_on(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    sent.may_pause = true;
    sent_begin(&sent, GET);
    h2_accept(&peer, &lane);
    h2_send_head(&peer, h2_expect_request(&peer), "200", "", 0);
    h2_send_data(&peer, peer.stream, "abc", 0);
    while (sent.heads == 0) {
        lane_turn(&lane, -1);
    }
    h2_send_data(&peer, peer.stream, "def", H2_END_STREAM);
    while (!sent.refused) {
        lane_turn(&lane, -1);
    }
    CHECK_INT(sent.body.len, 0);
    CHECK_INT(sent.calls, 0);
    sent.body_ready = SIZE_MAX;
    lc_transfer_resume(sent.transfer);
    CHECK_INT(sent.body.len, 0); /* never from inside */
    sent_expect(&sent, 0, "abcdef");
    h2_close(&peer);
    lane_close(&lane);
}

static void test_a_paused_response_holds_up_no_other(void)
{
    struct lane lane;
    struct h2_peer peer, second;
    lane_open(&lane);
    struct sent paused = sent_on(&lane), other = sent_on(&lane);
    paused.may_pause = true;
    sent_begin(&paused, GET);
    h2_accept(&peer, &lane);
    h2_send_head(&peer, h2_expect_request(&peer), "200", "", 0);
    h2_send_data(&peer, peer.stream, "abc", H2_END_STREAM);
    while (!paused.refused) {
        lane_turn(&lane, -1);
    }
    sent_get(&other);
    h2_accept(&second, &lane);
    h2_expect_request(&second);
    h2_answer(&second, second.stream, "other");
    sent_expect(&other, 0, "other");
    paused.body_ready = SIZE_MAX;
    lc_transfer_resume(paused.transfer);
    sent_expect(&paused, 0, "abc");
    h2_close(&peer);
    h2_close(&second);
    lane_close(&lane);
}

static void test_a_pause_that_was_not_announced_is_an_error(void)
{
    struct lane lane;
    struct h2_peer peer;
    lane_open(&lane);
    struct sent sent = sent_on(&lane);
    sent.body_err = LC_EAGAIN;
    sent_begin(&sent, GET);
    h2_accept(&peer, &lane);
    h2_answer(&peer, h2_expect_request(&peer), "x");
    sent_expect(&sent, LC_EINVAL, "x");
    h2_close(&peer);
    lane_close(&lane);
}

/* --- up --- */

static void test_a_body_is_pulled_as_it_gets_ready(void)
{
    static const char BODY[] = "one two three";
    for (int unknown = 0; unknown < 2; unknown++) {
        struct lane lane;
        struct h2_peer peer;
        struct lc_buf got;
        struct h2_frame frame;
        lc_buf_init(&got, 64);
        lane_open(&lane);
        struct sent sent = sent_with(&lane, BODY, sizeof BODY - 1);
        sent.unknown_len = unknown;
        sent.upload_ready = 0;
        sent_begin(&sent, POST);
        h2_accept(&peer, &lane);
        h2_expect_request(&peer);
        while (sent.upload_ready < sent.upload_len) {
            CHECK_INT(sent.calls, 0);
            size_t more = sent.upload_len - sent.upload_ready;
            sent.upload_ready += more < 4 ? more : 4;
            lc_transfer_resume(sent.transfer);
            while (got.len < sent.upload_ready) {
                h2_expect(&peer, H2_DATA, &frame);
                CHECK_INT(lc_buf_append(&got, frame.payload, frame.len), 0);
            }
        }
        if (!(frame.flags & H2_END_STREAM)) {
            lc_transfer_resume(sent.transfer);
            CHECK_INT(h2_expect_body(&peer, NULL), 0);
        }
        CHECK_BYTES(got.ptr, got.len, BODY);
        h2_answer(&peer, peer.stream, "thanks");
        sent_expect(&sent, 0, "thanks");
        lc_buf_free(&got);
        h2_close(&peer);
        lane_close(&lane);
    }
}

static void test_an_answer_may_come_before_the_body_is_sent(void)
{
    static const char *const STATUS[] = {"413", "200"};
    for (size_t i = 0; i < 2; i++) {
        struct lane lane;
        struct h2_peer peer;
        lane_open(&lane);
        struct sent sent = sent_with(&lane, "never sent", 10);
        sent.upload_ready = 0;
        sent_begin(&sent, POST);
        h2_accept(&peer, &lane);
        h2_send_head(&peer, h2_expect_request(&peer), STATUS[i], "", 0);
        h2_send_data(&peer, peer.stream, "enough", H2_END_STREAM);
        while (sent.body.len < 6) {
            lane_turn(&lane, -1);
        }
        /* libcurl 7.88 drops what it reads together with a reset. */
        h2_send_reset(&peer, peer.stream, H2_NO_ERROR);
        if (i == 1) {
            sent.upload_ready = 5; /* the next piece finds that nobody wants it */
            lc_transfer_resume(sent.transfer);
        }
        sent_expect(&sent, 0, "enough");
        h2_close(&peer);
        lane_close(&lane);
    }
}

/* --- cancelling --- */

enum phase { CONNECTING, WAITING, SENT, IN_HEAD, PAUSED_DOWN, PAUSED_UP, ENDED, PHASES };

/* Takes a transfer to that phase. */
static void advance(struct lane *lane, struct sent *sent, enum phase phase, struct h2_peer *peer)
{
    if (phase == CONNECTING) {
        return;
    }
    h2_accept(peer, lane);
    h2_expect_request(peer);
    if (phase == PAUSED_UP) {
        while (!sent->starved) {
            lane_turn(lane, -1);
        }
    }
    if (phase == IN_HEAD || phase == PAUSED_DOWN) {
        h2_send_head(peer, peer->stream, "200", "", 0);
        h2_send_data(peer, peer->stream, "x", 0);
        while (phase == IN_HEAD ? sent->bodies == 0 : !sent->refused) {
            lane_turn(lane, -1);
        }
    }
    if (phase == ENDED) {
        h2_answer(peer, peer->stream, "x");
        while (sent->bodies == 0) {
            lane_run(lane);
        }
    }
}

static void test_cancel_in_each_phase(void)
{
    for (enum phase phase = 0; phase < PHASES; phase++) {
        struct lane lane;
        struct h2_peer peer = {.fd = -1};
        lane_open(&lane);
        struct sent first = sent_on(&lane), next = sent_on(&lane);
        struct sent sent = phase == PAUSED_UP ? sent_with(&lane, "x", 1) : sent_on(&lane);
        sent.upload_ready = 0;
        sent.may_pause = phase == PAUSED_DOWN;
        if (phase == WAITING) {
            sent_begin(&first, GET);
        }
        sent_begin(&sent, phase == PAUSED_UP ? POST : GET);
        if (phase == WAITING) {
            sent_cancel(&sent);
            advance(&lane, &first, ENDED, &peer);
            sent_expect(&first, 0, "x");
        } else {
            advance(&lane, &sent, phase, &peer);
            sent_cancel(&sent);
        }
        if (peer.fd >= 0 && phase != WAITING && phase != ENDED) {
            lane_expect_closed(&lane, peer.fd);
            peer.fd = -1;
        }
        if (peer.fd >= 0) {
            h2_close(&peer);
        }
        sent_begin(&next, GET);
        h2_accept(&peer, &lane);
        h2_answer(&peer, h2_expect_request(&peer), "next");
        sent_expect(&next, 0, "next");
        h2_close(&peer);
        lane_close(&lane);
    }
}

static void test_cancelling_one_leaves_the_others_on_its_connection_alone(void)
{
    struct lane lane;
    struct h2_peer peer;
    struct h2_frame frame;
    lane_open(&lane);
    struct sent a = sent_on(&lane), b = sent_on(&lane), c = sent_on(&lane);
    sent_begin(&a, GET);
    sent_begin(&b, GET);
    h2_accept(&peer, &lane);
    uint32_t first = h2_expect_request(&peer), second = h2_expect_request(&peer);
    sent_cancel(&a);
    sent_begin(&c, GET);
    h2_expect(&peer, H2_RST_STREAM, &frame);
    CHECK_INT(frame.stream, first);
    h2_expect_request(&peer);
    h2_answer(&peer, second, "b");
    h2_answer(&peer, peer.stream, "c");
    sent_expect(&b, 0, "b");
    sent_expect(&c, 0, "c");
    lane_expect_no_connection(&lane);
    h2_close(&peer);
    lane_close(&lane);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_response_pauses_and_goes_on);
    RUN(test_a_paused_response_holds_up_no_other);
    RUN(test_a_pause_that_was_not_announced_is_an_error);
    RUN(test_a_body_is_pulled_as_it_gets_ready);
    RUN(test_an_answer_may_come_before_the_body_is_sent);
    RUN(test_cancel_in_each_phase);
    RUN(test_cancelling_one_leaves_the_others_on_its_connection_alone);
    return 0;
}
