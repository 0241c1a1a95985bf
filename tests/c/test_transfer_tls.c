/* Whole transfers over TLS, with the settings of a shared context. */
#include "h2_peer.h"

#include <sys/socket.h>
#include <unistd.h>

/* A lane to server.test, which is at 127.0.0.1, and the authority of its certificate. */
struct secure {
    struct lane lane;
    struct certs certs;
    struct cert cert;
    struct tls_peer_config server;
    struct lc_tls_config config;
    char url[64], resolve[64];
};

static void use_config(struct secure *secure, const struct lc_tls_config *config)
{
    char reason[LC_TLS_REASON_MAX];
    lc_tls_context_free(secure->lane.origin.tls_context);
    CHECK_INT(lc_tls_context_new(config, &secure->lane.origin.tls_context, reason), 0);
    secure->lane.origin.tls_config = config;
}

static void secure_open(struct secure *secure)
{
    *secure = (struct secure){.config = {.verify = true, .check_host = true}};
    certs_open(&secure->certs);
    secure->cert = certs_issue_good(&secure->certs);
    secure->server = (struct tls_peer_config){.cert = &secure->cert, .speaks_http2 = true};
    lane_open(&secure->lane);
    secure->lane.origin = lane_origin("server.test", secure->lane.port, secure->url);
    snprintf(secure->resolve, sizeof secure->resolve, "server.test:%u:127.0.0.1",
             secure->lane.port);
    secure->lane.origin.resolve = secure->resolve;
    secure->config.ca_file = secure->certs.ca_file;
    use_config(secure, &secure->config);
}

static void secure_close(struct secure *secure)
{
    lane_close(&secure->lane);
    lc_tls_context_free(secure->lane.origin.tls_context);
    cert_free(&secure->cert);
    certs_close(&secure->certs);
}

/* One request over HTTP/2 on a new connection, which is left open. */
static void exchange(struct secure *secure, struct h2_peer *peer)
{
    struct sent sent = sent_on(&secure->lane);
    sent_get(&sent);
    h2_accept_tls(peer, &secure->lane, &secure->server);
    h2_expect_request(peer);
    h2_answer(peer, peer->stream, "hello");
    sent_await(&sent);
    CHECK(sent.result.tls_ns > 0 && sent.result.connect_ns > 0);
    CHECK(sent.result.connected <= sent.result.sent);
    sent_expect(&sent, 0, "hello");
}

/* A request whose handshake fails on our side. */
static void expect_refusal(struct secure *secure, int err, const char *words)
{
    struct sent sent = sent_on(&secure->lane);
    struct tls_peer peer;
    sent_get(&sent);
    tls_peer_open(&peer, &secure->server, lane_accept(&secure->lane));
    while (tls_peer_handshake(&peer) == TLS_PEER_WAITS && sent.calls == 0) {
        lane_turn(&secure->lane, peer.fd);
    }
    sent_expect_error(&sent, err, words);
    tls_peer_close(&peer);
}

/* --- versions of HTTP --- */

static void test_http2_is_negotiated_and_the_connection_kept(void)
{
    struct secure secure;
    struct h2_peer peer;
    secure_open(&secure);
    exchange(&secure, &peer);
    struct sent sents[2] = {sent_on(&secure.lane), sent_on(&secure.lane)};
    sent_get(&sents[0]);
    sent_get(&sents[1]);
    for (int i = 0; i < 2; i++) {
        h2_expect_request(&peer);
        h2_answer(&peer, peer.stream, "again");
        sent_expect(&sents[i], 0, "again");
        CHECK(sents[i].result.reused);
        CHECK_INT(sents[i].result.tls_ns, 0);
    }
    h2_close(&peer);
    secure_close(&secure);
}

