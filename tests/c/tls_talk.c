#include "tls_talk.h"

#include <sys/socket.h>
#include <unistd.h>

void fixture_open(struct fixture *fixture)
{
    certs_open(&fixture->certs);
    fixture->good = certs_issue_good(&fixture->certs);
}

void fixture_close(struct fixture *fixture)
{
    cert_free(&fixture->good);
    certs_close(&fixture->certs);
}

static int open_pair(struct talk *talk, const char *host)
{
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    talk->fd = pair[0];
    CHECK_INT(lc_tls_new(talk->context, talk->fd, host, &talk->tls), 0);
    return pair[1];
}

void talk_open(struct talk *talk, const struct lc_tls_config *config, const char *host,
               const struct tls_peer_config *server)
{
    char reason[LC_TLS_REASON_MAX];
    CHECK_INT(lc_tls_context_new(config, &talk->context, reason), 0);
    CHECK_BYTES(reason, strlen(reason), "");
    tls_peer_open(&talk->peer, server, open_pair(talk, host));
}

void talk_open_again(struct talk *talk, const struct talk *before, const char *host)
{
    talk->context = before->context;
    tls_peer_open_again(&talk->peer, &before->peer, open_pair(talk, host));
}

void talk_close_again(struct talk *talk)
{
    lc_tls_free(talk->tls);
    close(talk->fd);
}

void talk_close(struct talk *talk)
{
    talk_close_again(talk);
    lc_tls_context_free(talk->context);
}

int talk_shake_hands(struct talk *talk)
{
    int rc;
    while ((rc = lc_tls_handshake(talk->tls)) == LC_EAGAIN) {
        CHECK(!lc_tls_wants_write(talk->tls));
        (void)tls_peer_handshake(&talk->peer);
    }
    (void)tls_peer_handshake(&talk->peer);
    return rc;
}

void talk_expect(const struct lc_tls_config *config, const char *host,
                 const struct tls_peer_config *server, int want, const char *words)
{
    struct talk talk;
    talk_open(&talk, config, host, server);
    CHECK_INT(talk_shake_hands(&talk), want);
    expect_words(lc_tls_reason(talk.tls), words);
    tls_peer_close(&talk.peer);
    talk_close(&talk);
}

void expect_words(const char *reason, const char *words)
{
    if (strstr(reason, words) == NULL) {
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", words, reason);
        exit(1);
    }
}

void expect_read(struct lc_tls *tls, const char *text)
{
    char into[64];
    uint64_t arrival;
    ssize_t got = lc_tls_read(tls, into, sizeof into, &arrival);
    CHECK_INT(got, strlen(text));
    CHECK_BYTES(into, (size_t)got, text);
}
