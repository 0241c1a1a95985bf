#include "dial.h"

#include "sock.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TRIES_MAX = 2,     /* one of each family */
    UNIX_RETRY_MS = 2, /* until a listener with a full queue is asked again */
};

/* A socket that is being connected. Its memory goes with its handles. */
struct
try {
    uv_poll_t poll;
    uv_timer_t timer; /* the other family's turn; a Unix socket's next try */
    struct lc_dial *dial;
    int fd;
    int family;
    uint8_t open_handles;
    bool has_timer;
};

struct lc_dial {
    uv_loop_t *loop;
    lc_dial_cb done;
    void *owner;
    struct try *tries[TRIES_MAX];
    struct lc_dial_result last; /* failure */
    const char *source;
    const char *unix_socket;
    size_t count;
    struct lc_address addresses[]; /* length 0: was tried */
};

/* --- results --- */

static int fail(struct lc_dial *dial, int err, int os_errno, const char *reason)
{
    dial->last.err = err;
    dial->last.os_errno = os_errno;
    snprintf(dial->last.reason, sizeof dial->last.reason, "%s", reason);
    return err;
}

static int fail_with_errno(struct lc_dial *dial, int os_errno)
{
    char reason[LC_DIAL_REASON_MAX];
    if (dial->unix_socket == NULL) {
        return fail(dial, LC_ECONNECT, os_errno, strerror(os_errno));
    }
    snprintf(reason, sizeof reason, "%s: Unix socket %s", strerror(os_errno), dial->unix_socket);
    return fail(dial, LC_ECONNECT, os_errno, reason);
}

/* --- tries --- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct try *try = handle->data;
    if (--try->open_handles == 0) {
        lc_free(try);
    }
}

/* Closes its handles and returns its descriptor, which stays open. */
static int try_end(struct lc_dial *dial, struct try *try)
{
    int fd = try->fd;
    dial->tries[dial->tries[0] == try ? 0 : 1] = NULL;
    uv_close((uv_handle_t *)&try->poll, on_handle_closed);
    if (try->has_timer) {
        uv_close((uv_handle_t *)&try->timer, on_handle_closed);
    }
    return fd;
}

static void end_all_tries(struct lc_dial *dial)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        if (dial->tries[i] != NULL) {
            close(try_end(dial, dial->tries[i]));
        }
    }
}

static void on_writable(uv_poll_t *poll, int status, int events);
static void on_other_familys_turn(uv_timer_t *timer);
static void on_unix_retry(uv_timer_t *timer);

static void start_timer(struct try *try, uv_timer_cb callback, uint64_t after_ms)
{
    uv_loop_t *loop = try->dial->loop;
    if (!try->has_timer) {
        /* Neither this nor starting it can fail. */
        (void)uv_timer_init(loop, &try->timer);
        try->timer.data = try;
        try->has_timer = true;
        try->open_handles++;
    }
    uv_update_time(loop);
    (void)uv_timer_start(&try->timer, callback, after_ms, 0);
}

/* Takes over a descriptor that is being connected. */
static int try_new(struct lc_dial *dial, int fd, int family, bool watch)
{
    int place = dial->tries[0] == NULL ? 0 : 1;
    struct try *try = lc_alloc_zero(sizeof *try);
    if (try == NULL) {
        close(fd);
        return fail(dial, LC_ENOMEM, 0, lc_strerror(LC_ENOMEM));
    }
    int rc = uv_poll_init_socket(dial->loop, &try->poll, fd);
    if (rc != 0) {
        close(fd);
        lc_free(try);
        return fail(dial, LC_ECONNECT, -rc, uv_strerror(rc));
    }
    try->poll.data = try;
    try->open_handles = 1;
    try->dial = dial;
    try->fd = fd;
    try->family = family;
    dial->tries[place] = try;
    rc = watch ? uv_poll_start(&try->poll, UV_WRITABLE, on_writable) : 0;
    if (rc != 0) {
        close(try_end(dial, try));
        return fail(dial, LC_ECONNECT, -rc, uv_strerror(rc));
    }
    return LC_EAGAIN;
}

