#include "connect.h"

#include "sock.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_HANDLES_MAX = 64, /* easy handles kept for the next attempt */
    STARTS_PER_TURN = 128, /* so that thousands of attempts at once need few handles at a time */
};

struct lc_connect {
    struct lc_connector *connector;
    struct lc_connect *next, *prev; /* in waiting or running */
    CURL *easy;                     /* NULL while waiting */
    void *owner;
    curl_socket_t given_away; /* the descriptor that libcurl must not close */
    bool finished;
    CURLcode code;
    char *url;
    char *proxy;
    bool tunnel;
    char reason[LC_CONNECT_REASON_MAX];
};

/* A descriptor that libcurl watches. */
struct watch {
    uv_poll_t poll;
    struct lc_connector *connector;
    curl_socket_t fd;
};

struct list {
    struct lc_connect *first, *last;
};

struct lc_connector {
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    lc_connect_cb done;
    struct list waiting;
    struct list running;
    struct list finished;
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
    size_t open_handles; /* uv handles whose close callback is due */
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

static struct list *list_of(struct lc_connect *attempt)
{
    struct lc_connector *connector = attempt->connector;
    if (attempt->finished) {
        return &connector->finished;
    }
    return attempt->easy != NULL ? &connector->running : &connector->waiting;
}

/* --- libcurl's callbacks; none of them calls back into libcurl --- */

static void free_connector_when_closed(struct lc_connector *connector)
{
    if (connector->closing && connector->open_handles == 0) {
        lc_free(connector);
    }
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct lc_connector *connector = watch->connector;
    lc_free(watch);
    connector->open_handles--;
    free_connector_when_closed(connector);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct lc_connector *connector = handle->data;
    connector->open_handles--;
    free_connector_when_closed(connector);
}

/* From running to finished, once; a handle that is being released has no attempt any more. */
static void mark_finished(struct lc_connector *connector, CURL *easy, CURLcode code)
{
    struct lc_connect *attempt = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&attempt) != CURLE_OK ||
        attempt == NULL || attempt->finished) {
        return;
    }
    list_remove(&connector->running, attempt);
    attempt->finished = true;
    attempt->code = code;
    list_append(&connector->finished, attempt);
}

static void collect_finished(struct lc_connector *connector)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(connector->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            mark_finished(connector, message->easy_handle, message->data.result);
        }
    }
}

static void on_watch_event(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct lc_connector *connector = watch->connector;
    int flags = 0;
    int running;
    if (status < 0) {
        flags = CURL_CSELECT_ERR;
    }
    if (events & UV_READABLE) {
        flags |= CURL_CSELECT_IN;
    }
    if (events & UV_WRITABLE) {
        flags |= CURL_CSELECT_OUT;
    }
    curl_multi_socket_action(connector->multi, watch->fd, flags, &running);
    collect_finished(connector);
}

