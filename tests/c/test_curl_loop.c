#include "curl_loop.h"

#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A loop of libcurl on a loop of libuv, and a server that the test plays. */
struct bench {
    uv_loop_t uv;
    struct lc_curl_loop *loop;
    int listener, descriptors;
    uint16_t port;
    bool keeps; /* descriptors stay watched */
    char url[64];
};

/* A plain GET of the server's root; what became of it. */
struct get {
    struct lc_curl_job job;
    struct bench *bench;
    struct get *then; /* begun when this one is done */
    size_t received;
    int calls;
    CURLcode code;
    bool keep; /* not removed when done */
};

static void get_begin(struct get *get);

static void get_end(struct get *get)
{
    lc_curl_loop_remove(get->bench->loop, &get->job);
    curl_easy_cleanup(get->job.easy);
    get->job.easy = NULL;
}

static void on_done(struct lc_curl_job *job, CURLcode code)
{
    struct get *get = job->owner;
    long status = 0;
    get->calls++;
    get->code = code;
    if (code == CURLE_OK) {
        CHECK_INT(curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status), CURLE_OK);
        CHECK_INT(status, 200);
    }
    if (get->bench->keeps && code == CURLE_OK) {
        curl_socket_t fd = CURL_SOCKET_BAD;
        CHECK_INT(curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &fd), CURLE_OK);
        lc_curl_loop_keep(get->bench->loop, fd);
    }
    if (!get->keep) {
        get_end(get);
    }
    if (get->then != NULL) {
        get_begin(get->then);
    }
}

static size_t on_body(char *bytes, size_t size, size_t count, void *userp)
{
    struct get *get = userp;
    (void)bytes;
    get->received += size * count;
    return size * count;
}

static int on_close_socket(void *clientp, curl_socket_t fd)
{
    struct bench *bench = clientp;
    lc_curl_loop_forget(bench->loop, fd);
    return close(fd);
}

