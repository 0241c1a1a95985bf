/* A process that forks with an engine in the middle of its work. */
#include "rig.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* Runs in a child, which does not run the parent's exit handlers; what it returns is its status. */
typedef int (*child_main)(struct rig *rig, uint64_t pending);

static void run_in_child(child_main body, struct rig *rig, uint64_t pending)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        _exit(body(rig, pending));
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

/* The number of the first call that did not refuse; 0 if all did. */
static int call_everything(struct rig *rig, uint64_t pending)
{
    uint64_t id = 0;
    struct lc_request request = rig_request(rig, GET);
    if (lc_engine_is_ours(rig->engine)) {
        return 1;
    }
    if (lc_engine_turn(rig->engine) != LC_EFORKED) {
        return 2;
    }
    if (lc_engine_submit(rig->engine, &request, &id) != LC_EFORKED || request.wire.len == 0) {
        return 3;
    }
    if (lc_engine_sleep(rig->engine, 0, rig, &id) != LC_EFORKED || id != 0) {
        return 4;
    }
    if (lc_engine_cancel(rig->engine, pending) != NULL) {
        return 5;
    }
    lc_engine_free(rig->engine);
    return 0;
}

static int make_idle_connection(struct rig *rig)
{
    rig_get(rig, GET);
    int peer = rig_accept(rig);
    rig_expect(rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(rig, 0, 200, "ok");
    return peer;
}

static void test_a_forked_child_is_refused_and_the_parent_goes_on(void)
{
    struct rig rig;
    rig_open(&rig);
    int idle = make_idle_connection(&rig);
    rig_get(&rig, GET);
    rig_expect(&rig, idle, GET);
    uint64_t pending = rig_get(&rig, GET); /* by a second connection */
    int peer = rig_accept(&rig);
    rig_expect(&rig, peer, GET);
    peer_send(idle, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 1);

    run_in_child(call_everything, &rig, pending);

    /* The request in flight is answered, and both connections are still watched. */
    struct pollfd quiet = {.fd = peer, .events = POLLIN};
    CHECK_INT(poll(&quiet, 1, 0), 0);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig.pool.idle, 2);
    close(idle);
    rig_turn(&rig, -1);
    CHECK_INT(rig.pool.idle, 1);
    rig_get(&rig, GET);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    CHECK_INT(rig_counts(&rig).opened, 2);
    close(peer);
    rig_close(&rig);
}

static int use_an_engine_of_its_own(struct rig *ignored, uint64_t pending)
{
    (void)ignored;
    (void)pending;
    struct rig rig;
    rig_open(&rig);
    int peer = make_idle_connection(&rig);
    close(peer);
    rig_close(&rig);
    return 0;
}

static void test_a_child_may_have_an_engine_of_its_own(void)
{
    struct rig rig;
    rig_open(&rig);
    int peer = make_idle_connection(&rig);
    run_in_child(use_an_engine_of_its_own, &rig, 0);
    rig_get(&rig, GET);
    rig_expect(&rig, peer, GET);
    peer_send(peer, OK);
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_forked_child_is_refused_and_the_parent_goes_on);
    RUN(test_a_child_may_have_an_engine_of_its_own);
    return 0;
}
