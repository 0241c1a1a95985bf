/* The local end of a connection: an address or an interface that the user chose. */
#ifndef LC_SOURCE_H
#define LC_SOURCE_H

#include "address.h"

enum { LC_SOURCE_REASON_MAX = 128 };

/* Binds a socket of that family (AF_INET, AF_INET6) to `source`: a numeric address, or the name of
 * an interface. Returns 0 or an errno, with words: EAFNOSUPPORT: the address is of the other
 * family; EADDRNOTAVAIL: it is not one of this machine; ENODEV: there is no such interface. */
int lc_source_bind(int fd, int family, const char *source,
                   char reason[LC_SOURCE_REASON_MAX]) LC_MUST_USE;

#endif
