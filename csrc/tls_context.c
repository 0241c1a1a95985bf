/* From a configuration to an SSL_CTX; declared in tls.h. */
#include "tls_private.h"

#include <limits.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

void lc_tls_take_reason(char reason[LC_TLS_REASON_MAX], const char *what)
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

static int refuse(char reason[LC_TLS_REASON_MAX], const char *what)
{
    lc_tls_take_reason(reason, what);
    return LC_EINVAL;
}

/* --- the server's certificates --- */

/* A connection keeps all certificates that it was shown, half of its memory, and nobody asks for
 * them afterwards. The others of the chain go, and of the first one, which OpenSSL needs for the
 * handshake, there is one copy for all connections. */
static void keep_one_certificate(struct lc_tls_context *context, X509_STORE_CTX *verification)
{
    STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(verification);
    X509_STORE_CTX_set0_verified_chain(verification, NULL);
    while (sk_X509_num(shown) > 1) {
        X509_free(sk_X509_pop(shown));
    }
    X509 *peer = sk_X509_value(shown, 0);
    if (peer == NULL) {
        return;
    }
    if (context->last_peer != NULL && X509_cmp(context->last_peer, peer) == 0) {
        (void)X509_up_ref(context->last_peer);
        (void)sk_X509_set(shown, 0, context->last_peer);
        X509_free(peer);
    } else {
        (void)X509_up_ref(peer);
        X509_free(context->last_peer);
        context->last_peer = peer;
    }
}

static int verify_chain(X509_STORE_CTX *verification, void *data)
{
    struct lc_tls_context *context = data;
    int accepted = context->verify ? X509_verify_cert(verification) : 1;
    if (accepted == 1) {
        keep_one_certificate(context, verification);
    }
    return accepted;
}

/* Certificates of a PEM text, one after the other; what stands between them does not matter. */
static bool load_text(SSL_CTX *ssl_ctx, const char *text)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
    size_t len = strlen(text);
    BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(text, (int)len) : NULL;
    bool fine = bio != NULL;
    X509 *x509;
    while (fine && (x509 = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        fine = X509_STORE_add_cert(store, x509) == 1;
        X509_free(x509);
    }
    BIO_free(bio);
    unsigned long code = ERR_peek_last_error();
    if (fine && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        ERR_clear_error(); /* it came to the end */
        code = 0;
    }
    return fine && code == 0;
}

static int load_authorities(SSL_CTX *ssl_ctx, const struct lc_tls_config *config,
                            char reason[LC_TLS_REASON_MAX])
{
    bool loaded = true;
    if (config->ca_file == NULL && config->ca_path == NULL && config->ca_pem == NULL) {
        loaded = SSL_CTX_set_default_verify_paths(ssl_ctx) == 1;
    } else if (config->ca_file != NULL || config->ca_path != NULL) {
        loaded = SSL_CTX_load_verify_locations(ssl_ctx, config->ca_file, config->ca_path) == 1;
    }
    if (loaded && config->ca_pem != NULL) {
        loaded = load_text(ssl_ctx, config->ca_pem);
    }
    return loaded ? 0 : refuse(reason, "the CA certificates cannot be loaded");
}

static int set_verification(struct lc_tls_context *context, const struct lc_tls_config *config,
                            char reason[LC_TLS_REASON_MAX])
{
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    SSL_CTX_set_verify(ssl_ctx, config->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, verify_chain, context);
    if (!config->verify) {
        return 0;
    }
    (void)X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl_ctx), config->verify_flags);
    return load_authorities(ssl_ctx, config, reason);
}

/* --- versions and ciphers --- */

static int set_versions(SSL_CTX *ssl_ctx, const struct lc_tls_config *config,
                        char reason[LC_TLS_REASON_MAX])
{
    int highest = config->max_version, lowest = config->min_version;
    if (lowest == 0) {
        lowest = highest != 0 && highest < TLS1_2_VERSION ? highest : TLS1_2_VERSION;
    }
    if (highest != 0 && highest < lowest) {
        return refuse(reason, "the TLS versions exclude each other");
    }
    if (SSL_CTX_set_min_proto_version(ssl_ctx, lowest) != 1 ||
        SSL_CTX_set_max_proto_version(ssl_ctx, highest) != 1) {
        return refuse(reason, "the TLS version is not known");
    }
    return 0;
}

static int set_ciphers(SSL_CTX *ssl_ctx, const struct lc_tls_config *config,
                       char reason[LC_TLS_REASON_MAX])
{
    if ((config->ciphers != NULL && SSL_CTX_set_cipher_list(ssl_ctx, config->ciphers) != 1) ||
        (config->ciphersuites != NULL &&
         SSL_CTX_set_ciphersuites(ssl_ctx, config->ciphersuites) != 1)) {
        return refuse(reason, "the ciphers cannot be used");
    }
    return 0;
}

/* --- our own certificate --- */

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
        return refuse(reason, "the client certificate cannot be loaded");
    }
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl_ctx) != 1) {
        return refuse(reason, context->key_is_locked
                                  ? "the client certificate's key has a password"
                                  : "the client certificate's key cannot be loaded");
    }
    /* As urllib3: servers that ask for it when a certain path is requested. */
    SSL_CTX_set_post_handshake_auth(ssl_ctx, 1);
    return 0;
}

/* --- contexts --- */

static int configure(struct lc_tls_context *context, const struct lc_tls_config *config,
                     char reason[LC_TLS_REASON_MAX])
{
    static const unsigned char http11[] = "\x08http/1.1";
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* As urllib3: a server that closes without close_notify ends the response, no more. */
    SSL_CTX_set_options(ssl_ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ssl_ctx, config->resume
                                                ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                                : SSL_SESS_CACHE_OFF);
    if (config->resume) {
        SSL_CTX_sess_set_new_cb(ssl_ctx, lc_tls_on_session);
    }
    SSL_CTX_set_alpn_protos(ssl_ctx, http11, sizeof http11 - 1);
    int rc = set_versions(ssl_ctx, config, reason);
    if (rc == 0) {
        rc = set_ciphers(ssl_ctx, config, reason);
    }
    if (rc == 0) {
        rc = set_verification(context, config, reason);
    }
    return rc == 0 ? load_client_certificate(context, config, reason) : rc;
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
    context->check_host = config->verify && config->check_host;
    context->bio_method = lc_tls_new_bio_method();
    if (context->bio_method == NULL) {
        goto fail_bio_method;
    }
    context->ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (context->ssl_ctx == NULL) {
        goto fail_ssl_ctx;
    }
    rc = configure(context, config, reason);
    if (rc < 0) {
        goto fail_configure;
    }
    *out = context;
    return 0;

fail_configure:
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
        X509_free(context->last_peer);
        SSL_CTX_free(context->ssl_ctx);
        BIO_meth_free(context->bio_method);
        lc_free(context);
    }
}
