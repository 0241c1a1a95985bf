#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static uint64_t begin_sleep(struct rig *rig, uint64_t ns, void *data)
{
    uint64_t id;
    CHECK_INT(lc_engine_sleep(rig->engine, ns, data, &id), 0);
    return id;
}

static struct lc_op *take_any(struct rig *rig)
{
    struct lc_op *op;
    while ((op = lc_engine_take(rig->engine)) == NULL) {
        rig_turn(rig, -1);
    }
    return op;
}

/* --- sleeps --- */

static void test_an_engine_at_rest_waits_for_its_descriptor(void)
{
    struct rig rig;
    rig_open(&rig);
    CHECK(lc_engine_wait_ns(rig.engine) == UINT64_MAX);
    CHECK(!lc_engine_is_dirty(rig.engine));
    CHECK(lc_engine_fd(rig.engine) >= 0);
    CHECK(lc_engine_is_ours(rig.engine));
    CHECK_INT(lc_engine_turn(rig.engine), 0);
    CHECK(lc_engine_take(rig.engine) == NULL);
    rig_close(&rig);
    lc_engine_free(NULL);
    lc_op_free(NULL);
}

static void test_sleeps_complete_in_order_and_not_early(void)
{
    struct rig rig;
    int data[3];
    rig_open(&rig);
    uint64_t start = lc_now_ns();
    begin_sleep(&rig, 120 * RIG_MS, &data[2]);
    begin_sleep(&rig, 0, &data[0]);
    uint64_t second = begin_sleep(&rig, 50 * RIG_MS, &data[1]);
    CHECK_INT(rig_counts(&rig).operations, 3);
    CHECK_INT(lc_engine_wait_ns(rig.engine), 0);
    for (int i = 0; i < 3; i++) {
        struct lc_op *op = take_any(&rig);
        CHECK(op->data == &data[i]);
        CHECK_INT(op->kind, LC_OP_SLEEP);
        CHECK(i != 1 || (op->id == second && lc_now_ns() - start >= 50 * RIG_MS));
        CHECK(i != 2 || lc_now_ns() - start >= 120 * RIG_MS);
        lc_op_free(op);
    }
    CHECK_INT(rig_counts(&rig).operations, 0);
    CHECK(lc_engine_wait_ns(rig.engine) == UINT64_MAX);
    rig_close(&rig);
}

static void test_the_wait_ends_with_the_first_sleep(void)
{
    struct rig rig;
    rig_open(&rig);
    begin_sleep(&rig, 1000 * RIG_MS, NULL);
    begin_sleep(&rig, 100 * RIG_MS, NULL);
    uint64_t wait_ns = lc_engine_wait_ns(rig.engine);
    CHECK(wait_ns > 0 && wait_ns <= 100 * RIG_MS);
    rig_close(&rig); /* and drops both */
}

static void test_a_sleep_without_end_can_be_cancelled(void)
{
    struct rig rig;
    int data;
    rig_open(&rig);
    uint64_t id = begin_sleep(&rig, UINT64_MAX, &data);
    rig_settle(&rig);
    CHECK(lc_engine_take(rig.engine) == NULL);
    CHECK(lc_engine_cancel(rig.engine, id) == &data);
    CHECK(lc_engine_wait_ns(rig.engine) == UINT64_MAX);
    rig_close(&rig);
}

/* --- ids --- */

static void test_a_stale_id_finds_nothing(void)
{
    struct rig rig;
    int data;
    rig_open(&rig);
    uint64_t first = begin_sleep(&rig, UINT64_MAX, &data);
    CHECK(lc_engine_cancel(rig.engine, first) == &data);
    uint64_t second = begin_sleep(&rig, UINT64_MAX, &data);
    CHECK_INT((uint32_t)second, (uint32_t)first); /* the same slot */
    CHECK(second != first);
    CHECK(lc_engine_cancel(rig.engine, first) == NULL);
    CHECK(lc_engine_cancel(rig.engine, 0) == NULL);
    CHECK(lc_engine_cancel(rig.engine, UINT64_MAX) == NULL);
    CHECK(lc_engine_cancel(rig.engine, second) == &data);
    CHECK(lc_engine_cancel(rig.engine, second) == NULL);
    rig_close(&rig);
}

static void test_ids_of_many_operations_are_distinct(void)
{
    enum { COUNT = 300 }; /* more than the first two sizes of the register */
    struct rig rig;
    uint64_t ids[COUNT];
    rig_open(&rig);
    for (size_t i = 0; i < COUNT; i++) {
        ids[i] = begin_sleep(&rig, UINT64_MAX, &ids[i]);
    }
    CHECK_INT(rig_counts(&rig).operations, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        size_t at = i * 7 % COUNT;
        CHECK(lc_engine_cancel(rig.engine, ids[at]) == &ids[at]);
    }
    CHECK_INT(rig_counts(&rig).operations, 0);
    rig_close(&rig);
}

