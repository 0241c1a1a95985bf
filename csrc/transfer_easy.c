/* Easy handles and their options; declared in transfer_private.h.
 *
 * A handle keeps its options from one transfer to the next, and only what differs is set: libcurl
 * copies every string that it is given. */
#include "transfer_private.h"

#include <stdio.h>

enum {
    IDLE_HANDLES_MAX = 256, /* kept for the next transfers; each takes some 7 KB */
    /* "Never": the caller's time-outs rule. */
    CONNECT_TIMEOUT_MS = 24 * 3600 * 1000,
    IDLE_CONNECTION_MAX_S = 1000 * 24 * 3600,
    URL_MAX = 512,
};

/* --- the pool --- */

static CURLcode set_constants(struct lc_transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_MAX_S);
    /* What we say of names does not age. */
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    curl_easy_setopt(easy, CURLOPT_CURLU, transfer->url);
    /* The host is checked with the certificate, as in our own lane, and so are its authorities,
     * which libcurl would read for each connection. */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    /* Set: libcurl obeys the environment otherwise. */
    CURLcode code = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    /* Authorities come with lc_tls_context_lend; libcurl's own would be read for each connection.
     */
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    }
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) : code;
}

static struct lc_transfer *easy_new(struct lc_transfers *transfers)
{
    struct lc_transfer *transfer = lc_alloc_zero(sizeof *transfer);
    if (transfer == NULL) {
        return NULL;
    }
    transfer->transfers = transfers;
    transfer->job.owner = transfer;
    transfer->fd = transfer->stand_in = transfer->taken = -1;
    lc_buf_init(&transfer->fields, SIZE_MAX);
    transfer->job.easy = curl_easy_init();
    transfer->url = curl_url();
    if (transfer->job.easy == NULL || transfer->url == NULL ||
        set_constants(transfer) != CURLE_OK) {
        lc_transfer_easy_free(transfer);
        return NULL;
    }
    lc_transfer_events_set(transfer);
    return transfer;
}

struct lc_transfer *lc_transfer_easy_take(struct lc_transfers *transfers)
{
    struct lc_transfer *transfer = transfers->idle;
    if (transfer == NULL) {
        return easy_new(transfers);
    }
    transfers->idle = transfer->next;
    transfers->idle_count--;
    return transfer;
}

void lc_transfer_easy_free(struct lc_transfer *transfer)
{
    curl_easy_cleanup(transfer->job.easy);
    curl_url_cleanup(transfer->url);
    lc_buf_free(&transfer->fields);
    lc_buf_free(&transfer->answer);
    lc_free(transfer);
}

void lc_transfer_easy_put(struct lc_transfer *transfer)
{
    struct lc_transfers *transfers = transfer->transfers;
    if (transfers->idle_count == IDLE_HANDLES_MAX) {
        lc_transfer_easy_free(transfer);
        return;
    }
    transfer->next = transfers->idle;
    transfers->idle = transfer;
    transfers->idle_count++;
}

/* --- the request's head --- */

/* A header without a value is written with a semicolon: libcurl takes "Name:" for a wish to leave
 * its own out. */
static int read_field(char *line, char *end)
{
    char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon == NULL || colon == line) {
        return LC_EINVAL;
    }
    char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    *end = '\0';
    if (value == end) {
        colon[0] = ';';
        colon[1] = '\0';
    }
    return 0;
}

static const char *const SUPPRESSED[] = {"Accept:", "Expect:"};
enum { SUPPRESSED_COUNT = sizeof SUPPRESSED / sizeof SUPPRESSED[0] };

/* The end of the line that begins there: its "\r\n", or NULL. */
static char *line_end(char *line, char *end)
{
    char *at = memchr(line, '\r', (size_t)(end - line));
    return at != NULL && at + 1 < end && at[1] == '\n' ? at : NULL;
}

