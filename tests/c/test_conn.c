#include "rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loop with connections whose other ends the test holds. */
struct bench {
    uv_loop_t loop;
    struct lc_pool pool;
    struct lc_origin origin, other;
    int64_t live;
    int descriptors;
};

/* What the callback of a connection heard last; its owner points here. */
struct heard {
    int calls, status;
    bool readable, writable;
};

static void on_event(struct lc_conn *conn, int status, bool readable, bool writable)
{
    struct heard *heard = conn->owner;
    CHECK(heard != NULL);
    *heard = (struct heard){heard->calls + 1, status, readable, writable};
}

static void bench_open(struct bench *bench, size_t max_idle)
{
    *bench = (struct bench){.origin = {.host = "a"}, .other = {.host = "b"}};
    bench->descriptors = rig_count_descriptors();
    CHECK_INT(uv_loop_init(&bench->loop), 0);
    lc_pool_init(&bench->pool, max_idle);
}

static void bench_close(struct bench *bench)
{
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_INT(bench->live, 0);
    CHECK(bench->pool.first == NULL);
    CHECK_INT(bench->pool.idle, 0);
    CHECK_INT(bench->pool.open, 0);
    CHECK_INT(uv_loop_close(&bench->loop), 0);
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

static struct lc_conn *add_conn(struct bench *bench, struct lc_origin *origin, int *peer)
{
    int pair[2];
    struct lc_conn *conn;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    CHECK(lc_pool_reserve(&bench->pool));
    CHECK_INT(
        lc_conn_open(&bench->loop, &bench->pool, origin, pair[0], on_event, &bench->live, &conn),
        0);
    CHECK_INT(conn->state, LC_CONN_BUSY);
    *peer = pair[1];
    return conn;
}

static void expect_closed(int peer)
{
    char byte;
    ssize_t got = recv(peer, &byte, 1, 0);
    /* A socket that is closed with unread bytes in it resets. */
    CHECK(got == 0 || (got < 0 && errno == ECONNRESET));
    close(peer);
}

static void test_a_released_connection_is_taken_again(void)
{
    struct bench bench;
    int peer;
    bench_open(&bench, 2);
    struct lc_conn *conn = add_conn(&bench, &bench.origin, &peer);
    conn->uses = 1;
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == NULL);
    lc_conn_release(conn);
    CHECK_INT(conn->state, LC_CONN_IDLE);
    CHECK_INT(bench.pool.idle, 1);
    CHECK(lc_pool_take(&bench.pool, &bench.other) == NULL);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conn);
    CHECK_INT(conn->state, LC_CONN_BUSY);
    CHECK_INT(conn->uses, 2);
    CHECK_INT(bench.pool.idle, 0);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == NULL);
    lc_conn_close(conn);
    CHECK_INT(bench.live, 1); /* until the loop has closed its handle */
    expect_closed(peer);
    bench_close(&bench);
}

static void test_the_connection_used_last_is_taken_first(void)
{
    struct bench bench;
    int peers[3];
    struct lc_conn *conns[3];
    bench_open(&bench, 3);
    for (int i = 0; i < 3; i++) {
        conns[i] = add_conn(&bench, &bench.origin, &peers[i]);
    }
    lc_conn_release(conns[1]);
    lc_conn_release(conns[0]);
    lc_conn_release(conns[2]);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conns[2]);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conns[0]);
    lc_conn_release(conns[2]);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conns[2]);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conns[1]);
    for (int i = 0; i < 3; i++) {
        lc_conn_close(conns[i]);
        expect_closed(peers[i]);
    }
    bench_close(&bench);
}

