/* A certificate made on the spot; declared in tls.h. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { RSA_BITS = 2048, VALID_S = 24 * 3600 };

static bool sign_itself(X509 *x509, EVP_PKEY *key)
{
    static const unsigned char name[] = "nobody";
    X509_NAME *subject = X509_get_subject_name(x509);
    return X509_set_version(x509, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), lc_now_ns()) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(x509, subject) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x509), -VALID_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x509), VALID_S) != NULL &&
           X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0;
}

int lc_tls_make_certificate(bool is_rsa, struct lc_buf *pem)
{
    int rc = LC_ENOMEM;
    char *bytes;
    ERR_clear_error();
    X509 *x509 = X509_new();
    EVP_PKEY *key = is_rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    if (x509 != NULL && key != NULL && bio != NULL && sign_itself(x509, key) &&
        PEM_write_bio_X509(bio, x509) == 1 &&
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long len = BIO_get_mem_data(bio, &bytes);
        rc = lc_buf_append(pem, bytes, (size_t)len);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(x509);
    ERR_clear_error();
    return rc;
}
