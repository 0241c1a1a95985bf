/* Whole transfers when the n-th allocation fails. */
#include "lane.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* A server that answers whoever has asked; `*fd` is its connection, -1 if there is none. */
static void serve(struct lane *lane, int *fd)
{
    char got[256];
    if (*fd < 0 && lane_has_connection(lane)) {
        *fd = lane_accept(lane);
    }
    ssize_t len = *fd >= 0 ? recv(*fd, got, sizeof got, 0) : -1;
    if (len > 0) {
        peer_send(*fd, ANSWER);
    } else if (len == 0) { /* one that came to nothing */
        close(*fd);
        *fd = -1;
    }
}

/* Sends a request through a plain proxy; what became of it. */
static int request(struct lane *lane, uint64_t failing)
{
    struct sent sent = sent_on(lane);
    int fd = -1;
    CHECK_INT(lc_buf_reserve(&sent.head, 256), 0);
    CHECK_INT(lc_buf_reserve(&sent.body, 256), 0);
    lc_alloc_fail_after(failing);
    int rc = sent_try(&sent, GET);
    while (rc == 0 && sent.calls == 0) {
        serve(lane, &fd);
        lane_turn(lane, fd >= 0 ? fd : lane->listener);
    }
    lc_alloc_fail_after(0);
    if (rc == 0) {
        rc = sent.result.err;
    }
    if (rc == 0) {
        CHECK_BYTES(sent.body.ptr, sent.body.len, "ok");
    }
    if (fd >= 0) {
        close(fd);
    }
    sent_free(&sent);
    return rc;
}

static void test_any_allocation_of_a_transfer_may_fail(void)
{
    enum { ENOUGH = 24 };
    int failures = 0, rc = 0;
    for (uint64_t n = 1; n <= ENOUGH; n++) {
        struct lane lane;
        lane_open(&lane);
        lane.origin.connect_url = "http://origin.test:80/";
        lane.origin.host = "origin.test";
        lane.origin.proxy = lane.url;
        rc = request(&lane, n);
        CHECK(rc == 0 || rc == LC_ENOMEM);
        failures += rc != 0;
        CHECK_INT(request(&lane, 0), 0); /* it does no harm to the next */
        lane_close(&lane);
    }
    CHECK(failures >= 5);
    CHECK_INT(rc, 0); /* there were not so many */
}

static void test_without_memory_there_is_no_lane_and_no_scope(void)
{
    struct lane lane;
    struct lc_transfers *transfers = NULL;
    struct lc_transfer_scope *scope = NULL;
    lane_open(&lane);
    for (uint64_t n = 1; n <= 2; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_transfers_new(&lane.loop, lane.connector, &transfers), LC_ENOMEM);
        CHECK(transfers == NULL);
    }
    lc_alloc_fail_after(1);
    CHECK_INT(lc_transfer_scope_new(lane.transfers, 1, 0, &scope), LC_ENOMEM);
    CHECK(scope == NULL);
    lane_close(&lane);
}

static void test_handles_go_back_to_a_pool_of_bounded_size(void)
{
    enum { COUNT = 300 };
    struct lane lane;
    struct sent *sents = lc_alloc(COUNT * sizeof *sents);
    CHECK(sents != NULL);
    lane_open(&lane);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            sents[i] = sent_on(&lane);
            sent_begin(&sents[i], GET);
        }
        for (int i = 0; i < COUNT; i++) {
            sent_cancel(&sents[i]);
        }
    }
    lane_close(&lane);
    lc_free(sents);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_any_allocation_of_a_transfer_may_fail);
    RUN(test_without_memory_there_is_no_lane_and_no_scope);
    RUN(test_handles_go_back_to_a_pool_of_bounded_size);
    return 0;
}
