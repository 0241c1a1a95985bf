#include "tls_talk.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- handshakes --- */

static void test_name_and_address_are_accepted(void)
{
    static const char *const HOSTS[] = {"server.test", "SERVER.test", "127.0.0.1"};
    struct fixture fixture;
    fixture_open(&fixture);
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = fixture.certs.ca_file};
    struct tls_peer_config server = {.cert = &fixture.good};
    for (size_t i = 0; i < sizeof HOSTS / sizeof HOSTS[0]; i++) {
        struct talk talk;
        char into[8];
        talk_open(&talk, &config, HOSTS[i], &server);
        CHECK_INT(talk_shake_hands(&talk), 0);
        CHECK_BYTES(lc_tls_reason(talk.tls), strlen(lc_tls_reason(talk.tls)), "");
        CHECK_INT(lc_tls_write(talk.tls, "ping", 4), 4);
        CHECK_INT(SSL_read(talk.peer.ssl, into, sizeof into), 4);
        tls_peer_send(&talk.peer, "pong");
        expect_read(talk.tls, "pong");
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    fixture_close(&fixture);
}

static void test_the_server_hears_the_name_and_the_protocol(void)
{
    struct fixture fixture;
    struct talk talk;
    const unsigned char *protocol;
    unsigned int len;
    fixture_open(&fixture);
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = fixture.certs.ca_file};
    talk_open(&talk, &config, "server.test", &(struct tls_peer_config){.cert = &fixture.good});
    CHECK_INT(talk_shake_hands(&talk), 0);
    const char *name = SSL_get_servername(talk.peer.ssl, TLSEXT_NAMETYPE_host_name);
    CHECK(name != NULL);
    CHECK_BYTES(name, strlen(name), "server.test");
    SSL_get0_alpn_selected(talk.peer.ssl, &protocol, &len);
    CHECK_BYTES((const char *)protocol, len, "http/1.1");
    tls_peer_close(&talk.peer);
    talk_close(&talk);
    fixture_close(&fixture);
}

struct bad_case {
    struct cert_spec spec;
    const char *host, *words;
    bool authority_is_unknown;
};

static const struct bad_case BAD_CASES[] = {
    {{"DNS:other.test", -1, 1, false}, "server.test", "hostname mismatch", false},
    {{"DNS:server.test", -1, 1, false}, "127.0.0.1", "IP address mismatch", false},
    {{"DNS:s*.test", -1, 1, false}, "server.test", "hostname mismatch", false},
    {{"DNS:server.test", -2, -1, false}, "server.test", "certificate has expired", false},
    {{"DNS:server.test", 1, 2, false}, "server.test", "certificate is not yet valid", false},
    {{"DNS:server.test", -1, 1, true}, "server.test", "self-signed certificate", false},
    {{"DNS:server.test", -1, 1, false}, "server.test", "unable to get local issuer", true},
};

static void test_a_bad_certificate_is_refused_in_words_unless_nobody_asks(void)
{
    struct fixture fixture;
    struct certs stranger;
    fixture_open(&fixture);
    certs_open(&stranger);
    for (size_t i = 0; i < sizeof BAD_CASES / sizeof BAD_CASES[0]; i++) {
        const struct bad_case *bad = &BAD_CASES[i];
        struct certs *issuer = bad->authority_is_unknown ? &stranger : &fixture.certs;
        struct cert cert = certs_issue(issuer, &bad->spec);
        struct tls_peer_config server = {.cert = &cert};
        struct lc_tls_config checked = {
            .verify = true, .check_host = true, .ca_file = fixture.certs.ca_file};
        struct lc_tls_config unchecked = {.verify = false};
        struct talk talk;
        talk_open(&talk, &checked, bad->host, &server);
        CHECK_INT(talk_shake_hands(&talk), LC_ETLSVERIFY);
        expect_words(lc_tls_reason(talk.tls), "certificate verify failed: ");
        expect_words(lc_tls_reason(talk.tls), bad->words);
        tls_peer_close(&talk.peer);
        talk_close(&talk);
        talk_open(&talk, &unchecked, bad->host, &server);
        CHECK_INT(talk_shake_hands(&talk), 0);
        tls_peer_close(&talk.peer);
        talk_close(&talk);
        cert_free(&cert);
    }
    certs_close(&stranger);
    fixture_close(&fixture);
}

