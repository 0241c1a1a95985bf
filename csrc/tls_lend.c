/* A context's settings for an SSL_CTX of somebody else; declared in tls.h. */
#include "tls_private.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static bool lend_versions(SSL_CTX *to, const SSL_CTX *from, const struct lc_tls_config *config)
{
    /* The getters are macros that lack const. */
    SSL_CTX *source = (SSL_CTX *)(uintptr_t)from;
    return SSL_CTX_set_min_proto_version(to, SSL_CTX_get_min_proto_version(source)) == 1 &&
           SSL_CTX_set_max_proto_version(to, SSL_CTX_get_max_proto_version(source)) == 1 &&
           (config->ciphers == NULL || SSL_CTX_set_cipher_list(to, config->ciphers) == 1) &&
           (config->ciphersuites == NULL ||
            SSL_CTX_set_ciphersuites(to, config->ciphersuites) == 1);
}

static bool lend_certificate(SSL_CTX *to, const SSL_CTX *from)
{
    X509 *x509 = SSL_CTX_get0_certificate(from);
    STACK_OF(X509) *chain = NULL;
    if (x509 == NULL) {
        return true;
    }
    SSL_CTX_set_post_handshake_auth(to, 1);
    return SSL_CTX_use_certificate(to, x509) == 1 &&
           SSL_CTX_use_PrivateKey(to, SSL_CTX_get0_privatekey(from)) == 1 &&
           SSL_CTX_get0_chain_certs((SSL_CTX *)(uintptr_t)from, &chain) == 1 &&
           (chain == NULL || SSL_CTX_set1_chain(to, chain) == 1);
}

/* As tls.c does it for one of our own. */
static bool lend_host(SSL_CTX *to, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(to);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) {
        return true;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

int lc_tls_context_lend(const struct lc_tls_context *context, const struct lc_tls_config *config,
                        const char *host, void *ssl_ctx)
{
    SSL_CTX *to = ssl_ctx;
    ERR_clear_error();
    SSL_CTX_set_mode(to, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(to, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    /* Not the other store, which libcurl fills, keeps and gives to other connections. */
    (void)SSL_CTX_set1_verify_cert_store(to, SSL_CTX_get_cert_store(context->ssl_ctx));
    (void)X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(to), config->verify_flags);
    bool lent = (!context->check_host || lend_host(to, host)) &&
                lend_versions(to, context->ssl_ctx, config) &&
                lend_certificate(to, context->ssl_ctx);
    ERR_clear_error();
    return lent ? 0 : LC_ENOMEM;
}
