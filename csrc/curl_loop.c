#include "curl_loop.h"

/* A descriptor that libcurl watches. */
struct watch {
    uv_poll_t poll;
    struct lc_curl_loop *loop;
    curl_socket_t fd;
    CURL *easy; /* for which it was opened; NULL: no job uses it */
    int events; /* that are waited for; 0: it is stopped */
};

/* What is known of a descriptor that is kept. */
struct place {
    bool kept;
    struct watch *idle; /* NULL: libcurl has it, or there is none */
};

struct list {
    struct lc_curl_job *first, *last;
};

struct lc_curl_loop {
    uv_loop_t *uv;
    uv_timer_t timer;
    CURLM *multi;
    lc_curl_done_cb done;
    struct list running;
    struct list finished; /* not yet told */
    struct place *places; /* by descriptor */
    size_t places_len;
    uint64_t ready_ns;
    size_t open_handles; /* uv handles whose close callback is due */
    bool closing;
};

/* --- jobs --- */

static void list_append(struct list *list, struct lc_curl_job *job)
{
    job->next = NULL;
    job->prev = list->last;
    if (list->last != NULL) {
        list->last->next = job;
    } else {
        list->first = job;
    }
    list->last = job;
}

static void list_remove(struct list *list, struct lc_curl_job *job)
{
    if (job->prev != NULL) {
        job->prev->next = job->next;
    } else {
        list->first = job->next;
    }
    if (job->next != NULL) {
        job->next->prev = job->prev;
    } else {
        list->last = job->prev;
    }
}

/* Once for each job; a handle that is being removed has no job any more. Appends only: it is called
 * while libcurl is on the stack, too. */
static void mark_finished(struct lc_curl_loop *loop, CURL *easy, CURLcode code)
{
    struct lc_curl_job *job = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job) != CURLE_OK || job == NULL ||
        !job->running) {
        return;
    }
    list_remove(&loop->running, job);
    list_append(&loop->finished, job);
    job->running = false;
    job->finished = true;
    job->code = code;
    job->finished_ns = loop->ready_ns;
}

static void collect_finished(struct lc_curl_loop *loop)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            mark_finished(loop, message->easy_handle, message->data.result);
        }
    }
}

/* --- libcurl's callbacks; none of them calls back into libcurl but for curl_multi_assign --- */

static void free_when_closed(struct lc_curl_loop *loop)
{
    if (loop->closing && loop->open_handles == 0) {
        lc_free(loop);
    }
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct lc_curl_loop *loop = watch->loop;
    lc_free(watch);
    loop->open_handles--;
    free_when_closed(loop);
}

