#include "tls_private.h"

#include "sock.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

struct lc_tls {
    SSL *ssl;
    SSL_SESSION *session; /* the newest one that the server gave, until it is taken */
    int fd;
    int io_error;          /* what the socket said in this call, if not LC_EAGAIN */
    uint64_t last_arrival; /* of the latest record read */
    bool wants_write;
    bool eof; /* the peer closed the socket */
    char reason[LC_TLS_REASON_MAX];
};

/* --- the BIO: OpenSSL reads and writes through sock --- */

static int bio_read(BIO *bio, char *into, int len)
{
    struct lc_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = lc_sock_read(tls->fd, into, (size_t)len, &tls->last_arrival);
    if (got == LC_EAGAIN) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (got < 0) {
        tls->io_error = (int)got;
        return -1;
    }
    tls->eof = got == 0;
    return (int)got;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct lc_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t put = lc_sock_write(tls->fd, from, (size_t)len);
    if (put == LC_EAGAIN) {
        BIO_set_retry_write(bio);
        return -1;
    }
    if (put < 0) {
        tls->io_error = (int)put;
        return -1;
    }
    return (int)put;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF) {
        return ((struct lc_tls *)BIO_get_data(bio))->eof;
    }
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *lc_tls_new_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "locust-c");
    if (method != NULL &&
        (!BIO_meth_set_read(method, bio_read) || !BIO_meth_set_write(method, bio_write) ||
         !BIO_meth_set_ctrl(method, bio_ctrl))) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

/* --- connections --- */

static bool is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool set_peer_name(struct lc_tls_context *context, SSL *ssl, const char *host)
{
    if (is_address(host)) {
        return !context->check_host ||
               X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    if (SSL_set_tlsext_host_name(ssl, host) != 1) {
        return false;
    }
    if (!context->check_host) {
        return true;
    }
    /* As urllib3: names are those of the extension for them. */
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, host) == 1;
}

int lc_tls_new(struct lc_tls_context *context, int fd, const char *host, struct lc_tls **out)
{
    int rc = LC_ENOMEM;
    struct lc_tls *tls = lc_alloc_zero(sizeof *tls);
    if (tls == NULL) {
        return LC_ENOMEM;
    }
    ERR_clear_error();
    tls->fd = fd;
    tls->ssl = SSL_new(context->ssl_ctx);
    if (tls->ssl == NULL) {
        goto fail_ssl;
    }
    BIO *bio = BIO_new(context->bio_method);
    if (bio == NULL) {
        goto fail_bio;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    if (!set_peer_name(context, tls->ssl, host)) {
        rc = LC_EINVAL;
        goto fail_bio;
    }
    if (SSL_CTX_get_session_cache_mode(context->ssl_ctx) != SSL_SESS_CACHE_OFF &&
        SSL_set_app_data(tls->ssl, tls) != 1) {
        goto fail_bio;
    }
    SSL_set_connect_state(tls->ssl);
    lc_count_opened(LC_COUNT_TLS);
    *out = tls;
    return 0;

fail_bio:
    SSL_free(tls->ssl);
fail_ssl:
    lc_free(tls);
    ERR_clear_error();
    return rc;
}

void lc_tls_free(struct lc_tls *tls)
{
    if (tls != NULL) {
        lc_count_closed(LC_COUNT_TLS);
        if (tls->reason[0] == '\0') {
            /* Otherwise OpenSSL takes the session for spoilt, since nobody says close_notify. */
            SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        }
        SSL_SESSION_free(tls->session);
        SSL_free(tls->ssl);
        lc_free(tls);
        ERR_clear_error();
    }
}

static int fail_with_reason(struct lc_tls *tls)
{
    if (tls->io_error != 0) {
        ERR_clear_error();
        return tls->io_error;
    }
    /* OpenSSL keeps its verdict also where nobody asks for it. */
    bool verifies = SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE;
    long verdict = SSL_get_verify_result(tls->ssl);
    if (verifies && verdict != X509_V_OK && !SSL_is_init_finished(tls->ssl)) {
        snprintf(tls->reason, sizeof tls->reason, "certificate verify failed: %s",
                 X509_verify_cert_error_string(verdict));
        ERR_clear_error();
        return LC_ETLSVERIFY;
    }
    lc_tls_take_reason(tls->reason, "TLS");
    return LC_ETLS;
}

/* Turns what an SSL_* call returned into our codes; 0 is the end of the stream. */
static int result_of(struct lc_tls *tls, int returned)
{
    switch (SSL_get_error(tls->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        tls->wants_write = false;
        return LC_EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        tls->wants_write = true;
        return LC_EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return fail_with_reason(tls);
    }
}

/* What an earlier call left would be taken for the outcome of this one. */
static void begin_call(struct lc_tls *tls)
{
    ERR_clear_error();
    tls->io_error = 0;
}

int lc_tls_handshake(struct lc_tls *tls)
{
    begin_call(tls);
    int returned = SSL_do_handshake(tls->ssl);
    if (returned == 1) {
        return 0;
    }
    int rc = result_of(tls, returned);
    if (rc == 0) {
        lc_tls_take_reason(tls->reason, "TLS: unexpected eof while reading");
        rc = LC_ETLS;
    }
    return rc;
}

ssize_t lc_tls_read(struct lc_tls *tls, char *into, size_t len, uint64_t *arrival_realtime_ns)
{
    begin_call(tls);
    int got = SSL_read(tls->ssl, into, len > INT_MAX ? INT_MAX : (int)len);
    if (got > 0) {
        *arrival_realtime_ns = tls->last_arrival;
        return got;
    }
    return result_of(tls, got);
}

ssize_t lc_tls_write(struct lc_tls *tls, const char *from, size_t len)
{
    begin_call(tls);
    int put = SSL_write(tls->ssl, from, len > INT_MAX ? INT_MAX : (int)len);
    if (put > 0) {
        return put;
    }
    int rc = result_of(tls, put);
    return rc == 0 ? LC_ERESET : rc;
}

bool lc_tls_wants_write(const struct lc_tls *tls)
{
    return tls->wants_write;
}

void lc_tls_release_buffers(struct lc_tls *tls)
{
    (void)SSL_free_buffers(tls->ssl); /* not if they hold something */
}

const char *lc_tls_reason(const struct lc_tls *tls)
{
    return tls->reason;
}

/* --- sessions: an SSL_SESSION under our name --- */

int lc_tls_on_session(SSL *ssl, SSL_SESSION *session)
{
    struct lc_tls *tls = SSL_get_app_data(ssl);
    SSL_SESSION_free(tls->session);
    tls->session = session;
    return 1;
}

struct lc_tls_session *lc_tls_take_session(struct lc_tls *tls)
{
    SSL_SESSION *session = tls->session;
    tls->session = NULL;
    return (struct lc_tls_session *)session;
}

void lc_tls_session_free(struct lc_tls_session *session)
{
    SSL_SESSION_free((SSL_SESSION *)session);
}

void lc_tls_resume(struct lc_tls *tls, struct lc_tls_session *session)
{
    /* What cannot be set leads to a full handshake. */
    (void)SSL_set_session(tls->ssl, (SSL_SESSION *)session);
    ERR_clear_error();
}

bool lc_tls_is_resumed(const struct lc_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}