static int read_request_line(struct lc_transfer *transfer, char *line, char *end)
{
    char *target = memchr(line, ' ', (size_t)(end - line));
    char *version = memrchr(line, ' ', (size_t)(end - line));
    if (target == NULL || target == line || version <= target + 1) {
        return LC_EINVAL;
    }
    *target = '\0';
    *version = '\0';
    transfer->request_method = line;
    transfer->request_target = target + 1;
    return 0;
}

/* The strings behind the nodes of the list, in one block that grows to the longest head. */
static int lay_out(struct lc_transfer *transfer, struct lc_sv head, size_t nodes, char **strings)
{
    size_t need = nodes * sizeof(struct curl_slist) + head.len + 1;
    transfer->fields.len = 0;
    int rc = lc_buf_reserve(&transfer->fields, need);
    if (rc == 0) {
        *strings = transfer->fields.ptr + nodes * sizeof(struct curl_slist);
        memcpy(*strings, head.ptr, head.len);
    }
    return rc;
}

int lc_transfer_easy_read(struct lc_transfer *transfer, struct lc_sv head)
{
    size_t nodes = SUPPRESSED_COUNT;
    for (size_t i = 0; i < head.len; i++) {
        nodes += head.ptr[i] == '\n';
    }
    char *line;
    int rc = lay_out(transfer, head, nodes, &line);
    if (rc < 0) {
        return rc;
    }
    char *last = line + head.len, *end;
    struct curl_slist *node = (struct curl_slist *)(void *)transfer->fields.ptr;
    transfer->request_method = NULL;
    for (; (end = line_end(line, last)) != NULL && end != line; line = end + 2) {
        if (transfer->request_method == NULL) {
            rc = read_request_line(transfer, line, end);
        } else {
            rc = read_field(line, end);
            *node = (struct curl_slist){.data = line, .next = node + 1};
            node++;
        }
        if (rc < 0) {
            return rc;
        }
    }
    if (transfer->request_method == NULL || end == NULL || end + 2 != last) {
        return LC_EINVAL;
    }
    for (size_t i = 0; i < SUPPRESSED_COUNT; i++) {
        /* Read only, like every string of the list. */
        *node = (struct curl_slist){.data = (char *)(uintptr_t)SUPPRESSED[i], .next = node + 1};
        node++;
    }
    node[-1].next = NULL;
    return 0;
}

/* --- options --- */

static const char *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* What is left to say: lc_tls_context_lend configures the rest. */
static void set_tls(CURL *easy, const struct lc_tls_config *tls)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, tls->resume ? 1L : 0L);
}

static CURLcode set_origin(struct lc_transfer *transfer, const struct lc_origin *origin)
{
    char url[URL_MAX];
    bool secure = origin->tls_context != NULL;
    int len = snprintf(url, sizeof url, "%s%s", secure ? "https" : "http",
                       origin->connect_url + strlen("http"));
    if (len < 0 || (size_t)len >= sizeof url) {
        return CURLE_URL_MALFORMAT;
    }
    if (secure) {
        set_tls(transfer->job.easy, origin->tls_config);
    }
    switch (curl_url_set(transfer->url, CURLUPART_URL, url, 0)) {
    case CURLUE_OK:
        return CURLE_OK;
    case CURLUE_OUT_OF_MEMORY:
        return CURLE_OUT_OF_MEMORY;
    default:
        return CURLE_URL_MALFORMAT;
    }
}

static void set_forbids_reuse(struct lc_transfer *transfer, bool forbids)
{
    if (transfer->forbids_reuse != forbids) {
        transfer->forbids_reuse = forbids;
        curl_easy_setopt(transfer->job.easy, CURLOPT_FORBID_REUSE, forbids ? 1L : 0L);
    }
}

void lc_transfer_easy_forbid_reuse(struct lc_transfer *transfer)
{
    set_forbids_reuse(transfer, true);
}

