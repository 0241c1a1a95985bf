#include "transfer_private.h"

#include <unistd.h>

enum { IDLE_CONNECTIONS_MAX = 10 }; /* of a group; more than one only if HTTP/1.1 is spoken */

/* --- lists --- */

static void append(struct lc_transfer *transfer)
{
    struct lc_transfers *transfers = transfer->transfers;
    transfer->next = NULL;
    transfer->prev = transfers->last;
    if (transfers->last != NULL) {
        transfers->last->next = transfer;
    } else {
        transfers->first = transfer;
    }
    transfers->last = transfer;
    transfers->counts.transfers++;
}

static void unlink_transfer(struct lc_transfer *transfer)
{
    struct lc_transfers *transfers = transfer->transfers;
    if (transfer->prev != NULL) {
        transfer->prev->next = transfer->next;
    } else {
        transfers->first = transfer->next;
    }
    if (transfer->next != NULL) {
        transfer->next->prev = transfer->prev;
    } else {
        transfers->last = transfer->prev;
    }
    transfers->counts.transfers--;
}

static void forget_resumed(struct lc_transfer *transfer)
{
    struct lc_transfer **at = &transfer->transfers->resumed;
    while (transfer->resumed && *at != transfer) {
        at = &(*at)->next_resumed;
    }
    if (transfer->resumed) {
        *at = transfer->next_resumed;
        transfer->resumed = false;
    }
}

/* --- the end of a transfer --- */

/* Back to the pool; it is not in the loop any more. */
static void release(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (transfer->fd >= 0) {
        close(transfer->fd);
    }
    transfer->fd = transfer->stand_in = transfer->taken = -1;
    if (transfer->reason[0] != '\0') {
        memset(transfer->reason, 0, sizeof transfer->reason);
    }
    unlink_transfer(transfer);
    forget_resumed(transfer);
    lc_transfer_group_left(transfer);
    transfer->group = NULL;
    lc_transfer_easy_put(transfer);
    lc_transfer_scope_leave(group);
}

static void tell(struct lc_transfer *transfer, const struct lc_transfer_result *result)
{
    transfer->events->on_done(transfer->owner, result);
    release(transfer);
}

static void finish(struct lc_transfer *transfer, CURLcode code)
{
    struct lc_transfer_result result;
    lc_transfer_result_of(transfer, code, &result);
    lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    tell(transfer, &result);
}

void lc_transfer_cancel(struct lc_transfer *transfer)
{
    if (transfer->attempt != NULL) {
        lc_connect_cancel(transfer->attempt);
        transfer->attempt = NULL;
    } else if (!transfer->waits) {
        /* libcurl would keep the connection and read what is left of the response before the next
         * one; its own reset of the stream would wait for the next request as well. */
        lc_transfer_easy_forbid_reuse(transfer);
        lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    }
    release(transfer);
}

/* --- the beginning --- */

static CURLcode run(struct lc_transfer *transfer)
{
    CURLcode code = lc_transfer_easy_prepare(transfer);
    if (code == CURLE_OK && lc_curl_loop_add(transfer->transfers->loop, &transfer->job) != 0) {
        code = CURLE_OUT_OF_MEMORY;
    }
    return code;
}

static void on_connected(void *owner, const struct lc_connect_result *connect)
{
    struct lc_transfer *transfer = owner;
    struct lc_transfer_result result;
    transfer->attempt = NULL;
    if (connect->err != 0) {
        lc_transfer_result_of_connect(transfer, connect, &result);
        tell(transfer, &result);
        return;
    }
    transfer->fd = connect->fd;
    transfer->lookup_ns = connect->lookup_ns;
    transfer->connect_ns = connect->connect_ns;
    transfer->connected_ns = lc_now_ns();
    CURLcode code = run(transfer);
    if (code != CURLE_OK) {
        finish(transfer, code);
    }
}

static int begin_connecting(struct lc_transfer *transfer)
{
    const struct lc_origin *origin = transfer->group->origin;
    struct lc_connect_target target = {.url = origin->connect_url,
                                       .proxy = origin->proxy,
                                       .tunnel = origin->tls_context != NULL,
                                       .source = origin->source,
                                       .unix_socket = origin->unix_socket,
                                       .resolve = origin->resolve};
    transfer->must_connect = false;
    transfer->transfers->began_connecting = true;
    return lc_connect_start(transfer->transfers->connector, &target, on_connected, transfer,
                            &transfer->attempt);
}

