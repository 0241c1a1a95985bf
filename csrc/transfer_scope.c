/* Who shares connections with whom; declared in transfer.h and transfer_private.h.
 *
 * What libcurl is not told - how to connect, whom to show which certificate - it cannot heed when
 * it looks for a connection to use again. So each origin has groups of its own. A scope has one for
 * it, and one more for each transfer that must be alone at the same time. */
#include "transfer_private.h"

static void take_out(struct lc_transfer_group *group)
{
    struct lc_transfer_group **at = &group->scope->groups;
    while (*at != group) {
        at = &(*at)->next;
    }
    *at = group->next;
}

static void put_first(struct lc_transfer_group *group)
{
    group->next = group->scope->groups;
    group->scope->groups = group;
}

static void drop_group(struct lc_transfer_group *group)
{
    take_out(group);
    lc_transfer_group_free(group);
}

/* Transfers that share find each other. */
static struct lc_transfer_group *find_group(struct lc_transfer_scope *scope,
                                            const struct lc_origin *origin, bool exclusive)
{
    struct lc_transfer_group *found = NULL;
    for (struct lc_transfer_group *group = scope->groups; group != NULL; group = group->next) {
        if (group->origin == origin && !group->exclusive) {
            if (group->transfers > 0 && !exclusive) {
                return group;
            }
            if (group->transfers == 0 && found == NULL) {
                found = group;
            }
        }
    }
    return found;
}

struct lc_transfer_group *lc_transfer_scope_enter(struct lc_transfer_scope *scope,
                                                  const struct lc_origin *origin, bool exclusive)
{
    struct lc_transfer_group *group = find_group(scope, origin, exclusive);
    if (group != NULL) {
        take_out(group);
        if (group->transfers == 0) {
            lc_transfer_group_forget_stale(group);
        }
    } else {
        group = lc_transfer_group_new(scope, origin);
    }
    if (group != NULL) {
        put_first(group);
        group->transfers++;
        group->exclusive = exclusive;
    }
    return group;
}

/* The one that was not used for the longest time goes, if there are too many. */
static void drop_surplus(struct lc_transfer_scope *scope)
{
    struct lc_transfer_group *last = NULL;
    size_t idle = 0;
    for (struct lc_transfer_group *group = scope->groups; group != NULL; group = group->next) {
        if (group->transfers == 0) {
            last = group;
            idle++;
        }
    }
    if (idle > scope->max_idle) {
        drop_group(last);
    }
}

/* --- scopes --- */

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

void lc_transfer_scope_leave(struct lc_transfer_group *group)
{
    struct lc_transfer_scope *scope = group->scope;
    if (--group->transfers > 0) {
        return;
    }
    group->exclusive = false;
    if (scope->closed) {
        drop_group(group);
        free_when_left(scope);
    } else {
        drop_surplus(scope);
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
            drop_group(group);
        }
    }
    free_when_left(scope);
}

void lc_transfer_scope_drop(struct lc_transfer_scope *scope)
{
    while (scope->groups != NULL) {
        drop_group(scope->groups);
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
