/* What a pool allows its requests: limits, life times, sharing, waiting. */
#include "rig.h"

#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void serve(struct rig *rig, int peer)
{
    rig_expect(rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(rig, 0, 200, "ok");
}

static void test_requests_beyond_the_limit_wait_in_order(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 2;
    uint64_t ids[4];
    for (int i = 0; i < 4; i++) {
        ids[i] = rig_get(&rig, GET);
    }
    int peers[] = {rig_accept(&rig), rig_accept(&rig)};
    rig_settle(&rig);
    CHECK_INT(rig_counts(&rig).connections, 2);
    for (int i = 0; i < 4; i++) {
        rig_expect(&rig, peers[i % 2], GET);
        peer_send(peers[i % 2], OK);
        struct lc_exchange *exchange = rig_take(&rig);
        CHECK(exchange->op.id == ids[i]);
        CHECK_INT(exchange->err, 0);
        lc_op_free(&exchange->op);
    }
    CHECK_INT(rig_counts(&rig).opened, 2);
    CHECK_INT(rig.pool.open, 2);
    close(peers[0]);
    close(peers[1]);
    rig_close(&rig);
}

static void test_a_connection_that_breaks_makes_room(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    rig_get(&rig, GET);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    close(peer);
    rig_expect_result(&rig, LC_ECLOSED, 0, "");
    peer = rig_accept(&rig);
    serve(&rig, peer);
    close(peer);
    rig_close(&rig);
}

static void test_an_attempt_that_fails_makes_room(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    struct lc_origin *good = rig.origin;
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = 1};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &rig.origin), 0);
    rig_get(&rig, GET);
    rig.origin = good;
    rig_get(&rig, GET);
    rig_expect_result(&rig, LC_ECONNECT, 0, "");
    int peer = rig_accept(&rig);
    serve(&rig, peer);
    close(peer);
    rig_close(&rig);
}

static void test_an_idle_connection_elsewhere_makes_room(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    rig_get(&rig, GET);
    int first = rig_accept(&rig);
    serve(&rig, first);
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = rig.port, .source = "127.0.0.1"};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &rig.origin), 0);
    rig_get(&rig, GET);
    rig_expect_closed(&rig, first);
    int second = rig_accept(&rig);
    serve(&rig, second);
    CHECK_INT(rig.pool.open, 1);
    close(second);
    rig_close(&rig);
}

static void test_who_waits_can_be_cancelled(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    rig_get(&rig, GET);
    uint64_t second = rig_get(&rig, GET), third = rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    CHECK(lc_engine_cancel(rig.engine, second) == &rig);
    serve(&rig, peer);
    rig_expect(&rig, peer, GET); /* the third has the connection now */
    CHECK(lc_engine_cancel(rig.engine, third) == &rig);
    rig_expect_closed(&rig, peer);
    CHECK_INT(rig_counts(&rig).operations, 0);
    CHECK_INT(rig.pool.open, 0);
    rig_close(&rig);
}

/* Outside a turn: who was told of the room does not live to take it. */
static void test_room_goes_to_the_next_if_its_taker_is_cancelled(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    uint64_t first = rig_get(&rig, GET), second = rig_get(&rig, GET);
    rig_get(&rig, GET);
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    CHECK(lc_engine_cancel(rig.engine, first) == &rig);
    CHECK(lc_engine_cancel(rig.engine, second) == &rig);
    CHECK(lc_engine_is_dirty(rig.engine));
    rig_expect_closed(&rig, peer);
    peer = rig_accept(&rig);
    serve(&rig, peer);
    close(peer);
    rig_close(&rig);
}

static void test_the_engine_may_go_while_requests_wait(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_open = 1;
    for (int i = 0; i < 3; i++) {
        rig_get(&rig, GET);
    }
    int peer = rig_accept(&rig);
    close(peer);
    rig_close(&rig);
}

static void test_a_connection_that_is_too_old_is_not_used_again(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.lifetime_ns = 1000 * RIG_MS;
    rig_get(&rig, GET);
    int first = rig_accept(&rig);
    serve(&rig, first);
    CHECK_INT(rig.pool.idle, 1);
    rig.pool.first->opened_ns -= 1000 * RIG_MS; /* as if that much time had passed */
    rig_get(&rig, GET);
    rig_expect_closed(&rig, first);
    int second = rig_accept(&rig);
    rig.pool.first->opened_ns -= 1000 * RIG_MS;
    serve(&rig, second);
    rig_expect_closed(&rig, second); /* at the end of its request already */
    rig_close(&rig);
}

static void test_no_connection_is_kept_without_keep_alive(void)
{
    struct rig rig;
    rig_open(&rig);
    rig.pool.max_idle = 0;
    for (int i = 0; i < 2; i++) {
        rig_get(&rig, GET);
        int peer = rig_accept(&rig);
        serve(&rig, peer);
        rig_expect_closed(&rig, peer);
    }
    CHECK_INT(rig.pool.open, 0);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_requests_beyond_the_limit_wait_in_order);
    RUN(test_a_connection_that_breaks_makes_room);
    RUN(test_an_attempt_that_fails_makes_room);
    RUN(test_an_idle_connection_elsewhere_makes_room);
    RUN(test_who_waits_can_be_cancelled);
    RUN(test_room_goes_to_the_next_if_its_taker_is_cancelled);
    RUN(test_the_engine_may_go_while_requests_wait);
    RUN(test_a_connection_that_is_too_old_is_not_used_again);
    RUN(test_no_connection_is_kept_without_keep_alive);
    return 0;
}
