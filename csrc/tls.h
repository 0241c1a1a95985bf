/* TLS on a connected socket, by OpenSSL, with one shared context per configuration.
 *
 * The only files that include OpenSSL. A context is immutable once made and may be shared by any
 * number of connections of one thread; verification and the host name check are on unless the
 * configuration says otherwise. Errors come with a reason in words. */
#ifndef LC_TLS_H
#define LC_TLS_H

#include "buf.h"

#include <sys/types.h>

enum { LC_TLS_REASON_MAX = 256 };

struct lc_tls_config {
    bool verify;           /* check the certificate chain */
    bool check_host;       /* and, if it is checked, that it is for the host */
    bool resume;           /* sessions are kept to be resumed */
    uint16_t min_version;  /* 0x0301 (TLS 1.0) to 0x0304; 0: TLS 1.2, or max_version if older */
    uint16_t max_version;  /* 0: the newest */
    uint32_t verify_flags; /* X509_V_FLAG_* beside OpenSSL's defaults */
    /* Authorities come from all that are given; all NULL: OpenSSL's default store. */
    const char *ca_file;      /* PEM */
    const char *ca_path;      /* folder of hashed certificates */
    const char *ca_pem;       /* PEM, as a text; "" for none at all */
    const char *cert_file;    /* client certificate chain, PEM, or NULL */
    const char *key_file;     /* its key; NULL: in cert_file */
    const char *ciphers;      /* OpenSSL's list for TLS 1.2 and older; NULL: its default */
    const char *ciphersuites; /* the same for TLS 1.3 */
};

struct lc_tls_context;
struct lc_tls;
struct lc_tls_session;

/* LC_EINVAL with a reason: a file cannot be read, or a setting is of no use. */
int lc_tls_context_new(const struct lc_tls_config *config, struct lc_tls_context **out,
                       char reason[LC_TLS_REASON_MAX]) LC_MUST_USE;
void lc_tls_context_free(struct lc_tls_context *context);
/* Makes another client's SSL_CTX, which is for one connection to that host, do as this context
 * does: its authorities and certificate, which are shared, the check of the host, versions and
 * ciphers of the configuration that it was made of. Whether to verify and which protocol to offer
 * is left to that client. */
int lc_tls_context_lend(const struct lc_tls_context *context, const struct lc_tls_config *config,
                        const char *host, void *ssl_ctx) LC_MUST_USE;

/* A client side on fd for `host` (a name: sent as SNI and checked; or an address). LC_EINVAL if no
 * certificate could be for such a host. */
int lc_tls_new(struct lc_tls_context *context, int fd, const char *host,
               struct lc_tls **out) LC_MUST_USE;
/* Without closing the descriptor; sends no close_notify. */
void lc_tls_free(struct lc_tls *tls);
/* 0 when done, LC_EAGAIN (lc_tls_wants_write tells for what), LC_ETLS, LC_ETLSVERIFY, LC_ERESET. */
int lc_tls_handshake(struct lc_tls *tls) LC_MUST_USE;
/* As lc_sock_read and lc_sock_write; a stream cut without close_notify ends like a closed one. */
ssize_t lc_tls_read(struct lc_tls *tls, char *into, size_t len,
                    uint64_t *arrival_realtime_ns) LC_MUST_USE;
ssize_t lc_tls_write(struct lc_tls *tls, const char *from, size_t len) LC_MUST_USE;
/* True if the last LC_EAGAIN waits for the socket to become writable. */
bool lc_tls_wants_write(const struct lc_tls *tls);
/* Gives the memory for records back, which nobody needs while nothing is under way: OpenSSL keeps
 * 16 KB for writing after every message behind the handshake. */
void lc_tls_release_buffers(struct lc_tls *tls);
/* Why the last call failed, in words; "" if it did not. */
const char *lc_tls_reason(const struct lc_tls *tls);

/* Sessions, where the configuration wants them. Servers give them in the handshake (TLS 1.2) or
 * behind it, between what is read. The newest one since the last call, the caller's; or NULL. */
struct lc_tls_session *lc_tls_take_session(struct lc_tls *tls);
void lc_tls_session_free(struct lc_tls_session *session);
/* Before the handshake: offers a session of the same context and host, which stays the caller's.
 * Those of TLS 1.3 serve once (RFC 8446, appendix C.4); what no longer serves does no harm. */
void lc_tls_resume(struct lc_tls *tls, struct lc_tls_session *session);
/* After the handshake: whether the server went on with the session that was offered. */
bool lc_tls_is_resumed(const struct lc_tls *tls);

/* Appends a certificate that no authority signed and its key, RSA or elliptic, as PEM. */
int lc_tls_make_certificate(bool is_rsa, struct lc_buf *pem) LC_MUST_USE;

#endif