/* 0 with a connected descriptor, LC_EAGAIN, or the failure that is noted. */
static int try_address(struct lc_dial *dial, const struct lc_address *address, int *connected)
{
    char reason[LC_SOURCE_REASON_MAX];
    int family = lc_address_family(address);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail_with_errno(dial, errno);
    }
    lc_sock_prepare(fd);
    if (dial->source != NULL) {
        int os_errno = lc_source_bind(fd, family, dial->source, reason);
        if (os_errno != 0) {
            close(fd);
            return fail(dial, LC_ECONNECT, os_errno, reason);
        }
    }
    int rc = connect(fd, &address->socket.any, address->len);
    if (rc != 0 && errno == EINPROGRESS) {
        /* On loopback it is connected when the call returns, but only the next one says so: cheaper
         * than a watch. */
        rc = connect(fd, &address->socket.any, address->len);
    }
    int os_errno = errno;
    if (rc == 0 || os_errno == EISCONN) {
        *connected = fd;
        return 0;
    }
    if (os_errno == EALREADY || os_errno == EINPROGRESS || os_errno == EINTR) {
        return try_new(dial, fd, family, true);
    }
    close(fd);
    return fail_with_errno(dial, os_errno);
}

/* The first untried address whose family is not being tried; NULL if there is none. */
static struct lc_address *next_address(struct lc_dial *dial)
{
    for (size_t i = 0; i < dial->count; i++) {
        struct lc_address *address = &dial->addresses[i];
        bool busy = address->len == 0;
        for (int t = 0; t < TRIES_MAX && !busy; t++) {
            busy = dial->tries[t] != NULL && dial->tries[t]->family == lc_address_family(address);
        }
        if (!busy) {
            return address;
        }
    }
    return NULL;
}

/* Tries addresses until one is connected (0) or being connected (LC_EAGAIN). Otherwise LC_EAGAIN if
 * others still are, or the last failure. */
static int advance(struct lc_dial *dial, int *connected)
{
    struct lc_address *next;
    int rc = dial->last.err;
    while ((next = next_address(dial)) != NULL) {
        struct lc_address address = *next;
        next->len = 0;
        rc = try_address(dial, &address, connected);
        if (rc == 0) {
            return 0;
        }
        if (rc == LC_EAGAIN) {
            break;
        }
    }
    struct try *only = dial->tries[0] != NULL ? dial->tries[0] : dial->tries[1];
    if (only == NULL) {
        return rc;
    }
    if (next_address(dial) != NULL) {
        start_timer(only, on_other_familys_turn, LC_DIAL_STAGGER_MS);
    }
    return LC_EAGAIN;
}

/* --- Unix sockets --- */

/* 0, LC_EAGAIN: the listener's queue is full, or the failure that is noted. */
static int connect_unix(struct lc_dial *dial, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(dial->unix_socket);
    if (len >= sizeof address.sun_path) {
        return fail_with_errno(dial, ENAMETOOLONG);
    }
    memcpy(address.sun_path, dial->unix_socket, len + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return 0;
    }
    return errno == EAGAIN || errno == EINTR ? LC_EAGAIN : fail_with_errno(dial, errno);
}

static int dial_unix(struct lc_dial *dial, int *connected)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail_with_errno(dial, errno);
    }
    int rc = connect_unix(dial, fd);
    if (rc == 0) {
        *connected = fd;
        return 0;
    }
    if (rc != LC_EAGAIN) {
        close(fd);
        return rc;
    }
    rc = try_new(dial, fd, AF_UNIX, false);
    if (rc == LC_EAGAIN) {
        start_timer(dial->tries[0], on_unix_retry, UNIX_RETRY_MS);
    }
    return rc;
}

/* --- life cycle --- */

static void dial_free(struct lc_dial *dial)
{
    end_all_tries(dial);
    lc_free(dial);
}

