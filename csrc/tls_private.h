/* What tls.c and tls_context.c share; nobody else includes it. */
#ifndef LC_TLS_PRIVATE_H
#define LC_TLS_PRIVATE_H

#include "tls.h"

#include <openssl/ssl.h>

struct lc_tls_context {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    X509 *last_peer; /* the certificate that a server showed last; connections share it */
    bool verify;
    bool check_host;
    bool key_is_locked; /* loading the client certificate's key took a password */
};

/* tls.c: reads and writes through sock; the data is the struct lc_tls. NULL without memory. */
BIO_METHOD *lc_tls_new_bio_method(void);
/* Called with a session that the server gave; 1 if it was kept. */
int lc_tls_on_session(SSL *ssl, SSL_SESSION *session);

/* tls_context.c: writes `what`, and what OpenSSL says of it. Forgets OpenSSL's errors. */
void lc_tls_take_reason(char reason[LC_TLS_REASON_MAX], const char *what);

#endif
