/* What libcurl makes of a request in HTTP/1.1, seen by a plain proxy: every byte of it. */
#include "lane.h"

#include <unistd.h>

/* A proxy that the test plays. */
static void open_proxied(struct lane *lane)
{
    lane_open(lane);
    lane->origin.connect_url = "http://origin.test:80/";
    lane->origin.host = "origin.test";
    lane->origin.proxy = lane->url;
}

/* Sends a request, expects those bytes, answers. */
static int exchange(struct lane *lane, int peer, struct sent *sent, const char *head,
                    const char *expected)
{
    sent_begin(sent, head);
    if (peer < 0) {
        peer = lane_accept(lane);
    }
    lane_expect(lane, peer, expected);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    sent_expect(sent, 0, "ok");
    return peer;
}

/* --- requests --- */

static void test_nothing_is_added_to_a_request(void)
{
    static const char *const METHODS[] = {"GET",
                                          "DELETE",
                                          "OPTIONS",
                                          "PROPFIND",
                                          "PATCH",
                                          "get",
                                          "A-METHOD-WITH-A-NAME-OF-MORE-THAN-32-BYTES",
                                          "GET"};
    struct lane lane;
    int peer = -1;
    open_proxied(&lane);
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        char head[512];
        struct sent sent = sent_on(&lane);
        snprintf(head, sizeof head,
                 "%s http://origin.test/a/../b?c=d%%20e#f HTTP/1.1\r\n"
                 "Host: origin.test\r\n"
                 "X-Empty: \r\nX-Blank:\r\nX-Colons: a:b;c\r\nx-lower:tight\r\n\r\n",
                 METHODS[i]);
        char expected[512];
        snprintf(expected, sizeof expected,
                 "%s http://origin.test/a/../b?c=d%%20e#f HTTP/1.1\r\n"
                 "Host: origin.test\r\n"
                 "X-Empty:\r\nX-Blank:\r\nX-Colons: a:b;c\r\nx-lower:tight\r\n\r\n",
                 METHODS[i]);
        peer = exchange(&lane, peer, &sent, head, expected);
    }
    lane_expect_no_connection(&lane);
    close(peer);
    lane_close(&lane);
}

static void test_what_the_caller_sets_is_sent_as_it_is(void)
{
    static const char HEAD[] = "GET http://origin.test/ HTTP/1.1\r\n"
                               "Host: other.test\r\n"
                               "User-Agent: me\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n"
                               "Connection: keep-alive\r\nCookie: a=b\r\nAuthorization: Basic x\r\n"
                               "Content-Length: 0\r\n\r\n";
    struct lane lane;
    open_proxied(&lane);
    struct sent sent = sent_on(&lane);
    close(exchange(&lane, -1, &sent, HEAD, HEAD));
    lane_close(&lane);
}

static void test_a_body_follows_its_head(void)
{
    static const char *const METHODS[] = {"PUT", "POST", "GET", "QUERY"};
    struct lane lane;
    int peer = -1;
    open_proxied(&lane);
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        struct sent sent = sent_with(&lane, "a=b", 3);
        char head[256];
        snprintf(head, sizeof head,
                 "%s http://origin.test/ HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n",
                 METHODS[i]);
        char expected[300];
        snprintf(expected, sizeof expected, "%sa=b", head);
        peer = exchange(&lane, peer, &sent, head, expected);
        CHECK_INT(sent.rewinds, 0);
    }
    close(peer);
    lane_close(&lane);
}

static void test_a_body_of_unknown_length_is_chunked(void)
{
    static const char HEAD[] = "POST http://origin.test/ HTTP/1.1\r\nHost: h\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    struct lane lane;
    char expected[256];
    open_proxied(&lane);
    struct sent sent = sent_with(&lane, "hello", 5);
    sent.unknown_len = true;
    snprintf(expected, sizeof expected, "%s5\r\nhello\r\n0\r\n\r\n", HEAD);
    close(exchange(&lane, -1, &sent, HEAD, expected));
    lane_close(&lane);
}

static void test_head_after_a_body_and_a_body_after_head(void)
{
    static const char POST[] =
        "POST http://origin.test/ HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n";
    static const char HEAD[] = "HEAD http://origin.test/ HTTP/1.1\r\nHost: h\r\n\r\n";
    struct lane lane;
    int peer = -1;
    open_proxied(&lane);
    for (int i = 0; i < 2; i++) {
        struct sent post = sent_with(&lane, "x", 1), head = sent_on(&lane);
        char expected[128];
        snprintf(expected, sizeof expected, "%sx", POST);
        peer = exchange(&lane, peer, &post, POST, expected);
        sent_begin(&head, HEAD);
        lane_expect(&lane, peer, HEAD);
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        sent_expect(&head, 0, "");
    }
    close(peer);
    lane_close(&lane);
}

/* --- responses --- */

/* What a response's head and body are told as. */
static void respond(const char *response, const char *head, const char *body)
{
    struct lane lane;
    open_proxied(&lane);
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    int peer = lane_accept(&lane);
    lane_expect(&lane, peer, "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n");
    peer_send(peer, response);
    close(peer);
    sent_await(&sent);
    CHECK_INT(sent.heads, 1);
    CHECK_BYTES(sent.head.ptr, sent.head.len, head);
    sent_expect(&sent, 0, body);
    lane_close(&lane);
}