static int begin(struct lc_transfer *transfer)
{
    const struct lc_transfer_group *group = transfer->group;
    bool all_busy = group->spoken == 1 && group->ready >= group->socket_count;
    if (group->socket_count == 0 || all_busy) {
        return begin_connecting(transfer);
    }
    CURLcode code = run(transfer);
    if (code == CURLE_OK) {
        return 0;
    }
    return code == CURLE_OUT_OF_MEMORY ? LC_ENOMEM : LC_EINVAL;
}

/* Once more, on a connection of its own. */
static int begin_again(struct lc_transfer *transfer)
{
    lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    transfer->stand_in = transfer->taken = -1;
    if (lc_transfer_events_rewind(transfer) != 0) {
        return LC_ERESET;
    }
    memset(transfer->reason, 0, sizeof transfer->reason);
    transfer->comes_again = true;
    return begin_connecting(transfer);
}

static void fail(struct lc_transfer *transfer, int err)
{
    struct lc_transfer_result result = {
        .err = err, .reason = transfer->reason, .read = lc_now_ns()};
    tell(transfer, &result);
}

/* Without a byte of a response, for a reason that a new connection may not have. */
static bool is_lost(const struct lc_transfer *transfer, CURLcode code)
{
    bool ended = code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_HTTP2 ||
                 code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
    return ended && transfer->tries > 0 && transfer->first_byte_ns == 0 &&
           transfer->owner_err == 0 && !transfer->refused && !transfer->lost;
}

/* The server answered in full and then took no more of the body: libcurl says so without words. */
static bool is_complete(const struct lc_transfer *transfer, CURLcode code)
{
    return code == CURLE_HTTP2_STREAM && transfer->told_head && transfer->has_body &&
           transfer->reason[0] == '\0';
}

static void on_done(struct lc_curl_job *job, CURLcode code)
{
    struct lc_transfer *transfer = job->owner;
    if (is_complete(transfer, code)) {
        code = CURLE_OK;
    }
    if (transfer->told_head) {
        transfer->group->spoken = strncmp(transfer->answer.ptr, "HTTP/1", 6) == 0 ? 1 : 2;
    }
    if (!transfer->must_connect &&
        !(is_lost(transfer, code) && lc_transfer_events_may_resend(transfer))) {
        finish(transfer, code);
        return;
    }
    int rc = begin_again(transfer);
    if (rc < 0) {
        fail(transfer, transfer->owner_err != 0 ? transfer->owner_err : rc);
    }
}

static int read_request(struct lc_transfer *transfer, const struct lc_transfer_request *request)
{
    transfer->events = request->events;
    transfer->owner = request->owner;
    transfer->has_body = request->has_body;
    transfer->body_len = request->body_len;
    transfer->may_pause = request->may_pause;
    transfer->ready = transfer->paused = transfer->reused = false;
    transfer->refused = transfer->lost = transfer->silent = false;
    transfer->told_head = transfer->read_body = false;
    transfer->must_connect = transfer->comes_again = transfer->wants_http1 = false;
    transfer->resend = request->resend;
    transfer->tries = 0;
    transfer->owner_err = 0;
    transfer->lookup_ns = transfer->connect_ns = transfer->connected_ns = 0;
    transfer->sent_ns = transfer->first_byte_ns = 0;
    transfer->answer.len = 0;
    transfer->answer.max = request->max_head;
    int rc = lc_transfer_easy_read(transfer, request->head);
    if (rc == 0 && request->has_body && strcmp(transfer->request_method, "HEAD") == 0) {
        rc = LC_EINVAL;
    }
    return rc;
}

static int start(struct lc_transfer *transfer)
{
    append(transfer);
    int rc = lc_transfer_group_admit(transfer) ? begin(transfer) : 0;
    if (rc < 0) {
        release(transfer);
    }
    return rc;
}

