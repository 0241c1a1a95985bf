#include "connect.h"

#include "curl_loop.h"
#include "sock.h"

#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_HANDLES_MAX = 64, /* easy handles kept for the next attempt */
    STARTS_PER_TURN = 128, /* so that thousands of attempts at once need few handles at a time */
};

struct lc_connect {
    struct lc_curl_job job; /* its handle is NULL while the attempt waits */
    struct lc_connector *connector;
    struct lc_connect *next, *prev; /* in waiting or running */
    void *owner;
    curl_socket_t given_away; /* the descriptor that libcurl must not close */
    char *url;
    char *proxy;
    bool tunnel;
    char reason[LC_CONNECT_REASON_MAX];
};

struct list {
    struct lc_connect *first, *last;
};

struct lc_connector {
    struct lc_curl_loop *loop;
    lc_connect_cb done;
    struct list waiting;
    struct list running;
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
    bool closing;
};

/* --- lists --- */

static void list_append(struct list *list, struct lc_connect *attempt)
{
    attempt->next = NULL;
    attempt->prev = list->last;
    if (list->last != NULL) {
        list->last->next = attempt;
    } else {
        list->first = attempt;
    }
    list->last = attempt;
}

static void list_remove(struct list *list, struct lc_connect *attempt)
{
    if (attempt->prev != NULL) {
        attempt->prev->next = attempt->next;
    } else {
        list->first = attempt->next;
    }
    if (attempt->next != NULL) {
        attempt->next->prev = attempt->prev;
    } else {
        list->last = attempt->prev;
    }
}

/* --- libcurl's callbacks; none of them calls back into libcurl --- */

static int on_curl_sockopt(void *clientp, curl_socket_t fd, curlsocktype purpose)
{
    (void)clientp;
    (void)purpose;
    lc_sock_prepare(fd);
    return CURL_SOCKOPT_OK;
}

static int on_curl_closesocket(void *clientp, curl_socket_t fd)
{
    struct lc_connect *attempt = clientp;
    if (attempt != NULL && attempt->given_away == fd) {
        return 0;
    }
    return close(fd);
}

/* --- life cycle --- */

int lc_connect_init_process(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : LC_ENOMEM;
}

/* Gives the easy handle back to the pool, or to libcurl. */
static void release_handle(struct lc_connect *attempt)
{
    struct lc_connector *connector = attempt->connector;
    if (attempt->job.easy == NULL) {
        return;
    }
    lc_curl_loop_remove(connector->loop, &attempt->job);
    curl_easy_reset(attempt->job.easy);
    if (connector->idle_count < IDLE_HANDLES_MAX && !connector->closing) {
        connector->idle[connector->idle_count++] = attempt->job.easy;
    } else {
        curl_easy_cleanup(attempt->job.easy);
    }
    attempt->job.easy = NULL;
}

static void attempt_free(struct lc_connect *attempt)
{
    lc_count_closed(LC_COUNT_ATTEMPTS);
    release_handle(attempt);
    lc_free(attempt->url);
    lc_free(attempt->proxy);
    lc_free(attempt);
}

void lc_connect_cancel(struct lc_connect *attempt)
{
    struct lc_connector *connector = attempt->connector;
    bool running = attempt->job.easy != NULL;
    list_remove(running ? &connector->running : &connector->waiting, attempt);
    attempt_free(attempt);
}

void lc_connector_close(struct lc_connector *connector)
{
    connector->closing = true;
    while (connector->waiting.first != NULL) {
        lc_connect_cancel(connector->waiting.first);
    }
    while (connector->running.first != NULL) {
        lc_connect_cancel(connector->running.first);
    }
    while (connector->idle_count > 0) {
        curl_easy_cleanup(connector->idle[--connector->idle_count]);
    }
    lc_curl_loop_close(connector->loop);
    lc_free(connector);
}

/* --- attempts --- */

static char *copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = lc_alloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

int lc_connect_start(struct lc_connector *connector, const struct lc_connect_target *target,
                     void *owner, struct lc_connect **out)
{
    struct lc_connect *attempt = lc_alloc_zero(sizeof *attempt);
    if (attempt == NULL) {
        return LC_ENOMEM;
    }
    lc_count_opened(LC_COUNT_ATTEMPTS);
    attempt->connector = connector;
    attempt->owner = owner;
    attempt->given_away = CURL_SOCKET_BAD;
    attempt->tunnel = target->tunnel;
    attempt->url = copy_string(target->url);
    attempt->proxy = copy_string(target->proxy != NULL ? target->proxy : "");
    if (attempt->url == NULL || attempt->proxy == NULL) {
        attempt_free(attempt);
        return LC_ENOMEM;
    }
    list_append(&connector->waiting, attempt);
    *out = attempt;
    return 0;
}

