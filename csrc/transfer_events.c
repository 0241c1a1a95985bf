/* libcurl's callbacks; declared in transfer_private.h.
 *
 * They are called while libcurl is on the stack: they note what happened and tell the owner; none
 * of them calls back into libcurl. */
#include "transfer_private.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- sockets --- */

/* The words for HTTP_1_1_REQUIRED are the only trace of it; then HTTP/1.1 is the fall-back. */
static bool may_resend(struct lc_transfer *transfer)
{
    bool downgrade = strstr(transfer->reason, "HTTP_1_1_REQUIRED") != NULL;
    if (!transfer->reused && !downgrade) {
        transfer->refused = true;
    }
    return !transfer->refused;
}

static curl_socket_t on_open_socket(void *clientp, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    (void)purpose;
    struct lc_transfer *transfer = clientp;
    if (transfer->tries > 0 && !may_resend(transfer)) {
        return CURL_SOCKET_BAD;
    }
    if (transfer->only_reuses) {
        transfer->must_connect = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    transfer->made_connection = true;
    return fd;
}

/* Called for sockets whose connection worked; it outlives the transfer that made it, but not its
 * link. Those that never worked libcurl 7.88 closes by itself. */
static int on_close_socket(void *clientp, curl_socket_t fd)
{
    struct lc_transfer_link *link = clientp;
    if (link->sockets > 0) {
        link->sockets--;
        link->group->scope->transfers->counts.connections--;
    }
    return close(fd);
}

/* --- the request --- */

/* Called each time that the request is about to be sent, on a connection that works. */
static int on_send(void *clientp, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    struct lc_transfer *transfer = clientp;
    if (transfer->made_connection) {
        transfer->link->sockets++;
        transfer->transfers->counts.opened++;
        transfer->transfers->counts.connections++;
    }
    if (transfer->tries > 0 && !may_resend(transfer)) {
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->tries++;
    transfer->paused = false;
    transfer->reused = !transfer->made_connection;
    transfer->made_connection = false;
    transfer->sent_ns = lc_now_ns();
    lc_transfer_link_reached(transfer);
    int rc = 0;
    if (transfer->events->on_sending != NULL) {
        rc = transfer->events->on_sending(transfer->owner);
    }
    transfer->owner_err = rc;
    return rc < 0 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_read(char *into, size_t size, size_t count, void *clientp)
{
    struct lc_transfer *transfer = clientp;
    transfer->read_body = true;
    ssize_t len = transfer->events->on_read(transfer->owner, into, size * count);
    if (len == LC_EAGAIN) {
        transfer->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (len < 0) {
        transfer->owner_err = (int)len;
        return CURL_READFUNC_ABORT;
    }
    transfer->sent_ns = lc_now_ns();
    return (size_t)len;
}

int lc_transfer_events_rewind(struct lc_transfer *transfer)
{
    if (transfer->events->on_rewind == NULL) {
        return LC_EINVAL;
    }
    transfer->owner_err = transfer->events->on_rewind(transfer->owner);
    return transfer->owner_err;
}

static int on_seek(void *clientp, curl_off_t offset, int origin)
{
    bool to_begin = offset == 0 && origin == SEEK_SET;
    return to_begin && lc_transfer_events_rewind(clientp) == 0 ? CURL_SEEKFUNC_OK
                                                               : CURL_SEEKFUNC_FAIL;
}

/* --- the response --- */

static uint64_t arrival_ns(const struct lc_transfer *transfer)
{
    uint64_t ready_ns = lc_curl_loop_ready_ns(transfer->transfers->loop);
    /* What came so soon that it was read right after sending was not waited for by the loop. */
    return ready_ns >= transfer->sent_ns ? ready_ns : lc_now_ns();
}

static bool is_interim(const struct lc_buf *answer)
{
    const char *space = memchr(answer->ptr, ' ', answer->len);
    /* "101 Switching Protocols" is final, for what follows is no HTTP. */
    return space != NULL && space[1] == '1' && strncmp(space + 1, "101", 3) != 0;
}

/* One line; the status line of a later response begins anew, what follows a body is a trailer. */
static int take_line(struct lc_transfer *transfer, const char *line, size_t len)
{
    struct lc_buf *answer = &transfer->answer;
    if (transfer->told_head) {
        return 0;
    }
    if (transfer->first_byte_ns == 0) {
        transfer->first_byte_ns = arrival_ns(transfer);
    }
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        answer->len = 0;
    }
    int rc = lc_buf_append(answer, line, len);
    bool complete = len <= 2 && (line[0] == '\r' || line[0] == '\n');
    if (rc < 0 || !complete || is_interim(answer)) {
        return rc;
    }
    transfer->told_head = true;
    return transfer->events->on_head(transfer->owner, answer->ptr, answer->len);
}

static size_t on_header(char *line, size_t size, size_t count, void *clientp)
{
    struct lc_transfer *transfer = clientp;
    transfer->owner_err = take_line(transfer, line, size * count);
    return transfer->owner_err == 0 ? size * count : CURL_WRITEFUNC_ERROR;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *clientp)
{
    struct lc_transfer *transfer = clientp;
    int rc = transfer->events->on_body(transfer->owner, bytes, size * count);
    if (rc == LC_EAGAIN && transfer->may_pause) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transfer->owner_err = rc == LC_EAGAIN ? LC_EINVAL : rc;
    return rc == 0 ? size * count : CURL_WRITEFUNC_ERROR;
}

void lc_transfer_events_set(struct lc_transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}
