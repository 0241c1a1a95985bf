#include "address.h"
#include "check.h"

static void expect_address(const char *text, int family, const char *formatted)
{
    struct lc_address address;
    char again[LC_ADDRESS_TEXT_MAX];
    CHECK(lc_address_parse(lc_sv_of(text), 8080, &address));
    CHECK_INT(lc_address_family(&address), family);
    lc_address_format(&address, again);
    CHECK_BYTES(again, strlen(again), formatted);
    uint16_t port = family == AF_INET ? address.socket.v4.sin_port : address.socket.v6.sin6_port;
    CHECK_INT(ntohs(port), 8080);
    CHECK_INT(address.len,
              family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

static void test_numeric_addresses_are_read(void)
{
    expect_address("127.0.0.1", AF_INET, "127.0.0.1");
    expect_address("255.255.255.255", AF_INET, "255.255.255.255");
    expect_address("::1", AF_INET6, "::1");
    expect_address("2001:DB8:0:0:0:0:0:1", AF_INET6, "2001:db8::1");
    expect_address("::ffff:192.0.2.1", AF_INET6, "::ffff:192.0.2.1");
}

static void test_anything_else_is_a_name(void)
{
    static const char *const NAMES[] = {"",
                                        "localhost",
                                        "127.1",
                                        "1.2.3.4.5",
                                        "[::1]",
                                        "::1%lo",
                                        "1.2.3.4 ",
                                        ":::",
                                        "256.0.0.1",
                                        "0x7f.0.0.1",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct lc_address address;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        CHECK(!lc_address_parse(lc_sv_of(NAMES[i]), 80, &address));
    }
    CHECK(!lc_address_parse((struct lc_sv){"1.2.3.4\0x", 9}, 80, &address));
    CHECK(lc_address_parse((struct lc_sv){"1.2.3.4:80", 7}, 80, &address));
}

static void test_sockets_addresses_are_taken_over(void)
{
    struct lc_address parsed, taken;
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    CHECK(lc_address_parse(lc_sv_of("::1"), 0, &parsed));
    CHECK(lc_address_from_socket(&parsed.socket.any, parsed.len, &taken));
    lc_address_set_port(&taken, 443);
    CHECK_INT(lc_address_family(&taken), AF_INET6);
    CHECK_INT(ntohs(taken.socket.v6.sin6_port), 443);
    CHECK(!lc_address_from_socket(&parsed.socket.any, 4, &taken));
    CHECK(!lc_address_from_socket(&unix_socket, sizeof unix_socket, &taken));
}

int main(void)
{
    RUN(test_numeric_addresses_are_read);
    RUN(test_anything_else_is_a_name);
    RUN(test_sockets_addresses_are_taken_over);
    return 0;
}