static void watch_close(struct watch *watch)
{
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static struct place *find_place(struct lc_curl_loop *loop, int fd)
{
    bool known = (size_t)fd < loop->places_len && loop->places[fd].kept;
    return known ? &loop->places[fd] : NULL;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct lc_curl_loop *loop = handle->data;
    loop->open_handles--;
    free_when_closed(loop);
}

/* libcurl 7.88 notes that one address refuses, and tries the next when the handle runs again, for
 * which it does not ask: without a socket and a timer it never would. The handle may be gone, if
 * others shared the connection. */
static void run_again(struct lc_curl_loop *loop, CURL *easy)
{
    struct lc_curl_job *job = loop->running.first;
    while (job != NULL && job->easy != easy) {
        job = job->next;
    }
    if (job != NULL) {
        curl_easy_pause(easy, CURLPAUSE_ALL);
        curl_easy_pause(easy, CURLPAUSE_CONT);
    }
}

static void on_watch_event(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct lc_curl_loop *loop = watch->loop;
    int flags = 0;
    int running;
    if (status < 0 || watch->easy == NULL) {
        /* libuv has stopped it, or libcurl looks when it next wants the connection. */
        (void)uv_poll_stop(poll);
        watch->events = 0;
    }
    if (watch->easy == NULL) {
        return;
    }
    CURL *easy = watch->easy;
    loop->ready_ns = lc_now_ns();
    if (status < 0) {
        /* Told of an error alone libcurl would not ask the socket what it is. */
        flags = CURL_CSELECT_ERR | CURL_CSELECT_IN;
    }
    if (events & UV_READABLE) {
        flags |= CURL_CSELECT_IN;
    }
    if (events & UV_WRITABLE) {
        flags |= CURL_CSELECT_OUT;
    }
    curl_multi_socket_action(loop->multi, watch->fd, flags, &running);
    collect_finished(loop);
    if (status < 0) {
        run_again(loop, easy);
    }
}

static struct watch *watch_new(struct lc_curl_loop *loop, curl_socket_t fd, CURL *easy)
{
    struct watch *watch = lc_alloc(sizeof *watch);
    if (watch == NULL) {
        return NULL;
    }
    watch->loop = loop;
    watch->fd = fd;
    watch->easy = easy;
    watch->events = 0;
    if (uv_poll_init_socket(loop->uv, &watch->poll, fd) != 0) {
        lc_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    loop->open_handles++;
    return watch;
}

/* libcurl lets go of a descriptor. */
static void release_watch(struct lc_curl_loop *loop, struct watch *watch)
{
    struct place *place = find_place(loop, watch->fd);
    curl_multi_assign(loop->multi, watch->fd, NULL);
    if (place != NULL && place->idle == NULL) {
        place->idle = watch;
        watch->easy = NULL;
    } else {
        watch_close(watch);
    }
}

static struct watch *take_watch(struct lc_curl_loop *loop, curl_socket_t fd, CURL *easy)
{
    struct place *place = find_place(loop, fd);
    struct watch *watch = place != NULL ? place->idle : NULL;
    if (watch != NULL) {
        place->idle = NULL;
        watch->easy = easy;
    } else {
        watch = watch_new(loop, fd, easy);
    }
    if (watch != NULL) {
        curl_multi_assign(loop->multi, fd, watch);
    }
    return watch;
}

static bool watch_start(struct watch *watch, int events)
{
    if (watch->events != events) {
        watch->events = uv_poll_start(&watch->poll, events, on_watch_event) == 0 ? events : 0;
    }
    return watch->events == events;
}

/* Never returns -1: libcurl would refuse all other jobs of this multi from then on. The job whose
 * descriptor cannot be watched fails alone. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
    struct lc_curl_loop *loop = userp;
    struct watch *watch = socketp;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            release_watch(loop, watch);
        }
        return 0;
    }
    int events = 0;
    if (what & CURL_POLL_IN) {
        events |= UV_READABLE;
    }
    if (what & CURL_POLL_OUT) {
        events |= UV_WRITABLE;
    }
    if (watch == NULL) {
        watch = take_watch(loop, fd, easy);
    }
    if (watch == NULL || !watch_start(watch, events)) {
        mark_finished(loop, easy, CURLE_OUT_OF_MEMORY);
    }
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct lc_curl_loop *loop = timer->data;
    int running;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_finished(loop);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *userp)
{
    (void)multi;
    struct lc_curl_loop *loop = userp;
    /* Neither can fail for a timer that is not closing; libcurl is gone before it is closed. */
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&loop->timer);
    } else {
        uv_update_time(loop->uv);
        (void)uv_timer_start(&loop->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

/* --- life cycle --- */

int lc_curl_loop_new(uv_loop_t *uv, lc_curl_done_cb done, struct lc_curl_loop **out)
{
    struct lc_curl_loop *loop = lc_alloc_zero(sizeof *loop);
    if (loop == NULL) {
        return LC_ENOMEM;
    }
    loop->uv = uv;
    loop->done = done;
    loop->multi = curl_multi_init();
    if (loop->multi == NULL) {
        lc_free(loop);
        return LC_ENOMEM;
    }
    uv_timer_init(uv, &loop->timer);
    loop->timer.data = loop;
    loop->open_handles = 1;
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    *out = loop;
    return 0;
}

void lc_curl_loop_close(struct lc_curl_loop *loop)
{
    loop->closing = true;
    curl_multi_cleanup(loop->multi);
    for (size_t fd = 0; fd < loop->places_len; fd++) {
        lc_curl_loop_forget(loop, (int)fd);
    }
    lc_free(loop->places);
    uv_close((uv_handle_t *)&loop->timer, on_timer_closed);
}

void lc_curl_loop_keep(struct lc_curl_loop *loop, int fd)
{
    size_t len = (size_t)fd + 1;
    if (len > loop->places_len) {
        len = len > 2 * loop->places_len ? len : 2 * loop->places_len;
        struct place *places = lc_realloc(loop->places, len * sizeof *places);
        if (places == NULL) {
            return;
        }
        memset(places + loop->places_len, 0, (len - loop->places_len) * sizeof *places);
        loop->places = places;
        loop->places_len = len;
    }
    loop->places[fd].kept = true;
}

void lc_curl_loop_forget(struct lc_curl_loop *loop, int fd)
{
    struct place *place = find_place(loop, fd);
    if (place == NULL) {
        return;
    }
    if (place->idle != NULL) {
        watch_close(place->idle);
    }
    *place = (struct place){0};
}

CURLM *lc_curl_loop_multi(struct lc_curl_loop *loop)
{
    return loop->multi;
}

uint64_t lc_curl_loop_ready_ns(const struct lc_curl_loop *loop)
{
    return loop->ready_ns;
}

/* --- adding and removing --- */

int lc_curl_loop_add(struct lc_curl_loop *loop, struct lc_curl_job *job)
{
    if (curl_multi_add_handle(loop->multi, job->easy) != CURLM_OK) {
        return LC_ENOMEM;
    }
    /* Adding calls back for nothing but the timer: what becomes of the job is told later. */
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    list_append(&loop->running, job);
    job->running = true;
    job->finished = false;
    return 0;
}

/* So that nothing more is heard of it. */
static void unlink_job(struct lc_curl_loop *loop, struct lc_curl_job *job)
{
    if (job->running || job->finished) {
        list_remove(job->running ? &loop->running : &loop->finished, job);
    }
    job->running = false;
    job->finished = false;
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, NULL);
}

void lc_curl_loop_remove(struct lc_curl_loop *loop, struct lc_curl_job *job)
{
    unlink_job(loop, job);
    curl_multi_remove_handle(loop->multi, job->easy);
}

void lc_curl_loop_turn(struct lc_curl_loop *loop)
{
    while (loop->finished.first != NULL) {
        struct lc_curl_job *job = loop->finished.first;
        unlink_job(loop, job);
        loop->done(job, job->code);
    }
}
