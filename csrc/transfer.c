#include "transfer_private.h"

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
    struct lc_transfer_link *link = transfer->link;
    unlink_transfer(transfer);
    forget_resumed(transfer);
    lc_transfer_link_left(transfer);
    transfer->link = NULL;
    lc_transfer_easy_put(transfer);
    lc_transfer_scope_leave(link);
}

static void finish(struct lc_transfer *transfer, CURLcode code)
{
    struct lc_transfer_result result;
    lc_transfer_result_of(transfer, code, &result);
    lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    transfer->events->on_done(transfer->owner, &result);
    release(transfer);
}

static CURLcode begin(struct lc_transfer *transfer)
{
    CURLcode code = lc_transfer_easy_prepare(transfer);
    if (code == CURLE_OK && lc_curl_loop_add(transfer->transfers->loop, &transfer->job) != 0) {
        code = CURLE_OUT_OF_MEMORY;
    }
    return code;
}

/* There was no connection to reuse after all. */
static CURLcode begin_again(struct lc_transfer *transfer)
{
    lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    transfer->only_reuses = false;
    transfer->reason[0] = '\0';
    if (transfer->read_body && lc_transfer_events_rewind(transfer) != 0) {
        return CURLE_SEND_FAIL_REWIND;
    }
    return begin(transfer);
}

static void on_done(struct lc_curl_job *job, CURLcode code)
{
    struct lc_transfer *transfer = job->owner;
    if (transfer->told_head) {
        transfer->link->serial = strncmp(transfer->answer.ptr, "HTTP/1", 6) == 0;
    }
    if (transfer->only_reuses && transfer->must_connect) {
        code = begin_again(transfer);
        if (code == CURLE_OK) {
            return;
        }
    }
    finish(transfer, code);
}

void lc_transfer_cancel(struct lc_transfer *transfer)
{
    if (!transfer->waits) {
        /* libcurl would keep the connection and read what is left of the response before the next
         * one; its own reset of the stream would wait for the next request as well. */
        lc_transfer_easy_forbid_reuse(transfer);
        lc_curl_loop_remove(transfer->transfers->loop, &transfer->job);
    }
    release(transfer);
}

/* --- the beginning --- */

static int read_request(struct lc_transfer *transfer, const struct lc_transfer_request *request)
{
    transfer->events = request->events;
    transfer->owner = request->owner;
    transfer->has_body = request->has_body;
    transfer->body_len = request->body_len;
    transfer->may_pause = request->may_pause;
    transfer->ready = transfer->paused = transfer->made_connection = transfer->reused = false;
    transfer->refused = transfer->told_head = transfer->read_body = false;
    transfer->only_reuses = transfer->must_connect = false;
    transfer->tries = 0;
    transfer->owner_err = 0;
    transfer->sent_ns = transfer->first_byte_ns = 0;
    transfer->answer.len = 0;
    transfer->answer.max = request->max_head;
    transfer->reason[0] = '\0';
    int rc = lc_transfer_easy_read(transfer, request->head);
    if (rc == 0 && request->has_body && strcmp(transfer->request_method, "HEAD") == 0) {
        rc = LC_EINVAL;
    }
    return rc;
}

int lc_transfer_start(const struct lc_transfer_request *request, struct lc_transfer **out)
{
    struct lc_transfers *transfers = request->scope->transfers;
    struct lc_transfer *transfer = lc_transfer_easy_take(transfers);
    if (transfer == NULL) {
        return LC_ENOMEM;
    }
    bool large =
        request->has_body && (request->body_len < 0 || request->body_len > LC_TRANSFER_SHARED_BODY);
    int rc = read_request(transfer, request);
    if (rc == 0) {
        rc = lc_transfer_scope_enter(request->scope, request->target, large || request->may_pause,
                                     &transfer->link);
    }
    if (rc < 0) {
        lc_transfer_easy_put(transfer);
        return rc;
    }
    append(transfer);
    if (lc_transfer_link_admit(transfer)) {
        CURLcode code = begin(transfer);
        if (code != CURLE_OK) {
            release(transfer);
            return code == CURLE_OUT_OF_MEMORY ? LC_ENOMEM : LC_EINVAL;
        }
    }
    *out = transfer;
    return 0;
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

/* One that cannot begin ends; if it was the last, the link is gone with it. */
static bool let_in_next(struct lc_transfer_link *link)
{
    struct lc_transfer *transfer = lc_transfer_link_next(link);
    CURLcode code = transfer != NULL ? begin(transfer) : CURLE_OK;
    if (code != CURLE_OK) {
        finish(transfer, code);
    }
    return transfer != NULL && code == CURLE_OK;
}

void lc_transfers_turn(struct lc_transfers *transfers)
{
    while (transfers->resumed != NULL) {
        struct lc_transfer *transfer = transfers->resumed;
        transfers->resumed = transfer->next_resumed;
        resume(transfer);
    }
    lc_curl_loop_turn(transfers->loop);
    while (transfers->let_in != NULL) {
        struct lc_transfer_link *link = transfers->let_in;
        transfers->let_in = link->next_let_in;
        link->may_let_in = false;
        while (let_in_next(link)) {
        }
    }
}

/* --- life cycle --- */

int lc_transfers_new(uv_loop_t *loop, struct lc_transfers **out)
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
    transfers->knows_once = curl_version_info(CURLVERSION_NOW)->version_num < 0x080000;
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
