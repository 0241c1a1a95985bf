/* Host names to addresses by getaddrinfo, in threads, without a cache.
 *
 * Equal look-ups (name and address family) in flight are one; at most LC_LOOKUP_THREADS run at the
 * same time, the others wait in line. A look-up ends exactly once, through the done callback, from
 * the loop and never from inside lc_lookup_start; a cancelled one does not call back. Neither
 * closing nor cancelling waits for a thread. */
#ifndef LC_LOOKUP_H
#define LC_LOOKUP_H

#include "address.h"
#include "lookup_threads.h"

struct lc_lookup_result {
    int err;                            /* 0, LC_ERESOLVE, LC_ENOMEM */
    int eai;                            /* getaddrinfo's code with LC_ERESOLVE */
    int os_errno;                       /* with EAI_SYSTEM */
    const char *reason;                 /* the code in words; "" without one */
    const struct lc_address *addresses; /* in getaddrinfo's order, port 0; valid in the callback */
    size_t count;                       /* at least 1 without an error */
    uint64_t duration_ns;               /* from lc_lookup_start to the end of the look-up */
};

struct lc_lookups;

/* The look-up is over; others may be started and cancelled meanwhile. */
typedef void (*lc_lookup_cb)(void *owner, const struct lc_lookup_result *result);

/* `config` may be NULL. */
int lc_lookups_new(uv_loop_t *loop, const struct lc_lookup_config *config, lc_lookup_cb done,
                   struct lc_lookups **out) LC_MUST_USE;
/* Cancels what is in flight. The memory goes when the loop has run the close callbacks. */
void lc_lookups_close(struct lc_lookups *lookups);

/* `family` is AF_UNSPEC, AF_INET or AF_INET6; the name is copied. Numeric addresses are the
 * caller's to notice (lc_address_parse). LC_ESYS: no thread could be made and none is there. */
int lc_lookup_start(struct lc_lookups *lookups, const char *host, int family, void *owner,
                    struct lc_lookup **out) LC_MUST_USE;
void lc_lookup_cancel(struct lc_lookup *lookup);

/* Threads that exist now, busy or not. */
size_t lc_lookups_threads(struct lc_lookups *lookups);

#endif
