/* Certificates made while a test runs: one authority, and what it issues, with EC keys. */
#ifndef LC_CERTS_H
#define LC_CERTS_H

#include "check.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

enum { CERTS_PATH_MAX = 128 };

struct cert {
    X509 *x509;
    EVP_PKEY *key;
};

struct certs {
    struct cert authority;
    char folder[CERTS_PATH_MAX]; /* a new one, below TMPDIR or /tmp */
    char ca_file[CERTS_PATH_MAX];
};

struct cert_spec {
    const char *names; /* as in a configuration file: "DNS:a.test,IP:127.0.0.1" */
    int begins_in_days, ends_in_days;
    bool is_self_signed;
};

void certs_open(struct certs *certs);
/* Removes the folder and what is in it. */
void certs_close(struct certs *certs);
struct cert certs_issue(const struct certs *certs, const struct cert_spec *spec);
/* One that is good for server.test and 127.0.0.1. */
struct cert certs_issue_good(const struct certs *certs);
void cert_free(struct cert *cert);
/* Writes the certificate, the key, or both (the other NULL) into the folder. */
void certs_write(const struct certs *certs, const char *file, X509 *x509, EVP_PKEY *key,
                 char path[CERTS_PATH_MAX]);

#endif
