/* A numeric IP address with its port. */
#ifndef LC_ADDRESS_H
#define LC_ADDRESS_H

#include "lc.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { LC_ADDRESS_TEXT_MAX = 48 }; /* with the terminating NUL */

struct lc_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t len;
};

/* False if the text is no IPv4 address of four parts and no IPv6 address; without brackets. */
bool lc_address_parse(struct lc_sv text, uint16_t port, struct lc_address *out) LC_MUST_USE;
/* False if it is neither IPv4 nor IPv6. */
bool lc_address_from_socket(const struct sockaddr *socket, socklen_t len,
                            struct lc_address *out) LC_MUST_USE;
int lc_address_family(const struct lc_address *address);
void lc_address_set_port(struct lc_address *address, uint16_t port);
/* The address without its port, as lc_address_parse reads it. */
void lc_address_format(const struct lc_address *address, char into[LC_ADDRESS_TEXT_MAX]);
/* Whether this machine has IPv6 at all, found as urllib3 does: ::1 can be bound. */
bool lc_address_has_ipv6(void);

#endif
