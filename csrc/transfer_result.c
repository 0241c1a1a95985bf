/* What became of a transfer, in our words; declared in transfer_private.h. */
#include "transfer_private.h"

#include <errno.h>

/* --- errors --- */

static bool says(const struct lc_transfer *transfer, const char *words)
{
    return strstr(transfer->reason, words) != NULL;
}

/* Before any connection worked. */
static int connect_error(CURLcode code)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return LC_ENOMEM;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return LC_ERESOLVE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
        return LC_ETLSVERIFY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
        return LC_ETLS;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_SETOPT_OPTION_SYNTAX:
        return LC_EINVAL;
    default:
        return LC_ECONNECT;
    }
}

/* The connection ended or broke while a response was expected. */
static int broken_error(const struct lc_transfer *transfer, int os_errno)
{
    if (os_errno == ECONNRESET || os_errno == EPIPE) {
        return LC_ERESET;
    }
    return transfer->told_head ? LC_ETRUNCATED : LC_ECLOSED;
}

static int receive_error(const struct lc_transfer *transfer, int os_errno)
{
    if (says(transfer, "alert")) {
        return LC_ETLS; /* TLS 1.3 refuses a client's certificate after the handshake */
    }
    if (says(transfer, "Too large response headers")) {
        return LC_ELIMIT;
    }
    if (says(transfer, "nghttp2_session_mem_recv") || says(transfer, "chunked-encoding")) {
        return LC_EPROTO;
    }
    return broken_error(transfer, os_errno);
}

/* After the request was sent, if only in part. */
static int exchange_error(const struct lc_transfer *transfer, CURLcode code, int os_errno)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return LC_ENOMEM;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
        return broken_error(transfer, os_errno);
    case CURLE_RECV_ERROR:
        return receive_error(transfer, os_errno);
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return LC_ERESET;
    case CURLE_HTTP2_STREAM:
        /* nghttp2 resets a stream whose response breaks the rules with this code itself. */
        return says(transfer, "PROTOCOL_ERROR") || says(transfer, "closed cleanly, but")
                   ? LC_EPROTO
                   : LC_ERESET;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_FILESIZE_EXCEEDED:
        return LC_EPROTO;
    case CURLE_COULDNT_CONNECT:
        return LC_ECONNECT;
    default:
        return LC_ESYS;
    }
}

static int error_of(const struct lc_transfer *transfer, CURLcode code, int os_errno)
{
    if (transfer->owner_err != 0) {
        return transfer->owner_err;
    }
    if (transfer->refused) {
        return LC_ERESET;
    }
    if (code == CURLE_OK) {
        /* libcurl calls it a success if others share the connection. */
        return transfer->told_head ? 0 : LC_ECLOSED;
    }
    return transfer->tries == 0 ? connect_error(code) : exchange_error(transfer, code, os_errno);
}

static const char *reason_of(const struct lc_transfer *transfer, CURLcode code)
{
    if (transfer->owner_err != 0) {
        return "";
    }
    if (transfer->reason[0] != '\0') {
        return transfer->reason;
    }
    if (transfer->refused) {
        return "the server refused the stream (REFUSED_STREAM or GOAWAY)";
    }
    return code != CURLE_OK ? curl_easy_strerror(code) : "";
}

/* --- times --- */

static uint64_t duration_ns(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;
    curl_easy_getinfo(easy, which, &us);
    return (uint64_t)us * 1000;
}

static uint64_t later_of(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

void lc_transfer_result_of(struct lc_transfer *transfer, CURLcode code,
                           struct lc_transfer_result *result)
{
    CURL *easy = transfer->job.easy;
    long os_errno = 0;
    *result = (struct lc_transfer_result){.read = lc_now_ns(), .reused = transfer->reused};
    if (code != CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    }
    result->err = error_of(transfer, code, (int)os_errno);
    result->os_errno = (int)os_errno;
    result->reason = result->err != 0 ? reason_of(transfer, code) : "";
    result->resent = transfer->tries > 0 ? transfer->tries - 1 : 0;
    if (!transfer->reused) {
        uint64_t secured_ns = duration_ns(easy, CURLINFO_APPCONNECT_TIME_T);
        result->lookup_ns = duration_ns(easy, CURLINFO_NAMELOOKUP_TIME_T);
        result->connect_ns = duration_ns(easy, CURLINFO_CONNECT_TIME_T);
        result->tls_ns = secured_ns > result->connect_ns ? secured_ns - result->connect_ns : 0;
    }
    result->sent = transfer->sent_ns;
    if (transfer->first_byte_ns != 0) {
        result->first_byte = transfer->first_byte_ns;
        result->last_byte = later_of(transfer->job.finished_ns, transfer->first_byte_ns);
    }
}
