#include "certs.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL);
    CHECK_INT(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static struct cert make_cert(const struct cert *issuer, const char *subject,
                             const struct cert_spec *spec)
{
    const long day = 24L * 3600;
    struct cert cert = {.x509 = X509_new(), .key = EVP_EC_gen("P-256")};
    CHECK(cert.x509 != NULL && cert.key != NULL);
    if (issuer == NULL) {
        issuer = &cert;
    }
    X509_NAME *name = X509_get_subject_name(cert.x509);
    CHECK_INT(X509_set_version(cert.x509, X509_VERSION_3), 1);
    /* Distinct ones: the serial number is that of the moment. */
    CHECK_INT(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.x509), lc_now_ns()), 1);
    CHECK_INT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject,
                                         -1, -1, 0),
              1);
    CHECK_INT(X509_set_issuer_name(cert.x509, X509_get_subject_name(issuer->x509)), 1);
    CHECK(X509_gmtime_adj(X509_getm_notBefore(cert.x509), spec->begins_in_days * day) != NULL);
    CHECK(X509_gmtime_adj(X509_getm_notAfter(cert.x509), spec->ends_in_days * day) != NULL);
    CHECK_INT(X509_set_pubkey(cert.x509, cert.key), 1);
    if (spec->names != NULL) {
        add_extension(cert.x509, issuer->x509, NID_subject_alt_name, spec->names);
    } else {
        add_extension(cert.x509, issuer->x509, NID_basic_constraints, "critical,CA:TRUE");
    }
    CHECK(X509_sign(cert.x509, issuer->key, EVP_sha256()) > 0);
    return cert;
}

void certs_open(struct certs *certs)
{
    const char *parent = getenv("TMPDIR");
    struct cert_spec spec = {.begins_in_days = -2, .ends_in_days = 2};
    CHECK(snprintf(certs->folder, sizeof certs->folder, "%s/lc-certs-XXXXXX",
                   parent != NULL ? parent : "/tmp") < (int)sizeof certs->folder);
    CHECK(mkdtemp(certs->folder) != NULL);
    /* Named like its folder: two authorities are not to be taken for each other. */
    certs->authority = make_cert(NULL, strrchr(certs->folder, '/') + 1, &spec);
    certs_write(certs, "ca.pem", certs->authority.x509, NULL, certs->ca_file);
}

void certs_close(struct certs *certs)
{
    char path[CERTS_PATH_MAX + 256];
    struct dirent *entry;
    DIR *folder = opendir(certs->folder);
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", certs->folder, entry->d_name);
        if (entry->d_name[0] != '.') {
            CHECK_INT(unlink(path), 0);
        }
    }
    closedir(folder);
    CHECK_INT(rmdir(certs->folder), 0);
    cert_free(&certs->authority);
}

struct cert certs_issue(const struct certs *certs, const struct cert_spec *spec)
{
    return make_cert(spec->is_self_signed ? NULL : &certs->authority, "of a test", spec);
}

struct cert certs_issue_good(const struct certs *certs)
{
    return certs_issue(certs, &(struct cert_spec){.names = "DNS:server.test,IP:127.0.0.1",
                                                  .begins_in_days = -1,
                                                  .ends_in_days = 1});
}

void cert_free(struct cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    *cert = (struct cert){0};
}

void certs_write(const struct certs *certs, const char *file, X509 *x509, EVP_PKEY *key,
                 char path[CERTS_PATH_MAX])
{
    CHECK(snprintf(path, CERTS_PATH_MAX, "%s/%s", certs->folder, file) < CERTS_PATH_MAX);
    FILE *stream = fopen(path, "w");
    CHECK(stream != NULL);
    CHECK(x509 == NULL || PEM_write_X509(stream, x509) == 1);
    CHECK(key == NULL || PEM_write_PrivateKey(stream, key, NULL, NULL, 0, NULL, NULL) == 1);
    CHECK_INT(fclose(stream), 0);
}
