#include "py_session.h"

/* --- origins --- */

/* The fields of locust_c.tls_context.TlsSettings, in their order. */
static int read_tls_settings(PyObject *settings, struct lc_tls_config *config)
{
    int verify, check_host = 1, resume = 0;
    *config = (struct lc_tls_config){0};
    if (!PyArg_ParseTuple(settings, "pzzzz|pzHHzzIp:_tls_files", &verify, &config->ca_file,
                          &config->ca_path, &config->cert_file, &config->key_file, &check_host,
                          &config->ca_pem, &config->min_version, &config->max_version,
                          &config->ciphers, &config->ciphersuites, &config->verify_flags,
                          &resume)) {
        return -1;
    }
    config->verify = verify != 0;
    config->check_host = check_host != 0;
    config->resume = resume != 0;
    return 0;
}

LC_RARE static int tls_context(struct py_session *session, PyObject *verify, PyObject *cert,
                               struct lc_tls_context **out)
{
    char reason[LC_TLS_REASON_MAX];
    struct lc_tls_config config;
    int rc = -1;
    PyObject *settings =
        PyObject_CallMethod((PyObject *)session, "_tls_files", "OO",
                            verify != NULL ? verify : Py_None, cert != NULL ? cert : Py_None);
    if (settings == NULL) {
        return -1;
    }
    if (!PyTuple_Check(settings)) {
        PyErr_SetString(PyExc_TypeError, "_tls_files must return a tuple");
        goto done;
    }
    if (read_tls_settings(settings, &config) < 0) {
        goto done;
    }
    rc = lc_engine_tls_context(session->engine->core, &config, out, reason);
    if (rc < 0) {
        PyErr_Format(PyExc_OSError, "TLS cannot be set up: %s",
                     reason[0] != '\0' ? reason : lc_strerror(rc));
        rc = -1;
    }
done:
    Py_DECREF(settings);
    return rc;
}

/* Where connections to that host start and end, by the user's options; the strings live as long as
 * what is returned, a new reference, or NULL with an exception. */
LC_RARE static PyObject *connection_options(struct py_session *session, struct lc_origin_spec *spec)
{
    PyObject *options = PyObject_CallMethod((PyObject *)session, "_origin_options", "si",
                                            spec->host, (int)spec->port);
    if (options != NULL && !PyArg_ParseTuple(options, "zzz:_origin_options", &spec->source,
                                             &spec->unix_socket, &spec->resolve)) {
        Py_CLEAR(options);
    }
    return options;
}

PyObject *lc_py_make_certificate(PyObject *Py_UNUSED(module), PyObject *is_rsa)
{
    struct lc_buf pem;
    lc_buf_init(&pem, SIZE_MAX);
    int rsa = PyObject_IsTrue(is_rsa);
    if (rsa < 0) {
        return NULL;
    }
    if (lc_tls_make_certificate(rsa != 0, &pem) < 0) {
        return PyErr_NoMemory();
    }
    PyObject *bytes = PyBytes_FromStringAndSize(pem.ptr, (Py_ssize_t)pem.len);
    lc_buf_free(&pem);
    return bytes;
}

LC_RARE int lc_py_origin(struct py_session *session, const struct lc_url *url, PyObject *verify,
                         PyObject *cert, PyObject *proxy, struct lc_origin **out)
{
    char host[256];
    struct lc_origin_spec spec = {.host = host, .port = url->port};
    if (url->host.len >= sizeof host) {
        PyErr_SetString(PyExc_ValueError, "the host name of the URL is too long");
        return -1;
    }
    memcpy(host, url->host.ptr, url->host.len);
    host[url->host.len] = '\0';
    if (url->is_https && tls_context(session, verify, cert, &spec.tls_context) < 0) {
        return -1;
    }
    if (proxy != NULL && proxy != Py_None) {
        struct lc_sv text = lc_py_view(proxy);
        if (text.ptr == NULL) {
            return -1;
        }
        if (strlen(text.ptr) != text.len) {
            PyErr_SetString(PyExc_ValueError, "a proxy's URL has a NUL");
            return -1;
        }
        spec.proxy = text.ptr;
    }
    PyObject *options = NULL;
    if (session->connection_options != NULL && session->connection_options != Py_None) {
        options = connection_options(session, &spec);
        if (options == NULL) {
            return -1;
        }
    }
    int rc = lc_engine_origin(session->engine->core, &spec, out);
    Py_XDECREF(options);
    if (rc < 0) {
        PyErr_SetString(rc == LC_ENOMEM ? PyExc_MemoryError : PyExc_ValueError, lc_strerror(rc));
        return -1;
    }
    return 0;
}

