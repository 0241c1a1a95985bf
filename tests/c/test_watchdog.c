#include "check.h"

#include "watchdog.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t MS = 1000000;

/* An owner whose clock goes on by `step_ns` when somebody looks at it, `steps` times, and who
 * answers questions when the gate is open. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct lc_watchdog *watchdog;
    uint64_t now_ns, step_ns;
    int steps;
    bool open;
    int looks, questions, answers, peeks, shouts;
    uint64_t asked_ns, shouted_ns;
    bool silent; /* what the watchdog said when the last question was answered */
} owner = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void await(const int *counter, int count)
{
    pthread_mutex_lock(&owner.mutex);
    while (*counter < count) {
        pthread_cond_wait(&owner.changed, &owner.mutex);
    }
    pthread_mutex_unlock(&owner.mutex);
}

static void add_one(int *counter)
{
    ++*counter;
    pthread_cond_broadcast(&owner.changed);
}

static uint64_t now_ns(void)
{
    pthread_mutex_lock(&owner.mutex);
    uint64_t now = owner.now_ns += owner.steps > 0 ? owner.step_ns : 0;
    owner.steps -= owner.steps > 0 ? 1 : 0;
    add_one(&owner.looks);
    pthread_mutex_unlock(&owner.mutex);
    return now;
}

static void ask(void *data, uint64_t silent_ns)
{
    CHECK(data == &owner);
    pthread_mutex_lock(&owner.mutex);
    owner.asked_ns = silent_ns;
    add_one(&owner.questions);
    while (!owner.open) {
        pthread_cond_wait(&owner.changed, &owner.mutex);
    }
    struct lc_watchdog *watchdog = owner.watchdog;
    pthread_mutex_unlock(&owner.mutex);
    bool silent = watchdog != NULL && lc_watchdog_is_silent(watchdog);
    pthread_mutex_lock(&owner.mutex);
    owner.silent = silent;
    add_one(&owner.answers);
    pthread_mutex_unlock(&owner.mutex);
}

static void peek(void *data)
{
    CHECK(data == &owner);
    pthread_mutex_lock(&owner.mutex);
    add_one(&owner.peeks);
    pthread_mutex_unlock(&owner.mutex);
}

static void shout(void *data, uint64_t silent_ns)
{
    CHECK(data == &owner);
    pthread_mutex_lock(&owner.mutex);
    owner.shouted_ns = silent_ns;
    add_one(&owner.shouts);
    pthread_mutex_unlock(&owner.mutex);
}

static void set_open(bool open)
{
    pthread_mutex_lock(&owner.mutex);
    owner.open = open;
    pthread_cond_broadcast(&owner.changed);
    pthread_mutex_unlock(&owner.mutex);
}

/* Lets the clock go on by so many steps; returns when it has, with a few looks more. */
static void pass(int steps)
{
    pthread_mutex_lock(&owner.mutex);
    owner.steps = steps;
    while (owner.steps > 0) {
        pthread_cond_wait(&owner.changed, &owner.mutex);
    }
    int enough = owner.looks + 2;
    pthread_mutex_unlock(&owner.mutex);
    await(&owner.looks, enough);
}

/* The clock stands still; the watchdog looks every millisecond of another one. */
static void begin(uint64_t step_ns, uint64_t blocked_ns, uint64_t lasting_ns, bool open)
{
    struct lc_watchdog_config config = {.tick_ns = MS,
                                        .blocked_ns = blocked_ns,
                                        .lasting_ns = lasting_ns,
                                        .now_ns = now_ns,
                                        .ask = ask,
                                        .peek = peek,
                                        .shout = shout,
                                        .data = &owner};
    struct lc_watchdog *watchdog;
    pthread_mutex_lock(&owner.mutex);
    owner.looks = owner.questions = owner.answers = owner.peeks = owner.shouts = 0;
    owner.step_ns = step_ns;
    owner.steps = 0;
    owner.open = open;
    pthread_mutex_unlock(&owner.mutex);
    CHECK_INT(lc_watchdog_new(&config, &watchdog), 0);
    pthread_mutex_lock(&owner.mutex);
    owner.watchdog = watchdog;
    pthread_mutex_unlock(&owner.mutex);
}

static void end(void)
{
    lc_watchdog_free(owner.watchdog);
    owner.watchdog = NULL;
}

