/* The threads that call getaddrinfo: jobs go in by a line, finished ones are collected by the loop.
 *
 * At most LC_LOOKUP_THREADS; they are made when they are needed and end after a while without work.
 * Nobody ever waits for one: closing and the end of the process leave a busy one behind, and what
 * it finds is dropped.
 *
 * This is the one place of the core with a mutex: threads and owner share a reference-counted
 * state, which the last of them frees. Only the owner's thread and process may call: in a forked
 * child the threads do not exist, and the mutex may be locked for ever. */
#ifndef LC_LOOKUP_THREADS_H
#define LC_LOOKUP_THREADS_H

#include "lc.h"

#include <netdb.h>
#include <uv.h>

enum { LC_LOOKUP_THREADS = 8 };

/* How names are looked up; a test may put functions of its own here. Both are called in threads. */
struct lc_lookup_config {
    int (*resolve)(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found); /* NULL: getaddrinfo */
    void (*release)(struct addrinfo *found); /* NULL: freeaddrinfo */
    uint32_t idle_ms;                        /* how long a thread waits for work; 0: 10 s */
};

struct lc_lookup;

enum lc_lookup_job_state { LC_LOOKUP_IN_LINE, LC_LOOKUP_RUNNING, LC_LOOKUP_DONE };

/* One call of getaddrinfo. */
struct lc_lookup_job {
    struct lc_lookup_job *next; /* in line, or done; guarded by the mutex */
    uint8_t state;              /* enum lc_lookup_job_state; guarded by the mutex */
    /* The thread's while the job is running. */
    struct addrinfo *found;
    int eai;
    int os_errno; /* with EAI_SYSTEM */
    uint64_t end_ns;
    /* The loop's. */
    struct lc_lookup_job *next_known;
    struct lc_lookup *first, *last; /* who waits for it */
    int family;
    char host[];
};

struct lc_lookup_threads;

/* `config` may be NULL. `signal` is sent when a job is done, never after lc_lookup_threads_close.
 */
int lc_lookup_threads_new(const struct lc_lookup_config *config, uv_async_t *signal,
                          struct lc_lookup_threads **out) LC_MUST_USE;
/* Drops every job, those in line and running ones too. */
void lc_lookup_threads_close(struct lc_lookup_threads *threads);
/* Puts a new job in line. LC_ESYS: no thread could be made and none is there. */
int lc_lookup_threads_put(struct lc_lookup_threads *threads, const char *host, int family,
                          struct lc_lookup_job **out) LC_MUST_USE;
/* Takes a job out that is still in line; false: it is not, and will be done. */
bool lc_lookup_threads_take_back(struct lc_lookup_threads *threads,
                                 struct lc_lookup_job *job) LC_MUST_USE;
/* The jobs that are done, linked by `next`. */
struct lc_lookup_job *lc_lookup_threads_collect(struct lc_lookup_threads *threads);
/* Frees a job that was collected or taken back. */
void lc_lookup_threads_free(struct lc_lookup_threads *threads, struct lc_lookup_job *job);
/* How many exist now, busy or not. */
size_t lc_lookup_threads_count(struct lc_lookup_threads *threads);

#endif