static void test_a_response_is_told_as_it_came_without_its_transfer_coding(void)
{
    respond("HTTP/1.1 200 Fine\r\nServer: x\r\nSET-COOKIE: a=b\r\nset-cookie: c=d\r\n"
            "Content-Length: 3\r\n\r\nabc",
            "HTTP/1.1 200 Fine\r\nServer: x\r\nSET-COOKIE: a=b\r\nset-cookie: c=d\r\n"
            "Content-Length: 3\r\n\r\n",
            "abc");
    respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
            "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n", "abcde");
    respond("HTTP/1.0 404 Not Found\r\n\r\nto the end", "HTTP/1.0 404 Not Found\r\n\r\n",
            "to the end");
    respond("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", "");
}

static void test_content_is_not_decoded_and_redirects_are_not_followed(void)
{
    respond("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nSet-Cookie: a=b\r\n"
            "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip",
            "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nSet-Cookie: a=b\r\n"
            "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\n",
            "not gzip");
    respond("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", "");
}

static void test_requests_at_the_same_time_have_connections_of_their_own(void)
{
    enum { COUNT = 5 };
    struct lane lane;
    struct sent sents[COUNT];
    int peers[COUNT];
    open_proxied(&lane);
    for (int i = 0; i < COUNT; i++) {
        sents[i] = sent_on(&lane);
        sent_get(&sents[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        peers[i] = lane_accept(&lane);
        lane_expect(&lane, peers[i], "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n");
    }
    for (int i = 0; i < COUNT; i++) {
        peer_send(peers[i], "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    }
    for (int i = 0; i < COUNT; i++) {
        sent_expect(&sents[i], 0, "x");
    }
    lane_expect_no_connection(&lane);
    for (int i = 0; i < COUNT; i++) {
        close(peers[i]);
    }
    lane_close(&lane);
}

/* --- kept connections --- */

static const char GET[] = "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n";

static void test_a_kept_connection_that_was_closed_is_not_used(void)
{
    struct lane lane;
    open_proxied(&lane);
    for (int i = 0; i < 3; i++) {
        struct sent sent = sent_on(&lane);
        sent_get(&sent);
        int peer = lane_accept(&lane);
        lane_expect(&lane, peer, GET);
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        sent_expect(&sent, 0, "x");
        CHECK_INT(sent.result.resent, 0);
        close(peer);
    }
    lane_close(&lane);
}

static void test_a_request_that_died_with_a_kept_connection_is_sent_again_if_allowed(void)
{
    for (int i = 0; i < 4; i++) {
        bool with_body = i & 1, allowed = i & 2;
        struct lane lane;
        open_proxied(&lane);
        struct sent first = sent_on(&lane);
        int peer = exchange(&lane, -1, &first, GET, GET);
        struct sent sent = with_body ? sent_with(&lane, "x", 1) : sent_on(&lane);
        sent.resend = allowed;
        const char *head =
            with_body ? "POST / HTTP/1.1\r\nContent-Length: 1\r\nHost: h\r\n\r\n" : GET;
        sent_begin(&sent, head);
        lane_expect(&lane, peer, with_body ? "POST / " : GET);
        while (with_body && sent.uploaded == 0) {
            lane_turn(&lane, -1);
        }
        peer_reset(peer);
        if (allowed) {
            peer = lane_accept(&lane);
            lane_expect(&lane, peer, with_body ? "POST / " : GET);
            peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain");
            sent_expect(&sent, 0, "again");
            CHECK(!sent.result.reused);
            CHECK_INT(sent.rewinds, with_body);
            close(peer);
        } else {
            sent_expect_error(&sent, LC_ERESET, "reset");
            CHECK(sent.result.reused);
        }
        CHECK_INT(sent.result.resent, allowed);
        lane_close(&lane);
    }
}

static void test_an_end_without_a_response_is_told(void)
{
    for (int kept = 0; kept < 2; kept++) {
        struct lane lane;
        open_proxied(&lane);
        struct sent first = sent_on(&lane), sent = sent_on(&lane);
        int peer = kept ? exchange(&lane, -1, &first, GET, GET) : -1;
        sent_get(&sent);
        peer = kept ? peer : lane_accept(&lane);
        lane_expect(&lane, peer, GET);
        close(peer);
        sent_expect_error(&sent, LC_ECLOSED, "");
        CHECK_INT(sent.result.resent, 0);
        lane_close(&lane);
    }
}

static void test_a_body_that_cannot_be_read_again_is_not_sent_again(void)
{
    struct lane lane;
    open_proxied(&lane);
    struct sent first = sent_on(&lane);
    int peer = exchange(&lane, -1, &first, GET, GET);
    struct sent sent = sent_with(&lane, "x", 1);
    sent.cannot_rewind = true;
    sent.resend = 1;
    sent_begin(&sent, "POST / HTTP/1.1\r\nContent-Length: 1\r\nHost: h\r\n\r\n");
    lane_expect(&lane, peer, "POST / ");
    while (sent.uploaded == 0) {
        lane_turn(&lane, -1);
    }
    peer_reset(peer);
    sent_expect_error(&sent, LC_ERESET, "");
    lane_close(&lane);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_nothing_is_added_to_a_request);
    RUN(test_what_the_caller_sets_is_sent_as_it_is);
    RUN(test_a_body_follows_its_head);
    RUN(test_a_body_of_unknown_length_is_chunked);
    RUN(test_head_after_a_body_and_a_body_after_head);
    RUN(test_a_response_is_told_as_it_came_without_its_transfer_coding);
    RUN(test_content_is_not_decoded_and_redirects_are_not_followed);
    RUN(test_requests_at_the_same_time_have_connections_of_their_own);
    RUN(test_a_kept_connection_that_was_closed_is_not_used);
    RUN(test_a_request_that_died_with_a_kept_connection_is_sent_again_if_allowed);
    RUN(test_an_end_without_a_response_is_told);
    RUN(test_a_body_that_cannot_be_read_again_is_not_sent_again);
    return 0;
}
