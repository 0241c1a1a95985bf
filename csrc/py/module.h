/* What all of the binding shares: the module state, generated from one list of types, and the way
 * to reach it. Only files of csrc/py include Python.h; only wake.c includes greenlet.h. */
#ifndef LC_PY_MODULE_H
#define LC_PY_MODULE_H

#include <Python.h>

#include "lc.h"

/* Every heap type of the module: X(field of the state, spec, name in the module). The leak test
 * reads the names at run time through _core._types(), so a new type cannot be forgotten. */
#define LC_PY_TYPES(X) LC_PY_TYPES_EVENT(X) LC_PY_TYPES_STATS(X) LC_PY_TYPES_ENGINE(X)
#define LC_PY_TYPES_EVENT(X)                                                                       \
    X(event_hook_type, lc_py_event_spec, "EventHook")                                              \
    X(listener_type, lc_py_listener_spec, "Listener")
#define LC_PY_TYPES_STATS(X)                                                                       \
    X(stats_counters, lc_py_stats_counters_spec, "StatsCounters")                                  \
    X(stats_error_count, lc_py_stats_error_spec, "StatsErrorCount")                                \
    X(stats_table, lc_py_stats_table_spec, "StatsTable")
#define LC_PY_TYPES_ENGINE(X)                                                                      \
    X(Engine, lc_py_engine_spec, "Engine")                                                         \
    X(Pool, lc_py_pool_spec, "Pool")                                                               \
    X(Session, lc_py_session_spec, "Session")                                                      \
    X(Stream, lc_py_stream_spec, "Stream")                                                         \
    X(Response, lc_py_response_spec, "Response")                                                   \
    X(decoder_type, lc_py_decoder_spec, "Decoder")                                                 \
    X(class_watch, lc_py_watch_spec, "ClassWatch")                                                 \
    X(watchdog, lc_py_watchdog_spec, "Watchdog")

/* Strings that the hot path compares or looks up, interned once: X(field, text). */
#define LC_PY_STRINGS(X)                                                                           \
    X(str_request_type, "request_type")                                                            \
    X(str_name, "name")                                                                            \
    X(str_response_time, "response_time")                                                          \
    X(str_response_length, "response_length")                                                      \
    X(str_response, "response")                                                                    \
    X(str_context, "context")                                                                      \
    X(str_exception, "exception")                                                                  \
    X(str_start_time, "start_time")                                                                \
    X(str_url, "url")                                                                              \
    X(str_catch_response, "catch_response")                                                        \
    X(str_data, "data")                                                                            \
    X(str_json, "json")                                                                            \
    X(str_headers, "headers")                                                                      \
    X(str_params, "params")                                                                        \
    X(str_timeout, "timeout")                                                                      \
    X(str_allow_redirects, "allow_redirects")                                                      \
    X(str_store, "_store")                                                                         \
    X(str_verb_get, "GET")                                                                         \
    X(str_verb_options, "OPTIONS")                                                                 \
    X(str_verb_head, "HEAD")                                                                       \
    X(str_verb_post, "POST")                                                                       \
    X(str_verb_put, "PUT")                                                                         \
    X(str_verb_patch, "PATCH")                                                                     \
    X(str_verb_delete, "DELETE")                                                                   \
    X(str_fire, "fire")                                                                            \
    X(str_reverse, "reverse")

struct lc_state {
#define LC_PY_TYPE_FIELD(field, spec, name) PyTypeObject *field;
    LC_PY_TYPES(LC_PY_TYPE_FIELD)
#undef LC_PY_TYPE_FIELD
#define LC_PY_STRING_FIELD(field, text) PyObject *field;
    LC_PY_STRINGS(LC_PY_STRING_FIELD)
#undef LC_PY_STRING_FIELD
    /* The names under which a sample of the engine reaches the listeners, in documented order. */
    PyObject *sample_names;
};

extern struct PyModuleDef lc_module_def;

/* Functions of the module. */
PyObject *lc_py_make_certificate(PyObject *module, PyObject *is_rsa); /* py_target.c */

struct lc_state *lc_state_of_module(PyObject *module);
/* The state by one of our types or a subclass of it; NULL with an exception. */
struct lc_state *lc_state_of_type(PyTypeObject *type);

/* Functions that call into user Python may be on the C stack when a greenlet switches, which
 * copies the stack by hand; an instrumented frame there aborts AddressSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define LC_CALLS_PYTHON __attribute__((no_sanitize_address))
#else
#define LC_CALLS_PYTHON
#endif

#endif
