/* The newest TLS session of each origin, kept to be resumed by the next connection there. */
#ifndef LC_TLS_SESSIONS_H
#define LC_TLS_SESSIONS_H

#include "tls.h"

struct lc_tls_sessions {
    struct lc_kept_session *first;
};

/* Keeps what the connection was given since it was asked last, instead of what was kept for that
 * origin (told apart by its address). Without memory nothing is kept. */
void lc_tls_sessions_keep(struct lc_tls_sessions *sessions, const void *origin, struct lc_tls *tls);
/* Offers the server what is kept for that origin; before the handshake. */
void lc_tls_sessions_offer(const struct lc_tls_sessions *sessions, const void *origin,
                           struct lc_tls *tls);
void lc_tls_sessions_free(struct lc_tls_sessions *sessions);

#endif