static void test_a_client_certificate_is_shown_when_asked_for(void)
{
    struct fixture fixture;
    struct talk talk;
    char both[CERTS_PATH_MAX], cert[CERTS_PATH_MAX], key[CERTS_PATH_MAX];
    fixture_open(&fixture);
    certs_write(&fixture.certs, "both.pem", fixture.good.x509, fixture.good.key, both);
    certs_write(&fixture.certs, "cert.pem", fixture.good.x509, NULL, cert);
    certs_write(&fixture.certs, "key.pem", NULL, fixture.good.key, key);
    struct tls_peer_config server = {.cert = &fixture.good,
                                     .client_authority = &fixture.certs.authority};
    struct lc_tls_config configs[] = {
        {.verify = true, .check_host = true, .ca_file = fixture.certs.ca_file, .cert_file = both},
        {.verify = true,
         .check_host = true,
         .ca_file = fixture.certs.ca_file,
         .cert_file = cert,
         .key_file = key}};
    for (size_t i = 0; i < 2; i++) {
        talk_open(&talk, &configs[i], "server.test", &server);
        CHECK_INT(talk_shake_hands(&talk), 0);
        CHECK_INT(SSL_is_init_finished(talk.peer.ssl), 1);
        X509 *shown = SSL_get1_peer_certificate(talk.peer.ssl);
        CHECK(shown != NULL && X509_cmp(shown, fixture.good.x509) == 0);
        X509_free(shown);
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    fixture_close(&fixture);
}

static void test_a_client_certificate_that_is_missing_is_no_fault_of_the_server(void)
{
    static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture fixture;
    fixture_open(&fixture);
    struct cert unknown = certs_issue(
        &fixture.certs, &(struct cert_spec){"DNS:server.test", -1, 1, .is_self_signed = true});
    struct lc_tls_config config = {.verify = false};
    for (size_t i = 0; i < 2; i++) {
        struct talk talk;
        char byte;
        uint64_t arrival;
        struct tls_peer_config server = {.cert = &unknown,
                                         .client_authority = &fixture.certs.authority,
                                         .max_version = VERSIONS[i]};
        talk_open(&talk, &config, "server.test", &server);
        int rc = talk_shake_hands(&talk);
        if (rc == 0) { /* from TLS 1.3 on, our side is done first and reads the alert later */
            CHECK_INT(VERSIONS[i], TLS1_3_VERSION);
            rc = (int)lc_tls_read(talk.tls, &byte, 1, &arrival);
        }
        CHECK_INT(rc, LC_ETLS);
        expect_words(lc_tls_reason(talk.tls), "alert");
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    cert_free(&unknown);
    fixture_close(&fixture);
}

/* --- peers that break off --- */

static void open_checked(struct talk *talk, struct fixture *fixture)
{
    fixture_open(fixture);
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = fixture->certs.ca_file};
    talk_open(talk, &config, "server.test", &(struct tls_peer_config){.cert = &fixture->good});
}

static void test_a_peer_that_ends_in_the_handshake_is_told_in_words(void)
{
    struct fixture fixture;
    struct talk talk;
    open_checked(&talk, &fixture);
    CHECK_INT(lc_tls_handshake(talk.tls), LC_EAGAIN);
    CHECK_INT(shutdown(talk.peer.fd, SHUT_WR), 0);
    CHECK_INT(lc_tls_handshake(talk.tls), LC_ETLS);
    expect_words(lc_tls_reason(talk.tls), "TLS: unexpected eof while reading");
    tls_peer_close(&talk.peer);
    talk_close(&talk);
    fixture_close(&fixture);
}

static void test_a_peer_that_resets_in_the_handshake_has_reset(void)
{
    struct fixture fixture;
    struct talk talk;
    open_checked(&talk, &fixture);
    CHECK_INT(lc_tls_handshake(talk.tls), LC_EAGAIN);
    tls_peer_close(&talk.peer); /* with bytes that it has not read */
    CHECK_INT(lc_tls_handshake(talk.tls), LC_ERESET);
    talk_close(&talk);
    fixture_close(&fixture);
}

/* A record that holds a fatal alert (RFC 8446, 6.2). */
static void test_alerts_are_told_in_words(void)
{
    static const struct {
        char number;
        const char *words;
    } alerts[] = {
        {40, "TLS: sslv3 alert handshake failure"}, {70, "TLS: tlsv1 alert protocol version"},
        {80, "TLS: tlsv1 alert internal error"},    {49, "TLS: tlsv1 alert access denied"},
        {112, "TLS: tlsv1 unrecognized name"},      {120, "TLS"},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        struct talk talk;
        char record[] = "\x15\x03\x03\x00\x02\x02?";
        record[6] = alerts[i].number;
        struct tls_peer_config server = {.cert = &fixture.good};
        talk_open(&talk, &(struct lc_tls_config){0}, "server.test", &server);
        CHECK_INT(lc_tls_handshake(talk.tls), LC_EAGAIN);
        peer_send_bytes(talk.peer.fd, record, 7);
        CHECK_INT(lc_tls_handshake(talk.tls), LC_ETLS);
        expect_words(lc_tls_reason(talk.tls), alerts[i].words);
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    fixture_close(&fixture);
}

static void test_a_peer_that_speaks_no_tls_is_told_in_words(void)
{
    struct fixture fixture;
    struct talk talk;
    open_checked(&talk, &fixture);
    CHECK_INT(lc_tls_handshake(talk.tls), LC_EAGAIN);
    peer_send(talk.peer.fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    CHECK_INT(lc_tls_handshake(talk.tls), LC_ETLS);
    expect_words(lc_tls_reason(talk.tls), "TLS: wrong version number");
    tls_peer_close(&talk.peer);
    talk_close(&talk);
    fixture_close(&fixture);
}

static void test_the_stream_ends_with_and_without_close_notify(void)
{
    for (int polite = 0; polite < 2; polite++) {
        struct fixture fixture;
        struct talk talk;
        char byte;
        uint64_t arrival;
        open_checked(&talk, &fixture);
        CHECK_INT(talk_shake_hands(&talk), 0);
        CHECK_INT(lc_tls_read(talk.tls, &byte, 1, &arrival), LC_EAGAIN);
        CHECK(!lc_tls_wants_write(talk.tls));
        tls_peer_send(&talk.peer, "last words");
        if (polite) {
            tls_peer_end(&talk.peer);
        }
        tls_peer_close(&talk.peer);
        expect_read(talk.tls, "last words");
        CHECK_INT(lc_tls_read(talk.tls, &byte, 1, &arrival), 0);
        talk_close(&talk);
        fixture_close(&fixture);
    }
}

static void test_what_a_peer_said_before_it_went_is_read_after_a_failed_write(void)
{
    struct fixture fixture;
    struct talk talk;
    char byte;
    uint64_t arrival;
    fixture_open(&fixture);
    struct tls_peer_config server = {.cert = &fixture.good,
                                     .client_authority = &fixture.certs.authority};
    talk_open(&talk, &(struct lc_tls_config){0}, "server.test", &server);
    CHECK_INT(talk_shake_hands(&talk), 0);
    tls_peer_close(&talk.peer);
    CHECK_INT(lc_tls_write(talk.tls, "x", 1), LC_ERESET);
    CHECK_INT(lc_tls_read(talk.tls, &byte, 1, &arrival), LC_ETLS);
    expect_words(lc_tls_reason(talk.tls), "TLS: tlsv13 alert certificate required");
    talk_close(&talk);
    fixture_close(&fixture);
}

static void test_writing_to_a_peer_that_is_gone_is_a_reset(void)
{
    struct fixture fixture;
    struct talk talk;
    open_checked(&talk, &fixture);
    CHECK_INT(talk_shake_hands(&talk), 0);
    tls_peer_close(&talk.peer);
    CHECK_INT(lc_tls_write(talk.tls, "x", 1), LC_ERESET);
    talk_close(&talk);
    fixture_close(&fixture);
}

static void test_a_full_socket_waits_for_writing_and_nothing_is_lost(void)
{
    enum { SIZE = 1 << 20 };
    static char block[SIZE], got[SIZE];
    struct fixture fixture;
    struct talk talk;
    size_t written = 0, len = 0;
    int waits = 0;
    for (size_t i = 0; i < SIZE; i++) {
        block[i] = (char)(i * 31 % 251);
    }
    open_checked(&talk, &fixture);
    CHECK_INT(talk_shake_hands(&talk), 0);
    while (len < SIZE) {
        ssize_t put = 0;
        while (written < SIZE &&
               (put = lc_tls_write(talk.tls, block + written, SIZE - written)) > 0) {
            written += (size_t)put;
        }
        if (put < 0) {
            CHECK_INT(put, LC_EAGAIN);
            CHECK(lc_tls_wants_write(talk.tls));
            waits++;
        }
        int more;
        while ((more = SSL_read(talk.peer.ssl, got + len, (int)(SIZE - len))) > 0) {
            len += (size_t)more;
        }
    }
    CHECK(waits > 0);
    CHECK(memcmp(got, block, SIZE) == 0);
    tls_peer_close(&talk.peer);
    talk_close(&talk);
    fixture_close(&fixture);
}

static void test_contexts_may_come_and_go_without_end(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = fixture.certs.ca_file};
    struct tls_peer_config server = {.cert = &fixture.good};
    for (int i = 0; i < 200; i++) { /* OpenSSL has 127 numbers for kinds of BIOs */
        struct talk talk;
        talk_open(&talk, &config, "server.test", &server);
        CHECK(i < 190 || talk_shake_hands(&talk) == 0);
        tls_peer_close(&talk.peer);
        talk_close(&talk);
    }
    fixture_close(&fixture);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's side, which OpenSSL writes */
    int descriptors = rig_count_descriptors();
    RUN(test_name_and_address_are_accepted);
    RUN(test_the_server_hears_the_name_and_the_protocol);
    RUN(test_a_bad_certificate_is_refused_in_words_unless_nobody_asks);
    RUN(test_a_client_certificate_is_shown_when_asked_for);
    RUN(test_a_client_certificate_that_is_missing_is_no_fault_of_the_server);
    RUN(test_a_peer_that_ends_in_the_handshake_is_told_in_words);
    RUN(test_a_peer_that_resets_in_the_handshake_has_reset);
    RUN(test_alerts_are_told_in_words);
    RUN(test_a_peer_that_speaks_no_tls_is_told_in_words);
    RUN(test_the_stream_ends_with_and_without_close_notify);
    RUN(test_writing_to_a_peer_that_is_gone_is_a_reset);
    RUN(test_what_a_peer_said_before_it_went_is_read_after_a_failed_write);
    RUN(test_a_full_socket_waits_for_writing_and_nothing_is_lost);
    RUN(test_contexts_may_come_and_go_without_end);
    CHECK_INT(rig_count_descriptors(), descriptors);
    return 0;
}
