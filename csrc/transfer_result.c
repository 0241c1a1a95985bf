/* What became of a transfer, in our words; declared in transfer_private.h. */
#include "transfer_private.h"

#include <errno.h>
#include <stdio.h>

/* --- errors --- */

static bool says(const struct lc_transfer *transfer, const char *words)
{
    return strstr(transfer->reason, words) != NULL;
}

/* Before the request was sent: there was a socket, so it is TLS. */
static int connect_error(CURLcode code, int os_errno)
{
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return LC_ENOMEM;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
        return LC_ETLSVERIFY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return LC_EINVAL;
    case CURLE_SSL_CONNECT_ERROR:
        return os_errno == ECONNRESET ? LC_ERESET : LC_ETLS;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
        return LC_ETLS;
    default:
        return LC_ECONNECT;
    }
}

/* A connection that ends has words over HTTP/2; without any it is nghttp2 that gave it up. */
static int nothing_error(const struct lc_transfer *transfer)
{
    return transfer->group->spoken == 2 ? LC_EPROTO : LC_ECLOSED;
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
        return nothing_error(transfer);
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

/* libcurl wanted to send it again, and was not let. */
static bool was_not_resent(const struct lc_transfer *transfer, CURLcode code)
{
    return transfer->lost && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK);
}

static int error_of(const struct lc_transfer *transfer, CURLcode code, int os_errno)
{
    if (transfer->owner_err != 0) {
        return transfer->owner_err;
    }
    if (transfer->refused) {
        return code == CURLE_HTTP2 ? LC_ECLOSED : LC_ERESET;
    }
    if (was_not_resent(transfer, code)) {
        return transfer->silent ? nothing_error(transfer) : broken_error(transfer, os_errno);
    }
    if (code == CURLE_OK) {
        /* libcurl calls it a success if others share the connection. */
        return transfer->told_head ? 0 : LC_ECLOSED;
    }
    return transfer->tries == 0 ? connect_error(code, os_errno)
                                : exchange_error(transfer, code, os_errno);
}

/* OpenSSL's own words, as tls.c has them: "TLS: wrong version number". */
static const char *tls_reason(struct lc_transfer *transfer)
{
    static const char LIBRARY[] = "SSL routines::", VERDICT[] = "SSL certificate problem: ";
    char text[CURL_ERROR_SIZE];
    memcpy(text, transfer->reason, sizeof text);
    const char *words = strstr(text, LIBRARY);
    if (strncmp(text, VERDICT, sizeof VERDICT - 1) == 0) {
        snprintf(transfer->reason, sizeof transfer->reason, "certificate verify failed: %s",
                 text + sizeof VERDICT - 1);
    } else if (words != NULL) {
        words += sizeof LIBRARY - 1;
        int len = (int)strcspn(words, ",");
        snprintf(transfer->reason, sizeof transfer->reason, "TLS: %.*s", len, words);
    } else if (strstr(text, "SSL_ERROR_SYSCALL") != NULL) {
        return "TLS: unexpected eof while reading";
    }
    return transfer->reason;
}

/* "HTTP/2 stream 5 was ..." without the number: the same failure is to have the same words. */
static const char *stream_reason(struct lc_transfer *transfer)
{
    static const char STREAM[] = "HTTP/2 stream ";
    if (strncmp(transfer->reason, STREAM, sizeof STREAM - 1) == 0) {
        char *at = transfer->reason + sizeof STREAM - 1;
        size_t digits = strspn(at, "0123456789 ");
        memmove(at, at + digits, strlen(at + digits) + 1);
    }
    return transfer->reason;
}

static const char *reason_of(struct lc_transfer *transfer, CURLcode code, int err)
{
    if (transfer->owner_err != 0) {
        return "";
    }
    if (transfer->refused) {
        return code == CURLE_HTTP2 ? "the server ended the HTTP/2 connection (GOAWAY)"
                                   : "the server refused the HTTP/2 stream (REFUSED_STREAM)";
    }
    if (code == CURLE_GOT_NOTHING || (was_not_resent(transfer, code) && transfer->silent)) {
        return transfer->group->spoken == 2 ? "the server broke the HTTP/2 protocol" : "";
    }
    if (err == LC_ETLS || err == LC_ETLSVERIFY) {
        return tls_reason(transfer);
    }
    if (transfer->reason[0] != '\0') {
        return stream_reason(transfer);
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
    result->reason = result->err != 0 ? reason_of(transfer, code, result->err) : "";
    result->resent = transfer->tries > 0 ? transfer->tries - 1 : 0;
    if (!transfer->reused) {
        uint64_t begun_ns = duration_ns(easy, CURLINFO_CONNECT_TIME_T);
        uint64_t secured_ns = duration_ns(easy, CURLINFO_APPCONNECT_TIME_T);
        result->lookup_ns = transfer->lookup_ns;
        result->connect_ns = transfer->connect_ns;
        result->tls_ns = secured_ns > begun_ns ? secured_ns - begun_ns : 0;
    }
    result->connected = transfer->connected_ns;
    result->sent = transfer->sent_ns;
    if (transfer->first_byte_ns != 0) {
        result->first_byte = transfer->first_byte_ns;
        result->last_byte = later_of(transfer->job.finished_ns, transfer->first_byte_ns);
    }
}

void lc_transfer_result_of_connect(struct lc_transfer *transfer,
                                   const struct lc_connect_result *connect,
                                   struct lc_transfer_result *result)
{
    *result = (struct lc_transfer_result){
        .err = connect->err,
        .os_errno = connect->err == LC_ERESOLVE ? connect->eai : connect->os_errno,
        .reason = connect->reason,
        .lookup_ns = connect->lookup_ns,
        .connect_ns = connect->connect_ns,
        .read = lc_now_ns(),
        .resent = transfer->tries > 0 ? transfer->tries - 1 : 0,
    };
}