/* --- the target --- */

/* path[?query] of the call behind the base URL's path, with params appended; a new str. */
static PyObject *join_target(struct py_session *session, const struct lc_call *call)
{
    struct lc_sv prefix = session->base.target;
    PyObject *target = NULL;
    if (prefix.len == 0) {
        target = Py_NewRef(call->url);
    } else {
        PyObject *head = PyUnicode_FromStringAndSize(prefix.ptr, (Py_ssize_t)prefix.len);
        target = head != NULL ? PyUnicode_Concat(head, call->url) : NULL;
        Py_XDECREF(head);
    }
    if (target == NULL || call->params == NULL) {
        return target;
    }
    Py_ssize_t len = PyUnicode_GET_LENGTH(target);
    if (len > 0 && PyUnicode_READ_CHAR(target, len - 1) == '?') {
        return target; /* an empty query: not clean, so it goes the long way */
    }
    PyObject *query =
        PyObject_CallMethod((PyObject *)session, "_encode_params", "(O)", call->params);
    PyObject *joined = NULL;
    if (query != NULL && PyUnicode_Check(query)) {
        bool has_query = PyUnicode_FindChar(target, '?', 0, PyUnicode_GET_LENGTH(target), 1) >= 0;
        joined = PyUnicode_GET_LENGTH(query) == 0
                     ? Py_NewRef(target)
                     : PyUnicode_FromFormat(has_query ? "%U&%U" : "%U?%U", target, query);
    } else if (query != NULL) {
        joined = Py_NewRef(Py_None); /* bytes: for the long way */
    }
    Py_XDECREF(query);
    Py_DECREF(target);
    return joined;
}

int lc_py_resolve_target(struct py_session *session, const struct lc_call *call,
                         struct lc_wire *wire)
{
    if (!session->base_is_plain || PyUnicode_GET_LENGTH(call->url) == 0 ||
        PyUnicode_READ_CHAR(call->url, 0) != '/') {
        return LC_WAY_LONG;
    }
    wire->target = join_target(session, call);
    if (wire->target == NULL) {
        return LC_WAY_ERROR;
    }
    if (wire->target == Py_None || !PyUnicode_IS_ASCII(wire->target)) {
        return LC_WAY_LONG;
    }
    struct lc_sv target = lc_py_view(wire->target);
    if (target.ptr == NULL) {
        return LC_WAY_ERROR;
    }
    bool has_host = target.len > 1 && target.ptr[1] == '/'; /* geventhttpclient refuses it */
    if (!lc_url_target_is_clean(target) || (session->flavour == LC_FLAVOUR_FAST && has_host)) {
        return LC_WAY_LONG;
    }
    if (session->origin == NULL && lc_py_origin(session, &session->base, session->verify,
                                                session->cert, NULL, &session->origin) < 0) {
        /* Files that TLS cannot use are a failed request with requests: for the long way. */
        if (session->flavour != LC_FLAVOUR_REQUESTS || !PyErr_ExceptionMatches(PyExc_OSError)) {
            return LC_WAY_ERROR;
        }
        PyErr_Clear();
        return LC_WAY_LONG;
    }
    const char *query = memchr(target.ptr, '?', target.len);
    wire->path = (struct lc_sv){target.ptr, query ? (size_t)(query - target.ptr) : target.len};
    wire->host = session->base.host;
    wire->host_owner = Py_NewRef(session->base_url); /* which may change while the request runs */
    wire->secure = session->base.is_https;
    wire->origin = session->origin;
    return LC_WAY_SHORT;
}