static void test_silence_is_asked_about_twice(void)
{
    begin(MS, 3 * MS, 9 * MS, true);
    pass(3);
    await(&owner.answers, 1);
    CHECK_INT(owner.asked_ns, 3 * MS);
    pthread_mutex_lock(&owner.mutex);
    int enough = owner.looks + 100; /* one of them finds the first question done with */
    pthread_mutex_unlock(&owner.mutex);
    await(&owner.looks, enough);
    pass(6);
    await(&owner.answers, 2);
    CHECK_INT(owner.asked_ns, 9 * MS);
    CHECK(owner.silent);
    pass(10);
    CHECK_INT(lc_watchdog_beat(owner.watchdog), 19 * MS);
    end();
    CHECK_INT(owner.questions, 2);
    CHECK_INT(owner.peeks + owner.shouts, 0);
}

static void test_a_question_without_an_answer_is_shouted(void)
{
    begin(MS, 3 * MS, 9 * MS, false);
    pass(5);
    await(&owner.peeks, 1);
    pass(4);
    await(&owner.shouts, 1);
    CHECK_INT(owner.shouted_ns, 9 * MS);
    CHECK(lc_watchdog_is_silent(owner.watchdog));
    CHECK_INT(lc_watchdog_beat(owner.watchdog), 9 * MS);
    set_open(true);
    await(&owner.answers, 1);
    CHECK(!owner.silent); /* too late to say anything about it */
    end();
    CHECK_INT(owner.questions, 1);
    CHECK_INT(owner.peeks, 1);
    CHECK_INT(owner.shouts, 1);
}

static void test_who_is_heard_of_is_not_asked(void)
{
    begin(MS, 10 * MS, 20 * MS, true);
    for (int i = 0; i < 5; i++) {
        pass(9);
        CHECK_INT(lc_watchdog_beat(owner.watchdog), 0);
    }
    end();
    CHECK_INT(owner.questions, 0);
}

static void test_who_rests_is_not_asked(void)
{
    begin(MS, 10 * MS, 20 * MS, true);
    lc_watchdog_rest(owner.watchdog);
    pass(40);
    CHECK_INT(owner.questions, 0);
    CHECK_INT(lc_watchdog_beat(owner.watchdog), 0);
    pass(10);
    await(&owner.answers, 1);
    end();
}

static void test_a_pause_of_the_whole_process_is_no_silence(void)
{
    begin(10000 * MS, 1000 * MS, 2000 * MS, true);
    pass(50);
    end();
    CHECK_INT(owner.questions, 0);
}

static void *open_gate(void *ignored)
{
    set_open(true);
    return ignored;
}

static void test_the_end_waits_for_the_answer(void)
{
    pthread_t opener;
    begin(MS, 3 * MS, 9 * MS, false);
    pass(3);
    await(&owner.questions, 1);
    CHECK_INT(pthread_create(&opener, NULL, open_gate, NULL), 0);
    end();
    CHECK_INT(owner.answers, 1);
    pthread_join(opener, NULL);
}

static void test_a_child_has_no_watchdog(void)
{
    begin(MS, 1000 * MS, 2000 * MS, true);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bool silent = lc_watchdog_beat(owner.watchdog) == 0;
        lc_watchdog_rest(owner.watchdog);
        lc_watchdog_free(owner.watchdog);
        _exit(silent ? 0 : 1);
    }
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    end();
}

static void test_without_memory(void)
{
    struct lc_watchdog_config config = {.tick_ns = MS};
    struct lc_watchdog *watchdog = NULL;
    lc_alloc_fail_after(1);
    CHECK_INT(lc_watchdog_new(&config, &watchdog), LC_ENOMEM);
    CHECK(watchdog == NULL);
    lc_watchdog_free(NULL);
}

int main(void)
{
    RUN(test_silence_is_asked_about_twice);
    RUN(test_a_question_without_an_answer_is_shouted);
    RUN(test_who_is_heard_of_is_not_asked);
    RUN(test_who_rests_is_not_asked);
    RUN(test_a_pause_of_the_whole_process_is_no_silence);
    RUN(test_the_end_waits_for_the_answer);
    RUN(test_a_child_has_no_watchdog);
    RUN(test_without_memory);
    return 0;
}
