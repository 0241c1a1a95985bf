#include "tunnel.h"

#include "curl_loop.h"
#include "sock.h"
#include "source.h"

#include <stdio.h>
#include <unistd.h>

enum { IDLE_HANDLES_MAX = 64 }; /* easy handles kept for the next attempt */

struct lc_tunnel {
    struct lc_curl_job job;
    struct lc_tunnels *tunnels;
    void *owner;
    const char *source;
    struct curl_slist *addresses; /* CURLOPT_RESOLVE's, NULL: the proxy's host is an address */
    curl_socket_t given_away;     /* the descriptor that libcurl must not close */
    int source_errno;             /* what became of binding to the source */
    bool is_http;
    char status[128]; /* the HTTP proxy's last status line behind the version, "" if none came */
    char source_reason[LC_SOURCE_REASON_MAX];
    char reason[CURL_ERROR_SIZE];
};

struct lc_tunnels {
    struct lc_curl_loop *loop;
    lc_tunnel_cb done;
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
};

int lc_tunnel_init_process(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : LC_ENOMEM;
}

/* --- libcurl's callbacks; none of them calls back into libcurl --- */

static curl_socket_t on_curl_opensocket(void *clientp, curlsocktype purpose,
                                        struct curl_sockaddr *address)
{
    (void)purpose;
    struct lc_tunnel *tunnel = clientp;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    lc_sock_prepare(fd);
    if (tunnel->source != NULL && *tunnel->source != '\0') {
        tunnel->source_errno =
            lc_source_bind(fd, address->family, tunnel->source, tunnel->source_reason);
    }
    if (tunnel->source_errno != 0) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static int on_curl_closesocket(void *clientp, curl_socket_t fd)
{
    struct lc_tunnel *tunnel = clientp;
    return tunnel->given_away == fd ? 0 : close(fd);
}

/* The head of the proxy's answer, line by line. */
static size_t on_curl_header(char *bytes, size_t size, size_t count, void *userp)
{
    struct lc_tunnel *tunnel = userp;
    size_t len = size * count;
    const char *space = memchr(bytes, ' ', len);
    if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0 && space != NULL) {
        int rest = (int)(bytes + len - space - 1);
        snprintf(tunnel->status, sizeof tunnel->status, "%.*s", rest, space + 1);
        tunnel->status[strcspn(tunnel->status, "\r\n")] = '\0';
    }
    return len;
}

/* --- life cycle --- */

static void on_done(struct lc_curl_job *job, CURLcode code);

int lc_tunnels_new(uv_loop_t *loop, lc_tunnel_cb done, struct lc_tunnels **out)
{
    struct lc_tunnels *tunnels = lc_alloc_zero(sizeof *tunnels);
    if (tunnels == NULL) {
        return LC_ENOMEM;
    }
    tunnels->done = done;
    int rc = lc_curl_loop_new(loop, on_done, &tunnels->loop);
    if (rc < 0) {
        lc_free(tunnels);
        return rc;
    }
    *out = tunnels;
    return 0;
}

void lc_tunnels_close(struct lc_tunnels *tunnels)
{
    while (tunnels->idle_count > 0) {
        curl_easy_cleanup(tunnels->idle[--tunnels->idle_count]);
    }
    lc_curl_loop_close(tunnels->loop);
    lc_free(tunnels);
}