static void test_a_pool_keeps_as_many_as_it_may(void)
{
    struct bench bench;
    int peers[3];
    struct lc_conn *conns[3];
    bench_open(&bench, 2);
    for (int i = 0; i < 3; i++) {
        conns[i] = add_conn(&bench, &bench.origin, &peers[i]);
    }
    for (int i = 0; i < 3; i++) {
        lc_conn_release(conns[i]);
    }
    CHECK_INT(bench.pool.idle, 2);
    expect_closed(peers[2]);
    lc_pool_close(&bench.pool);
    expect_closed(peers[0]);
    expect_closed(peers[1]);
    bench_close(&bench);
}

static void test_stale_connections_are_closed_when_one_is_taken(void)
{
    struct bench bench;
    int peers[4];
    struct lc_conn *conns[4];
    bench_open(&bench, 4);
    for (int i = 0; i < 4; i++) {
        conns[i] = add_conn(&bench, i == 3 ? &bench.other : &bench.origin, &peers[i]);
    }
    for (int i = 0; i < 4; i++) {
        lc_conn_release(conns[i]);
    }
    close(peers[2]);
    peer_send(peers[1], "nobody asked");
    close(peers[3]);
    CHECK(lc_pool_take(&bench.pool, &bench.origin) == conns[0]);
    expect_closed(peers[1]);
    CHECK_INT(bench.pool.idle, 1); /* the other origin's: nobody looked at it */
    CHECK(lc_pool_take(&bench.pool, &bench.other) == NULL);
    CHECK_INT(bench.pool.idle, 0);
    lc_conn_close(conns[0]);
    expect_closed(peers[0]);
    bench_close(&bench);
}

static void test_a_closed_pool_lets_go_of_busy_connections(void)
{
    struct bench bench;
    int peers[2];
    bench_open(&bench, 2);
    struct lc_conn *busy = add_conn(&bench, &bench.origin, &peers[0]);
    lc_conn_release(add_conn(&bench, &bench.origin, &peers[1]));
    lc_pool_close(&bench.pool);
    expect_closed(peers[1]);
    CHECK(bench.pool.first == NULL);
    CHECK_INT(busy->state, LC_CONN_BUSY);
    CHECK_INT(lc_conn_write(busy, "x", 1), 1);
    lc_conn_release(busy);
    CHECK_INT(busy->state, LC_CONN_CLOSED);
    char byte;
    CHECK_INT(recv(peers[0], &byte, 1, 0), 1);
    expect_closed(peers[0]);
    bench_close(&bench);
}

static void test_closing_twice_is_closing_once(void)
{
    struct bench bench;
    int peer;
    bench_open(&bench, 2);
    struct lc_conn *conn = add_conn(&bench, &bench.origin, &peer);
    lc_conn_release(conn);
    lc_conn_close(conn);
    lc_conn_close(conn);
    CHECK_INT(bench.pool.idle, 0);
    expect_closed(peer);
    bench_close(&bench);
}

static void test_a_connection_hears_of_what_it_watches(void)
{
    struct bench bench;
    struct heard heard = {0};
    char byte;
    uint64_t arrival;
    int peer;
    bench_open(&bench, 2);
    struct lc_conn *conn = add_conn(&bench, &bench.origin, &peer);
    conn->owner = &heard;
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    CHECK_INT(heard.calls, 0);
    CHECK_INT(lc_conn_watch(conn, true), 0);
    CHECK_INT(lc_conn_watch(conn, true), 0);
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    CHECK(heard.calls == 1 && heard.status == 0 && heard.writable && !heard.readable);
    CHECK_INT(lc_conn_watch(conn, false), 0);
    peer_send(peer, "x");
    uv_run(&bench.loop, UV_RUN_NOWAIT);
    CHECK(heard.calls == 2 && heard.status == 0 && heard.readable && !heard.writable);
    CHECK_INT(lc_conn_read(conn, &byte, 1, &arrival), 1);
    CHECK_INT(lc_conn_read(conn, &byte, 1, &arrival), LC_EAGAIN);
    CHECK_BYTES(lc_conn_reason(conn), strlen(lc_conn_reason(conn)), "");
    lc_conn_close(conn);
    expect_closed(peer);
    bench_close(&bench);
}

