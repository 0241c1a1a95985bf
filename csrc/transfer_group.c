/* Who goes ahead, and who waits; declared in transfer_private.h.
 *
 * libcurl could keep transfers waiting for a connection that is being made (CURLOPT_PIPEWAIT), but
 * in one line for all, where one dead host holds up the others. So they wait here. */
#include "transfer_private.h"

#include <poll.h>
#include <sys/socket.h>

/* --- life cycle --- */

bool lc_transfer_group_speaks_to_proxy(const struct lc_origin *origin)
{
    return origin->tls_context == NULL && origin->proxy[0] != '\0' &&
           strncmp(origin->proxy, "socks", 5) != 0;
}

static CURLSH *share_new(void)
{
    /* Names for the sake of what we say of them. */
    static const curl_lock_data SHARED[] = {CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_DNS,
                                            CURL_LOCK_DATA_SSL_SESSION};
    CURLSH *share = curl_share_init();
    for (size_t i = 0; share != NULL && i < sizeof SHARED / sizeof SHARED[0]; i++) {
        if (curl_share_setopt(share, CURLSHOPT_SHARE, SHARED[i]) != CURLSHE_OK) {
            curl_share_cleanup(share);
            share = NULL;
        }
    }
    return share;
}

struct lc_transfer_group *lc_transfer_group_new(struct lc_transfer_scope *scope,
                                                const struct lc_origin *origin)
{
    static const char SCHEME[] = "http://", ADDRESS[] = ":127.0.0.1";
    const char *place = origin->connect_url + sizeof SCHEME - 1; /* "host:port/" */
    size_t len = strlen(place) - 1;
    struct lc_transfer_group *group = lc_alloc_zero(sizeof *group + len + sizeof ADDRESS);
    if (group == NULL) {
        return NULL;
    }
    group->share = share_new();
    if (group->share == NULL) {
        lc_free(group);
        return NULL;
    }
    group->scope = scope;
    group->origin = origin;
    if (origin->tls_context == NULL) {
        group->spoken = lc_transfer_group_speaks_to_proxy(origin) ? 1 : 2;
    }
    if (place[0] != '[') { /* libcurl could not read it, and needs none */
        char *text = (char *)(group + 1);
        memcpy(text, place, len);
        memcpy(text + len, ADDRESS, sizeof ADDRESS);
        group->address.data = text;
    }
    return group;
}

static void forget_let_in(struct lc_transfers *transfers, struct lc_transfer_group *group)
{
    struct lc_transfer_group **at = &transfers->let_in;
    while (group->may_let_in && *at != group) {
        at = &(*at)->next_let_in;
    }
    if (group->may_let_in) {
        *at = group->next_let_in;
    }
}

void lc_transfer_group_free(struct lc_transfer_group *group)
{
    struct lc_transfers *transfers = group->scope->transfers;
    /* libcurl keeps a share for as long as a handle is set to it. */
    for (struct lc_transfer *idle = transfers->idle; idle != NULL; idle = idle->next) {
        if (idle->shares == group) {
            curl_easy_setopt(idle->job.easy, CURLOPT_SHARE, NULL);
            idle->shares = NULL;
        }
    }
    curl_share_cleanup(group->share);
    forget_let_in(transfers, group);
    lc_free(group->sockets);
    lc_free(group);
}

/* --- connections --- */

/* Without memory it is not known: the next transfer makes a connection of its own. */
void lc_transfer_group_opened(struct lc_transfer_group *group, int fd)
{
    struct lc_transfers *transfers = group->scope->transfers;
    struct lc_transfer_counts *counts = &transfers->counts;
    counts->opened++;
    lc_curl_loop_keep(transfers->loop, fd);
    if (group->socket_count == group->socket_cap) {
        size_t cap = group->socket_cap != 0 ? 2 * group->socket_cap : 1;
        int *sockets = lc_realloc(group->sockets, cap * sizeof *sockets);
        if (sockets == NULL) {
            return;
        }
        group->sockets = sockets;
        group->socket_cap = cap;
    }
    group->sockets[group->socket_count++] = fd;
    counts->connections++;
}

void lc_transfer_group_closed(struct lc_transfer_group *group, int fd)
{
    for (size_t i = 0; i < group->socket_count; i++) {
        if (group->sockets[i] == fd) {
            group->sockets[i] = group->sockets[--group->socket_count];
            group->scope->transfers->counts.connections--;
            return;
        }
    }
}

static bool is_closed_by_peer(int fd)
{
    struct pollfd socket = {.fd = fd, .events = POLLRDHUP};
    return poll(&socket, 1, 0) > 0;
}

/* libcurl looks for itself, but takes TLS's polite goodbye for something to read, and the
 * connection for one to use. Without it, it finds the end. */
void lc_transfer_group_forget_stale(struct lc_transfer_group *group)
{
    if (group->origin->tls_context == NULL) {
        return;
    }
    for (size_t i = group->socket_count; i-- > 0;) {
        char bytes[4096];
        int fd = group->sockets[i];
        if (is_closed_by_peer(fd)) {
            while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            }
            lc_transfer_group_closed(group, fd);
        }
    }
}

/* --- waiting --- */

static void let_in(struct lc_transfer_group *group)
{
    struct lc_transfers *transfers = group->scope->transfers;
    if (!group->may_let_in && group->waiting_first != NULL) {
        group->may_let_in = true;
        group->next_let_in = transfers->let_in;
        transfers->let_in = group;
    }
}

static bool may_begin(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (group->ready > 0 || group->spoken == 1) {
        return true;
    }
    if (group->leader == NULL) {
        group->leader = transfer;
        return true;
    }
    return false;
}

bool lc_transfer_group_admit(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (may_begin(transfer)) {
        return true;
    }
    transfer->waits = true;
    transfer->next_waiting = NULL;
    transfer->prev_waiting = group->waiting_last;
    if (group->waiting_last != NULL) {
        group->waiting_last->next_waiting = transfer;
    } else {
        group->waiting_first = transfer;
    }
    group->waiting_last = transfer;
    return false;
}

static void end_waiting(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (transfer->prev_waiting != NULL) {
        transfer->prev_waiting->next_waiting = transfer->next_waiting;
    } else {
        group->waiting_first = transfer->next_waiting;
    }
    if (transfer->next_waiting != NULL) {
        transfer->next_waiting->prev_waiting = transfer->prev_waiting;
    } else {
        group->waiting_last = transfer->prev_waiting;
    }
    transfer->waits = false;
}

struct lc_transfer *lc_transfer_group_next(struct lc_transfer_group *group)
{
    struct lc_transfer *transfer = group->waiting_first;
    if (transfer == NULL || !may_begin(transfer)) {
        return NULL;
    }
    end_waiting(transfer);
    return transfer;
}

void lc_transfer_group_reached(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (!transfer->ready) {
        transfer->ready = true;
        group->ready++;
    }
    if (group->leader == transfer) {
        group->leader = NULL;
    }
    let_in(group);
}

void lc_transfer_group_left(struct lc_transfer *transfer)
{
    struct lc_transfer_group *group = transfer->group;
    if (transfer->waits) {
        end_waiting(transfer);
    }
    if (transfer->ready) {
        transfer->ready = false;
        group->ready--;
    }
    if (group->leader == transfer) {
        group->leader = NULL;
    }
    let_in(group);
}
