/* A connection pool that several sessions share. */
#ifndef LC_PY_POOL_H
#define LC_PY_POOL_H

#include "engine.h"
#include "py_engine.h"

struct py_pool {
    PyObject_HEAD
    struct py_engine *engine;
    struct lc_pool core;
};

/* Closes the idle connections of a pool of that engine; nothing in a forked child. */
void lc_py_pool_close(struct py_engine *engine, struct lc_pool *pool);
/* Numbers as users give them: max_open 0 and lifetime 0 are no limit. -1 with ValueError. */
int lc_py_pool_limits(struct lc_pool *pool, Py_ssize_t max_idle, Py_ssize_t max_open,
                      double lifetime_s) LC_MUST_USE;

#endif
