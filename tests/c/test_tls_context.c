#include "tls_talk.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>

/* --- what cannot be used --- */

static void expect_refused(const struct lc_tls_config *config, const char *words)
{
    struct lc_tls_context *context = NULL;
    char reason[LC_TLS_REASON_MAX];
    CHECK_INT(lc_tls_context_new(config, &context, reason), LC_EINVAL);
    CHECK(context == NULL);
    expect_words(reason, words);
}

static void write_locked(const char *folder, EVP_PKEY *key, char path[CERTS_PATH_MAX])
{
    CHECK(snprintf(path, CERTS_PATH_MAX, "%s/locked.pem", folder) < CERTS_PATH_MAX);
    FILE *stream = fopen(path, "w");
    CHECK(stream != NULL);
    CHECK(PEM_write_PrivateKey(stream, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6,
                               NULL, NULL) == 1);
    CHECK_INT(fclose(stream), 0);
}

static void test_files_that_cannot_be_used_are_told_in_words(void)
{
    struct fixture fixture;
    char cert[CERTS_PATH_MAX], key[CERTS_PATH_MAX], other[CERTS_PATH_MAX];
    fixture_open(&fixture);
    struct certs *certs = &fixture.certs;
    certs_write(certs, "cert.pem", fixture.good.x509, NULL, cert);
    certs_write(certs, "key.pem", NULL, fixture.good.key, key);
    certs_write(certs, "other.pem", NULL, certs->authority.key, other);
    expect_refused(&(struct lc_tls_config){.verify = true, .ca_file = "/nonexistent"},
                   "the CA certificates cannot be loaded: ");
    expect_refused(&(struct lc_tls_config){.verify = true, .ca_file = key},
                   "the CA certificates cannot be loaded: ");
    expect_refused(&(struct lc_tls_config){.cert_file = "/nonexistent"},
                   "the client certificate cannot be loaded: ");
    expect_refused(&(struct lc_tls_config){.cert_file = cert},
                   "the client certificate's key cannot be loaded: ");
    expect_refused(&(struct lc_tls_config){.cert_file = cert, .key_file = "/nonexistent"},
                   "the client certificate's key cannot be loaded: ");
    expect_refused(&(struct lc_tls_config){.cert_file = cert, .key_file = other},
                   "the client certificate's key cannot be loaded: ");
    write_locked(fixture.certs.folder, fixture.good.key, key);
    expect_refused(&(struct lc_tls_config){.cert_file = cert, .key_file = key},
                   "the client certificate's key has a password: ");
    fixture_close(&fixture);
    lc_tls_context_free(NULL);
    lc_tls_free(NULL);
}

static void test_without_memory_there_is_neither_context_nor_connection(void)
{
    struct lc_tls_config config = {.verify = false};
    struct lc_tls_context *context = NULL;
    struct lc_tls *tls = NULL;
    char reason[LC_TLS_REASON_MAX];
    lc_alloc_fail_after(1);
    CHECK_INT(lc_tls_context_new(&config, &context, reason), LC_ENOMEM);
    CHECK_INT(lc_tls_context_new(&config, &context, reason), 0);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_tls_new(context, -1, "server.test", &tls), LC_ENOMEM);
    CHECK(tls == NULL);
    lc_tls_context_free(context);
}

static void test_a_host_that_no_certificate_can_name_is_invalid(void)
{
    struct lc_tls_config config = {.verify = true};
    struct lc_tls_context *context;
    struct lc_tls *tls = NULL;
    char reason[LC_TLS_REASON_MAX], host[300];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    CHECK_INT(lc_tls_context_new(&config, &context, reason), 0);
    CHECK_INT(lc_tls_new(context, -1, host, &tls), LC_EINVAL);
    CHECK(tls == NULL);
    lc_tls_context_free(context);
}

static void test_settings_that_are_of_no_use_are_told_in_words(void)
{
    expect_refused(&(struct lc_tls_config){.min_version = 0x0304, .max_version = 0x0303},
                   "the TLS versions exclude each other");
    expect_refused(&(struct lc_tls_config){.min_version = 0x0404}, "the TLS version is not known");
    expect_refused(&(struct lc_tls_config){.ciphers = "MORSE"},
                   "the ciphers cannot be used: no cipher match");
    expect_refused(&(struct lc_tls_config){.ciphersuites = "TLS_MORSE"},
                   "the ciphers cannot be used: ");
    expect_refused(&(struct lc_tls_config){.verify = true,
                                           .ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                     "-----END CERTIFICATE-----\n"},
                   "the CA certificates cannot be loaded: ");
}

