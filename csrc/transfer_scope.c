/* Who shares connections with whom; declared in transfer.h and transfer_private.h.
 *
 * A group is a share handle of libcurl with a connection cache of its own; a scope has one, and one
 * more for each transfer that must be alone at the same time. libcurl could keep transfers waiting
 * for a connection that is being made (CURLOPT_PIPEWAIT), but in one line for all scopes, where one
 * dead host holds up the others. So they wait here, at the link of their group and origin. */
#include "transfer_private.h"

/* --- groups --- */

static void forget_let_in(struct lc_transfers *transfers, struct lc_transfer_link *link)
{
    struct lc_transfer_link **at = &transfers->let_in;
    while (link->may_let_in && *at != link) {
        at = &(*at)->next_let_in;
    }
    if (link->may_let_in) {
        *at = link->next_let_in;
    }
}

/* Closes its connections: no transfer uses them. */
static void group_free(struct lc_transfer_group *group)
{
    struct lc_transfer_scope *scope = group->scope;
    struct lc_transfer_group **at = &scope->groups;
    while (*at != group) {
        at = &(*at)->next;
    }
    *at = group->next;
    /* libcurl keeps a share for as long as a handle is set to it. */
    for (struct lc_transfer *idle = scope->transfers->idle; idle != NULL; idle = idle->next) {
        if (idle->group == group) {
            curl_easy_setopt(idle->job.easy, CURLOPT_SHARE, NULL);
            idle->group = NULL;
        }
    }
    curl_share_cleanup(group->share);
    while (group->links != NULL) {
        struct lc_transfer_link *link = group->links;
        group->links = link->next;
        forget_let_in(scope->transfers, link);
        lc_free(link);
    }
    lc_free(group);
}

static struct lc_transfer_group *group_new(struct lc_transfer_scope *scope)
{
    struct lc_transfer_group *group = lc_alloc_zero(sizeof *group);
    if (group == NULL) {
        return NULL;
    }
    group->scope = scope;
    group->share = curl_share_init();
    if (group->share == NULL) {
        goto fail;
    }
    /* Names for the sake of what we say of them. */
    static const curl_lock_data SHARED[] = {CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_DNS,
                                            CURL_LOCK_DATA_SSL_SESSION};
    for (size_t i = 0; i < sizeof SHARED / sizeof SHARED[0]; i++) {
        if (curl_share_setopt(group->share, CURLSHOPT_SHARE, SHARED[i]) != CURLSHE_OK) {
            goto fail;
        }
    }
    /* Behind the others, so that transfers that share find each other in the first. */
    struct lc_transfer_group **at = &scope->groups;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = group;
    return group;

fail:
    if (group->share != NULL) {
        curl_share_cleanup(group->share);
    }
    lc_free(group);
    return NULL;
}

static struct lc_transfer_group *find_group(struct lc_transfer_scope *scope, bool exclusive)
{
    struct lc_transfer_group *group = scope->groups;
    while (group != NULL && (group->exclusive || (exclusive && group->transfers > 0))) {
        group = group->next;
    }
    return group != NULL ? group : group_new(scope);
}

/* --- links --- */

bool lc_transfer_speaks_to_proxy(const struct lc_origin *origin)
{
    return origin->tls_context == NULL && origin->proxy[0] != '\0' &&
           strncmp(origin->proxy, "socks", 5) != 0;
}

static struct lc_transfer_link *link_new(struct lc_transfer_group *group,
                                         const struct lc_origin *origin)
{
    static const char SCHEME[] = "http://", ADDRESS[] = ":127.0.0.1";
    const char *place = origin->connect_url + sizeof SCHEME - 1; /* "host:port/" */
    size_t len = strlen(place) - 1;
    struct lc_transfer_link *link = lc_alloc_zero(sizeof *link + len + sizeof ADDRESS);
    if (link == NULL) {
        return NULL;
    }
    link->group = group;
    link->origin = origin;
    if (origin->tls_context == NULL) {
        link->spoken = lc_transfer_speaks_to_proxy(origin) ? 1 : 2;
    }
    if (place[0] != '[') { /* libcurl could not read it, and needs none */
        char *text = (char *)(link + 1);
        memcpy(text, place, len);
        memcpy(text + len, ADDRESS, sizeof ADDRESS);
        link->address.data = text;
    }
    link->next = group->links;
    group->links = link;
    return link;
}

static struct lc_transfer_link *find_link(struct lc_transfer_group *group,
                                          const struct lc_origin *origin)
{
    struct lc_transfer_link *link = group->links;
    while (link != NULL && link->origin != origin) {
        link = link->next;
    }
    return link != NULL ? link : link_new(group, origin);
}

static void let_in(struct lc_transfer_link *link)
{
    struct lc_transfers *transfers = link->group->scope->transfers;
    if (!link->may_let_in && link->waiting_first != NULL) {
        link->may_let_in = true;
        link->next_let_in = transfers->let_in;
        transfers->let_in = link;
    }
}

static bool may_begin(struct lc_transfer *transfer)
{
    struct lc_transfer_link *link = transfer->link;
    if (link->ready > 0 || link->spoken == 1) {
        return true;
    }
    if (link->leader == NULL) {
        link->leader = transfer;
        return true;
    }
    return false;
}

