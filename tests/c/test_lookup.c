#include "lookup.h"
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAMES_MAX = 64 };

/* A resolver that answers when the test says so. Names: "fail-<EAI>" fails so, others have an IPv6
 * and two IPv4 addresses. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open; /* the gate that calls wait at */
    int running, running_most, begun;
    char names[NAMES_MAX][32]; /* in the order in which calls began */
    int released;
    sigset_t mask; /* of the thread that called last */
} resolver = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Threads of a test before, for which nobody had to wait, leave first. */
static void resolver_reset(bool open)
{
    pthread_mutex_lock(&resolver.mutex);
    resolver.open = true;
    pthread_cond_broadcast(&resolver.changed);
    while (resolver.running > 0) {
        pthread_cond_wait(&resolver.changed, &resolver.mutex);
    }
    resolver.open = open;
    resolver.running_most = resolver.begun = resolver.released = 0;
    pthread_mutex_unlock(&resolver.mutex);
}

static void resolver_open(void)
{
    pthread_mutex_lock(&resolver.mutex);
    resolver.open = true;
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.mutex);
}

/* Waits until that many calls have begun, or lists have been given back. */
static void resolver_await(const int *counter, int count)
{
    pthread_mutex_lock(&resolver.mutex);
    while (*counter < count) {
        pthread_cond_wait(&resolver.changed, &resolver.mutex);
    }
    CHECK_INT(*counter, count);
    pthread_mutex_unlock(&resolver.mutex);
}

static int pass_gate(const char *host)
{
    pthread_mutex_lock(&resolver.mutex);
    CHECK(resolver.begun < NAMES_MAX);
    snprintf(resolver.names[resolver.begun], sizeof resolver.names[0], "%s", host);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &resolver.mask), 0);
    resolver.begun++;
    resolver.running++;
    if (resolver.running > resolver.running_most) {
        resolver.running_most = resolver.running;
    }
    pthread_cond_broadcast(&resolver.changed);
    while (!resolver.open) {
        pthread_cond_wait(&resolver.changed, &resolver.mutex);
    }
    resolver.running--;
    pthread_cond_broadcast(&resolver.changed);
    int eai = strncmp(host, "fail", 4) == 0 ? atoi(host + 4) : 0;
    pthread_mutex_unlock(&resolver.mutex);
    return eai;
}

static void release_list(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;
        free(found->ai_addr);
        free(found);
        found = next;
    }
    pthread_mutex_lock(&resolver.mutex);
    resolver.released++;
    pthread_cond_broadcast(&resolver.changed);
    pthread_mutex_unlock(&resolver.mutex);
}

static struct addrinfo *entry(const char *text, struct addrinfo *next)
{
    struct lc_address address;
    CHECK(lc_address_parse(lc_sv_of(text), 0, &address));
    struct addrinfo *info = calloc(1, sizeof *info);
    CHECK(info != NULL);
    info->ai_addr = malloc(address.len);
    CHECK(info->ai_addr != NULL);
    memcpy(info->ai_addr, &address.socket, address.len);
    info->ai_addrlen = address.len;
    info->ai_next = next;
    return info;
}

static int resolve(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found)
{
    CHECK(service == NULL);
    CHECK_INT(hints->ai_socktype, SOCK_STREAM);
    int eai = pass_gate(host);
    if (eai == EAI_SYSTEM) {
        errno = EMFILE;
    }
    if (eai == 0) {
        *found = entry("2001:db8::1", entry("192.0.2.1", entry("192.0.2.2", NULL)));
    }
    return eai;
}

static const struct lc_lookup_config GATED = {.resolve = resolve, .release = release_list};

/* --- a loop with look-ups --- */

struct bench {
    uv_loop_t loop;
    struct lc_lookups *lookups;
    int descriptors;
};

struct outcome {
    int calls, err, eai, os_errno;
    size_t count;
    uint64_t duration_ns;
    char reason[64], first[LC_ADDRESS_TEXT_MAX], last[LC_ADDRESS_TEXT_MAX];
    struct lc_lookup **to_cancel; /* from inside the callback */
};

