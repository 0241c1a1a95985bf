#include "connect.h"

#include "dial.h"
#include "proxy.h"
#include "resolve.h"
#include "tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    STARTS_PER_TURN = 128, /* so that thousands of attempts at once leave others their turn */
    HOST_MAX = 256,        /* no name of the DNS is longer */
};

enum stage {
    WAITING,  /* in connector->waiting */
    FINISHED, /* in connector->finished; all others are in connector->running */
    LOOKING_UP,
    DIALLING,
    LOOKING_UP_FOR_SOCKS, /* the server's name, for a SOCKS proxy that wants an address */
    TUNNELLING,
};

/* A proxy that wants to be talked to, or stands in the place of the server. */
struct way {
    struct lc_proxy proxy;
    struct lc_address addresses[LC_TUNNEL_ADDRESSES_MAX];
    size_t count;
};

struct lc_connect {
    struct lc_connector *connector;
    struct lc_connect *next, *prev;
    lc_connect_cb done;
    void *owner;
    enum stage stage;
    struct lc_connect_target target;
    struct lc_url url; /* points into target.url */
    struct way *way;   /* NULL: straight to the server */
    struct lc_lookup *lookup;
    struct lc_dial *dial;
    struct lc_tunnel *tunnel;
    uint64_t start_ns;
    struct lc_connect_result result;
    char reason[LC_CONNECT_REASON_MAX];
};

struct list {
    struct lc_connect *first, *last;
};

struct lc_connector {
    uv_loop_t *loop;
    struct lc_lookups *lookups;
    struct lc_tunnels *tunnels;
    struct list waiting;
    struct list running;
    struct list finished;
    int family; /* of look-ups */
};

static void on_lookup(void *owner, const struct lc_lookup_result *result);
static void on_dial(void *owner, const struct lc_dial_result *result);
static void on_tunnel(void *owner, const struct lc_tunnel_result *result);

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* --- lists --- */

static void list_append(struct list *list, struct lc_connect *attempt)
{
    attempt->next = NULL;
    attempt->prev = list->last;
    if (list->last != NULL) {
        list->last->next = attempt;
    } else {
        list->first = attempt;
    }
    list->last = attempt;
}

static void list_remove(struct list *list, struct lc_connect *attempt)
{
    if (attempt->prev != NULL) {
        attempt->prev->next = attempt->next;
    } else {
        list->first = attempt->next;
    }
    if (attempt->next != NULL) {
        attempt->next->prev = attempt->prev;
    } else {
        list->last = attempt->prev;
    }
}

static struct list *list_of(struct lc_connector *connector, enum stage stage)
{
    switch (stage) {
    case WAITING:
        return &connector->waiting;
    case FINISHED:
        return &connector->finished;
    default:
        return &connector->running;
    }
}

static void move_to(struct lc_connect *attempt, enum stage stage)
{
    struct list *from = list_of(attempt->connector, attempt->stage);
    struct list *to = list_of(attempt->connector, stage);
    if (from != to) {
        list_remove(from, attempt);
        list_append(to, attempt);
    }
    attempt->stage = stage;
}

/* --- ends --- */

/* Words that say whose failure it is: the server may be well. */
static void describe(struct lc_connect *attempt, const char *reason)
{
    if (attempt->way == NULL) {
        snprintf(attempt->reason, sizeof attempt->reason, "%s", reason);
        return;
    }
    const struct lc_proxy *proxy = &attempt->way->proxy;
    bool is_v6 = memchr(proxy->host.ptr, ':', proxy->host.len) != NULL;
    snprintf(attempt->reason, sizeof attempt->reason, "%s %s%.*s%s:%u: %s",
             proxy->kind == LC_PROXY_HTTP ? "Proxy" : "SOCKS proxy", is_v6 ? "[" : "",
             (int)proxy->host.len, proxy->host.ptr, is_v6 ? "]" : "", proxy->port, reason);
}

