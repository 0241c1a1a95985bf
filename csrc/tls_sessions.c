#include "tls_sessions.h"

struct lc_kept_session {
    struct lc_kept_session *next;
    const void *origin;
    struct lc_tls_session *session;
};

static struct lc_kept_session *find(const struct lc_tls_sessions *sessions, const void *origin)
{
    struct lc_kept_session *kept = sessions->first;
    while (kept != NULL && kept->origin != origin) {
        kept = kept->next;
    }
    return kept;
}

void lc_tls_sessions_keep(struct lc_tls_sessions *sessions, const void *origin, struct lc_tls *tls)
{
    struct lc_tls_session *session = lc_tls_take_session(tls);
    if (session == NULL) {
        return;
    }
    struct lc_kept_session *kept = find(sessions, origin);
    if (kept == NULL) {
        kept = lc_alloc(sizeof *kept);
        if (kept == NULL) {
            lc_tls_session_free(session);
            return;
        }
        *kept = (struct lc_kept_session){sessions->first, origin, NULL};
        sessions->first = kept;
    }
    lc_tls_session_free(kept->session);
    kept->session = session;
}

void lc_tls_sessions_offer(const struct lc_tls_sessions *sessions, const void *origin,
                           struct lc_tls *tls)
{
    struct lc_kept_session *kept = find(sessions, origin);
    if (kept != NULL) {
        lc_tls_resume(tls, kept->session);
    }
}

void lc_tls_sessions_free(struct lc_tls_sessions *sessions)
{
    while (sessions->first != NULL) {
        struct lc_kept_session *kept = sessions->first;
        sessions->first = kept->next;
        lc_tls_session_free(kept->session);
        lc_free(kept);
    }
}