static void test_http1_is_the_fall_back(void)
{
    enum { COUNT = 3 };
    static const char GET[] = "GET / HTTP/1.1\r\nHost: server.test\r\n\r\n";
    struct secure secure;
    struct tls_peer peers[COUNT];
    struct sent sents[COUNT];
    secure_open(&secure);
    secure.server.speaks_http2 = false;
    for (int i = 0; i < COUNT; i++) {
        sents[i] = sent_on(&secure.lane);
        sent_get(&sents[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        char got[sizeof GET] = "";
        size_t len = 0;
        tls_peer_open(&peers[i], &secure.server, lane_accept(&secure.lane));
        while (tls_peer_handshake(&peers[i]) == TLS_PEER_WAITS) {
            lane_turn(&secure.lane, peers[i].fd);
        }
        while (len < sizeof GET - 1) {
            int more = SSL_read(peers[i].ssl, got + len, (int)(sizeof GET - 1 - len));
            len += more > 0 ? (size_t)more : 0;
            if (more <= 0) {
                lane_turn(&secure.lane, peers[i].fd);
            }
        }
        CHECK_BYTES(got, len, GET);
    }
    for (int i = 0; i < COUNT; i++) {
        tls_peer_send(&peers[i], "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
        sent_expect(&sents[i], 0, "old");
    }
    for (int i = 0; i < COUNT; i++) {
        tls_peer_close(&peers[i]);
    }
    secure_close(&secure);
}

/* --- the server's certificate --- */

static void test_a_certificate_that_is_not_accepted_is_told_in_the_other_lanes_words(void)
{
    struct secure secure;
    secure_open(&secure);
    struct cert_spec other = {"DNS:other.test", -1, 1, false},
                     old = {"DNS:server.test", -3, -1, false};
    struct cert_spec own = {"DNS:server.test", -1, 1, true};
    struct {
        struct cert_spec *spec;
        const char *words;
    } cases[] = {{&other, "certificate verify failed: hostname mismatch"},
                 {&old, "certificate verify failed: certificate has expired"},
                 {&own, "certificate verify failed: self-signed certificate"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cert cert = certs_issue(&secure.certs, cases[i].spec);
        secure.server.cert = &cert;
        expect_refusal(&secure, LC_ETLSVERIFY, cases[i].words);
        cert_free(&cert);
    }
    secure_close(&secure);
}

static void test_the_host_may_go_unchecked_and_the_certificate_too(void)
{
    struct cert_spec other = {"DNS:other.test", -1, 1, false}, own = {"DNS:x.test", -1, 1, true};
    for (int i = 0; i < 2; i++) {
        struct secure secure;
        struct h2_peer peer;
        secure_open(&secure);
        struct lc_tls_config config = {.verify = i == 0, .ca_file = secure.certs.ca_file};
        struct cert cert = certs_issue(&secure.certs, i == 0 ? &other : &own);
        use_config(&secure, &config);
        secure.server.cert = &cert;
        exchange(&secure, &peer);
        h2_close(&peer);
        cert_free(&cert);
        secure_close(&secure);
    }
}

/* libcurl keeps authorities of one connection for the next, if it is let. */
static void test_each_origin_has_its_own_authorities(void)
{
    struct secure secure;
    struct certs others;
    struct h2_peer peer;
    secure_open(&secure);
    certs_open(&others);
    exchange(&secure, &peer);
    struct lc_origin wary = secure.lane.origin;
    struct lc_tls_config config = {.verify = true, .ca_file = others.ca_file};
    char reason[LC_TLS_REASON_MAX];
    CHECK_INT(lc_tls_context_new(&config, &wary.tls_context, reason), 0);
    wary.tls_config = &config;
    struct sent sent = sent_on(&secure.lane);
    sent.origin = &wary;
    struct tls_peer second;
    sent_get(&sent);
    tls_peer_open(&second, &secure.server, lane_accept(&secure.lane));
    while (tls_peer_handshake(&second) == TLS_PEER_WAITS && sent.calls == 0) {
        lane_turn(&secure.lane, second.fd);
    }
    sent_expect_error(&sent, LC_ETLSVERIFY,
                      "certificate verify failed: unable to get local issuer");
    tls_peer_close(&second);
    h2_close(&peer);
    secure_close(&secure);
    lc_tls_context_free(wary.tls_context);
    certs_close(&others);
}

/* --- our own certificate, and settings --- */

static void test_a_client_certificate_is_shown(void)
{
    struct secure secure;
    struct h2_peer peer;
    char cert_file[CERTS_PATH_MAX], key_file[CERTS_PATH_MAX];
    secure_open(&secure);
    struct cert mine = certs_issue_good(&secure.certs);
    certs_write(&secure.certs, "mine.pem", mine.x509, NULL, cert_file);
    certs_write(&secure.certs, "mine.key", NULL, mine.key, key_file);
    struct lc_tls_config config = secure.config;
    config.cert_file = cert_file;
    config.key_file = key_file;
    use_config(&secure, &config);
    secure.server.client_authority = &secure.certs.authority;
    exchange(&secure, &peer);
    X509 *shown = SSL_get0_peer_certificate(peer.tls.ssl);
    CHECK(shown != NULL && X509_cmp(shown, mine.x509) == 0);
    h2_close(&peer);
    cert_free(&mine);
    secure_close(&secure);
}

static void test_a_missing_client_certificate_is_told(void)
{
    static const int VERSIONS[] = {TLS1_2_VERSION, 0};
    for (size_t i = 0; i < 2; i++) {
        struct secure secure;
        secure_open(&secure);
        secure.server.client_authority = &secure.certs.authority;
        secure.server.max_version = VERSIONS[i];
        expect_refusal(&secure, LC_ETLS, "TLS: ");
        secure_close(&secure);
    }
}

static void test_versions_and_ciphers_are_those_of_the_configuration(void)
{
    struct secure secure;
    struct h2_peer peer;
    secure_open(&secure);
    struct lc_tls_config config = secure.config;
    config.max_version = TLS1_2_VERSION;
    config.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
    use_config(&secure, &config);
    exchange(&secure, &peer);
    CHECK_INT(SSL_version(peer.tls.ssl), TLS1_2_VERSION);
    const char *cipher = SSL_get_cipher_name(peer.tls.ssl);
    CHECK_BYTES(cipher, strlen(cipher), "ECDHE-ECDSA-CHACHA20-POLY1305");
    h2_close(&peer);
    secure_close(&secure);
}

static void test_sessions_are_resumed_if_wanted(void)
{
    for (int resume = 0; resume < 2; resume++) {
        struct secure secure;
        struct h2_peer first, second;
        secure_open(&secure);
        struct lc_tls_config config = secure.config;
        config.resume = resume;
        use_config(&secure, &config);
        exchange(&secure, &first);
        tls_peer_end(&first.tls);
        CHECK_INT(shutdown(first.fd, SHUT_WR), 0);
        struct sent sent = sent_on(&secure.lane);
        sent_get(&sent);
        h2_accept_tls_again(&second, &first);
        CHECK_INT(SSL_session_reused(second.tls.ssl), resume);
        h2_expect_request(&second);
        h2_answer(&second, second.stream, "again");
        sent_expect(&sent, 0, "again");
        CHECK_INT(sent.result.resent, 0);
        h2_close(&first);
        h2_close(&second);
        secure_close(&secure);
    }
}

/* --- other ends --- */

static void test_an_end_in_the_handshake_is_told(void)
{
    for (int reset = 0; reset < 2; reset++) {
        struct secure secure;
        char hello[16];
        secure_open(&secure);
        struct sent sent = sent_on(&secure.lane);
        sent_get(&sent);
        int fd = lane_accept(&secure.lane);
        lane_read(&secure.lane, fd, hello, sizeof hello);
        if (reset) {
            peer_reset(fd);
        } else {
            shutdown(fd, SHUT_WR);
        }
        sent_expect_error(&sent, reset ? LC_ERESET : LC_ETLS, reset ? "" : "unexpected eof");
        if (!reset) {
            close(fd);
        }
        secure_close(&secure);
    }
}

static void test_a_peer_that_speaks_no_tls_is_told(void)
{
    struct secure secure;
    secure_open(&secure);
    struct sent sent = sent_on(&secure.lane);
    sent_get(&sent);
    int fd = lane_accept(&secure.lane);
    peer_send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    sent_expect_error(&sent, LC_ETLS, "TLS: wrong version number");
    close(fd);
    secure_close(&secure);
}

static void test_cancel_in_the_handshake(void)
{
    struct secure secure;
    char hello[16];
    secure_open(&secure);
    struct sent sent = sent_on(&secure.lane);
    sent_get(&sent);
    int fd = lane_accept(&secure.lane);
    lane_read(&secure.lane, fd, hello, sizeof hello);
    sent_cancel(&sent);
    lane_expect_closed(&secure.lane, fd);
    secure_close(&secure);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_http2_is_negotiated_and_the_connection_kept);
    RUN(test_http1_is_the_fall_back);
    RUN(test_a_certificate_that_is_not_accepted_is_told_in_the_other_lanes_words);
    RUN(test_the_host_may_go_unchecked_and_the_certificate_too);
    RUN(test_each_origin_has_its_own_authorities);
    RUN(test_a_client_certificate_is_shown);
    RUN(test_a_missing_client_certificate_is_told);
    RUN(test_versions_and_ciphers_are_those_of_the_configuration);
    RUN(test_sessions_are_resumed_if_wanted);
    RUN(test_an_end_in_the_handshake_is_told);
    RUN(test_a_peer_that_speaks_no_tls_is_told);
    RUN(test_cancel_in_the_handshake);
    return 0;
}