static void release_handle(struct lc_tunnels *tunnels, CURL *easy)
{
    curl_easy_reset(easy);
    if (tunnels->idle_count < IDLE_HANDLES_MAX) {
        tunnels->idle[tunnels->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

/* libcurl closes a connect-only connection when its handle is removed: on_curl_closesocket keeps
 * the descriptor open if it was given away. */
static void tunnel_free(struct lc_tunnel *tunnel)
{
    lc_curl_loop_remove(tunnel->tunnels->loop, &tunnel->job);
    release_handle(tunnel->tunnels, tunnel->job.easy);
    curl_slist_free_all(tunnel->addresses);
    lc_free(tunnel);
}

void lc_tunnel_cancel(struct lc_tunnel *tunnel)
{
    tunnel_free(tunnel);
}

void lc_tunnels_turn(struct lc_tunnels *tunnels)
{
    lc_curl_loop_turn(tunnels->loop);
}

/* --- attempts --- */

/* The proxy's host by CURLOPT_RESOLVE: each attempt puts its entry into libcurl's cache of names
 * and takes it out in the same moment, so that neither an older one is used nor do they pile up. */
static CURLcode set_addresses(struct lc_tunnel *tunnel, const struct lc_tunnel_target *target)
{
    const struct lc_proxy *proxy = target->proxy;
    char entry[LC_PROXY_MAX + LC_TUNNEL_ADDRESSES_MAX * (LC_ADDRESS_TEXT_MAX + 3)];
    struct lc_address literal;
    if (lc_address_parse(proxy->host, 0, &literal)) {
        return CURLE_OK;
    }
    int len = snprintf(entry, sizeof entry, "+%.*s:%u:", (int)proxy->host.len, proxy->host.ptr,
                       proxy->port);
    for (size_t i = 0; i < target->count && i < LC_TUNNEL_ADDRESSES_MAX; i++) {
        char text[LC_ADDRESS_TEXT_MAX];
        lc_address_format(&target->addresses[i], text);
        len += snprintf(entry + len, sizeof entry - (size_t)len,
                        strchr(text, ':') != NULL ? "%s[%s]" : "%s%s", i > 0 ? "," : "", text);
    }
    tunnel->addresses = curl_slist_append(NULL, entry);
    return tunnel->addresses != NULL
               ? curl_easy_setopt(tunnel->job.easy, CURLOPT_RESOLVE, tunnel->addresses)
               : CURLE_OUT_OF_MEMORY;
}

/* The environment's no_proxy works even against a proxy that was set. */
static CURLcode set_proxy(CURL *easy, const struct lc_proxy *proxy)
{
    char url[LC_PROXY_MAX + 64];
    bool is_v6 = memchr(proxy->host.ptr, ':', proxy->host.len) != NULL;
    snprintf(url, sizeof url, "%s://%.*s%s%s%.*s%s:%u", proxy->scheme, (int)proxy->userinfo.len,
             proxy->userinfo.len > 0 ? proxy->userinfo.ptr : "", proxy->userinfo.len > 0 ? "@" : "",
             is_v6 ? "[" : "", (int)proxy->host.len, proxy->host.ptr, is_v6 ? "]" : "",
             proxy->port);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, url);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_NOPROXY, "") : code;
}

static CURLcode set_options(struct lc_tunnel *tunnel, const struct lc_tunnel_target *target)
{
    CURL *easy = tunnel->job.easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, target->url);
    code = code == CURLE_OK ? set_proxy(easy, target->proxy) : code;
    code = code == CURLE_OK ? set_addresses(tunnel, target) : code;
    if (code != CURLE_OK) {
        return code;
    }
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, tunnel->is_http ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* The caller's time-outs rule; libcurl's own default of 300 s must not cut in before them. */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 24L * 3600 * 1000);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, tunnel->reason);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_curl_opensocket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, tunnel);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_curl_closesocket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, tunnel);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_curl_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, tunnel);
    return CURLE_OK;
}

