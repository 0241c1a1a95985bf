/* Our side of a TLS connection and the server's, on a pair of sockets, driven in turn. */
#ifndef LC_TLS_TALK_H
#define LC_TLS_TALK_H

#include "tls.h"
#include "tls_peer.h"

/* Made once in a test: keys cost time. */
struct fixture {
    struct certs certs;
    struct cert good;
};

struct talk {
    struct lc_tls_context *context;
    struct lc_tls *tls;
    struct tls_peer peer;
    int fd;
};

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

void talk_open(struct talk *talk, const struct lc_tls_config *config, const char *host,
               const struct tls_peer_config *server);
/* One more connection of the same context to the same server; closes neither's context. */
void talk_open_again(struct talk *talk, const struct talk *before, const char *host);
/* Closes our side; the server's is closed with tls_peer_close. */
void talk_close(struct talk *talk);
void talk_close_again(struct talk *talk);
/* Steps both sides until ours has a result. */
int talk_shake_hands(struct talk *talk);
/* Checks that our side's context leads to this result with such a server, on a talk of its own. */
void talk_expect(const struct lc_tls_config *config, const char *host,
                 const struct tls_peer_config *server, int want, const char *words);

void expect_words(const char *reason, const char *words);
void expect_read(struct lc_tls *tls, const char *text);

#endif
