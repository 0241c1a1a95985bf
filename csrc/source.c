#include "source.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

static int bind_address(int fd, const struct lc_address *address)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
    /* The port is chosen when it connects, so that there are enough: a refinement. */
    int on = 1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
    return bind(fd, &address->socket.any, address->len) == 0 ? 0 : errno;
}

/* Binds to the first address of the interface: who may not bind to the interface itself. */
static int bind_address_of(int fd, int family, const char *interface)
{
    struct ifaddrs *all;
    struct lc_address address;
    int rc = EADDRNOTAVAIL;
    if (getifaddrs(&all) != 0) {
        return errno;
    }
    for (struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        socklen_t len =
            family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (at->ifa_addr != NULL && at->ifa_addr->sa_family == family &&
            strcmp(at->ifa_name, interface) == 0 &&
            lc_address_from_socket(at->ifa_addr, len, &address)) {
            rc = bind_address(fd, &address);
            break;
        }
    }
    freeifaddrs(all);
    return rc;
}

static int bind_interface(int fd, int family, const char *interface)
{
    if (if_nametoindex(interface) == 0) {
        return ENODEV;
    }
#ifdef SO_BINDTODEVICE
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) == 0) {
        return 0;
    }
    if (errno != EPERM) {
        return errno;
    }
#endif
    return bind_address_of(fd, family, interface);
}

int lc_source_bind(int fd, int family, const char *source, char reason[LC_SOURCE_REASON_MAX])
{
    struct lc_address address;
    bool is_address = lc_address_parse(lc_sv_of(source), 0, &address);
    int rc;
    if (!is_address) {
        rc = bind_interface(fd, family, source);
    } else if (lc_address_family(&address) != family) {
        rc = EAFNOSUPPORT;
    } else {
        rc = bind_address(fd, &address);
    }
    if (rc != 0) {
        snprintf(reason, LC_SOURCE_REASON_MAX, "%s: %s %s", strerror(rc),
                 is_address ? "source address" : "interface", source);
    }
    return rc;
}
