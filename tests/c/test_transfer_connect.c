#include "h2_peer.h"

#include <errno.h>
#include <unistd.h>

/* --- addresses --- */

static void test_the_next_address_is_tried_when_one_refuses(void)
{
    struct lane lane;
    struct h2_peer peer;
    char url[64], resolve[128];
    lane_open(&lane);
    lane.origin = lane_origin("server.test", lane.port, url);
    snprintf(resolve, sizeof resolve, "server.test:%u:127.0.0.3,127.0.0.2,127.0.0.1", lane.port);
    lane.origin.resolve = resolve;
    struct sent sent = sent_on(&lane);
    sent_get(&sent);
    h2_accept(&peer, &lane);
    h2_expect_request(&peer);
    h2_answer(&peer, peer.stream, "found");
    sent_expect(&sent, 0, "found");
    h2_close(&peer);
    lane_close(&lane);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_the_next_address_is_tried_when_one_refuses);
    return 0;
}
