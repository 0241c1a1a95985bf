#include "tls_peer.h"

#include <openssl/err.h>
#include <unistd.h>

/* Its length, and the name. */
static const unsigned char HTTP1[] = "\x08http/1.1", HTTP2[] = "\x02h2";

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned int in_len, void *wanted)
{
    const unsigned char *protocol = wanted;
    (void)ssl;
    return SSL_select_next_proto((unsigned char **)out, out_len, protocol, 1u + protocol[0], in,
                                 in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void open_ssl(struct tls_peer *peer, SSL_CTX *ssl_ctx, int fd)
{
    *peer = (struct tls_peer){.ssl_ctx = ssl_ctx, .ssl = SSL_new(ssl_ctx), .fd = fd};
    CHECK(peer->ssl != NULL);
    CHECK_INT(SSL_set_fd(peer->ssl, fd), 1);
    SSL_set_accept_state(peer->ssl);
}

void tls_peer_open(struct tls_peer *peer, const struct tls_peer_config *config, int fd)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());
    CHECK(ssl_ctx != NULL);
    CHECK_INT(SSL_CTX_use_certificate(ssl_ctx, config->cert->x509), 1);
    CHECK_INT(SSL_CTX_use_PrivateKey(ssl_ctx, config->cert->key), 1);
    CHECK_INT(SSL_CTX_set_min_proto_version(ssl_ctx, config->min_version), 1);
    CHECK_INT(SSL_CTX_set_max_proto_version(ssl_ctx, config->max_version), 1);
    CHECK(config->ciphers == NULL || SSL_CTX_set_cipher_list(ssl_ctx, config->ciphers) == 1);
    const unsigned char *protocol = config->speaks_http2 ? HTTP2 : HTTP1;
    SSL_CTX_set_alpn_select_cb(ssl_ctx, choose_protocol, (void *)(uintptr_t)protocol);
    if (config->client_authority != NULL) {
        X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
        CHECK_INT(X509_STORE_add_cert(store, config->client_authority->x509), 1);
        SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    open_ssl(peer, ssl_ctx, fd);
}

void tls_peer_open_again(struct tls_peer *peer, const struct tls_peer *before, int fd)
{
    CHECK_INT(SSL_CTX_up_ref(before->ssl_ctx), 1);
    open_ssl(peer, before->ssl_ctx, fd);
}

void tls_peer_close(struct tls_peer *peer)
{
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->ssl_ctx);
    close(peer->fd);
}

enum tls_peer_step tls_peer_handshake(struct tls_peer *peer)
{
    ERR_clear_error();
    int returned = SSL_do_handshake(peer->ssl);
    if (returned == 1) {
        return TLS_PEER_READY;
    }
    int error = SSL_get_error(peer->ssl, returned);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ ? TLS_PEER_WAITS : TLS_PEER_FAILED;
}

void tls_peer_send(struct tls_peer *peer, const char *text)
{
    ERR_clear_error();
    CHECK_INT(SSL_write(peer->ssl, text, (int)strlen(text)), strlen(text));
}

void tls_peer_end(struct tls_peer *peer)
{
    ERR_clear_error();
    CHECK(SSL_shutdown(peer->ssl) >= 0);
}

void tls_peer_accept(struct tls_peer *peer, const struct tls_peer_config *config, struct rig *rig)
{
    enum tls_peer_step step;
    tls_peer_open(peer, config, rig_accept(rig));
    while ((step = tls_peer_handshake(peer)) == TLS_PEER_WAITS) {
        rig_turn(rig, peer->fd);
    }
    CHECK_INT(step, TLS_PEER_READY);
}

void tls_peer_expect(struct tls_peer *peer, struct rig *rig, const char *text)
{
    char got[4096];
    size_t len = 0;
    size_t want = strlen(text);
    CHECK(want < sizeof got);
    while (len < want) {
        ERR_clear_error();
        int more = SSL_read(peer->ssl, got + len, (int)(sizeof got - len));
        if (more > 0) {
            len += (size_t)more;
            continue;
        }
        CHECK_INT(SSL_get_error(peer->ssl, more), SSL_ERROR_WANT_READ);
        rig_turn(rig, peer->fd);
    }
    CHECK_BYTES(got, len, text);
}
