/* How transfers come to a connection: by the connector, with all that an origin says. */
#include "h2_peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One request on a new connection. */
static void exchange(struct lane *lane)
{
    struct h2_peer peer;
    struct sent sent = sent_on(lane);
    sent_get(&sent);
    h2_accept(&peer, lane);
    h2_answer(&peer, h2_expect_request(&peer), "found");
    sent_expect(&sent, 0, "found");
    h2_close(&peer);
}

static void test_the_next_address_is_tried_when_one_refuses(void)
{
    struct lane lane;
    char url[64], resolve[128];
    lane_open(&lane);
    lane.origin = lane_origin("server.test", lane.port, url);
    snprintf(resolve, sizeof resolve, "server.test:%u:127.0.0.3,127.0.0.2,127.0.0.1", lane.port);
    lane.origin.resolve = resolve;
    exchange(&lane);
    lane_close(&lane);
}

static void test_the_next_address_is_tried_when_the_owner_says_so(void)
{
    struct lane lane;
    struct sent sent;
    uint16_t port;
    char url[64];
    lane_open(&lane);
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    lane.descriptors += 2;
    lane.origin = lane_origin("127.0.0.1", port, url);
    sent = sent_on(&lane);
    sent_get(&sent);
    (void)lc_connector_turn(lane.connector);
    CHECK(!lc_transfer_next_address(sent.transfer)); /* there is but one */
    sent_cancel(&sent);
    close(full);
    close(filler);
    lane.descriptors -= 2;
    lane_close(&lane);
}

static void test_a_refusal_names_the_system_error(void)
{
    struct lane lane;
    lane_open(&lane);
    close(lane.listener);
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    sent_expect_error(&sent, LC_ECONNECT, "");
    CHECK_INT(sent.result.os_errno, ECONNREFUSED);
    CHECK_INT(sent.result.sent, 0);
    lane.listener = peer_listen(1, &lane.port);
    lane_close(&lane);
}

static void test_those_who_waited_for_a_connection_try_one_after_the_other(void)
{
    enum { COUNT = 4 };
    struct lane lane;
    struct sent sents[COUNT];
    lane_open(&lane);
    close(lane.listener);
    for (int i = 0; i < COUNT; i++) {
        sents[i] = sent_on(&lane);
        sent_get(&sents[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        sent_expect_error(&sents[i], LC_ECONNECT, "");
    }
    lane.listener = peer_listen(1, &lane.port);
    lane_close(&lane);
}

static void test_a_name_that_does_not_resolve_is_told(void)
{
    struct lane lane;
    char url[64];
    lane_open(&lane);
    lane.origin = lane_origin("a..b", lane.port, url); /* no name server is asked for that */
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    sent_await(&sent);
    CHECK_INT(sent.result.err, LC_ERESOLVE);
    CHECK_INT(sent.result.os_errno, EAI_NONAME);
    sent_free(&sent);
    lane_close(&lane);
}

static void test_a_unix_socket_takes_the_place_of_the_address(void)
{
    struct lane lane;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/lc-lane-XXXXXX", url[64];
    lane_open(&lane);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    close(lane.listener);
    lane.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(lane.listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(lane.listener, 8), 0);
    lane.origin = lane_origin("nowhere.test", 80, url);
    lane.origin.unix_socket = address.sun_path;
    exchange(&lane);
    lane_close(&lane);
    unlink(address.sun_path);
    rmdir(folder);
}

static void test_the_source_address_is_used(void)
{
    struct lane lane;
    struct h2_peer peer;
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    lane_open(&lane);
    lane.origin.source = "127.0.0.5";
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    h2_accept(&peer, &lane);
    CHECK_INT(getpeername(peer.fd, (struct sockaddr *)&from, &size), 0);
    CHECK_INT(ntohl(from.sin_addr.s_addr), 0x7f000005);
    h2_answer(&peer, h2_expect_request(&peer), "x");
    sent_expect(&sent, 0, "x");
    h2_close(&peer);
    lane_close(&lane);
}

/* libcurl does not know what tells them apart. */
static void test_origins_that_differ_in_how_to_connect_share_no_connection(void)
{
    struct lane lane;
    struct h2_peer peer, second;
    lane_open(&lane);
    struct sent a = sent_on(&lane);
    sent_get(&a);
    h2_accept(&peer, &lane);
    h2_answer(&peer, h2_expect_request(&peer), "a");
    sent_expect(&a, 0, "a");
    struct lc_origin other = lane.origin;
    other.source = "127.0.0.5";
    struct sent b = sent_on(&lane);
    b.origin = &other;
    sent_get(&b);
    h2_accept(&second, &lane);
    h2_answer(&second, h2_expect_request(&second), "b");
    sent_expect(&b, 0, "b");
    h2_close(&peer);
    h2_close(&second);
    lane_close(&lane);
}

static void test_the_environments_proxy_is_not_obeyed(void)
{
    static const char *const NAMES[] = {"http_proxy", "https_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        CHECK_INT(setenv(NAMES[i], "http://127.0.0.1:9/", 1), 0);
    }
    struct lane lane;
    lane_open(&lane);
    exchange(&lane);
    lane_close(&lane);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        CHECK_INT(unsetenv(NAMES[i]), 0);
    }
}

static void test_a_lane_can_close_while_transfers_connect(void)
{
    struct lane lane;
    lane_open(&lane);
    struct sent connecting = sent_on(&lane), waiting = sent_on(&lane);
    sent_get(&connecting);
    sent_get(&waiting);
    lc_transfers_close(lane.transfers);
    lc_transfer_scope_close(lane.scope);
    CHECK_INT(connecting.calls + waiting.calls, 0);
    lane_end(&lane);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_the_next_address_is_tried_when_one_refuses);
    RUN(test_the_next_address_is_tried_when_the_owner_says_so);
    RUN(test_a_refusal_names_the_system_error);
    RUN(test_those_who_waited_for_a_connection_try_one_after_the_other);
    RUN(test_a_name_that_does_not_resolve_is_told);
    RUN(test_a_unix_socket_takes_the_place_of_the_address);
    RUN(test_the_source_address_is_used);
    RUN(test_origins_that_differ_in_how_to_connect_share_no_connection);
    RUN(test_the_environments_proxy_is_not_obeyed);
    RUN(test_a_lane_can_close_while_transfers_connect);
    return 0;
}
