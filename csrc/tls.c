#include "tls.h"

#include "sock.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct lc_tls_context {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    bool verify;
    bool key_is_locked; /* loading the client certificate's key took a password */
};

struct lc_tls {
    SSL *ssl;
    int fd;
    int io_error;          /* what the socket said last, if not LC_EAGAIN */
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

static BIO_METHOD *new_bio_method(void)
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

/* --- contexts --- */

static void take_reason(char reason[LC_TLS_REASON_MAX], const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;
    if (text == NULL && alert >= 0) {
        snprintf(reason, LC_TLS_REASON_MAX, "%s: unknown alert %d", what, alert);
    } else {
        snprintf(reason, LC_TLS_REASON_MAX, "%s%s%s", what, text ? ": " : "", text ? text : "");
    }
    ERR_clear_error();
}

static int load_authorities(SSL_CTX *ssl_ctx, const struct lc_tls_config *config,
                            char reason[LC_TLS_REASON_MAX])
{
    if (!config->verify) {
        SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
    int loaded;
    if (config->ca_file == NULL && config->ca_path == NULL) {
        loaded = SSL_CTX_set_default_verify_paths(ssl_ctx);
    } else {
        loaded = SSL_CTX_load_verify_locations(ssl_ctx, config->ca_file, config->ca_path);
    }
    if (!loaded) {
        take_reason(reason, "the CA certificates cannot be loaded");
        return LC_EINVAL;
    }
    return 0;
}

/* OpenSSL's own asks at the terminal, and everything waits. */
static int no_password(char *into, int size, int for_writing, void *asked)
{
    (void)into;
    (void)size;
    (void)for_writing;
    *(bool *)asked = true;
    return -1;
}

static int load_client_certificate(struct lc_tls_context *context,
                                   const struct lc_tls_config *config,
                                   char reason[LC_TLS_REASON_MAX])
{
    if (config->cert_file == NULL) {
        return 0;
    }
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    const char *key_file = config->key_file != NULL ? config->key_file : config->cert_file;
    SSL_CTX_set_default_passwd_cb(ssl_ctx, no_password);
    SSL_CTX_set_default_passwd_cb_userdata(ssl_ctx, &context->key_is_locked);
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, config->cert_file) != 1) {
        take_reason(reason, "the client certificate cannot be loaded");
        return LC_EINVAL;
    }
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl_ctx) != 1) {
        take_reason(reason, context->key_is_locked
                                ? "the client certificate's key has a password"
                                : "the client certificate's key cannot be loaded");
        return LC_EINVAL;
    }
    return 0;
}

int lc_tls_context_new(const struct lc_tls_config *config, struct lc_tls_context **out,
                       char reason[LC_TLS_REASON_MAX])
{
    int rc = LC_ENOMEM;
    reason[0] = '\0';
    struct lc_tls_context *context = lc_alloc_zero(sizeof *context);
    if (context == NULL) {
        return LC_ENOMEM;
    }
    ERR_clear_error();
    context->verify = config->verify;
    context->bio_method = new_bio_method();
    if (context->bio_method == NULL) {
        goto fail_bio_method;
    }
    context->ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (context->ssl_ctx == NULL) {
        goto fail_ssl_ctx;
    }
    SSL_CTX_set_min_proto_version(context->ssl_ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(context->ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* As urllib3: a server that closes without close_notify ends the response, no more. */
    SSL_CTX_set_options(context->ssl_ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context->ssl_ctx, SSL_SESS_CACHE_OFF);
    static const unsigned char http11[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context->ssl_ctx, http11, sizeof http11 - 1);
    rc = load_authorities(context->ssl_ctx, config, reason);
    if (rc == 0) {
        rc = load_client_certificate(context, config, reason);
    }
    if (rc < 0) {
        goto fail_load;
    }
    *out = context;
    return 0;

fail_load:
    SSL_CTX_free(context->ssl_ctx);
fail_ssl_ctx:
    BIO_meth_free(context->bio_method);
fail_bio_method:
    lc_free(context);
    return rc;
}

void lc_tls_context_free(struct lc_tls_context *context)
{
    if (context != NULL) {
        SSL_CTX_free(context->ssl_ctx);
        BIO_meth_free(context->bio_method);
        lc_free(context);
    }
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
        return !context->verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    if (SSL_set_tlsext_host_name(ssl, host) != 1) {
        return false;
    }
    if (!context->verify) {
        return true;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
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
    take_reason(tls->reason, "TLS");
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

/* A failed write must not hide what is then read: the peer's alert says why it closed. */
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
    return rc == 0 ? LC_ECLOSED : rc;
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

const char *lc_tls_reason(const struct lc_tls *tls)
{
    return tls->reason;
}