static struct watch *watch_new(struct lc_connector *connector, curl_socket_t fd)
{
    struct watch *watch = lc_alloc(sizeof *watch);
    if (watch == NULL) {
        return NULL;
    }
    watch->connector = connector;
    watch->fd = fd;
    if (uv_poll_init_socket(connector->loop, &watch->poll, fd) != 0) {
        lc_free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    connector->open_handles++;
    return watch;
}

/* Never returns -1: libcurl would refuse all other attempts of this connector from then on. The
 * attempt whose descriptor cannot be watched fails alone. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *userp, void *socketp)
{
    struct lc_connector *connector = userp;
    struct watch *watch = socketp;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            curl_multi_assign(connector->multi, fd, NULL);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(connector, fd);
        if (watch == NULL) {
            mark_finished(connector, easy, CURLE_OUT_OF_MEMORY);
            return 0;
        }
        curl_multi_assign(connector->multi, fd, watch);
    }
    int events = 0;
    if (what & CURL_POLL_IN) {
        events |= UV_READABLE;
    }
    if (what & CURL_POLL_OUT) {
        events |= UV_WRITABLE;
    }
    if (uv_poll_start(&watch->poll, events, on_watch_event) != 0) {
        mark_finished(connector, easy, CURLE_OUT_OF_MEMORY);
    }
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct lc_connector *connector = timer->data;
    int running;
    curl_multi_socket_action(connector->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_finished(connector);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *userp)
{
    (void)multi;
    struct lc_connector *connector = userp;
    /* Neither can fail for a timer that is not closing; libcurl is gone before it is closed. */
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&connector->timer);
    } else {
        uv_update_time(connector->loop);
        (void)uv_timer_start(&connector->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

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

int lc_connector_new(uv_loop_t *loop, lc_connect_cb done, struct lc_connector **out)
{
    struct lc_connector *connector = lc_alloc_zero(sizeof *connector);
    if (connector == NULL) {
        return LC_ENOMEM;
    }
    connector->loop = loop;
    connector->done = done;
    connector->multi = curl_multi_init();
    if (connector->multi == NULL) {
        lc_free(connector);
        return LC_ENOMEM;
    }
    uv_timer_init(loop, &connector->timer);
    connector->timer.data = connector;
    connector->open_handles = 1;
    curl_multi_setopt(connector->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(connector->multi, CURLMOPT_SOCKETDATA, connector);
    curl_multi_setopt(connector->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(connector->multi, CURLMOPT_TIMERDATA, connector);
    *out = connector;
    return 0;
}

/* Gives the easy handle back to the pool, or to libcurl. */
static void release_handle(struct lc_connect *attempt)
{
    struct lc_connector *connector = attempt->connector;
    if (attempt->easy == NULL) {
        return;
    }
    curl_easy_setopt(attempt->easy, CURLOPT_PRIVATE, NULL);
    curl_multi_remove_handle(connector->multi, attempt->easy);
    curl_easy_reset(attempt->easy);
    if (connector->idle_count < IDLE_HANDLES_MAX && !connector->closing) {
        connector->idle[connector->idle_count++] = attempt->easy;
    } else {
        curl_easy_cleanup(attempt->easy);
    }
    attempt->easy = NULL;
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
    list_remove(list_of(attempt), attempt);
    attempt_free(attempt);
}

void lc_connector_close(struct lc_connector *connector)
{
    connector->closing = true;
    struct list *lists[] = {&connector->waiting, &connector->running, &connector->finished};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        while (lists[i]->first != NULL) {
            lc_connect_cancel(lists[i]->first);
        }
    }
    while (connector->idle_count > 0) {
        curl_easy_cleanup(connector->idle[--connector->idle_count]);
    }
    curl_multi_cleanup(connector->multi);
    uv_close((uv_handle_t *)&connector->timer, on_timer_closed);
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
    CURL *easy = attempt->easy;
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
    curl_easy_setopt(easy, CURLOPT_PRIVATE, attempt);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_curl_sockopt);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_curl_closesocket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, attempt);
    return CURLE_OK;
}

static void begin(struct lc_connector *connector, struct lc_connect *attempt)
{
    list_remove(&connector->waiting, attempt);
    attempt->easy =
        connector->idle_count > 0 ? connector->idle[--connector->idle_count] : curl_easy_init();
    attempt->code = attempt->easy != NULL ? set_options(attempt) : CURLE_OUT_OF_MEMORY;
    if (attempt->code == CURLE_OK) {
        list_append(&connector->running, attempt);
        if (curl_multi_add_handle(connector->multi, attempt->easy) == CURLM_OK) {
            return;
        }
        list_remove(&connector->running, attempt);
        attempt->code = CURLE_OUT_OF_MEMORY;
    }
    attempt->finished = true;
    list_append(&connector->finished, attempt);
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

/* An attempt that libcurl has finished: takes the socket, frees the handle, tells the owner. */
static void finish(struct lc_connector *connector, struct lc_connect *attempt)
{
    struct lc_connect_result result = {.err = error_of(attempt->code), .fd = -1};
    if (attempt->easy != NULL) {
        curl_off_t lookup_us = 0, connect_us = 0;
        long os_errno = 0;
        curl_easy_getinfo(attempt->easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_us);
        curl_easy_getinfo(attempt->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
        curl_easy_getinfo(attempt->easy, CURLINFO_OS_ERRNO, &os_errno);
        result.lookup_ns = (uint64_t)lookup_us * 1000;
        result.connect_ns = (uint64_t)connect_us * 1000;
        result.os_errno = (int)os_errno;
    }
    if (result.err == 0) {
        curl_socket_t fd = CURL_SOCKET_BAD;
        curl_easy_getinfo(attempt->easy, CURLINFO_ACTIVESOCKET, &fd);
        if (fd == CURL_SOCKET_BAD) {
            result.err = LC_ECONNECT;
        }
        attempt->given_away = fd;
        result.fd = fd;
    }
    /* libcurl closes a connect-only connection when its handle is removed: on_curl_closesocket
     * keeps the descriptor open, and libcurl has forgotten it before the owner hears of it. */
    release_handle(attempt);
    result.reason =
        attempt->reason[0] != '\0' ? attempt->reason : curl_easy_strerror(attempt->code);
    connector->done(attempt->owner, &result);
    attempt_free(attempt);
}

bool lc_connector_turn(struct lc_connector *connector)
{
    for (int i = 0; i < STARTS_PER_TURN && connector->waiting.first != NULL; i++) {
        begin(connector, connector->waiting.first);
    }
    while (connector->finished.first != NULL) {
        struct lc_connect *attempt = connector->finished.first;
        list_remove(&connector->finished, attempt);
        finish(connector, attempt);
    }
    return connector->waiting.first != NULL;
}