static void test_a_release_stops_the_watch_for_writing(void)
{
    struct bench bench;
    struct heard heard = {0};
    int peer;
    bench_open(&bench, 2);
    struct lc_conn *conn = add_conn(&bench, &bench.origin, &peer);
    conn->owner = &heard;
    CHECK_INT(lc_conn_watch(conn, true), 0);
    lc_conn_release(conn);
    CHECK(conn->owner == NULL);
    CHECK(!conn->watches_write);
    uv_run(&bench.loop, UV_RUN_NOWAIT); /* on_event would miss its owner */
    CHECK_INT(heard.calls, 0);
    lc_pool_close(&bench.pool);
    expect_closed(peer);
    bench_close(&bench);
}

static void test_a_descriptor_that_cannot_be_watched_is_closed(void)
{
    struct bench bench;
    struct lc_conn *conn;
    bench_open(&bench, 2);
    /* epoll refuses regular files. */
    FILE *file = tmpfile();
    CHECK(file != NULL);
    int fd = dup(fileno(file));
    fclose(file);
    CHECK(lc_pool_reserve(&bench.pool));
    CHECK_INT(
        lc_conn_open(&bench.loop, &bench.pool, &bench.origin, fd, on_event, &bench.live, &conn),
        LC_ESYS);
    bench_close(&bench);
}

static void test_without_memory_the_descriptor_is_closed(void)
{
    struct bench bench;
    struct lc_conn *conn;
    int pair[2];
    bench_open(&bench, 2);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    lc_alloc_fail_after(1);
    CHECK(lc_pool_reserve(&bench.pool));
    CHECK_INT(lc_conn_open(&bench.loop, &bench.pool, &bench.origin, pair[0], on_event, &bench.live,
                           &conn),
              LC_ENOMEM);
    expect_closed(pair[1]);
    bench_close(&bench);
}

static void test_without_memory_for_tls_the_descriptor_is_closed(void)
{
    struct bench bench;
    struct lc_conn *conn;
    struct lc_tls_config config = {.verify = false};
    char reason[LC_TLS_REASON_MAX];
    int pair[2];
    bench_open(&bench, 2);
    CHECK_INT(lc_tls_context_new(&config, &bench.origin.tls_context, reason), 0);
    for (uint64_t n = 1; n <= 2; n++) {
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        lc_alloc_fail_after(n);
        CHECK(lc_pool_reserve(&bench.pool));
        CHECK_INT(lc_conn_open(&bench.loop, &bench.pool, &bench.origin, pair[0], on_event,
                               &bench.live, &conn),
                  LC_ENOMEM);
        expect_closed(pair[1]);
    }
    FILE *file = tmpfile();
    CHECK(file != NULL);
    int fd = dup(fileno(file));
    fclose(file);
    CHECK(lc_pool_reserve(&bench.pool));
    CHECK_INT(
        lc_conn_open(&bench.loop, &bench.pool, &bench.origin, fd, on_event, &bench.live, &conn),
        LC_ESYS);
    lc_tls_context_free(bench.origin.tls_context);
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_released_connection_is_taken_again);
    RUN(test_the_connection_used_last_is_taken_first);
    RUN(test_a_pool_keeps_as_many_as_it_may);
    RUN(test_stale_connections_are_closed_when_one_is_taken);
    RUN(test_a_closed_pool_lets_go_of_busy_connections);
    RUN(test_closing_twice_is_closing_once);
    RUN(test_a_connection_hears_of_what_it_watches);
    RUN(test_a_release_stops_the_watch_for_writing);
    RUN(test_a_descriptor_that_cannot_be_watched_is_closed);
    RUN(test_without_memory_the_descriptor_is_closed);
    RUN(test_without_memory_for_tls_the_descriptor_is_closed);
    return 0;
}