static void on_done(void *owner, const struct lc_lookup_result *result)
{
    struct outcome *outcome = owner;
    outcome->calls++;
    outcome->err = result->err;
    outcome->eai = result->eai;
    outcome->os_errno = result->os_errno;
    outcome->count = result->count;
    outcome->duration_ns = result->duration_ns;
    snprintf(outcome->reason, sizeof outcome->reason, "%s", result->reason);
    if (result->count > 0) {
        lc_address_format(&result->addresses[0], outcome->first);
        lc_address_format(&result->addresses[result->count - 1], outcome->last);
    }
    if (outcome->to_cancel != NULL) {
        lc_lookup_cancel(*outcome->to_cancel);
    }
}

static void bench_open(struct bench *bench, const struct lc_lookup_config *config)
{
    *bench = (struct bench){.descriptors = rig_count_descriptors()};
    CHECK_INT(uv_loop_init(&bench->loop), 0);
    CHECK_INT(lc_lookups_new(&bench->loop, config, on_done, &bench->lookups), 0);
    CHECK(!uv_loop_alive(&bench->loop));
}

static void bench_close(struct bench *bench)
{
    lc_lookups_close(bench->lookups);
    while (uv_loop_close(&bench->loop) == UV_EBUSY) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    CHECK_INT(rig_count_descriptors(), bench->descriptors);
}

static struct lc_lookup *start(struct bench *bench, const char *host, struct outcome *outcome)
{
    struct lc_lookup *lookup = NULL;
    CHECK_INT(lc_lookup_start(bench->lookups, host, AF_UNSPEC, outcome, &lookup), 0);
    CHECK_INT(outcome->calls, 0); /* never from inside */
    CHECK(uv_loop_alive(&bench->loop));
    return lookup;
}

static void await(struct bench *bench, const struct outcome *outcome)
{
    while (outcome->calls == 0) {
        CHECK(uv_run(&bench->loop, UV_RUN_ONCE) != 0 || outcome->calls > 0);
    }
    CHECK_INT(outcome->calls, 1);
}

static void await_threads(struct bench *bench, size_t count)
{
    struct pollfd nothing = {.fd = -1};
    while (lc_lookups_threads(bench->lookups) != count) {
        CHECK_INT(poll(&nothing, 1, 1), 0);
    }
}

/* --- results --- */

static void test_all_addresses_come_in_order(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    resolver_reset(true);
    bench_open(&bench, &GATED);
    uint64_t before = lc_now_ns();
    start(&bench, "name.test", &outcome);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK_INT(outcome.eai, 0);
    CHECK_INT(outcome.count, 3);
    CHECK_BYTES(outcome.first, strlen(outcome.first), "2001:db8::1");
    CHECK_BYTES(outcome.last, strlen(outcome.last), "192.0.2.2");
    CHECK_BYTES(outcome.reason, strlen(outcome.reason), "");
    CHECK(outcome.duration_ns > 0 && outcome.duration_ns <= lc_now_ns() - before);
    CHECK(!uv_loop_alive(&bench.loop));
    bench_close(&bench);
    CHECK_INT(resolver.released, 1);
}

static void test_failures_are_told_apart(void)
{
    static const int CODES[] = {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_SYSTEM};
    struct bench bench;
    resolver_reset(true);
    bench_open(&bench, &GATED);
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        struct outcome outcome = {0};
        char name[16];
        snprintf(name, sizeof name, "fail%d", CODES[i]);
        start(&bench, name, &outcome);
        await(&bench, &outcome);
        CHECK_INT(outcome.err, LC_ERESOLVE);
        CHECK_INT(outcome.eai, CODES[i]);
        CHECK_INT(outcome.count, 0);
        bool is_system = CODES[i] == EAI_SYSTEM;
        CHECK_INT(outcome.os_errno, is_system ? EMFILE : 0);
        const char *words = is_system ? strerror(EMFILE) : gai_strerror(CODES[i]);
        CHECK_BYTES(outcome.reason, strlen(outcome.reason), words);
    }
    bench_close(&bench);
}