int lc_tunnel_start(struct lc_tunnels *tunnels, const struct lc_tunnel_target *target, void *owner,
                    struct lc_tunnel **out)
{
    struct lc_tunnel *tunnel = lc_alloc_zero(sizeof *tunnel);
    if (tunnel == NULL) {
        return LC_ENOMEM;
    }
    CURL *easy = tunnels->idle_count > 0 ? tunnels->idle[--tunnels->idle_count] : curl_easy_init();
    if (easy == NULL) {
        goto fail_easy;
    }
    tunnel->job.easy = easy;
    tunnel->job.owner = tunnel;
    tunnel->tunnels = tunnels;
    tunnel->owner = owner;
    tunnel->source = target->source;
    tunnel->given_away = CURL_SOCKET_BAD;
    tunnel->is_http = target->proxy->kind == LC_PROXY_HTTP;
    if (set_options(tunnel, target) != CURLE_OK ||
        lc_curl_loop_add(tunnels->loop, &tunnel->job) != 0) {
        goto fail_add;
    }
    *out = tunnel;
    return 0;

fail_add:
    release_handle(tunnels, easy);
    curl_slist_free_all(tunnel->addresses);
fail_easy:
    lc_free(tunnel);
    return LC_ENOMEM;
}

/* What PySocks says of a SOCKS proxy's refusal (RFC 1928, 6), NULL if it was none. */
static const char *words_of_socks(CURLproxycode code)
{
    switch (code) {
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
        return "0x01: General SOCKS server failure";
    case CURLPX_REPLY_NOT_ALLOWED:
        return "0x02: Connection not allowed by ruleset";
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
        return "0x03: Network unreachable";
    case CURLPX_REPLY_HOST_UNREACHABLE:
        return "0x04: Host unreachable";
    case CURLPX_REPLY_CONNECTION_REFUSED:
        return "0x05: Connection refused";
    case CURLPX_REPLY_TTL_EXPIRED:
        return "0x06: TTL expired";
    case CURLPX_REPLY_COMMAND_NOT_SUPPORTED:
        return "0x07: Command not supported, or protocol error";
    case CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED:
        return "0x08: Address type not supported";
    case CURLPX_USER_REJECTED:
        return "SOCKS5 authentication failed";
    case CURLPX_NO_AUTH:
        return "All offered SOCKS5 authentication methods were rejected";
    default:
        return NULL;
    }
}

/* The words, and the errno that libcurl keeps from any failed call, if it is of the connect. */
static int describe_failure(struct lc_tunnel *tunnel, CURLcode code, char *into, size_t size)
{
    long proxy_code = CURLPX_OK, os_errno = 0;
    curl_easy_getinfo(tunnel->job.easy, CURLINFO_PROXY_ERROR, &proxy_code);
    curl_easy_getinfo(tunnel->job.easy, CURLINFO_OS_ERRNO, &os_errno);
    const char *socks = words_of_socks((CURLproxycode)proxy_code);
    if (tunnel->source_errno != 0) {
        snprintf(into, size, "%s", tunnel->source_reason);
        return tunnel->source_errno;
    }
    if (code == CURLE_COULDNT_CONNECT && os_errno != 0) {
        snprintf(into, size, "%s", strerror((int)os_errno));
        return (int)os_errno;
    }
    if (tunnel->is_http && tunnel->status[0] != '\0') {
        snprintf(into, size, "Tunnel connection failed: %s", tunnel->status);
    } else if (socks != NULL) {
        snprintf(into, size, "%s", socks);
    } else {
        snprintf(into, size, "%s",
                 tunnel->reason[0] != '\0' ? tunnel->reason : curl_easy_strerror(code));
    }
    return 0;
}

static void on_done(struct lc_curl_job *job, CURLcode code)
{
    struct lc_tunnel *tunnel = job->owner;
    struct lc_tunnels *tunnels = tunnel->tunnels;
    void *owner = tunnel->owner;
    char reason[LC_TUNNEL_REASON_MAX] = "";
    struct lc_tunnel_result result = {.fd = -1, .reason = reason};
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (code == CURLE_OK) {
        curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &fd);
    }
    if (fd != CURL_SOCKET_BAD) {
        result.fd = tunnel->given_away = fd;
    } else {
        result.err = code == CURLE_OUT_OF_MEMORY ? LC_ENOMEM : LC_ECONNECT;
        result.os_errno = describe_failure(tunnel, code, reason, sizeof reason);
    }
    tunnel_free(tunnel);
    tunnels->done(owner, &result);
}
