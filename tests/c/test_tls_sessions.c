#include "tls_talk.h"

#include <signal.h>
#include <unistd.h>

static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void open_first(struct talk *talk, struct fixture *fixture, bool resume, int version)
{
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .resume = resume, .ca_file = fixture->certs.ca_file};
    struct tls_peer_config server = {.cert = &fixture->good, .max_version = version};
    talk_open(talk, &config, "server.test", &server);
}

/* Shakes hands, and says a word in both directions, which brings the tickets of TLS 1.3. */
static void converse(struct talk *talk)
{
    char into[8];
    CHECK_INT(talk_shake_hands(talk), 0);
    CHECK_INT(lc_tls_write(talk->tls, "ping", 4), 4);
    CHECK_INT(SSL_read(talk->peer.ssl, into, sizeof into), 4);
    tls_peer_send(&talk->peer, "pong");
    expect_read(talk->tls, "pong");
}

static void expect_resumed(struct talk *before, struct lc_tls_session *session, bool resumed)
{
    struct talk talk;
    talk_open_again(&talk, before, "server.test");
    lc_tls_resume(talk.tls, session);
    converse(&talk);
    CHECK_INT(SSL_session_reused(talk.peer.ssl), resumed);
    CHECK_INT(lc_tls_is_resumed(talk.tls), resumed);
    struct lc_tls_session *next = lc_tls_take_session(talk.tls);
    /* TLS 1.3 gives a new ticket with each connection, TLS 1.2 goes on with the old one. */
    CHECK((next != NULL) == (!resumed || SSL_version(talk.peer.ssl) == TLS1_3_VERSION));
    lc_tls_session_free(next);
    tls_peer_close(&talk.peer);
    talk_close_again(&talk);
}

static void test_a_session_goes_on_with_another_connection(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < 2; i++) {
        struct talk first;
        open_first(&first, &fixture, true, VERSIONS[i]);
        CHECK(lc_tls_take_session(first.tls) == NULL);
        converse(&first);
        CHECK(!lc_tls_is_resumed(first.tls));
        struct lc_tls_session *session = lc_tls_take_session(first.tls);
        CHECK(session != NULL);
        CHECK(lc_tls_take_session(first.tls) == NULL);
        expect_resumed(&first, session, true);
        expect_resumed(&first, session, VERSIONS[i] == TLS1_2_VERSION);
        lc_tls_session_free(session);
        tls_peer_close(&first.peer);
        talk_close(&first);
    }
    fixture_close(&fixture);
}

static void test_a_server_that_forgot_a_session_begins_anew(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < 2; i++) {
        struct talk first;
        open_first(&first, &fixture, true, VERSIONS[i]);
        converse(&first);
        struct lc_tls_session *session = lc_tls_take_session(first.tls);
        unsigned char keys[80];
        memset(keys, (int)i + 1, sizeof keys);
        CHECK_INT(SSL_CTX_set_tlsext_ticket_keys(first.peer.ssl_ctx, keys, sizeof keys), 1);
        SSL_CTX_flush_sessions(first.peer.ssl_ctx, 0);
        expect_resumed(&first, session, false);
        lc_tls_session_free(session);
        tls_peer_close(&first.peer);
        talk_close(&first);
    }
    fixture_close(&fixture);
}

static void test_a_session_that_nobody_takes_goes_with_its_connection(void)
{
    struct fixture fixture;
    struct talk talk;
    fixture_open(&fixture);
    open_first(&talk, &fixture, true, TLS1_3_VERSION);
    converse(&talk);
    tls_peer_close(&talk.peer);
    talk_close(&talk);
    lc_tls_session_free(NULL);
    fixture_close(&fixture);
}

static void test_without_the_setting_there_are_no_sessions(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < 2; i++) {
        struct talk talk;
        open_first(&talk, &fixture, false, VERSIONS[i]);
        converse(&talk);
        CHECK(lc_tls_take_session(talk.tls) == NULL);
        expect_words(SSL_get_version(talk.peer.ssl), i == 0 ? "TLSv1.2" : "TLSv1.3");
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    fixture_close(&fixture);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's side, which OpenSSL writes */
    int descriptors = rig_count_descriptors();
    RUN(test_a_session_goes_on_with_another_connection);
    RUN(test_a_server_that_forgot_a_session_begins_anew);
    RUN(test_a_session_that_nobody_takes_goes_with_its_connection);
    RUN(test_without_the_setting_there_are_no_sessions);
    CHECK_INT(rig_count_descriptors(), descriptors);
    return 0;
}