int lc_transfer_start(const struct lc_transfer_request *request, struct lc_transfer **out)
{
    bool large =
        request->has_body && (request->body_len < 0 || request->body_len > LC_TRANSFER_SHARED_BODY);
    struct lc_transfer_group *group =
        lc_transfer_scope_enter(request->scope, request->origin, large || request->may_pause);
    if (group == NULL) {
        return LC_ENOMEM;
    }
    struct lc_transfer *transfer = lc_transfer_easy_take(request->scope->transfers);
    int rc = transfer != NULL ? read_request(transfer, request) : LC_ENOMEM;
    if (rc < 0) {
        if (transfer != NULL) {
            lc_transfer_easy_put(transfer);
        }
        lc_transfer_scope_leave(group);
        return rc;
    }
    transfer->group = group;
    rc = start(transfer);
    if (rc == 0) {
        *out = transfer;
    }
    return rc;
}

bool lc_transfer_next_address(struct lc_transfer *transfer)
{
    return transfer->attempt != NULL && lc_connect_next_address(transfer->attempt);
}

void lc_transfer_resume(struct lc_transfer *transfer)
{
    struct lc_transfers *transfers = transfer->transfers;
    if (transfer->paused && !transfer->resumed) {
        transfer->resumed = true;
        transfer->next_resumed = transfers->resumed;
        transfers->resumed = transfer;
    }
}

/* --- turns --- */

/* Both directions: what is not ready yet says so again. */
static void resume(struct lc_transfer *transfer)
{
    transfer->resumed = false;
    if (transfer->job.finished) {
        return;
    }
    transfer->paused = false;
    CURLcode code = curl_easy_pause(transfer->job.easy, CURLPAUSE_CONT);
    /* That one: it has no connection, for it is about to be sent again. */
    if (code != CURLE_OK && code != CURLE_BAD_FUNCTION_ARGUMENT) {
        lc_transfer_easy_forbid_reuse(transfer);
        finish(transfer, code);
    }
}

/* One that cannot begin ends; if it was the last, the group is gone with it. */
static bool let_in_next(struct lc_transfer_group *group)
{
    struct lc_transfer *transfer = lc_transfer_group_next(group);
    int rc = transfer != NULL ? begin(transfer) : 0;
    if (rc < 0) {
        fail(transfer, rc);
    }
    return transfer != NULL && rc == 0;
}

bool lc_transfers_turn(struct lc_transfers *transfers)
{
    transfers->began_connecting = false;
    while (transfers->resumed != NULL) {
        struct lc_transfer *transfer = transfers->resumed;
        transfers->resumed = transfer->next_resumed;
        resume(transfer);
    }
    lc_curl_loop_turn(transfers->loop);
    while (transfers->let_in != NULL) {
        struct lc_transfer_group *group = transfers->let_in;
        transfers->let_in = group->next_let_in;
        group->may_let_in = false;
        while (let_in_next(group)) {
        }
    }
    return transfers->began_connecting;
}

/* --- life cycle --- */

int lc_transfers_new(uv_loop_t *loop, struct lc_connector *connector, struct lc_transfers **out)
{
    struct lc_transfers *transfers = lc_alloc_zero(sizeof *transfers);
    if (transfers == NULL) {
        return LC_ENOMEM;
    }
    int rc = lc_curl_loop_new(loop, on_done, &transfers->loop);
    if (rc < 0) {
        lc_free(transfers);
        return rc;
    }
    transfers->connector = connector;
    transfers->before_8 = curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
    curl_multi_setopt(lc_curl_loop_multi(transfers->loop), CURLMOPT_MAXCONNECTS,
                      (long)IDLE_CONNECTIONS_MAX);
    *out = transfers;
    return 0;
}

void lc_transfers_close(struct lc_transfers *transfers)
{
    while (transfers->first != NULL) {
        lc_transfer_cancel(transfers->first);
    }
    while (transfers->scopes != NULL) {
        lc_transfer_scope_drop(transfers->scopes);
    }
    while (transfers->idle != NULL) {
        lc_transfer_easy_free(lc_transfer_easy_take(transfers));
    }
    lc_curl_loop_close(transfers->loop);
    lc_free(transfers);
}

void lc_transfers_count(const struct lc_transfers *transfers, struct lc_transfer_counts *out)
{
    *out = transfers->counts;
}