static CURLcode set_group(struct lc_transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    struct lc_transfer_group *group = transfer->group;
    if (transfer->shares != group) {
        transfer->shares = group;
        curl_easy_setopt(easy, CURLOPT_SHARE, group->share);
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, group);
    }
    set_forbids_reuse(transfer, false);
    if (transfer->lifetime_s != group->scope->lifetime_s) {
        transfer->lifetime_s = group->scope->lifetime_s;
        curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, transfer->lifetime_s);
    }
    /* Told once, for all connections of the group. */
    if (transfer->fd >= 0 && group->address.data != NULL) {
        return curl_easy_setopt(easy, CURLOPT_RESOLVE, &group->address);
    }
    return CURLE_OK;
}

/* Which connection, and what is spoken there. */
static void set_version(struct lc_transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    const struct lc_origin *origin = transfer->group->origin;
    bool connects_anew = transfer->fd >= 0;
    long version = CURL_HTTP_VERSION_2TLS;
    if (transfer->wants_http1) {
        version = CURL_HTTP_VERSION_1_1;
    } else if (origin->tls_context == NULL) {
        version = lc_transfer_group_speaks_to_proxy(origin) ? CURL_HTTP_VERSION_1_1
                                                            : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
        /* Before 8.0 libcurl would take it for a new connection (curl#10634). */
        if (!connects_anew && version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE &&
            transfer->transfers->before_8) {
            version = CURL_HTTP_VERSION_2TLS;
        }
    }
    if (transfer->version != version) {
        transfer->version = version;
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    }
    if (transfer->connects_anew != connects_anew) {
        transfer->connects_anew = connects_anew;
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, connects_anew ? 1L : 0L);
    }
}

static void set_kind(struct lc_transfer *transfer, enum lc_transfer_kind kind)
{
    CURL *easy = transfer->job.easy;
    if (kind == LC_TRANSFER_UPLOAD) {
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_len);
    }
    if (kind == transfer->kind) {
        return;
    }
    transfer->kind = kind;
    /* Undoes the others. */
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (kind == LC_TRANSFER_HEAD) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (kind == LC_TRANSFER_UPLOAD) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    }
}

/* The method that libcurl names by itself needs no word of ours. */
static CURLcode set_method(struct lc_transfer *transfer)
{
    static const char *const NAMED[] = {"GET", "HEAD", "PUT"};
    const char *method = transfer->request_method;
    if (strcmp(method, NAMED[transfer->kind]) == 0) {
        method = "";
    }
    if (strcmp(method, transfer->method) == 0) {
        return CURLE_OK;
    }
    strcpy(transfer->method, " "); /* none is remembered */
    CURLcode code = curl_easy_setopt(transfer->job.easy, CURLOPT_CUSTOMREQUEST, or_null(method));
    if (code == CURLE_OK && strlen(method) < sizeof transfer->method) {
        strcpy(transfer->method, method);
    }
    return code;
}

CURLcode lc_transfer_easy_prepare(struct lc_transfer *transfer)
{
    CURL *easy = transfer->job.easy;
    const struct lc_origin *origin = transfer->group->origin;
    CURLcode code = set_group(transfer);
    if (code == CURLE_OK && transfer->origin != origin) {
        transfer->origin = NULL;
        code = set_origin(transfer, origin);
    }
    if (code != CURLE_OK) {
        return code;
    }
    transfer->origin = origin;
    set_version(transfer);
    bool is_head = strcmp(transfer->request_method, "HEAD") == 0;
    set_kind(transfer, transfer->has_body ? LC_TRANSFER_UPLOAD
                       : is_head          ? LC_TRANSFER_HEAD
                                          : LC_TRANSFER_GET);
    code = set_method(transfer);
    if (code == CURLE_OK) {
        code = curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, transfer->request_target);
    }
    if (code == CURLE_OK) {
        struct curl_slist *fields = (struct curl_slist *)(void *)transfer->fields.ptr;
        code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
    }
    return code;
}