static CURLcode set_options(struct lc_connect *attempt)
{
    CURL *easy = attempt->job.easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, attempt->url);
    if (code == CURLE_OK) {
        /* Always set: libcurl obeys http_proxy otherwise. */
        code = curl_easy_setopt(easy, CURLOPT_PROXY, attempt->proxy);
    }
    if (code == CURLE_OK) {
        /* And no_proxy, even against a proxy that was set. */
        code = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
    if (code != CURLE_OK) {
        return code;
    }
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A cancelled look-up must not be waited for: its thread ends by itself. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, attempt->tunnel ? 1L : 0L);
    /* The caller's time-outs rule; libcurl's own default of 300 s must not cut in before them. */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 24L * 3600 * 1000);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->reason);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_curl_sockopt);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_curl_closesocket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, attempt);
    return CURLE_OK;
}

static int error_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return LC_ENOMEM;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return LC_ERESOLVE;
    default:
        return LC_ECONNECT;
    }
}

/* An attempt that has ended and is in no list: takes the socket, frees the handle, tells. */
static void finish(struct lc_connect *attempt, CURLcode code)
{
    struct lc_connect_result result = {.err = error_of(code), .fd = -1};
    CURL *easy = attempt->job.easy;
    if (easy != NULL) {
        curl_off_t lookup_us = 0, connect_us = 0;
        long os_errno = 0;
        curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
        curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_us);
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
        result.lookup_ns = (uint64_t)lookup_us * 1000;
        result.connect_ns = (uint64_t)connect_us * 1000;
        result.os_errno = (int)os_errno;
    }
    if (result.err == 0) {
        curl_socket_t fd = CURL_SOCKET_BAD;
        curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
        if (fd == CURL_SOCKET_BAD) {
            result.err = LC_ECONNECT;
        }
        attempt->given_away = fd;
        result.fd = fd;
    }
    /* libcurl closes a connect-only connection when its handle is removed: on_curl_closesocket
     * keeps the descriptor open, and libcurl has forgotten it before the owner hears of it. */
    release_handle(attempt);
    result.reason = attempt->reason[0] != '\0' ? attempt->reason : curl_easy_strerror(code);
    attempt->connector->done(attempt->owner, &result);
    attempt_free(attempt);
}

static void on_done(struct lc_curl_job *job, CURLcode code)
{
    struct lc_connect *attempt = job->owner;
    list_remove(&attempt->connector->running, attempt);
    finish(attempt, code);
}

/* The first that waits; one that cannot even begin ends at once. */
static void begin(struct lc_connector *connector)
{
    struct lc_connect *attempt = connector->waiting.first;
    list_remove(&connector->waiting, attempt);
    attempt->job.owner = attempt;
    attempt->job.easy =
        connector->idle_count > 0 ? connector->idle[--connector->idle_count] : curl_easy_init();
    CURLcode code = attempt->job.easy != NULL ? set_options(attempt) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK && lc_curl_loop_add(connector->loop, &attempt->job) != 0) {
        code = CURLE_OUT_OF_MEMORY;
    }
    if (code == CURLE_OK) {
        list_append(&connector->running, attempt);
    } else {
        finish(attempt, code);
    }
}

int lc_connector_new(uv_loop_t *loop, lc_connect_cb done, struct lc_connector **out)
{
    struct lc_connector *connector = lc_alloc_zero(sizeof *connector);
    if (connector == NULL) {
        return LC_ENOMEM;
    }
    connector->done = done;
    int rc = lc_curl_loop_new(loop, on_done, &connector->loop);
    if (rc != 0) {
        lc_free(connector);
        return rc;
    }
    *out = connector;
    return 0;
}

bool lc_connector_turn(struct lc_connector *connector)
{
    for (int i = 0; i < STARTS_PER_TURN && connector->waiting.first != NULL; i++) {
        begin(connector);
    }
    lc_curl_loop_turn(connector->loop);
    return connector->waiting.first != NULL;
}