static void finish(struct lc_connect *attempt, int err, int fd, const char *reason)
{
    attempt->result.err = err;
    attempt->result.fd = fd;
    if (err == 0) {
        attempt->result.connect_ns = lc_now_ns() - attempt->start_ns;
    } else {
        describe(attempt, reason);
    }
    move_to(attempt, FINISHED);
}

static void fail(struct lc_connect *attempt, int err, const char *reason)
{
    finish(attempt, err, -1, reason);
}

static void attempt_free(struct lc_connect *attempt)
{
    lc_count_closed(LC_COUNT_ATTEMPTS);
    if (attempt->lookup != NULL) {
        lc_lookup_cancel(attempt->lookup);
    }
    if (attempt->dial != NULL) {
        lc_dial_cancel(attempt->dial);
    }
    if (attempt->tunnel != NULL) {
        lc_tunnel_cancel(attempt->tunnel);
    }
    lc_free(attempt->way);
    lc_free(attempt);
}

/* --- through the proxy --- */

/* `url` names the server as the proxy is to hear it. */
static void begin_tunnel(struct lc_connect *attempt, const char *url)
{
    struct lc_tunnel_target target = {.proxy = &attempt->way->proxy,
                                      .addresses = attempt->way->addresses,
                                      .count = attempt->way->count,
                                      .url = url,
                                      .source = attempt->target.source};
    move_to(attempt, TUNNELLING);
    int rc = lc_tunnel_start(attempt->connector->tunnels, &target, attempt, &attempt->tunnel);
    if (rc < 0) {
        fail(attempt, rc, lc_strerror(rc));
    }
}

/* PySocks takes the first address, too: the proxy alone could tell which can be reached. */
static void begin_tunnel_to(struct lc_connect *attempt, const struct lc_address *address)
{
    char text[LC_ADDRESS_TEXT_MAX], url[LC_ADDRESS_TEXT_MAX + 32];
    bool is_v6 = lc_address_family(address) == AF_INET6;
    lc_address_format(address, text);
    snprintf(url, sizeof url, is_v6 ? "http://[%s]:%u/" : "http://%s:%u/", text, attempt->url.port);
    begin_tunnel(attempt, url);
}

static void on_tunnel(void *owner, const struct lc_tunnel_result *result)
{
    struct lc_connect *attempt = owner;
    attempt->tunnel = NULL;
    attempt->result.os_errno = result->os_errno;
    finish(attempt, result->err, result->fd, result->reason);
}

/* --- the socket --- */

static void on_dial(void *owner, const struct lc_dial_result *result)
{
    struct lc_connect *attempt = owner;
    attempt->dial = NULL;
    attempt->result.os_errno = result->os_errno;
    finish(attempt, result->err, result->fd, result->reason);
}

static void begin_dial(struct lc_connect *attempt, const struct lc_address *addresses, size_t count)
{
    struct lc_dial_result result;
    struct lc_dial_target target = {.addresses = addresses,
                                    .count = count,
                                    .port = attempt->way != NULL ? attempt->way->proxy.port
                                                                 : attempt->url.port,
                                    .source = attempt->target.source,
                                    .unix_socket = attempt->target.unix_socket};
    move_to(attempt, DIALLING);
    if (lc_dial_start(attempt->connector->loop, &target, on_dial, attempt, &result,
                      &attempt->dial) == 0) {
        on_dial(attempt, &result);
    }
}

/* --- names --- */

static void begin_lookup(struct lc_connect *attempt, enum stage stage, struct lc_sv host,
                         uint16_t port);

static void use_proxys_addresses(struct lc_connect *attempt, const struct lc_address *addresses,
                                 size_t count)
{
    struct way *way = attempt->way;
    way->count = count < LC_TUNNEL_ADDRESSES_MAX ? count : LC_TUNNEL_ADDRESSES_MAX;
    memcpy(way->addresses, addresses, way->count * sizeof *addresses);
    if (way->proxy.kind == LC_PROXY_SOCKS4 || way->proxy.kind == LC_PROXY_SOCKS5) {
        begin_lookup(attempt, LOOKING_UP_FOR_SOCKS, attempt->url.host, attempt->url.port);
    } else {
        begin_tunnel(attempt, attempt->target.url);
    }
}