static void test_the_systems_resolver_is_the_default(void)
{
    struct bench bench;
    struct outcome found = {0}, unknown = {0};
    bench_open(&bench, NULL);
    start(&bench, "localhost", &found);
    start(&bench, "a..b", &unknown); /* no name server is asked for an empty label */
    await(&bench, &found);
    await(&bench, &unknown);
    CHECK_INT(found.err, 0);
    CHECK(found.count > 0);
    CHECK_INT(unknown.err, LC_ERESOLVE);
    CHECK(unknown.reason[0] != '\0');
    bench_close(&bench);
}

/* --- joined --- */

static void test_equal_look_ups_in_flight_are_one(void)
{
    struct bench bench;
    struct outcome equal[3] = {{0}}, other_name = {0}, other_family = {0};
    struct lc_lookup *lookup;
    resolver_reset(false);
    bench_open(&bench, &GATED);
    for (int i = 0; i < 3; i++) {
        start(&bench, "name.test", &equal[i]);
    }
    start(&bench, "other.test", &other_name);
    CHECK_INT(lc_lookup_start(bench.lookups, "name.test", AF_INET, &other_family, &lookup), 0);
    resolver_await(&resolver.begun, 3);
    resolver_open();
    for (int i = 0; i < 3; i++) {
        await(&bench, &equal[i]);
        CHECK_INT(equal[i].count, 3);
    }
    CHECK(equal[0].duration_ns >= equal[2].duration_ns);
    await(&bench, &other_name);
    await(&bench, &other_family);
    CHECK_INT(resolver.begun, 3);
    bench_close(&bench);
}

static void test_nothing_is_remembered(void)
{
    struct bench bench;
    resolver_reset(true);
    bench_open(&bench, &GATED);
    for (int i = 1; i <= 3; i++) {
        struct outcome outcome = {0};
        start(&bench, "name.test", &outcome);
        await(&bench, &outcome);
        CHECK_INT(resolver.begun, i);
    }
    CHECK_INT(lc_lookups_threads(bench.lookups), 1); /* the same thread did all */
    bench_close(&bench);
}

/* --- threads --- */

static void test_eight_run_and_the_others_wait_in_line(void)
{
    enum { COUNT = 20 };
    struct bench bench;
    struct outcome outcomes[COUNT] = {{0}};
    char name[32];
    resolver_reset(false);
    bench_open(&bench, &GATED);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "name%d.test", i);
        start(&bench, name, &outcomes[i]);
    }
    resolver_await(&resolver.begun, LC_LOOKUP_THREADS);
    CHECK_INT(lc_lookups_threads(bench.lookups), LC_LOOKUP_THREADS);
    resolver_open();
    for (int i = 0; i < COUNT; i++) {
        await(&bench, &outcomes[i]);
        CHECK_INT(outcomes[i].err, 0);
    }
    CHECK_INT(resolver.begun, COUNT);
    CHECK_INT(resolver.running_most, LC_LOOKUP_THREADS);
    bench_close(&bench);
}

static void test_threads_without_work_end_and_come_again(void)
{
    struct bench bench;
    struct lc_lookup_config config = GATED;
    config.idle_ms = 1;
    resolver_reset(true);
    bench_open(&bench, &config);
    for (int i = 0; i < 3; i++) {
        struct outcome outcome = {0};
        start(&bench, "name.test", &outcome);
        await(&bench, &outcome);
        CHECK_INT(outcome.err, 0);
        await_threads(&bench, 0);
    }
    bench_close(&bench);
}

static void test_signals_stay_with_the_owners_threads(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    sigset_t mask;
    resolver_reset(true);
    bench_open(&bench, &GATED);
    start(&bench, "name.test", &outcome);
    await(&bench, &outcome);
    CHECK_INT(sigismember(&resolver.mask, SIGINT), 1);
    CHECK_INT(sigismember(&resolver.mask, SIGCHLD), 1);
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    CHECK_INT(sigismember(&mask, SIGINT), 0);
    bench_close(&bench);
}

