/* Requests whose connection leads to several addresses, or nowhere. */
#include "rig.h"

#include <errno.h>
#include <netdb.h>
#include <unistd.h>

static const char GET[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/* Two addresses of a name: 127.0.0.1, which is silent, and 127.0.0.2, where the rig's server is. */
struct silent {
    int listener, filler;
    char resolve[64];
};

static void open_silent(struct rig *rig, struct silent *silent)
{
    rig_open(rig);
    close(rig->listener);
    silent->listener = peer_listen(0, &rig->port);
    silent->filler = peer_fill_backlog(rig->port);
    rig->listener = peer_listen_at("127.0.0.2", RIG_BACKLOG, &rig->port);
}

/* The rig's requests go to these addresses from now on. */
static void use_addresses(struct rig *rig, struct silent *silent, const char *addresses)
{
    snprintf(silent->resolve, sizeof silent->resolve, "name.test:%u:%s", rig->port, addresses);
    struct lc_origin_spec spec = {
        .host = "name.test", .port = rig->port, .resolve = silent->resolve};
    CHECK_INT(lc_engine_origin(rig->engine, &spec, &rig->origin), 0);
}

static void close_silent(struct rig *rig, const struct silent *silent)
{
    close(silent->filler);
    close(silent->listener);
    rig_close(rig);
}

static void begin(struct rig *rig, uint64_t connect_timeout_ns, uint64_t *begun)
{
    struct lc_request request = rig_request(rig, GET);
    request.connect_timeout_ns = connect_timeout_ns;
    *begun = lc_now_ns();
    rig_begin(rig, &request);
}

static void test_each_address_has_the_whole_connect_time_out(void)
{
    struct rig rig;
    struct silent silent;
    uint64_t begun;
    open_silent(&rig, &silent);
    use_addresses(&rig, &silent, "127.0.0.1,127.0.0.2");
    begin(&rig, 20 * RIG_MS, &begun);
    int peer = rig_accept(&rig);
    CHECK(lc_now_ns() - begun >= 20 * RIG_MS);
    rig_expect(&rig, peer, GET);
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_expect_result(&rig, 0, 200, "ok");
    close(peer);
    close_silent(&rig, &silent);
}

static void test_silent_addresses_alone_are_a_time_out(void)
{
    struct rig rig;
    struct silent silent;
    uint64_t begun;
    open_silent(&rig, &silent);
    use_addresses(&rig, &silent, "127.0.0.1,127.0.0.1");
    begin(&rig, 20 * RIG_MS, &begun);
    rig_expect_result(&rig, LC_ECONNTIMEOUT, 0, "");
    CHECK(lc_now_ns() - begun >= 40 * RIG_MS);
    close_silent(&rig, &silent);
}

static void test_a_refusal_after_a_silent_address_is_the_failure(void)
{
    struct rig rig;
    struct silent silent;
    uint64_t begun;
    open_silent(&rig, &silent);
    use_addresses(&rig, &silent, "127.0.0.1,127.0.0.3");
    begin(&rig, 20 * RIG_MS, &begun);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_ECONNECT);
    CHECK_INT(exchange->os_errno, ECONNREFUSED);
    lc_op_free(&exchange->op);
    close_silent(&rig, &silent);
}

static void test_a_failed_look_up_has_getaddrinfos_code(void)
{
    struct rig rig;
    rig_open(&rig);
    struct lc_origin_spec spec = {.host = "a..b", .port = 80};
    CHECK_INT(lc_engine_origin(rig.engine, &spec, &rig.origin), 0);
    rig_get(&rig, GET);
    struct lc_exchange *exchange = rig_take(&rig);
    CHECK_INT(exchange->err, LC_ERESOLVE);
    CHECK_BYTES(exchange->reason, strlen(exchange->reason), gai_strerror(exchange->os_errno));
    CHECK(exchange->times.lookup > 0);
    lc_op_free(&exchange->op);
    rig_close(&rig);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_each_address_has_the_whole_connect_time_out);
    RUN(test_silent_addresses_alone_are_a_time_out);
    RUN(test_a_refusal_after_a_silent_address_is_the_failure);
    RUN(test_a_failed_look_up_has_getaddrinfos_code);
    return 0;
}
