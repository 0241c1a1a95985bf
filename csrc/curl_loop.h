/* A libcurl multi handle driven by a libuv loop: descriptors, timer, finished transfers.
 *
 * A job is one easy handle in the multi. It finishes once, in lc_curl_loop_turn, outside libcurl
 * and outside the loop; a job that was removed before does not call back. A descriptor that cannot
 * be watched ends its own job with CURLE_OUT_OF_MEMORY and no other. The job uses the handle's
 * CURLOPT_PRIVATE. */
#ifndef LC_CURL_LOOP_H
#define LC_CURL_LOOP_H

#include "lc.h"

#include <curl/curl.h>
#include <uv.h>

struct lc_curl_job {
    CURL *easy;                      /* the owner's, set before the job is added */
    void *owner;                     /* the same */
    uint64_t finished_ns;            /* the last arrival before it finished, monotonic */
    struct lc_curl_job *next, *prev; /* in the list of the running, or of the finished */
    CURLcode code;
    bool running;
    bool finished;
};

struct lc_curl_loop;

/* The job is still in the multi, so that libcurl can be asked about it; remove it then. Any job may
 * be added or removed meanwhile. */
typedef void (*lc_curl_done_cb)(struct lc_curl_job *job, CURLcode code);

int lc_curl_loop_new(uv_loop_t *loop, lc_curl_done_cb done, struct lc_curl_loop **out) LC_MUST_USE;
/* When all jobs are removed. Closes the connections that libcurl keeps; the memory goes when the
 * loop has run the close callbacks. */
void lc_curl_loop_close(struct lc_curl_loop *loop);
/* A connection that libcurl keeps: its descriptor stays watched while no job uses it, which saves
 * the system calls of watching it anew for each. Without memory it does not stay so. */
void lc_curl_loop_keep(struct lc_curl_loop *loop, int fd);
/* Before a descriptor that was kept is closed. */
void lc_curl_loop_forget(struct lc_curl_loop *loop, int fd);
/* For options of the multi handle other than its callbacks. */
CURLM *lc_curl_loop_multi(struct lc_curl_loop *loop);
/* LC_ENOMEM: libcurl did not take the handle, and the job is not in the loop. */
int lc_curl_loop_add(struct lc_curl_loop *loop, struct lc_curl_job *job) LC_MUST_USE;
/* Finished or not; one that is not in the loop is left alone. Never from inside a callback of
 * libcurl. */
void lc_curl_loop_remove(struct lc_curl_loop *loop, struct lc_curl_job *job);
/* When the loop last saw that a socket had news, monotonic: the arrival of what libcurl reads. */
uint64_t lc_curl_loop_ready_ns(const struct lc_curl_loop *loop);
/* Calls the done callback of every job that has finished. */
void lc_curl_loop_turn(struct lc_curl_loop *loop);

#endif