/* --- authorities and names --- */

static char *pem_of(X509 *x509, const char *before)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *text;
    CHECK(bio != NULL);
    CHECK(BIO_puts(bio, before) >= 0);
    CHECK_INT(PEM_write_bio_X509(bio, x509), 1);
    long len = BIO_get_mem_data(bio, &bytes);
    text = malloc((size_t)len + 1);
    CHECK(text != NULL);
    memcpy(text, bytes, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static void test_authorities_may_be_a_text(void)
{
    struct fixture fixture;
    struct certs stranger;
    fixture_open(&fixture);
    certs_open(&stranger);
    struct tls_peer_config server = {.cert = &fixture.good};
    char *first = pem_of(stranger.authority.x509, "# two of them\n");
    char *both = pem_of(fixture.certs.authority.x509, first);
    struct lc_tls_config config = {.verify = true, .check_host = true, .ca_pem = both};
    talk_expect(&config, "server.test", &server, 0, "");
    config.ca_pem = first;
    talk_expect(&config, "server.test", &server, LC_ETLSVERIFY, "unable to get local issuer");
    config.ca_file = fixture.certs.ca_file; /* beside the text */
    talk_expect(&config, "server.test", &server, 0, "");
    config = (struct lc_tls_config){.verify = true, .ca_pem = ""};
    talk_expect(&config, "server.test", &server, LC_ETLSVERIFY, "unable to get local issuer");
    free(first);
    free(both);
    certs_close(&stranger);
    fixture_close(&fixture);
}

static void test_the_host_is_checked_apart_from_the_chain(void)
{
    struct fixture fixture;
    struct certs stranger;
    fixture_open(&fixture);
    certs_open(&stranger);
    struct cert strange = certs_issue_good(&stranger);
    struct tls_peer_config good = {.cert = &fixture.good}, unknown = {.cert = &strange};
    struct lc_tls_config config = {.verify = true, .ca_file = fixture.certs.ca_file};
    talk_expect(&config, "other.test", &good, 0, "");
    talk_expect(&config, "127.0.0.2", &good, 0, "");
    talk_expect(&config, "server.test", &unknown, LC_ETLSVERIFY, "unable to get local issuer");
    config.check_host = true;
    talk_expect(&config, "other.test", &good, LC_ETLSVERIFY, "hostname mismatch");
    config.verify = false; /* then nothing is checked */
    talk_expect(&config, "other.test", &unknown, 0, "");
    cert_free(&strange);
    certs_close(&stranger);
    fixture_close(&fixture);
}

/* Of certificates without names the subject is no substitute, as with urllib3. */
static void test_the_subject_is_no_name_of_the_host(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    struct cert cert = certs_issue(
        &fixture.certs, &(struct cert_spec){"URI:http://a.test/", -1, 1, .is_self_signed = false});
    struct tls_peer_config server = {.cert = &cert};
    struct lc_tls_config config = {
        .verify = true, .check_host = true, .ca_file = fixture.certs.ca_file};
    talk_expect(&config, "of a test", &server, LC_ETLSVERIFY, "hostname mismatch");
    cert_free(&cert);
    fixture_close(&fixture);
}

static void test_flags_of_the_verification_are_obeyed(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    struct tls_peer_config server = {.cert = &fixture.good};
    struct lc_tls_config config = {.verify = true, .ca_file = fixture.certs.ca_file};
    config.verify_flags = X509_V_FLAG_CRL_CHECK;
    talk_expect(&config, "server.test", &server, LC_ETLSVERIFY, "unable to get certificate CRL");
    fixture_close(&fixture);
}

/* --- versions and ciphers --- */

static void expect_version(struct fixture *fixture, struct lc_tls_config config,
                           struct tls_peer_config server, const char *version)
{
    struct talk talk;
    server.cert = &fixture->good;
    talk_open(&talk, &config, "server.test", &server);
    CHECK_INT(talk_shake_hands(&talk), 0);
    const char *spoken = SSL_get_version(talk.peer.ssl);
    CHECK_BYTES(spoken, strlen(spoken), version);
    tls_peer_close(&talk.peer);
    talk_close(&talk);
}

static void test_versions_are_as_asked_for(void)
{
    static const char *const OLD = "ALL:@SECLEVEL=0";
    struct fixture fixture;
    fixture_open(&fixture);
    struct tls_peer_config any = {.ciphers = OLD}, old = {.max_version = 0x0302, .ciphers = OLD};
    expect_version(&fixture, (struct lc_tls_config){0}, any, "TLSv1.3");
    expect_version(&fixture, (struct lc_tls_config){.max_version = 0x0303}, any, "TLSv1.2");
    expect_version(&fixture, (struct lc_tls_config){.max_version = 0x0301, .ciphers = OLD}, any,
                   "TLSv1");
    expect_version(&fixture, (struct lc_tls_config){.min_version = 0x0301, .ciphers = OLD}, old,
                   "TLSv1.1");
    fixture_close(&fixture);
}

static void test_versions_that_do_not_meet_are_told_in_words(void)
{
    struct fixture fixture;
    fixture_open(&fixture);
    struct tls_peer_config old = {
        .cert = &fixture.good, .max_version = 0x0303, .ciphers = "ALL:@SECLEVEL=0"};
    talk_expect(&(struct lc_tls_config){.min_version = 0x0304}, "server.test", &old, LC_ETLS,
                "TLS: tlsv1 alert protocol version");
    /* A server that goes on all the same. */
    old.max_version = 0x0302;
    talk_expect(&(struct lc_tls_config){0}, "server.test", &old, LC_ETLS, "protocol version");
    fixture_close(&fixture);
}

static void expect_cipher(struct fixture *fixture, struct lc_tls_config config, const char *cipher)
{
    struct talk talk;
    struct tls_peer_config server = {.cert = &fixture->good};
    talk_open(&talk, &config, "server.test", &server);
    CHECK_INT(talk_shake_hands(&talk), 0);
    const char *chosen = SSL_get_cipher_name(talk.peer.ssl);
    CHECK_BYTES(chosen, strlen(chosen), cipher);
    tls_peer_close(&talk.peer);
    talk_close(&talk);
}

static void test_ciphers_are_as_asked_for(void)
{
    static const char *const OTHER = "ECDHE-ECDSA-AES128-GCM-SHA256";
    struct fixture fixture;
    fixture_open(&fixture);
    struct lc_tls_config config = {.max_version = 0x0303, .ciphers = OTHER};
    expect_cipher(&fixture, config, OTHER);
    config = (struct lc_tls_config){.ciphersuites = "TLS_AES_128_GCM_SHA256", .ciphers = OTHER};
    expect_cipher(&fixture, config, "TLS_AES_128_GCM_SHA256");
    struct tls_peer_config server = {.cert = &fixture.good,
                                     .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"};
    config.max_version = 0x0303;
    talk_expect(&config, "server.test", &server, LC_ETLS, "TLS: sslv3 alert handshake failure");
    fixture_close(&fixture);
}

/* --- what connections share --- */

static void test_connections_share_the_certificate_they_were_shown(void)
{
    struct fixture fixture;
    struct talk first, second;
    fixture_open(&fixture);
    struct lc_tls_config config = {.verify = true, .ca_file = fixture.certs.ca_file};
    struct tls_peer_config server = {.cert = &fixture.good};
    talk_open(&first, &config, "server.test", &server);
    CHECK_INT(talk_shake_hands(&first), 0);
    talk_open_again(&second, &first, "server.test");
    CHECK_INT(talk_shake_hands(&second), 0);
    tls_peer_close(&first.peer);
    lc_tls_free(first.tls);
    first.tls = NULL;
    tls_peer_send(&second.peer, "still here");
    expect_read(second.tls, "still here");
    tls_peer_close(&second.peer);
    talk_close_again(&second);
    talk_close(&first);
    fixture_close(&fixture);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's side, which OpenSSL writes */
    int descriptors = rig_count_descriptors();
    RUN(test_files_that_cannot_be_used_are_told_in_words);
    RUN(test_without_memory_there_is_neither_context_nor_connection);
    RUN(test_a_host_that_no_certificate_can_name_is_invalid);
    RUN(test_settings_that_are_of_no_use_are_told_in_words);
    RUN(test_authorities_may_be_a_text);
    RUN(test_the_host_is_checked_apart_from_the_chain);
    RUN(test_the_subject_is_no_name_of_the_host);
    RUN(test_flags_of_the_verification_are_obeyed);
    RUN(test_versions_are_as_asked_for);
    RUN(test_versions_that_do_not_meet_are_told_in_words);
    RUN(test_ciphers_are_as_asked_for);
    RUN(test_connections_share_the_certificate_they_were_shown);
    CHECK_INT(rig_count_descriptors(), descriptors);
    return 0;
}