static void use_addresses(struct lc_connect *attempt, const struct lc_address *addresses,
                          size_t count)
{
    const struct way *way = attempt->way;
    if (attempt->stage == LOOKING_UP_FOR_SOCKS) {
        begin_tunnel_to(attempt, addresses);
    } else if (way != NULL && (way->proxy.kind != LC_PROXY_HTTP || attempt->target.tunnel)) {
        use_proxys_addresses(attempt, addresses, count);
    } else {
        begin_dial(attempt, addresses, count);
    }
}

static void fail_lookup(struct lc_connect *attempt, int eai, const char *reason)
{
    attempt->result.eai = eai;
    fail(attempt, LC_ERESOLVE, reason);
}

static void on_lookup(void *owner, const struct lc_lookup_result *result)
{
    struct lc_connect *attempt = owner;
    attempt->lookup = NULL;
    attempt->result.lookup_ns += result->duration_ns;
    if (result->err == LC_ERESOLVE) {
        attempt->result.os_errno = result->os_errno;
        fail_lookup(attempt, result->eai, result->reason);
    } else if (result->err != 0) {
        fail(attempt, result->err, lc_strerror(result->err));
    } else {
        use_addresses(attempt, result->addresses, result->count);
    }
}

static void start_lookup(struct lc_connect *attempt, struct lc_sv host)
{
    char name[HOST_MAX];
    bool v4_only =
        attempt->stage == LOOKING_UP_FOR_SOCKS && attempt->way->proxy.kind == LC_PROXY_SOCKS4;
    if (host.len >= sizeof name) {
        fail_lookup(attempt, EAI_NONAME, gai_strerror(EAI_NONAME));
        return;
    }
    memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';
    char *zone = memchr(host.ptr, ':', host.len) != NULL ? strstr(name, "%25") : NULL;
    if (zone != NULL) {
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1); /* RFC 6874 */
    }
    int rc =
        lc_lookup_start(attempt->connector->lookups, name,
                        v4_only ? AF_INET : attempt->connector->family, attempt, &attempt->lookup);
    if (rc == LC_ESYS) {
        attempt->result.os_errno = EAGAIN;
        fail_lookup(attempt, EAI_SYSTEM, "no thread could be made for the name look-up");
    } else if (rc < 0) {
        fail(attempt, rc, lc_strerror(rc));
    }
}

/* From a host to addresses: given by the user, written out, or looked up. */
static void begin_lookup(struct lc_connect *attempt, enum stage stage, struct lc_sv host,
                         uint16_t port)
{
    struct lc_address addresses[LC_RESOLVE_ADDRESSES_MAX];
    size_t count = 0;
    move_to(attempt, stage);
    if (is_given(attempt->target.resolve) &&
        lc_resolve_find(attempt->target.resolve, host, port, addresses, &count) < 0) {
        fail(attempt, LC_ECONNECT, "the addresses given for names cannot be read");
    } else if (count > 0) {
        use_addresses(attempt, addresses, count);
    } else if (lc_address_parse(host, port, &addresses[0])) {
        use_addresses(attempt, addresses, 1);
    } else {
        start_lookup(attempt, host);
    }
}

/* --- attempts --- */

static int read_proxy(struct lc_connect *attempt)
{
    struct way *way = lc_alloc(sizeof *way);
    if (way == NULL) {
        return LC_ENOMEM;
    }
    int rc = lc_proxy_parse(attempt->target.proxy, &way->proxy);
    if (rc < 0) {
        lc_free(way);
        return rc;
    }
    attempt->way = way;
    return 0;
}

