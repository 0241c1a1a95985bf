#include "lookup_threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

enum { IDLE_MS_DEFAULT = 10000 };

struct queue {
    struct lc_lookup_job *first, *last;
};

struct lc_lookup_threads {
    uv_mutex_t mutex;
    uv_cond_t work; /* a job is in line, or closed */
    uv_async_t *signal;
    struct queue line;
    struct queue done;
    size_t in_line;
    size_t count;
    size_t idle;       /* threads that wait for work */
    size_t references; /* the owner's and one for each thread */
    bool closed;       /* nobody wants results any more, and the signal is gone */
    struct lc_lookup_config config;
};

/* --- queues --- */

static void append(struct queue *queue, struct lc_lookup_job *job)
{
    job->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = job;
    } else {
        queue->first = job;
    }
    queue->last = job;
}

static struct lc_lookup_job *pop(struct queue *queue)
{
    struct lc_lookup_job *job = queue->first;
    if (job != NULL) {
        queue->first = job->next;
        if (job->next == NULL) {
            queue->last = NULL;
        }
        job->next = NULL;
    }
    return job;
}

static void take_out(struct queue *queue, struct lc_lookup_job *job)
{
    struct lc_lookup_job *before = NULL;
    for (struct lc_lookup_job *at = queue->first; at != job; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = job->next;
    } else {
        queue->first = job->next;
    }
    if (queue->last == job) {
        queue->last = before;
    }
}

/* --- the shared state --- */

void lc_lookup_threads_free(struct lc_lookup_threads *threads, struct lc_lookup_job *job)
{
    if (job->found != NULL) {
        threads->config.release(job->found);
    }
    lc_free_shared(job);
}

/* Gives a reference back; called with the mutex held, which is released. */
static void unlock_and_drop(struct lc_lookup_threads *threads)
{
    bool last = --threads->references == 0;
    uv_mutex_unlock(&threads->mutex);
    if (last) {
        uv_cond_destroy(&threads->work);
        uv_mutex_destroy(&threads->mutex);
        lc_free_shared(threads);
    }
}

int lc_lookup_threads_new(const struct lc_lookup_config *config, uv_async_t *signal,
                          struct lc_lookup_threads **out)
{
    struct lc_lookup_threads *threads = lc_alloc_shared(sizeof *threads);
    if (threads == NULL) {
        return LC_ENOMEM;
    }
    if (config != NULL) {
        threads->config = *config;
    }
    if (threads->config.resolve == NULL) {
        threads->config.resolve = getaddrinfo;
        threads->config.release = freeaddrinfo;
    }
    if (threads->config.idle_ms == 0) {
        threads->config.idle_ms = IDLE_MS_DEFAULT;
    }
    threads->signal = signal;
    threads->references = 1;
    if (uv_mutex_init(&threads->mutex) != 0) {
        goto fail_mutex;
    }
    if (uv_cond_init(&threads->work) != 0) {
        goto fail_cond;
    }
    *out = threads;
    return 0;

fail_cond:
    uv_mutex_destroy(&threads->mutex);
fail_mutex:
    lc_free_shared(threads);
    return LC_ENOMEM;
}

void lc_lookup_threads_close(struct lc_lookup_threads *threads)
{
    uv_mutex_lock(&threads->mutex);
    threads->closed = true;
    struct queue *queues[] = {&threads->line, &threads->done};
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        struct lc_lookup_job *job;
        while ((job = pop(queues[i])) != NULL) {
            lc_lookup_threads_free(threads, job);
        }
    }
    uv_cond_broadcast(&threads->work);
    unlock_and_drop(threads);
}

size_t lc_lookup_threads_count(struct lc_lookup_threads *threads)
{
    uv_mutex_lock(&threads->mutex);
    size_t count = threads->count;
    uv_mutex_unlock(&threads->mutex);
    return count;
}

/* --- in the threads --- */

