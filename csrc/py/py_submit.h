/* Between a greenlet and the engine: submit, park, feed, resume. */
#ifndef LC_PY_SUBMIT_H
#define LC_PY_SUBMIT_H

#include "engine.h"
#include "py_engine.h"

/* Submits the request and parks the current greenlet until it has ended or, if it streams, its head
 * has come. `pieces` (or NULL): an iterator of bytes, the body of a request that feeds; it runs in
 * the current greenlet while the request is under way. The exchange is the caller's. NULL with an
 * exception: nothing is left of it, but the request's wire unless the engine has taken it. */
struct lc_exchange *lc_py_submit(struct py_engine *engine, struct lc_request *request,
                                 PyObject *pieces);
/* Parks until the exchange has news again and returns it; NULL with an exception: it is freed. */
struct lc_exchange *lc_py_resume(struct py_engine *engine, struct lc_exchange *exchange);

#endif
