#include "py_submit.h"

#include "wake.h"

/* Parks for an operation that was just begun. */
LC_CALLS_PYTHON static struct lc_exchange *park(struct py_engine *engine, uint64_t id)
{
    if (lc_py_engine_rearm(engine) < 0) {
        lc_wake_drop(lc_engine_cancel(engine->core, id));
        return NULL;
    }
    struct lc_exchange *exchange = (struct lc_exchange *)lc_wake_park(engine, id);
    if (exchange != NULL) {
        exchange->times.resumed = lc_now_ns();
    }
    return exchange;
}

static void drop(struct py_engine *engine, struct lc_exchange *exchange)
{
    lc_op_free(&exchange->op);
    lc_py_engine_let_go(engine);
}

LC_CALLS_PYTHON struct lc_exchange *lc_py_resume(struct py_engine *engine,
                                                 struct lc_exchange *exchange)
{
    uint64_t id;
    void *waiter = lc_py_engine_check(engine) == 0 ? lc_wake_current(engine) : NULL;
    if (waiter == NULL) {
        drop(engine, exchange);
        return NULL;
    }
    int rc = lc_engine_resume(exchange, waiter, &id);
    if (rc < 0) {
        lc_wake_drop(waiter);
        drop(engine, exchange);
        PyErr_SetString(rc == LC_ENOMEM ? PyExc_MemoryError : PyExc_RuntimeError, lc_strerror(rc));
        return NULL;
    }
    return park(engine, id);
}

/* Feeds the next piece, or the end; -1 with an exception. */
LC_CALLS_PYTHON static int feed_next(struct lc_exchange *exchange, PyObject *pieces)
{
    Py_buffer bytes = {.buf = "", .len = 0};
    PyObject *piece = PyIter_Next(pieces);
    if (piece == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (piece != NULL && PyObject_GetBuffer(piece, &bytes, PyBUF_SIMPLE) < 0) {
        Py_DECREF(piece);
        return -1;
    }
    int rc = 0;
    if (!exchange->ended) { /* it may have while the piece was made */
        rc = lc_exchange_feed(exchange, bytes.buf, (size_t)bytes.len, piece == NULL);
    }
    if (piece != NULL) {
        PyBuffer_Release(&bytes);
        Py_DECREF(piece);
    }
    if (rc < 0) {
        PyErr_SetString(rc == LC_ENOMEM ? PyExc_MemoryError : PyExc_ValueError, lc_strerror(rc));
        return -1;
    }
    return 0;
}

LC_CALLS_PYTHON LC_RARE static struct lc_exchange *
feed_all(struct py_engine *engine, struct lc_exchange *exchange, PyObject *pieces)
{
    while (exchange != NULL && !exchange->ended &&
           !(exchange->fed_all && exchange->request.streams && exchange->response.head_done)) {
        if (exchange->hungry && feed_next(exchange, pieces) < 0) {
            drop(engine, exchange);
            return NULL;
        }
        exchange = lc_py_resume(engine, exchange);
    }
    return exchange;
}

LC_CALLS_PYTHON struct lc_exchange *lc_py_submit(struct py_engine *engine,
                                                 struct lc_request *request, PyObject *pieces)
{
    uint64_t id;
    /* Again: user code may have run since the call began, to encode the body for instance. */
    if (lc_py_engine_check(engine) < 0) {
        return NULL;
    }
    request->data = lc_wake_current(engine);
    if (request->data == NULL) {
        return NULL;
    }
    int rc = lc_engine_submit(engine->core, request, &id);
    if (rc < 0) {
        lc_wake_drop(request->data);
        PyErr_NoMemory();
        return NULL;
    }
    struct lc_exchange *exchange = park(engine, id);
    return pieces != NULL ? feed_all(engine, exchange, pieces) : exchange;
}