/* What a step has led to: 0 if it is over, with the result, LC_EAGAIN if not. */
static int conclude(struct lc_dial *dial, int rc, int connected, struct lc_dial_result *result)
{
    if (rc == LC_EAGAIN) {
        return LC_EAGAIN;
    }
    *result = dial->last;
    if (rc == 0) {
        *result = (struct lc_dial_result){.fd = connected};
    }
    dial_free(dial);
    return 0;
}

static void conclude_from_loop(struct lc_dial *dial, int rc, int connected)
{
    struct lc_dial_result result;
    lc_dial_cb done = dial->done;
    void *owner = dial->owner;
    if (conclude(dial, rc, connected, &result) == 0) {
        done(owner, &result);
    }
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the socket's own error says more */
    (void)events;
    struct try *try = poll->data;
    struct lc_dial *dial = try->dial;
    int os_errno = 0, connected = -1;
    socklen_t size = sizeof os_errno;
    int fd = try_end(dial, try);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &os_errno, &size) != 0) {
        os_errno = errno;
    }
    if (os_errno == 0) {
        conclude_from_loop(dial, 0, fd);
        return;
    }
    close(fd);
    (void)fail_with_errno(dial, os_errno);
    int rc = advance(dial, &connected);
    conclude_from_loop(dial, rc, connected);
}

static void on_other_familys_turn(uv_timer_t *timer)
{
    struct try *try = timer->data;
    struct lc_dial *dial = try->dial;
    int connected = -1;
    int rc = advance(dial, &connected);
    conclude_from_loop(dial, rc, connected);
}

static void on_unix_retry(uv_timer_t *timer)
{
    struct try *try = timer->data;
    struct lc_dial *dial = try->dial;
    int rc = connect_unix(dial, try->fd);
    if (rc == LC_EAGAIN) {
        start_timer(try, on_unix_retry, UNIX_RETRY_MS);
        return;
    }
    int fd = try_end(dial, try);
    if (rc != 0) {
        close(fd);
    }
    conclude_from_loop(dial, rc, fd);
}

static const char *or_null(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

int lc_dial_start(uv_loop_t *loop, const struct lc_dial_target *target, lc_dial_cb done,
                  void *owner, struct lc_dial_result *result, struct lc_dial **out)
{
    int connected = -1;
    struct lc_dial *dial =
        lc_alloc_zero(sizeof *dial + target->count * sizeof target->addresses[0]);
    if (dial == NULL) {
        *result = (struct lc_dial_result){.err = LC_ENOMEM, .fd = -1};
        snprintf(result->reason, sizeof result->reason, "%s", lc_strerror(LC_ENOMEM));
        return 0;
    }
    dial->loop = loop;
    dial->done = done;
    dial->owner = owner;
    dial->source = or_null(target->source);
    dial->unix_socket = or_null(target->unix_socket);
    dial->count = target->count;
    dial->last = (struct lc_dial_result){.err = LC_ECONNECT, .fd = -1};
    for (size_t i = 0; i < target->count; i++) {
        dial->addresses[i] = target->addresses[i];
        lc_address_set_port(&dial->addresses[i], target->port);
    }
    int rc = dial->unix_socket != NULL ? dial_unix(dial, &connected) : advance(dial, &connected);
    rc = conclude(dial, rc, connected, result);
    if (rc == LC_EAGAIN) {
        *out = dial;
    }
    return rc;
}

int lc_dial_next(struct lc_dial *dial, struct lc_dial_result *result)
{
    int connected = -1;
    bool untried = false;
    for (size_t i = 0; i < dial->count && !untried; i++) {
        untried = dial->addresses[i].len != 0;
    }
    if (!untried) {
        return LC_EINVAL;
    }
    end_all_tries(dial);
    (void)fail_with_errno(dial, ETIMEDOUT);
    int rc = advance(dial, &connected);
    return conclude(dial, rc, connected, result);
}

void lc_dial_cancel(struct lc_dial *dial)
{
    dial_free(dial);
}