#ifdef __GLIBC__
static void test_a_look_up_without_any_thread_is_refused(void)
{
    struct bench bench;
    struct outcome first = {0}, second = {0};
    struct lc_lookup *lookup = NULL;
    pthread_attr_t before, huge;
    CHECK_INT(pthread_getattr_default_np(&before), 0);
    CHECK_INT(pthread_attr_init(&huge), 0);
    CHECK_INT(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
    resolver_reset(false);
    bench_open(&bench, &GATED);
    CHECK_INT(pthread_setattr_default_np(&huge), 0);
    CHECK_INT(lc_lookup_start(bench.lookups, "name.test", AF_UNSPEC, &first, &lookup), LC_ESYS);
    CHECK(lookup == NULL);
    CHECK(!uv_loop_alive(&bench.loop));
    CHECK_INT(pthread_setattr_default_np(&before), 0);
    start(&bench, "name.test", &first);
    /* With one there, another look-up waits for it. */
    CHECK_INT(pthread_setattr_default_np(&huge), 0);
    start(&bench, "other.test", &second);
    CHECK_INT(pthread_setattr_default_np(&before), 0);
    resolver_open();
    await(&bench, &first);
    await(&bench, &second);
    CHECK_INT(second.err, 0);
    CHECK_INT(pthread_attr_destroy(&huge), 0);
    CHECK_INT(pthread_attr_destroy(&before), 0);
    bench_close(&bench);
}
#endif

/* --- cancelling --- */

static void test_a_cancelled_look_up_does_not_call_back(void)
{
    struct bench bench;
    struct outcome joined[2] = {{0}}, running[LC_LOOKUP_THREADS] = {{0}}, in_line = {0};
    char name[32];
    resolver_reset(false);
    bench_open(&bench, &GATED);
    struct lc_lookup *first = start(&bench, "name0.test", &joined[0]);
    start(&bench, "name0.test", &joined[1]);
    struct lc_lookup *alone = start(&bench, "name1.test", &running[1]);
    for (int i = 2; i < LC_LOOKUP_THREADS; i++) {
        snprintf(name, sizeof name, "name%d.test", i);
        start(&bench, name, &running[i]);
    }
    resolver_await(&resolver.begun, LC_LOOKUP_THREADS);
    lc_lookup_cancel(start(&bench, "in-line.test", &in_line));
    lc_lookup_cancel(first);
    lc_lookup_cancel(alone);
    resolver_open();
    await(&bench, &joined[1]);
    for (int i = 2; i < LC_LOOKUP_THREADS; i++) {
        await(&bench, &running[i]);
    }
    CHECK_INT(joined[0].calls, 0);
    CHECK_INT(running[1].calls, 0);
    CHECK_INT(in_line.calls, 0);
    CHECK_INT(resolver.begun, LC_LOOKUP_THREADS); /* the one in line was never asked */
    bench_close(&bench);
}

static void test_a_running_look_up_that_was_cancelled_is_joined_again(void)
{
    struct bench bench;
    struct outcome cancelled = {0}, outcome = {0};
    resolver_reset(false);
    bench_open(&bench, &GATED);
    struct lc_lookup *lookup = start(&bench, "name.test", &cancelled);
    resolver_await(&resolver.begun, 1);
    lc_lookup_cancel(lookup);
    start(&bench, "name.test", &outcome);
    resolver_open();
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    CHECK_INT(cancelled.calls, 0);
    CHECK_INT(resolver.begun, 1);
    bench_close(&bench);
}

static void test_callbacks_may_cancel_and_start(void)
{
    struct bench bench;
    struct outcome first = {0}, second = {0};
    struct lc_lookup *other;
    resolver_reset(false);
    bench_open(&bench, &GATED);
    first.to_cancel = &other;
    start(&bench, "name.test", &first);
    other = start(&bench, "name.test", &second);
    resolver_open();
    await(&bench, &first);
    CHECK_INT(second.calls, 0);
    CHECK(!uv_loop_alive(&bench.loop));
    bench_close(&bench);
}

static void test_closing_waits_for_no_thread(void)
{
    struct bench bench;
    struct outcome outcomes[LC_LOOKUP_THREADS + 2] = {{0}};
    char name[32];
    resolver_reset(false);
    bench_open(&bench, &GATED);
    for (int i = 0; i < LC_LOOKUP_THREADS + 2; i++) {
        snprintf(name, sizeof name, "name%d.test", i);
        start(&bench, name, &outcomes[i]);
    }
    resolver_await(&resolver.begun, LC_LOOKUP_THREADS);
    bench_close(&bench); /* the gate is still shut */
    resolver_open();
    resolver_await(&resolver.released, LC_LOOKUP_THREADS); /* the threads drop what they found */
    CHECK_INT(resolver.begun, LC_LOOKUP_THREADS);
    for (int i = 0; i < LC_LOOKUP_THREADS + 2; i++) {
        CHECK_INT(outcomes[i].calls, 0);
    }
}

static void test_closing_drops_what_was_not_collected(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    resolver_reset(false);
    bench_open(&bench, &GATED);
    start(&bench, "name.test", &outcome);
    uv_run(&bench.loop, UV_RUN_NOWAIT); /* from now on its descriptor tells of the signal */
    resolver_open();
    struct pollfd loop = {.fd = uv_backend_fd(&bench.loop), .events = POLLIN};
    CHECK_INT(poll(&loop, 1, RIG_PATIENCE_MS), 1);
    bench_close(&bench);
    CHECK_INT(outcome.calls, 0);
    CHECK_INT(resolver.released, 1);
}

static void test_a_forked_child_has_look_ups_of_its_own(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    resolver_reset(false);
    bench_open(&bench, &GATED);
    start(&bench, "name.test", &outcome);
    resolver_await(&resolver.begun, 1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct bench own;
        struct outcome local = {0};
        alarm(RIG_PATIENCE_MS / 1000);
        bench_open(&own, NULL);
        start(&own, "localhost", &local);
        await(&own, &local);
        bench_close(&own);
        _exit(local.err == 0 && outcome.calls == 0 ? 0 : 1);
    }
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    resolver_open();
    await(&bench, &outcome);
    CHECK_INT(outcome.err, 0);
    bench_close(&bench);
}

/* --- without memory --- */

static void test_without_memory_there_are_no_look_ups(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    struct lc_lookups *lookups = NULL;
    struct lc_lookup *lookup = NULL;
    resolver_reset(true);
    bench_open(&bench, &GATED);
    for (uint64_t n = 1; n <= 2; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_lookups_new(&bench.loop, NULL, on_done, &lookups), LC_ENOMEM);
        CHECK(lookups == NULL);
        lc_alloc_fail_after(n);
        CHECK_INT(lc_lookup_start(bench.lookups, "x", AF_UNSPEC, &outcome, &lookup), LC_ENOMEM);
        CHECK(lookup == NULL);
    }
    CHECK(!uv_loop_alive(&bench.loop));
    CHECK_INT(resolver.begun, 0);
    bench_close(&bench);
}

