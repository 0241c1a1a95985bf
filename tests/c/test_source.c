#include "check.h"
#include "source.h"

#include <errno.h>
#include <unistd.h>

/* Binds a new socket; checks the result and, without an error, the local address. */
static void expect(int family, const char *source, int os_errno, const char *text)
{
    char reason[LC_SOURCE_REASON_MAX] = "", bound[LC_ADDRESS_TEXT_MAX];
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_INT(lc_source_bind(fd, family, source, reason), os_errno);
    if (os_errno == 0) {
        struct lc_address address = {.len = sizeof address.socket};
        CHECK_INT(getsockname(fd, &address.socket.any, &address.len), 0);
        lc_address_format(&address, bound);
        CHECK_BYTES(bound, strlen(bound), text);
        CHECK_BYTES(reason, strlen(reason), "");
    } else {
        CHECK_BYTES(reason, strlen(reason), text);
    }
    close(fd);
}

static void test_an_address_of_this_machine_is_bound(void)
{
    expect(AF_INET, "127.0.0.1", 0, "127.0.0.1");
    expect(AF_INET, "127.8.9.10", 0, "127.8.9.10");
    if (lc_address_has_ipv6()) {
        expect(AF_INET6, "::1", 0, "::1");
    }
}

static void test_an_interface_is_bound_without_an_address(void)
{
    expect(AF_INET, "lo", 0, "0.0.0.0");
}

static void test_others_are_named(void)
{
    expect(AF_INET, "192.0.2.1", EADDRNOTAVAIL,
           "Cannot assign requested address: source address 192.0.2.1");
    expect(AF_INET, "::1", EAFNOSUPPORT,
           "Address family not supported by protocol: source address ::1");
    expect(AF_INET, "nothing0", ENODEV, "No such device: interface nothing0");
    expect(AF_INET, "a-name-longer-than-any-interface", ENODEV,
           "No such device: interface a-name-longer-than-any-interface");
}

int main(void)
{
    RUN(test_an_address_of_this_machine_is_bound);
    RUN(test_an_interface_is_bound_without_an_address);
    RUN(test_others_are_named);
    return 0;
}
