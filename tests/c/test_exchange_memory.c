/* Whole requests whose n-th allocation fails, for every n. */
#include "rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* Uses up what lc_alloc_fail_after(n) has left; true if the n-th allocation had not come yet. */
static bool failure_was_still_ahead(uint64_t n)
{
    bool failed = false;
    for (uint64_t i = 0; i < n && !failed; i++) {
        void *block = lc_alloc(1);
        failed = block == NULL;
        lc_free(block);
    }
    lc_alloc_fail_after(0);
    return failed;
}

/* Lets server and engine act until the request has ended, however it ends. Connections of a
 * request before it may still wait to be accepted, and are found closed. */
static struct lc_exchange *serve_to_the_end(struct rig *rig)
{
    int peer = -1;
    struct lc_op *op;
    while ((op = lc_engine_take(rig->engine)) == NULL) {
        char into[256];
        ssize_t got = 0;
        if (peer < 0) {
            peer = accept(rig->listener, NULL, NULL);
        } else if ((got = recv(peer, into, sizeof into, MSG_DONTWAIT)) > 0) {
            peer_send(peer, OK);
        } else if (got == 0 || errno != EAGAIN) {
            close(peer);
            peer = -1;
        }
        rig_turn(rig, peer >= 0 ? peer : rig->listener);
    }
    if (peer >= 0) {
        close(peer);
    }
    return (struct lc_exchange *)op;
}

static void test_any_allocation_of_a_request_may_fail(void)
{
    int failures = 0;
    bool ahead = false;
    for (uint64_t n = 1; !ahead; n++) {
        struct rig rig;
        rig_open(&rig);
        struct lc_request request = rig_request(&rig, GET);
        uint64_t id;
        lc_alloc_fail_after(n);
        int rc = lc_engine_submit(rig.engine, &request, &id);
        if (rc < 0) {
            CHECK_INT(rc, LC_ENOMEM);
            lc_buf_free(&request.wire);
            failures++;
        } else {
            struct lc_exchange *exchange = serve_to_the_end(&rig);
            CHECK(exchange->err == 0 || exchange->err == LC_ENOMEM || exchange->err == LC_ECONNECT);
            failures += exchange->err != 0;
            lc_op_free(&exchange->op);
        }
        ahead = failure_was_still_ahead(n);
        CHECK(n < 100);
        /* The engine is as good as new. */
        rig_settle(&rig);
        rig_get(&rig, GET);
        struct lc_exchange *exchange = serve_to_the_end(&rig);
        CHECK_INT(exchange->err, 0);
        CHECK_INT(exchange->response.status, 200);
        lc_op_free(&exchange->op);
        rig_close(&rig);
    }
    CHECK(failures >= 8);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_any_allocation_of_a_request_may_fail);
    return 0;
}