static void get_begin(struct get *get)
{
    get->job.owner = get;
    get->job.easy = curl_easy_init();
    CHECK(get->job.easy != NULL);
    curl_easy_setopt(get->job.easy, CURLOPT_URL, get->bench->url);
    curl_easy_setopt(get->job.easy, CURLOPT_PROXY, "");
    curl_easy_setopt(get->job.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(get->job.easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(get->job.easy, CURLOPT_WRITEDATA, get);
    if (get->bench->keeps) {
        curl_easy_setopt(get->job.easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
        curl_easy_setopt(get->job.easy, CURLOPT_CLOSESOCKETDATA, get->bench);
    }
    CHECK_INT(lc_curl_loop_add(get->bench->loop, &get->job), 0);
    CHECK_INT(get->calls, 0); /* never from inside */
}

static void bench_open(struct bench *bench)
{
    *bench = (struct bench){.descriptors = rig_count_descriptors()};
    bench->listener = peer_listen(RIG_BACKLOG, &bench->port);
    CHECK_INT(uv_loop_init(&bench->uv), 0);
    CHECK_INT(lc_curl_loop_new(&bench->uv, on_done, &bench->loop), 0);
    CHECK(lc_curl_loop_multi(bench->loop) != NULL);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/", bench->port);
}

static void bench_close(struct bench *bench)
{
    lc_curl_loop_close(bench->loop);
    while (uv_loop_close(&bench->uv) == UV_EBUSY) {
        uv_run(&bench->uv, UV_RUN_NOWAIT);
    }
    close(bench->listener);
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

/* Lets the loop run as soon as it or `fd` (-1: none) has news; calls nobody back. */
static void run(struct bench *bench, int fd)
{
    struct pollfd watched[] = {{.fd = uv_backend_fd(&bench->uv), .events = POLLIN},
                               {.fd = fd, .events = POLLIN}};
    uv_update_time(&bench->uv);
    int wait_ms = uv_backend_timeout(&bench->uv);
    bool bounded = wait_ms >= 0 && wait_ms < RIG_PATIENCE_MS;
    CHECK(poll(watched, 2, bounded ? wait_ms : RIG_PATIENCE_MS) > 0 || bounded);
    uv_run(&bench->uv, UV_RUN_NOWAIT);
}

static void await(struct bench *bench, const struct get *get)
{
    while (get->calls == 0) {
        run(bench, -1);
        lc_curl_loop_turn(bench->loop);
    }
}

static int accept_one(struct bench *bench)
{
    int fd;
    while ((fd = accept4(bench->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
        CHECK_INT(errno, EAGAIN);
        run(bench, bench->listener);
    }
    return fd;
}

static void await_request(struct bench *bench, int fd)
{
    char got[512];
    ssize_t len;
    while ((len = recv(fd, got, sizeof got - 1, 0)) < 0) {
        CHECK_INT(errno, EAGAIN);
        run(bench, fd);
    }
    CHECK(len > 0);
    got[len] = '\0';
    CHECK(strncmp(got, "GET / HTTP/1.1\r\n", 16) == 0);
}

static const char RESPONSE[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

/* --- the end of a job --- */

static void test_a_job_finishes_once_in_a_turn(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get get = {.bench = &bench};
    get_begin(&get);
    int peer = accept_one(&bench);
    await_request(&bench, peer);
    peer_send(peer, RESPONSE);
    while (get.received < 3) {
        run(&bench, -1);
    }
    CHECK_INT(get.calls, 0);
    lc_curl_loop_turn(bench.loop);
    lc_curl_loop_turn(bench.loop);
    CHECK_INT(get.calls, 1);
    CHECK_INT(get.code, CURLE_OK);
    close(peer);
    bench_close(&bench);
}

static void test_a_job_that_is_left_in_the_multi_is_told_once(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get get = {.bench = &bench, .keep = true};
    get_begin(&get);
    int peer = accept_one(&bench);
    await_request(&bench, peer);
    close(peer);
    await(&bench, &get);
    CHECK_INT(get.code, CURLE_GOT_NOTHING);
    uv_run(&bench.uv, UV_RUN_NOWAIT);
    lc_curl_loop_turn(bench.loop);
    CHECK_INT(get.calls, 1);
    get_end(&get);
    bench_close(&bench);
}

static void test_a_callback_may_begin_the_next_job_on_the_kept_connection(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get second = {.bench = &bench}, first = {.bench = &bench, .then = &second};
    get_begin(&first);
    int peer = accept_one(&bench);
    for (int i = 0; i < 2; i++) {
        await_request(&bench, peer);
        peer_send(peer, RESPONSE);
        await(&bench, i == 0 ? &first : &second);
    }
    CHECK_INT(first.code, CURLE_OK);
    CHECK_INT(second.code, CURLE_OK);
    CHECK(accept4(bench.listener, NULL, NULL, 0) < 0 && errno == EAGAIN);
    bench.descriptors++; /* the peer's */
    bench_close(&bench);
    char byte;
    CHECK_INT(recv(peer, &byte, 1, 0), 0); /* closed with the loop */
    close(peer);
}

static void test_the_timer_of_libcurl_runs(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get get = {.bench = &bench};
    get_begin(&get);
    curl_easy_setopt(get.job.easy, CURLOPT_TIMEOUT_MS, 20L);
    await(&bench, &get);
    CHECK_INT(get.code, CURLE_OPERATION_TIMEDOUT);
    bench_close(&bench);
}

/* --- removing --- */

static void test_a_removed_job_does_not_call_back(void)
{
    for (int finished = 0; finished < 2; finished++) {
        struct bench bench;
        bench_open(&bench);
        struct get get = {.bench = &bench}, other = {.bench = &bench};
        get_begin(&get);
        int peer = accept_one(&bench);
        await_request(&bench, peer);
        if (finished) {
            peer_send(peer, RESPONSE);
            while (get.received < 3) {
                run(&bench, -1);
            }
        }
        get_end(&get);
        get_begin(&other);
        int second = finished ? peer : accept_one(&bench);
        await_request(&bench, second);
        peer_send(second, RESPONSE);
        await(&bench, &other);
        CHECK_INT(other.code, CURLE_OK);
        CHECK_INT(get.calls, 0);
        close(peer);
        if (second != peer) {
            close(second);
        }
        bench_close(&bench);
    }
}

static void test_finished_jobs_leave_the_list_from_any_place(void)
{
    for (int removed = 0; removed < 3; removed++) {
        struct bench bench;
        bench_open(&bench);
        struct get gets[3] = {{.bench = &bench}, {.bench = &bench}, {.bench = &bench}};
        int peers[3];
        for (int i = 0; i < 3; i++) {
            get_begin(&gets[i]);
            peers[i] = accept_one(&bench);
            await_request(&bench, peers[i]);
        }
        for (int i = 0; i < 3; i++) {
            peer_send(peers[i], RESPONSE);
            while (gets[i].received < 3) {
                run(&bench, -1);
            }
        }
        get_end(&gets[removed]);
        lc_curl_loop_turn(bench.loop);
        for (int i = 0; i < 3; i++) {
            CHECK_INT(gets[i].calls, i != removed);
            close(peers[i]);
        }
        bench_close(&bench);
    }
}

static void test_a_job_that_was_never_added_may_be_removed(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get get = {.bench = &bench};
    get.job.easy = curl_easy_init();
    CHECK(get.job.easy != NULL);
    get_end(&get);
    CHECK_INT(get.calls, 0);
    bench_close(&bench);
}

static void test_a_handle_that_is_in_another_multi_is_not_taken(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get get = {.bench = &bench};
    get_begin(&get);
    struct lc_curl_job again = {.easy = get.job.easy};
    CHECK_INT(lc_curl_loop_add(bench.loop, &again), LC_ENOMEM);
    get_end(&get);
    bench_close(&bench);
}

/* --- kept descriptors --- */

/* One job after the other on one connection; the watch of the second one is kept. */
static int keep_connection(struct bench *bench)
{
    int peer = -1;
    for (int i = 0; i < 2; i++) {
        struct get get = {.bench = bench};
        get_begin(&get);
        peer = peer < 0 ? accept_one(bench) : peer;
        await_request(bench, peer);
        peer_send(peer, RESPONSE);
        await(bench, &get);
        CHECK_INT(get.code, CURLE_OK);
    }
    return peer;
}

static void test_a_kept_descriptor_is_not_watched_anew(void)
{
    struct bench bench;
    bench_open(&bench);
    bench.keeps = true;
    int peer = keep_connection(&bench);
    struct get get = {.bench = &bench};
    get_begin(&get);
    lc_alloc_fail_after(1); /* a watch would be the next allocation */
    await_request(&bench, peer);
    peer_send(peer, RESPONSE);
    await(&bench, &get);
    CHECK_INT(get.code, CURLE_OK);
    lc_alloc_fail_after(0);
    close(peer);
    bench_close(&bench);
}

static void test_news_of_a_kept_descriptor_wake_nobody_twice(void)
{
    struct bench bench;
    bench_open(&bench);
    bench.keeps = true;
    close(keep_connection(&bench));
    run(&bench, -1);
    uv_run(&bench.uv, UV_RUN_NOWAIT);
    struct pollfd backend = {.fd = uv_backend_fd(&bench.uv), .events = POLLIN};
    CHECK_INT(poll(&backend, 1, 0), 0);
    struct get get = {.bench = &bench};
    get_begin(&get);
    int peer = accept_one(&bench);
    await_request(&bench, peer);
    peer_send(peer, RESPONSE);
    await(&bench, &get);
    CHECK_INT(get.code, CURLE_OK);
    close(peer);
    bench_close(&bench);
}

static void test_a_descriptor_that_is_not_known_may_be_forgotten(void)
{
    struct bench bench;
    bench_open(&bench);
    lc_curl_loop_forget(bench.loop, 1000);
    lc_curl_loop_keep(bench.loop, 10);
    lc_curl_loop_forget(bench.loop, 5);
    lc_curl_loop_forget(bench.loop, 10);
    lc_alloc_fail_after(1);
    lc_curl_loop_keep(bench.loop, 100000);
    lc_curl_loop_forget(bench.loop, 100000);
    bench_close(&bench);
}

/* --- without memory --- */

static void test_without_memory_there_is_no_loop(void)
{
    struct bench bench;
    struct lc_curl_loop *loop = NULL;
    bench_open(&bench);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_curl_loop_new(&bench.uv, on_done, &loop), LC_ENOMEM);
    CHECK(loop == NULL);
    bench_close(&bench);
}

static void test_a_job_whose_descriptor_cannot_be_watched_fails_alone(void)
{
    struct bench bench;
    bench_open(&bench);
    struct get failed = {.bench = &bench}, fine = {.bench = &bench};
    get_begin(&failed);
    lc_alloc_fail_after(1); /* the next allocation is the watch of its socket */
    await(&bench, &failed);
    CHECK_INT(failed.code, CURLE_OUT_OF_MEMORY);
    get_begin(&fine);
    close(accept_one(&bench)); /* the failed one's */
    int peer = accept_one(&bench);
    await_request(&bench, peer);
    peer_send(peer, RESPONSE);
    await(&bench, &fine);
    CHECK_INT(fine.code, CURLE_OK);
    close(peer);
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_a_job_finishes_once_in_a_turn);
    RUN(test_a_job_that_is_left_in_the_multi_is_told_once);
    RUN(test_a_callback_may_begin_the_next_job_on_the_kept_connection);
    RUN(test_the_timer_of_libcurl_runs);
    RUN(test_a_removed_job_does_not_call_back);
    RUN(test_finished_jobs_leave_the_list_from_any_place);
    RUN(test_a_job_that_was_never_added_may_be_removed);
    RUN(test_a_handle_that_is_in_another_multi_is_not_taken);
    RUN(test_a_kept_descriptor_is_not_watched_anew);
    RUN(test_news_of_a_kept_descriptor_wake_nobody_twice);
    RUN(test_a_descriptor_that_is_not_known_may_be_forgotten);
    RUN(test_without_memory_there_is_no_loop);
    RUN(test_a_job_whose_descriptor_cannot_be_watched_fails_alone);
    return 0;
}