/* The next job in line; NULL: none came for a while, or closed. Called with the mutex held. */
static struct lc_lookup_job *wait_for_job(struct lc_lookup_threads *threads)
{
    uint64_t now = lc_now_ns();
    uint64_t until = now + (uint64_t)threads->config.idle_ms * 1000000u;
    threads->idle++;
    while (threads->line.first == NULL && !threads->closed && now < until) {
        (void)uv_cond_timedwait(&threads->work, &threads->mutex, until - now);
        now = lc_now_ns();
    }
    threads->idle--;
    struct lc_lookup_job *job = pop(&threads->line);
    if (job != NULL) {
        threads->in_line--;
        job->state = LC_LOOKUP_RUNNING;
    }
    return job;
}

static void run_job(struct lc_lookup_threads *threads, struct lc_lookup_job *job)
{
    /* What Python's create_connection asks for. */
    struct addrinfo hints = {.ai_family = job->family, .ai_socktype = SOCK_STREAM};
    job->eai = threads->config.resolve(job->host, NULL, &hints, &job->found);
    job->os_errno = job->eai == EAI_SYSTEM ? errno : 0;
    if (job->eai != 0) {
        job->found = NULL;
    }
    job->end_ns = lc_now_ns();
}

static void *thread_main(void *argument)
{
    struct lc_lookup_threads *threads = argument;
    struct lc_lookup_job *job;
    uv_mutex_lock(&threads->mutex);
    while ((job = wait_for_job(threads)) != NULL) {
        uv_mutex_unlock(&threads->mutex);
        run_job(threads, job);
        uv_mutex_lock(&threads->mutex);
        if (threads->closed) {
            lc_lookup_threads_free(threads, job);
            continue;
        }
        job->state = LC_LOOKUP_DONE;
        append(&threads->done, job);
        /* With the mutex held: the handle is not closed meanwhile. */
        (void)uv_async_send(threads->signal);
    }
    threads->count--;
    unlock_and_drop(threads);
    return NULL;
}

/* --- jobs --- */

/* With all signals blocked: their handlers belong to the owner's threads. */
static int start_thread(struct lc_lookup_threads *threads)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) {
        return LC_ESYS;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attributes, thread_main, threads);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (rc != 0) {
        return LC_ESYS;
    }
    threads->count++;
    threads->references++;
    return 0;
}

int lc_lookup_threads_put(struct lc_lookup_threads *threads, const char *host, int family,
                          struct lc_lookup_job **out)
{
    size_t size = strlen(host) + 1;
    struct lc_lookup_job *job = lc_alloc_shared(sizeof *job + size);
    if (job == NULL) {
        return LC_ENOMEM;
    }
    memcpy(job->host, host, size);
    job->family = family;
    int rc = 0;
    uv_mutex_lock(&threads->mutex);
    append(&threads->line, job);
    threads->in_line++;
    if (threads->in_line <= threads->idle) {
        uv_cond_signal(&threads->work);
    } else if (threads->count < LC_LOOKUP_THREADS) {
        rc = start_thread(threads); /* which waits for the mutex first */
    }
    if (rc < 0 && threads->count > 0) {
        rc = 0; /* one of those that are there takes it */
    }
    if (rc < 0) {
        take_out(&threads->line, job);
        threads->in_line--;
    }
    uv_mutex_unlock(&threads->mutex);
    if (rc < 0) {
        lc_free_shared(job);
        return rc;
    }
    *out = job;
    return 0;
}

bool lc_lookup_threads_take_back(struct lc_lookup_threads *threads, struct lc_lookup_job *job)
{
    uv_mutex_lock(&threads->mutex);
    bool in_line = job->state == LC_LOOKUP_IN_LINE;
    if (in_line) {
        take_out(&threads->line, job);
        threads->in_line--;
    }
    uv_mutex_unlock(&threads->mutex);
    return in_line;
}

struct lc_lookup_job *lc_lookup_threads_collect(struct lc_lookup_threads *threads)
{
    uv_mutex_lock(&threads->mutex);
    struct lc_lookup_job *first = threads->done.first;
    threads->done = (struct queue){NULL, NULL};
    uv_mutex_unlock(&threads->mutex);
    return first;
}
