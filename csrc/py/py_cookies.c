#include "py_session.h"

static PyObject *sv_str(struct lc_sv text)
{
    return PyUnicode_DecodeLatin1(text.ptr, (Py_ssize_t)text.len, NULL);
}

PyObject *lc_py_session_cookie_list(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    struct py_session *self = (struct py_session *)op;
    PyObject *list = PyList_New(0);
    for (struct lc_cookie *at = self->jar.first; list != NULL && at != NULL; at = at->next) {
        PyObject *expires = at->expires == LC_COOKIE_SESSION ? Py_NewRef(Py_None)
                                                             : PyLong_FromLongLong(at->expires);
        PyObject *row = Py_BuildValue(
            "NNNNNNNNN", sv_str(at->domain), sv_str(at->path), sv_str(at->name), sv_str(at->value),
            expires, PyBool_FromLong(at->secure), PyBool_FromLong(at->http_only),
            PyBool_FromLong(at->domain_specified), PyBool_FromLong(at->path_specified));
        if (row == NULL || PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

PyObject *lc_py_session_cookie_put(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    const char *domain, *path, *name, *value;
    PyObject *expires;
    int secure, http_only, domain_specified, path_specified;
    if (!PyArg_ParseTuple(args, "ssssOpppp:_cookie_put", &domain, &path, &name, &value, &expires,
                          &secure, &http_only, &domain_specified, &path_specified)) {
        return NULL;
    }
    long long until = expires == Py_None ? LC_COOKIE_SESSION : PyLong_AsLongLong(expires);
    if (until == -1 && PyErr_Occurred()) {
        return NULL;
    }
    struct lc_cookie cookie = {
        .expires = until,
        .domain = lc_sv_of(domain),
        .path = lc_sv_of(path),
        .name = lc_sv_of(name),
        .value = lc_sv_of(value),
        .secure = secure != 0,
        .http_only = http_only != 0,
        .domain_specified = domain_specified != 0,
        .path_specified = path_specified != 0,
    };
    if (lc_cookies_put(&self->jar, &cookie) < 0) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

static struct lc_sv sv_or_any(const char *text)
{
    return text != NULL ? lc_sv_of(text) : (struct lc_sv){NULL, 0};
}

PyObject *lc_py_session_cookie_remove(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    const char *domain, *path, *name;
    if (!PyArg_ParseTuple(args, "zzz:_cookie_remove", &domain, &path, &name)) {
        return NULL;
    }
    return PyLong_FromSize_t(
        lc_cookies_remove(&self->jar, sv_or_any(domain), sv_or_any(path), sv_or_any(name)));
}