static void begin(struct lc_connect *attempt)
{
    const struct lc_connect_target *target = &attempt->target;
    int rc = lc_url_split(lc_sv_of(target->url), &attempt->url);
    if (rc < 0 || attempt->url.port == 0) {
        fail(attempt, LC_ECONNECT, "the URL of the server cannot be read");
    } else if (is_given(target->unix_socket)) {
        begin_dial(attempt, NULL, 0);
    } else if (!is_given(target->proxy)) {
        begin_lookup(attempt, LOOKING_UP, attempt->url.host, attempt->url.port);
    } else if ((rc = read_proxy(attempt)) == LC_ENOMEM) {
        fail(attempt, LC_ENOMEM, lc_strerror(LC_ENOMEM));
    } else if (rc < 0) {
        fail(attempt, LC_ECONNECT, "Proxy: its URL cannot be used");
    } else {
        begin_lookup(attempt, LOOKING_UP, attempt->way->proxy.host, attempt->way->proxy.port);
    }
}

int lc_connect_start(struct lc_connector *connector, const struct lc_connect_target *target,
                     lc_connect_cb done, void *owner, struct lc_connect **out)
{
    struct lc_connect *attempt = lc_alloc_zero(sizeof *attempt);
    if (attempt == NULL) {
        return LC_ENOMEM;
    }
    lc_count_opened(LC_COUNT_ATTEMPTS);
    attempt->connector = connector;
    attempt->done = done;
    attempt->owner = owner;
    attempt->target = *target;
    attempt->start_ns = lc_now_ns();
    list_append(&connector->waiting, attempt);
    *out = attempt;
    return 0;
}

bool lc_connect_next_address(struct lc_connect *attempt)
{
    struct lc_dial_result result;
    if (attempt->dial == NULL) {
        return false;
    }
    int rc = lc_dial_next(attempt->dial, &result);
    if (rc == 0) {
        on_dial(attempt, &result);
    }
    return rc != LC_EINVAL;
}

void lc_connect_cancel(struct lc_connect *attempt)
{
    list_remove(list_of(attempt->connector, attempt->stage), attempt);
    if (attempt->stage == FINISHED && attempt->result.err == 0) {
        close(attempt->result.fd);
    }
    attempt_free(attempt);
}

bool lc_connector_turn(struct lc_connector *connector)
{
    for (int i = 0; i < STARTS_PER_TURN && connector->waiting.first != NULL; i++) {
        begin(connector->waiting.first);
    }
    lc_tunnels_turn(connector->tunnels);
    struct lc_connect *attempt;
    while ((attempt = connector->finished.first) != NULL) {
        list_remove(&connector->finished, attempt);
        attempt->result.reason = attempt->reason;
        attempt->done(attempt->owner, &attempt->result);
        attempt_free(attempt);
    }
    return connector->waiting.first != NULL;
}

/* --- life cycle --- */

int lc_connect_init_process(void)
{
    return lc_tunnel_init_process();
}

int lc_connector_new(uv_loop_t *loop, const struct lc_lookup_config *lookups,
                     struct lc_connector **out)
{
    struct lc_connector *connector = lc_alloc_zero(sizeof *connector);
    if (connector == NULL) {
        return LC_ENOMEM;
    }
    connector->loop = loop;
    connector->family = lc_address_has_ipv6() ? AF_UNSPEC : AF_INET;
    int rc = lc_lookups_new(loop, lookups, on_lookup, &connector->lookups);
    if (rc < 0) {
        goto fail_lookups;
    }
    rc = lc_tunnels_new(loop, on_tunnel, &connector->tunnels);
    if (rc < 0) {
        goto fail_tunnels;
    }
    *out = connector;
    return 0;

fail_tunnels:
    lc_lookups_close(connector->lookups);
fail_lookups:
    lc_free(connector);
    return rc;
}

void lc_connector_close(struct lc_connector *connector)
{
    struct list *lists[] = {&connector->waiting, &connector->running, &connector->finished};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        while (lists[i]->first != NULL) {
            lc_connect_cancel(lists[i]->first);
        }
    }
    lc_lookups_close(connector->lookups);
    lc_tunnels_close(connector->tunnels);
    lc_free(connector);
}