static void test_without_memory_for_the_addresses_the_look_up_fails(void)
{
    struct bench bench;
    struct outcome outcome = {0};
    resolver_reset(true);
    bench_open(&bench, &GATED);
    start(&bench, "name.test", &outcome);
    lc_alloc_fail_after(1);
    await(&bench, &outcome);
    CHECK_INT(outcome.err, LC_ENOMEM);
    CHECK_INT(outcome.count, 0);
    bench_close(&bench);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_all_addresses_come_in_order);
    RUN(test_failures_are_told_apart);
    RUN(test_the_systems_resolver_is_the_default);
    RUN(test_equal_look_ups_in_flight_are_one);
    RUN(test_nothing_is_remembered);
    RUN(test_eight_run_and_the_others_wait_in_line);
    RUN(test_threads_without_work_end_and_come_again);
    RUN(test_signals_stay_with_the_owners_threads);
#ifdef __GLIBC__
    RUN(test_a_look_up_without_any_thread_is_refused);
#endif
    RUN(test_a_cancelled_look_up_does_not_call_back);
    RUN(test_a_running_look_up_that_was_cancelled_is_joined_again);
    RUN(test_callbacks_may_cancel_and_start);
    RUN(test_closing_waits_for_no_thread);
    RUN(test_closing_drops_what_was_not_collected);
    RUN(test_a_forked_child_has_look_ups_of_its_own);
    RUN(test_without_memory_there_are_no_look_ups);
    RUN(test_without_memory_for_the_addresses_the_look_up_fails);
    return 0;
}