static void test_what_was_taken_is_no_longer_known(void)
{
    struct rig rig;
    rig_open(&rig);
    uint64_t id = begin_sleep(&rig, 0, &rig);
    struct lc_op *op = take_any(&rig);
    CHECK_INT(op->id, id);
    CHECK(lc_engine_cancel(rig.engine, id) == NULL);
    lc_op_free(op);
    rig_close(&rig);
}

/* --- the completed list --- */

static void test_any_place_of_the_completed_list_can_be_cancelled(void)
{
    enum { COUNT = 4 };
    for (int gone = 0; gone < COUNT; gone++) {
        struct rig rig;
        uint64_t ids[COUNT];
        rig_open(&rig);
        for (int i = 0; i < COUNT; i++) {
            ids[i] = begin_sleep(&rig, (uint64_t)i, &ids[i]);
        }
        do {
            rig_turn(&rig, -1);
        } while (lc_engine_wait_ns(rig.engine) > 0);
        rig_settle(&rig);
        CHECK_INT(lc_engine_wait_ns(rig.engine), 0); /* since completed ones wait */
        CHECK(lc_engine_cancel(rig.engine, ids[gone]) == &ids[gone]);
        for (int i = 0; i < COUNT; i++) {
            if (i != gone) {
                struct lc_op *op = lc_engine_take(rig.engine);
                CHECK(op != NULL && op->data == &ids[i]);
                lc_op_free(op);
            }
        }
        CHECK(lc_engine_take(rig.engine) == NULL);
        begin_sleep(&rig, 0, NULL);
        lc_op_free(take_any(&rig)); /* the list's end is in order */
        rig_close(&rig);
    }
}

/* --- failing allocations --- */

static void test_without_memory_there_is_no_engine(void)
{
    struct lc_engine *engine = NULL;
    int descriptors = rig_count_descriptors();
    for (uint64_t n = 1; n <= 2; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_engine_new(&engine), LC_ENOMEM);
        CHECK(engine == NULL);
        CHECK_INT(rig_count_descriptors(), descriptors);
    }
}

static void test_without_memory_there_is_no_sleep(void)
{
    struct rig rig;
    uint64_t id = 7;
    rig_open(&rig);
    for (uint64_t n = 1; n <= 3; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_engine_sleep(rig.engine, 0, &rig, &id), LC_ENOMEM);
        CHECK_INT(id, 7);
        CHECK_INT(rig_counts(&rig).operations, 0);
        rig_close(&rig);
        rig_open(&rig);
    }
    begin_sleep(&rig, 0, &rig);
    lc_op_free(take_any(&rig));
    rig_close(&rig);
}

static void test_without_memory_a_request_stays_the_callers(void)
{
    struct rig rig;
    uint64_t id = 7;
    rig_open(&rig);
    for (uint64_t n = 1; n <= 2; n++) {
        struct lc_request request = rig_request(&rig, GET);
        lc_alloc_fail_after(n);
        CHECK_INT(lc_engine_submit(rig.engine, &request, &id), LC_ENOMEM);
        CHECK_INT(id, 7);
        CHECK_BYTES(request.wire.ptr, request.wire.len, GET);
        lc_buf_free(&request.wire);
    }
    CHECK_INT(rig_counts(&rig).operations, 0);
    rig_close(&rig);
}

/* --- cancelling requests --- */

/* Turns without a wait for a result, until the server has accepted and read the request. */
static int accept_request(struct rig *rig)
{
    int peer = rig_accept(rig);
    rig_expect(rig, peer, GET);
    return peer;
}

static void cancel(struct rig *rig, uint64_t id)
{
    CHECK(lc_engine_cancel(rig->engine, id) == rig);
    CHECK(lc_engine_cancel(rig->engine, id) == NULL);
    CHECK_INT(rig_counts(rig).operations, 0);
    rig_settle(rig);
    CHECK(lc_engine_take(rig->engine) == NULL);
}

static void test_cancel_before_the_attempt_has_begun(void)
{
    struct rig rig;
    rig_open(&rig);
    uint64_t id = rig_get(&rig, GET);
    CHECK(lc_engine_is_dirty(rig.engine));
    CHECK_INT(lc_engine_wait_ns(rig.engine), 0);
    cancel(&rig, id);
    CHECK_INT(rig_counts(&rig).opened, 0);
    rig_close(&rig);
}

static void test_cancel_while_connecting(void)
{
    struct rig rig;
    uint16_t port;
    rig_open(&rig);
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = port};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &rig.origin), 0);
    uint64_t id = rig_get(&rig, GET);
    rig_settle(&rig);
    CHECK_INT(rig_counts(&rig).opened, 0);
    CHECK_INT(rig_counts(&rig).operations, 1);
    cancel(&rig, id);
    close(filler);
    close(full);
    rig_close(&rig);
}

