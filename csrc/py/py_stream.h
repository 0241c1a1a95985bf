/* The body of a streamed response, as Python reads it. */
#ifndef LC_PY_STREAM_H
#define LC_PY_STREAM_H

#include "py_session.h"

/* Takes the exchange over, whose head has come; NULL with an exception, and it is freed. */
PyObject *lc_py_stream_new(struct py_session *session, PyObject *url, struct lc_exchange *exchange);

#endif
