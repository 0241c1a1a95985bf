/* The server's side of a TLS connection, step by step on a descriptor that does not block. */
#ifndef LC_TLS_PEER_H
#define LC_TLS_PEER_H

#include "certs.h"
#include "rig.h"

struct tls_peer_config {
    const struct cert *cert;
    const struct cert *client_authority; /* asks for a client certificate that it issued */
    int min_version, max_version;        /* TLS1_2_VERSION, ...; 0: the oldest, the newest */
    const char *ciphers;                 /* of TLS 1.2 and older; NULL: OpenSSL's */
    bool speaks_http2;                   /* and nothing else; false: HTTP/1.1 */
};

struct tls_peer {
    SSL_CTX *ssl_ctx;
    SSL *ssl;
    int fd;
};

enum tls_peer_step { TLS_PEER_FAILED = -1, TLS_PEER_WAITS = 0, TLS_PEER_READY = 1 };

/* Takes over the descriptor. */
void tls_peer_open(struct tls_peer *peer, const struct tls_peer_config *config, int fd);
/* The same server once more: it knows the sessions that it gave before. */
void tls_peer_open_again(struct tls_peer *peer, const struct tls_peer *before, int fd);
/* Closes the descriptor without a word: no close_notify. */
void tls_peer_close(struct tls_peer *peer);
enum tls_peer_step tls_peer_handshake(struct tls_peer *peer);
void tls_peer_send(struct tls_peer *peer, const char *text);
/* Says close_notify. */
void tls_peer_end(struct tls_peer *peer);

/* With an engine at the other end, which turns until it is done. */
void tls_peer_accept(struct tls_peer *peer, const struct tls_peer_config *config, struct rig *rig);
void tls_peer_expect(struct tls_peer *peer, struct rig *rig, const char *text);

#endif
