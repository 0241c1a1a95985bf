#include "address.h"

#include <arpa/inet.h>
#include <unistd.h>

bool lc_address_parse(struct lc_sv text, uint16_t port, struct lc_address *out)
{
    char copy[LC_ADDRESS_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    struct lc_address address = {.len = sizeof address.socket.v4};
    if (inet_pton(AF_INET, copy, &address.socket.v4.sin_addr) == 1) {
        address.socket.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, copy, &address.socket.v6.sin6_addr) == 1) {
        address.socket.v6.sin6_family = AF_INET6;
        address.len = sizeof address.socket.v6;
    } else {
        return false;
    }
    lc_address_set_port(&address, port);
    *out = address;
    return true;
}

bool lc_address_from_socket(const struct sockaddr *socket, socklen_t len, struct lc_address *out)
{
    bool is_v4 = socket->sa_family == AF_INET && len == sizeof out->socket.v4;
    bool is_v6 = socket->sa_family == AF_INET6 && len == sizeof out->socket.v6;
    if (!is_v4 && !is_v6) {
        return false;
    }
    *out = (struct lc_address){.len = len};
    memcpy(&out->socket, socket, len);
    return true;
}

int lc_address_family(const struct lc_address *address)
{
    return address->socket.any.sa_family;
}

void lc_address_set_port(struct lc_address *address, uint16_t port)
{
    if (lc_address_family(address) == AF_INET6) {
        address->socket.v6.sin6_port = htons(port);
    } else {
        address->socket.v4.sin_port = htons(port);
    }
}

void lc_address_format(const struct lc_address *address, char into[LC_ADDRESS_TEXT_MAX])
{
    bool is_v6 = lc_address_family(address) == AF_INET6;
    const void *bytes = is_v6 ? (const void *)&address->socket.v6.sin6_addr
                              : (const void *)&address->socket.v4.sin_addr;
    /* Cannot fail: the family is known and the room is enough. */
    (void)inet_ntop(lc_address_family(address), bytes, into, LC_ADDRESS_TEXT_MAX);
}

bool lc_address_has_ipv6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    bool bound = bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(fd);
    return bound;
}