bool lc_transfer_link_admit(struct lc_transfer *transfer)
{
    struct lc_transfer_link *link = transfer->link;
    if (may_begin(transfer)) {
        return true;
    }
    transfer->waits = true;
    transfer->next_waiting = NULL;
    transfer->prev_waiting = link->waiting_last;
    if (link->waiting_last != NULL) {
        link->waiting_last->next_waiting = transfer;
    } else {
        link->waiting_first = transfer;
    }
    link->waiting_last = transfer;
    return false;
}

static void end_waiting(struct lc_transfer *transfer)
{
    struct lc_transfer_link *link = transfer->link;
    if (transfer->prev_waiting != NULL) {
        transfer->prev_waiting->next_waiting = transfer->next_waiting;
    } else {
        link->waiting_first = transfer->next_waiting;
    }
    if (transfer->next_waiting != NULL) {
        transfer->next_waiting->prev_waiting = transfer->prev_waiting;
    } else {
        link->waiting_last = transfer->prev_waiting;
    }
    transfer->waits = false;
}

struct lc_transfer *lc_transfer_link_next(struct lc_transfer_link *link)
{
    struct lc_transfer *transfer = link->waiting_first;
    if (transfer == NULL || !may_begin(transfer)) {
        return NULL;
    }
    end_waiting(transfer);
    return transfer;
}

void lc_transfer_link_reached(struct lc_transfer *transfer)
{
    struct lc_transfer_link *link = transfer->link;
    if (!transfer->ready) {
        transfer->ready = true;
        link->ready++;
    }
    if (link->leader == transfer) {
        link->leader = NULL;
    }
    let_in(link);
}

void lc_transfer_link_left(struct lc_transfer *transfer)
{
    struct lc_transfer_link *link = transfer->link;
    if (transfer->waits) {
        end_waiting(transfer);
    }
    if (transfer->ready) {
        transfer->ready = false;
        link->ready--;
    }
    if (link->leader == transfer) {
        link->leader = NULL;
    }
    let_in(link);
}

/* --- scopes --- */

static bool keeps_group(struct lc_transfer_group *group)
{
    struct lc_transfer_scope *scope = group->scope;
    size_t empty = 0;
    for (struct lc_transfer_group *each = scope->groups; each != NULL; each = each->next) {
        empty += each->transfers == 0;
    }
    return !scope->closed && (empty == 1 || empty <= scope->max_idle);
}

static void free_when_left(struct lc_transfer_scope *scope)
{
    if (!scope->closed || scope->groups != NULL) {
        return;
    }
    struct lc_transfers *transfers = scope->transfers;
    if (scope->prev != NULL) {
        scope->prev->next = scope->next;
    } else if (transfers != NULL) {
        transfers->scopes = scope->next;
    }
    if (scope->next != NULL) {
        scope->next->prev = scope->prev;
    }
    lc_free(scope);
}

int lc_transfer_scope_enter(struct lc_transfer_scope *scope, const struct lc_origin *origin,
                            bool exclusive, struct lc_transfer_link **out)
{
    struct lc_transfer_group *group = find_group(scope, exclusive);
    if (group == NULL) {
        return LC_ENOMEM;
    }
    struct lc_transfer_link *link = find_link(group, origin);
    if (link == NULL) {
        return LC_ENOMEM;
    }
    group->transfers++;
    group->exclusive = exclusive;
    *out = link;
    return 0;
}

void lc_transfer_scope_leave(struct lc_transfer_link *link)
{
    struct lc_transfer_group *group = link->group;
    if (--group->transfers > 0) {
        return;
    }
    group->exclusive = false;
    if (!keeps_group(group)) {
        struct lc_transfer_scope *scope = group->scope;
        group_free(group);
        free_when_left(scope);
    }
}

int lc_transfer_scope_new(struct lc_transfers *transfers, size_t max_idle, uint64_t lifetime_ns,
                          struct lc_transfer_scope **out)
{
    struct lc_transfer_scope *scope = lc_alloc_zero(sizeof *scope);
    if (scope == NULL) {
        return LC_ENOMEM;
    }
    scope->transfers = transfers;
    scope->max_idle = max_idle;
    scope->lifetime_s = (long)((lifetime_ns + 999999999u) / 1000000000u);
    scope->next = transfers->scopes;
    if (scope->next != NULL) {
        scope->next->prev = scope;
    }
    transfers->scopes = scope;
    *out = scope;
    return 0;
}

void lc_transfer_scope_close(struct lc_transfer_scope *scope)
{
    scope->closed = true;
    struct lc_transfer_group *next;
    for (struct lc_transfer_group *group = scope->groups; group != NULL; group = next) {
        next = group->next;
        if (group->transfers == 0) {
            group_free(group);
        }
    }
    free_when_left(scope);
}

void lc_transfer_scope_drop(struct lc_transfer_scope *scope)
{
    while (scope->groups != NULL) {
        group_free(scope->groups);
    }
    struct lc_transfers *transfers = scope->transfers;
    transfers->scopes = scope->next;
    if (scope->next != NULL) {
        scope->next->prev = NULL;
    }
    scope->transfers = NULL;
    scope->next = scope->prev = NULL;
    free_when_left(scope);
}
