#include "watchdog.h"

#include "home.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

/* What passed between two looks counts as so many ticks at most: more means that this thread did
 * not run either, as when the process is stopped. */
enum { TICKS_AT_MOST = 2 };
enum { TICKS_TO_ANSWER = 2 };

enum stage { HEARD, ASKED, PEEKED, LASTING, RESTING };
enum action { NOTHING, PEEK, SHOUT };

struct lc_watchdog {
    struct lc_watchdog_config config;
    struct lc_home home;
    uv_mutex_t mutex; /* of all below; nothing is called while it is held */
    uv_cond_t closing;
    bool closed;
    enum stage stage;
    uint64_t seen_ns;   /* when the silence was counted last */
    uint64_t silent_ns; /* since the last beat */
    bool asking;        /* there is a thread that asks, or has asked and is not joined */
    bool answered;
    uint64_t asked_ns; /* silent_ns when it began */
    pthread_t watcher, asker;
};

static uint64_t now_of(const struct lc_watchdog *watchdog)
{
    return watchdog->config.now_ns != NULL ? watchdog->config.now_ns() : lc_now_ns();
}

/* With all signals blocked: their handlers belong to the owner's threads. */
static int start_thread(pthread_t *thread, void *(*body)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : LC_ESYS;
}

static void *ask(void *argument)
{
    struct lc_watchdog *watchdog = argument;
    uv_mutex_lock(&watchdog->mutex);
    uint64_t silent_ns = watchdog->asked_ns;
    uv_mutex_unlock(&watchdog->mutex);
    watchdog->config.ask(watchdog->config.data, silent_ns);
    uv_mutex_lock(&watchdog->mutex);
    watchdog->answered = true;
    uv_mutex_unlock(&watchdog->mutex);
    return NULL;
}

static void join_asker(struct lc_watchdog *watchdog)
{
    pthread_join(watchdog->asker, NULL);
    watchdog->asking = watchdog->answered = false;
}

/* Without a thread, which may be had at the next look, nobody asks. */
static bool start_asking(struct lc_watchdog *watchdog)
{
    watchdog->asked_ns = watchdog->silent_ns;
    watchdog->asking = start_thread(&watchdog->asker, ask, watchdog) == 0;
    return watchdog->asking;
}

static void count_silence(struct lc_watchdog *watchdog)
{
    uint64_t now = now_of(watchdog);
    uint64_t passed = now - watchdog->seen_ns;
    uint64_t most = watchdog->config.tick_ns * TICKS_AT_MOST;
    watchdog->seen_ns = now;
    watchdog->silent_ns += passed < most ? passed : most;
}

static bool is_silent(const struct lc_watchdog *watchdog)
{
    return watchdog->stage == ASKED || watchdog->stage == PEEKED || watchdog->stage == LASTING;
}

/* One look at the owner: what is to be done. Called with the mutex held. */
static enum action look(struct lc_watchdog *watchdog)
{
    const struct lc_watchdog_config *config = &watchdog->config;
    count_silence(watchdog);
    if (watchdog->answered) {
        join_asker(watchdog);
    }
    if (watchdog->stage == HEARD && watchdog->silent_ns >= config->blocked_ns &&
        !watchdog->asking) {
        watchdog->stage = start_asking(watchdog) ? ASKED : HEARD;
        return NOTHING;
    }
    bool is_waiting = watchdog->stage == ASKED || watchdog->stage == PEEKED;
    if (is_waiting && watchdog->silent_ns >= config->lasting_ns) {
        watchdog->stage = LASTING;
        return watchdog->asking || !start_asking(watchdog) ? SHOUT : NOTHING;
    }
    if (watchdog->stage == ASKED && watchdog->asking &&
        watchdog->silent_ns >= watchdog->asked_ns + config->tick_ns * TICKS_TO_ANSWER) {
        watchdog->stage = PEEKED;
        return PEEK;
    }
    return NOTHING;
}

static void act(struct lc_watchdog *watchdog, enum action action)
{
    const struct lc_watchdog_config *config = &watchdog->config;
    uint64_t silent_ns = watchdog->silent_ns;
    uv_mutex_unlock(&watchdog->mutex);
    if (action == PEEK) {
        config->peek(config->data);
    } else if (action == SHOUT) {
        config->shout(config->data, silent_ns);
    }
    uv_mutex_lock(&watchdog->mutex);
}

static void *watch(void *argument)
{
    struct lc_watchdog *watchdog = argument;
    uv_mutex_lock(&watchdog->mutex);
    while (!watchdog->closed) {
        (void)uv_cond_timedwait(&watchdog->closing, &watchdog->mutex, watchdog->config.tick_ns);
        if (!watchdog->closed) {
            act(watchdog, look(watchdog));
        }
    }
    bool asking = watchdog->asking;
    uv_mutex_unlock(&watchdog->mutex);
    if (asking) {
        join_asker(watchdog);
    }
    return NULL;
}

int lc_watchdog_new(const struct lc_watchdog_config *config, struct lc_watchdog **out)
{
    struct lc_watchdog *watchdog = lc_alloc_zero(sizeof *watchdog);
    if (watchdog == NULL) {
        return LC_ENOMEM;
    }
    watchdog->config = *config;
    watchdog->seen_ns = now_of(watchdog);
    if (uv_mutex_init(&watchdog->mutex) != 0) {
        goto fail_mutex;
    }
    if (uv_cond_init(&watchdog->closing) != 0) {
        goto fail_cond;
    }
    lc_home_init(&watchdog->home);
    if (start_thread(&watchdog->watcher, watch, watchdog) < 0) {
        goto fail_thread;
    }
    *out = watchdog;
    return 0;

fail_thread:
    lc_home_free(&watchdog->home);
    uv_cond_destroy(&watchdog->closing);
fail_cond:
    uv_mutex_destroy(&watchdog->mutex);
fail_mutex:
    lc_free(watchdog);
    return LC_ESYS;
}

void lc_watchdog_free(struct lc_watchdog *watchdog)
{
    if (watchdog == NULL) {
        return;
    }
    if (lc_home_is_here(&watchdog->home)) {
        uv_mutex_lock(&watchdog->mutex);
        watchdog->closed = true;
        uv_cond_signal(&watchdog->closing);
        uv_mutex_unlock(&watchdog->mutex);
        pthread_join(watchdog->watcher, NULL);
        uv_cond_destroy(&watchdog->closing);
        uv_mutex_destroy(&watchdog->mutex);
    }
    lc_home_free(&watchdog->home);
    lc_free(watchdog);
}

/* In a forked child somebody who is not there may hold the mutex. */
static uint64_t hear(struct lc_watchdog *watchdog, enum stage stage)
{
    if (!lc_home_is_here(&watchdog->home)) {
        return 0;
    }
    uv_mutex_lock(&watchdog->mutex);
    count_silence(watchdog);
    uint64_t silent_ns = is_silent(watchdog) ? watchdog->silent_ns : 0;
    watchdog->silent_ns = 0;
    watchdog->stage = stage;
    uv_mutex_unlock(&watchdog->mutex);
    return silent_ns;
}

uint64_t lc_watchdog_beat(struct lc_watchdog *watchdog)
{
    return hear(watchdog, HEARD);
}

void lc_watchdog_rest(struct lc_watchdog *watchdog)
{
    (void)hear(watchdog, RESTING);
}

bool lc_watchdog_is_silent(struct lc_watchdog *watchdog)
{
    uv_mutex_lock(&watchdog->mutex);
    bool silent = is_silent(watchdog);
    uv_mutex_unlock(&watchdog->mutex);
    return silent;
}