static void test_cancel_while_sending(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_request request = rig_request(&rig, GET);
    request.wire.max = 32 << 20;
    size_t body = (16 << 20) - request.wire.len;
    CHECK_INT(lc_buf_reserve(&request.wire, body), 0);
    memset(request.wire.ptr + request.wire.len, 'b', body);
    request.wire.len += body;
    uint64_t id = rig_begin(&rig, &request);
    int peer = rig_accept(&rig);
    rig_settle(&rig);
    cancel(&rig, id);
    CHECK_INT(rig_counts(&rig).connections, 0);
    peer_reset(peer);
    rig_close(&rig);
}

static void test_cancel_while_receiving(void)
{
    struct rig rig;
    rig_open(&rig);
    uint64_t id = rig_get(&rig, GET);
    int peer = accept_request(&rig);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha");
    rig_turn(&rig, -1);
    cancel(&rig, id);
    rig_expect_closed(&rig, peer);
    CHECK_INT(rig_counts(&rig).connections, 0);
    rig_close(&rig);
}

static void test_cancel_of_a_completed_request_keeps_its_connection(void)
{
    struct rig rig;
    rig_open(&rig);
    uint64_t id = rig_get(&rig, GET);
    int peer = accept_request(&rig);
    peer_send(peer, OK);
    rig_turn(&rig, -1);
    CHECK_INT(rig.pool.idle, 1);
    cancel(&rig, id);
    rig_get(&rig, GET);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig_counts(&rig).opened, 1);
    close(peer);
    rig_close(&rig);
}

/* --- the end of an engine --- */

static void test_an_engine_can_end_with_everything_in_flight(void)
{
    struct rig rig;
    rig_open(&rig);
    /* One idle, one receiving, one completed, one connecting, one not begun, one asleep. */
    rig_get(&rig, GET);
    rig_get(&rig, GET);
    rig_get(&rig, GET);
    int idle = accept_request(&rig), receiving = accept_request(&rig);
    int completed = accept_request(&rig);
    peer_send(idle, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    peer_send(completed, OK);
    peer_send(receiving, "HTTP/1.1 200 OK\r\n");
    rig_settle(&rig);
    CHECK_INT(rig.pool.idle, 2);
    struct lc_request other = rig_request(&rig, GET);
    uint16_t port;
    int full = peer_listen(0, &port);
    int filler = peer_fill_backlog(port);
    struct lc_origin_spec spec = {.host = "127.0.0.1", .port = port};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &other.origin), 0);
    rig_begin(&rig, &other);
    rig_settle(&rig);
    struct lc_request last = rig_request(&rig, GET);
    last.origin = other.origin;
    rig_begin(&rig, &last);
    begin_sleep(&rig, UINT64_MAX, NULL);
    CHECK_INT(rig_counts(&rig).operations, 5);
    CHECK_INT(rig_counts(&rig).connections, 3);
    int peers[] = {idle, receiving, completed, full, filler};
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        close(peers[i]);
    }
    rig_close(&rig);
}

static void test_an_engine_may_end_before_its_pools(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_get(&rig, GET);
    int peer = accept_request(&rig);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);
    lc_engine_free(rig.engine);
    CHECK(rig.pool.first == NULL);
    CHECK_INT(rig.pool.idle, 0);
    lc_pool_close(&rig.pool);
    close(peer);
    close(rig.listener);
    CHECK_INT(rig_count_descriptors(), rig.descriptors);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_an_engine_at_rest_waits_for_its_descriptor);
    RUN(test_sleeps_complete_in_order_and_not_early);
    RUN(test_the_wait_ends_with_the_first_sleep);
    RUN(test_a_sleep_without_end_can_be_cancelled);
    RUN(test_a_stale_id_finds_nothing);
    RUN(test_ids_of_many_operations_are_distinct);
    RUN(test_what_was_taken_is_no_longer_known);
    RUN(test_any_place_of_the_completed_list_can_be_cancelled);
    RUN(test_without_memory_there_is_no_engine);
    RUN(test_without_memory_there_is_no_sleep);
    RUN(test_without_memory_a_request_stays_the_callers);
    RUN(test_cancel_before_the_attempt_has_begun);
    RUN(test_cancel_while_connecting);
    RUN(test_cancel_while_sending);
    RUN(test_cancel_while_receiving);
    RUN(test_cancel_of_a_completed_request_keeps_its_connection);
    RUN(test_an_engine_can_end_with_everything_in_flight);
    RUN(test_an_engine_may_end_before_its_pools);
    return 0;
}
