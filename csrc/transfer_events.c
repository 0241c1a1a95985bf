/* libcurl's callbacks; declared in transfer_private.h.
 *
 * They are called while libcurl is on the stack: they note what happened and tell the owner; none
 * of them calls back into libcurl. */
#include "transfer_private.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- once more --- */

/* The words for it are its only trace, and others may lie over them. */
static bool wants_http1(const struct lc_transfer *transfer)
{
    static const char NAME[] = "HTTP_1_1_REQUIRED";
    return memmem(transfer->reason, sizeof transfer->reason, NAME, sizeof NAME - 1) != NULL;
}

/* Its count goes on from one transfer of a handle to the next: each sixth time that it would have
 * sent something again it gives up instead, and these words are about nothing else. */
static bool has_given_up(const struct lc_transfer *transfer)
{
    static const char WORDS[] = "Connection died, tried ";
    return strncmp(transfer->reason, WORDS, sizeof WORDS - 1) == 0;
}

/* libcurl has words for what is lost, and for HTTP_1_1_REQUIRED (RFC 9113, 7), but none for a
 * stream that was refused (over HTTP/1.1 nothing is), nor for a connection that ended in order or
 * because nghttp2 gave it up; that it takes for the beginning of a response. */
bool lc_transfer_events_may_resend(struct lc_transfer *transfer)
{
    if (wants_http1(transfer)) {
        transfer->wants_http1 = true;
        return true;
    }
    curl_off_t began_us = 0;
    transfer->silent = transfer->reason[0] == '\0' || has_given_up(transfer);
    curl_easy_getinfo(transfer->job.easy, CURLINFO_STARTTRANSFER_TIME_T, &began_us);
    if (transfer->silent && transfer->group->spoken == 2 && (began_us == 0 || transfer->has_body)) {
        transfer->refused = !transfer->reused;
        return transfer->reused;
    }
    if (transfer->resend > 0) {
        transfer->resend--;
        return true;
    }
    transfer->lost = true;
    return false;
}

/* --- sockets --- */

/* A socket that connects at once and says nothing to anybody: UDP on loopback. */
static int open_stand_in(struct curl_sockaddr *address)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(9)};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->family = AF_INET;
    address->addrlen = sizeof loopback;
    memcpy(&address->addr, &loopback, sizeof loopback);
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* libcurl wants a connection: the one that was made for it. If there is none, what it hoped to use
 * again was dead or full: the transfer comes again with one.
 *
 * Before 8.0 libcurl insists on connecting a connected socket and fails (curl#10626). It gets a
 * stand-in to connect, whose place the connection takes before the first byte is sent. */
static curl_socket_t on_open_socket(void *clientp, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    (void)purpose;
    struct lc_transfer *transfer = clientp;
    if (transfer->fd < 0) {
        transfer->must_connect = transfer->tries == 0 || lc_transfer_events_may_resend(transfer);
        return CURL_SOCKET_BAD;
    }
    if (transfer->transfers->before_8) {
        transfer->stand_in = open_stand_in(address);
        transfer->taken = transfer->stand_in;
    } else {
        transfer->taken = transfer->fd;
        transfer->fd = -1;
    }
    return transfer->taken;
}

static int on_socket_options(void *clientp, curl_socket_t fd, curlsocktype purpose)
{
    (void)fd, (void)purpose;
    struct lc_transfer *transfer = clientp;
    return transfer->stand_in >= 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ALREADY_CONNECTED;
}

static bool replace_stand_in(struct lc_transfer *transfer)
{
    if (transfer->stand_in < 0) {
        return true;
    }
    bool done = dup3(transfer->fd, transfer->stand_in, O_CLOEXEC) >= 0;
    transfer->stand_in = -1;
    close(transfer->fd);
    transfer->fd = -1;
    return done;
}

/* Before the handshake. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *clientp)
{
    (void)easy;
    struct lc_transfer *transfer = clientp;
    const struct lc_origin *origin = transfer->group->origin;
    if (!replace_stand_in(transfer)) {
        return CURLE_COULDNT_CONNECT;
    }
    int rc = lc_tls_context_lend(origin->tls_context, origin->tls_config, origin->host, ssl_ctx);
    return rc == 0 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* Called for sockets whose connection worked; it outlives the transfer that made it, but not its
 * group. Those that never worked libcurl 7.88 closes by itself. */
static int on_close_socket(void *clientp, curl_socket_t fd)
{
    struct lc_transfer_group *group = clientp;
    lc_curl_loop_forget(group->scope->transfers->loop, fd);
    lc_transfer_group_closed(group, fd);
    return close(fd);
}

/* --- the request --- */

/* Called each time that the request is about to be sent, on a connection that works. */
static int on_send(void *clientp, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    struct lc_transfer *transfer = clientp;
    if (!replace_stand_in(transfer)) {
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->taken >= 0) {
        lc_transfer_group_opened(transfer->group, transfer->taken);
    }
    if (transfer->tries > 0 && !transfer->comes_again && !lc_transfer_events_may_resend(transfer)) {
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->comes_again = false;
    transfer->tries++;
    transfer->paused = false;
    transfer->reused = transfer->taken < 0;
    transfer->taken = -1;
    transfer->sent_ns = lc_now_ns();
    if (transfer->connected_ns == 0) {
        transfer->connected_ns = transfer->sent_ns;
    }
    lc_transfer_group_reached(transfer);
    if (transfer->events->on_sending != NULL) {
        transfer->owner_err = transfer->events->on_sending(transfer->owner);
    }
    return transfer->owner_err == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
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
    if (!transfer->read_body) {
        return 0;
    }
    if (transfer->events->on_rewind == NULL) {
        return LC_EINVAL;
    }
    transfer->read_body = false;
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

/* libcurl stops sending then, but a pause that waits for more of the body would keep it from the
 * end. */
static bool refuses_body(const struct lc_buf *answer)
{
    const char *space = memchr(answer->ptr, ' ', answer->len);
    return space != NULL && space[1] >= '3';
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
    if (refuses_body(answer)) {
        lc_transfer_resume(transfer);
    }
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
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_options);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
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
