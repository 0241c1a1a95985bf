#include "py_session.h"

static PyObject *sv_str(struct lc_sv text)
{
    if (text.ptr == NULL) {
        return Py_NewRef(Py_None);
    }
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

enum { MAX_TEXTS = 4 };

/* Cookies go on the wire in latin-1, as http.client writes headers: the bytes of up to four texts,
 * None being a view without bytes. The references in `owners` are the caller's to drop. */
static int encode_texts(PyObject *const *texts, struct lc_sv *views, PyObject **owners,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        views[i] = (struct lc_sv){NULL, 0};
        if (texts[i] == Py_None) {
            continue;
        }
        if (!PyUnicode_Check(texts[i])) {
            PyErr_Format(PyExc_TypeError, "cookies are made of str, not %.100s",
                         Py_TYPE(texts[i])->tp_name);
            return -1;
        }
        owners[i] = PyUnicode_AsLatin1String(texts[i]);
        if (owners[i] == NULL) {
            return -1;
        }
        views[i] =
            (struct lc_sv){PyBytes_AS_STRING(owners[i]), (size_t)PyBytes_GET_SIZE(owners[i])};
    }
    return 0;
}

static void drop_texts(PyObject **owners)
{
    for (size_t i = 0; i < MAX_TEXTS; i++) {
        Py_XDECREF(owners[i]);
    }
}

PyObject *lc_py_session_cookie_put(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    PyObject *texts[MAX_TEXTS], *owners[MAX_TEXTS] = {NULL}, *expires, *result = NULL;
    struct lc_sv views[MAX_TEXTS];
    int secure, http_only, domain_specified, path_specified;
    if (!PyArg_ParseTuple(args, "UUUOOpppp:_cookie_put", &texts[0], &texts[1], &texts[2], &texts[3],
                          &expires, &secure, &http_only, &domain_specified, &path_specified)) {
        return NULL;
    }
    long long until = expires == Py_None ? LC_COOKIE_SESSION : PyLong_AsLongLong(expires);
    if (until == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (encode_texts(texts, views, owners, MAX_TEXTS) < 0) {
        goto done;
    }
    struct lc_cookie cookie = {
        .expires = until,
        .domain = views[0],
        .path = views[1],
        .name = views[2],
        .value = views[3],
        .secure = secure != 0,
        .http_only = http_only != 0,
        .domain_specified = domain_specified != 0,
        .path_specified = path_specified != 0,
    };
    if (lc_cookies_put(&self->jar, &cookie) < 0) {
        PyErr_NoMemory();
        goto done;
    }
    result = Py_NewRef(Py_None);
done:
    drop_texts(owners);
    return result;
}

PyObject *lc_py_session_cookie_remove(PyObject *op, PyObject *args)
{
    struct py_session *self = (struct py_session *)op;
    PyObject *texts[MAX_TEXTS], *owners[MAX_TEXTS] = {NULL}, *result = NULL;
    struct lc_sv views[MAX_TEXTS];
    if (!PyArg_ParseTuple(args, "OOO:_cookie_remove", &texts[0], &texts[1], &texts[2])) {
        return NULL;
    }
    if (encode_texts(texts, views, owners, 3) == 0) {
        result = PyLong_FromSize_t(lc_cookies_remove(&self->jar, views[0], views[1], views[2]));
    }
    drop_texts(owners);
    return result;
}
