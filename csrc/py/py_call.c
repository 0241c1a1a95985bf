#include "py_session.h"

#include <math.h>

static int timeout_ns(PyObject *seconds_object, uint64_t *out)
{
    if (seconds_object == Py_None) {
        *out = 0;
        return LC_WAY_SHORT;
    }
    if (!PyFloat_Check(seconds_object) && !PyLong_Check(seconds_object)) {
        return LC_WAY_LONG;
    }
    double seconds = PyFloat_AsDouble(seconds_object);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return LC_WAY_ERROR;
    }
    if (isnan(seconds) || seconds <= 0) {
        return LC_WAY_LONG; /* requests has the words for that */
    }
    double ns = seconds * 1e9;
    *out = ns < 1 ? 1 : ns < 9e18 ? (uint64_t)ns : 0; /* 0 is none */
    return LC_WAY_SHORT;
}

int lc_py_timeout(PyObject *timeout, uint64_t *connect_ns, uint64_t *read_ns)
{
    if (PyTuple_Check(timeout) && PyTuple_GET_SIZE(timeout) == 2) {
        int way = timeout_ns(PyTuple_GET_ITEM(timeout, 0), connect_ns);
        return way != LC_WAY_SHORT ? way : timeout_ns(PyTuple_GET_ITEM(timeout, 1), read_ns);
    }
    int way = timeout_ns(timeout, connect_ns);
    *read_ns = *connect_ns;
    return way;
}

int lc_py_http_version(PyObject *text, uint8_t *out)
{
#define MATCH_VERSION(constant, words, version)                                                    \
    if (PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, words) == 0) {             \
        *out = constant;                                                                           \
        return 0;                                                                                  \
    }
    LC_PY_HTTP_VERSIONS(MATCH_VERSION)
#undef MATCH_VERSION
    if (PyUnicode_Check(text) && PyUnicode_CompareWithASCIIString(text, "3") == 0) {
        PyErr_SetString(
            PyExc_ValueError,
            "http_version \"3\" is not available: HTTP/3 needs QUIC (ngtcp2 with a TLS "
            "library that speaks it), which this build is without; \"1.0\", \"1.1\" and "
            "\"2\" are");
    } else {
        PyErr_Format(PyExc_ValueError, "http_version must be \"1.0\", \"1.1\" or \"2\", not %R",
                     text);
    }
    return -1;
}

static int set_timeout(struct lc_call *call, PyObject *timeout)
{
    int way = lc_py_timeout(timeout, &call->connect_timeout_ns, &call->read_timeout_ns);
    if (way == LC_WAY_LONG) {
        call->simple = false;
    }
    return way == LC_WAY_ERROR ? -1 : 0;
}

static int set_flag(bool *flag, PyObject *value)
{
    int truth = PyObject_IsTrue(value);
    if (truth < 0) {
        return -1;
    }
    *flag = truth != 0;
    return 0;
}

/* Finds the place of a keyword in the call: by identity first, since names in code are interned. */
static int set_keyword(struct lc_state *state, struct lc_call *call, PyObject *name,
                       PyObject *value)
{
    struct {
        PyObject *name;
        PyObject **place;
    } objects[] = {
        {state->str_name, &call->name},       {state->str_json, &call->json},
        {state->str_headers, &call->headers}, {state->str_data, &call->data},
        {state->str_params, &call->params},   {state->str_context, &call->context},
    };
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        if (name == objects[i].name) {
            *objects[i].place = value != Py_None ? value : NULL;
            return 0;
        }
    }
    if (name == state->str_catch_response) {
        return set_flag(&call->catch_response, value);
    }
    if (name == state->str_timeout) {
        return set_timeout(call, value);
    }
    if (name == state->str_allow_redirects) {
        return set_flag(&call->allow_redirects, value);
    }
    /* Everything else, a wrong name included, is for the long way. */
    call->simple = call->simple && value == Py_None;
    return 0;
}

static bool is_upper(PyObject *method)
{
    if (!PyUnicode_IS_ASCII(method)) {
        return false;
    }
    const Py_UCS1 *letters = PyUnicode_1BYTE_DATA(method);
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(method); i++) {
        if (letters[i] < 'A' || letters[i] > 'Z') {
            return false;
        }
    }
    return true;
}

LC_OFF_STACK int lc_py_call_parse(struct py_session *session, struct lc_call *call,
                                  PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    struct lc_state *state = session->state;
    Py_ssize_t named = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!PyUnicode_CHECK_INTERNED(name)) {
            call->simple = false;
        } else if (set_keyword(state, call, name, args[count + i]) < 0) {
            return -1;
        }
    }
    if (call->method == NULL || !PyUnicode_CheckExact(call->method) || call->url == NULL ||
        !PyUnicode_CheckExact(call->url)) {
        call->simple = false;
    } else if (!is_upper(call->method)) {
        call->simple = false; /* the long way writes it in capitals */
    }
    return 0;
}
