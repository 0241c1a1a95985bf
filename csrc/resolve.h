/* Addresses that the user gave for a name, in the place of a look-up.
 *
 * A list of entries "host:port:address[,address...]", separated by white space, as curl's --resolve
 * has them: "*" stands for any host or any port, IPv6 addresses may have brackets, as a host they
 * must. The first entry that fits counts. */
#ifndef LC_RESOLVE_H
#define LC_RESOLVE_H

#include "address.h"

enum { LC_RESOLVE_ADDRESSES_MAX = 16 };

/* The addresses for host (without brackets) and port. 0: `*count` of them, 0 if no entry fits;
 * LC_EINVAL: an entry up to there cannot be read. */
int lc_resolve_find(const char *list, struct lc_sv host, uint16_t port,
                    struct lc_address addresses[LC_RESOLVE_ADDRESSES_MAX],
                    size_t *count) LC_MUST_USE;

#endif
