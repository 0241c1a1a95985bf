#include "check.h"
#include "resolve.h"

static struct lc_address found[LC_RESOLVE_ADDRESSES_MAX];

/* The addresses for host and port, separated by spaces; "" if there are none. */
static void expect(const char *list, const char *host, uint16_t port, const char *want)
{
    char got[512] = "", text[LC_ADDRESS_TEXT_MAX];
    size_t count = 99;
    CHECK_INT(lc_resolve_find(list, lc_sv_of(host), port, found, &count), 0);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(got);
        lc_address_format(&found[i], text);
        snprintf(got + len, sizeof got - len, "%s%s", i > 0 ? " " : "", text);
    }
    CHECK_BYTES(got, strlen(got), want);
}

static void test_an_entry_is_for_its_host_and_port(void)
{
    static const char list[] = "a.test:80:127.0.0.1 b.test:443:127.0.0.2,::1\n\tB.test:80:[::2]";
    expect(list, "a.test", 80, "127.0.0.1");
    expect(list, "A.TEST", 80, "127.0.0.1");
    expect(list, "a.test", 443, "");
    expect(list, "b.test", 443, "127.0.0.2 ::1");
    expect(list, "b.test", 80, "::2");
    expect(list, "c.test", 80, "");
    expect(list, "a.test.", 80, "");
    expect("", "a.test", 80, "");
    expect("  ", "a.test", 80, "");
}

static void test_stars_stand_for_anything(void)
{
    expect("*:80:127.0.0.9", "any.test", 80, "127.0.0.9");
    expect("*:80:127.0.0.9", "any.test", 81, "");
    expect("a.test:*:127.0.0.9", "a.test", 65535, "127.0.0.9");
    expect("a.test:80:127.0.0.1 *:*:127.0.0.9", "a.test", 80, "127.0.0.1"); /* the first counts */
    expect("a.test:80:127.0.0.1 *:*:127.0.0.9", "a.test", 81, "127.0.0.9");
}

static void test_hosts_may_be_addresses(void)
{
    expect("192.0.2.1:80:127.0.0.1", "192.0.2.1", 80, "127.0.0.1");
    expect("[2001:db8::1]:80:127.0.0.1", "2001:db8::1", 80, "127.0.0.1");
    expect("[2001:db8::1]:80:[::1],::2", "2001:db8::1", 80, "::1 ::2");
}

static void test_what_cannot_be_read_is_told(void)
{
    static const char *const BAD[] = {"a.test",
                                      "a.test:80",
                                      "a.test:80:",
                                      "a.test::127.0.0.1",
                                      ":80:127.0.0.1",
                                      "a.test:0:127.0.0.1",
                                      "a.test:65536:127.0.0.1",
                                      "a.test:99999999999:::1",
                                      "a.test:80:name",
                                      "a.test:80:127.0.0.1,",
                                      "a.test:80:[::1",
                                      "a.test:8x:127.0.0.1",
                                      "[]:80:::1",
                                      "[::1:80:127.0.0.1"};
    size_t count;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CHECK_INT(lc_resolve_find(BAD[i], lc_sv_of("x"), 80, found, &count), LC_EINVAL);
    }
    CHECK_INT(lc_resolve_find("a.test:80:127.0.0.1 bad", lc_sv_of("x"), 80, found, &count),
              LC_EINVAL);
    expect("a.test:80:127.0.0.1 bad", "a.test", 80, "127.0.0.1"); /* not read any further */
}

static void test_there_is_a_most_of_addresses(void)
{
    char list[512] = "a.test:80:127.0.0.1";
    size_t count;
    for (int i = 1; i < LC_RESOLVE_ADDRESSES_MAX; i++) {
        strcat(list, ",127.0.0.1");
    }
    CHECK_INT(lc_resolve_find(list, lc_sv_of("a.test"), 80, found, &count), 0);
    CHECK_INT(count, LC_RESOLVE_ADDRESSES_MAX);
    strcat(list, ",127.0.0.1");
    CHECK_INT(lc_resolve_find(list, lc_sv_of("a.test"), 80, found, &count), LC_EINVAL);
}

int main(void)
{
    RUN(test_an_entry_is_for_its_host_and_port);
    RUN(test_stars_stand_for_anything);
    RUN(test_hosts_may_be_addresses);
    RUN(test_what_cannot_be_read_is_told);
    RUN(test_there_is_a_most_of_addresses);
    return 0;
}
