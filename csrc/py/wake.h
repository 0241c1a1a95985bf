/* Parking the current greenlet until an operation completes, and waking it.
 *
 * wake.c is the only file that includes greenlet.h. Greenlets are switched only from here, never
 * while libuv, libcurl or OpenSSL is on the C stack. */
#ifndef LC_PY_WAKE_H
#define LC_PY_WAKE_H

#include "engine.h"
#include "module.h"

struct py_engine;

/* Imports greenlet's C API; call once when the module is executed. */
int lc_wake_import(void) LC_MUST_USE;
/* The current greenlet as the data of an operation, a new reference; NULL with an exception if it
 * is the hub itself, which must not block. */
void *lc_wake_current(struct py_engine *engine);
/* Parks the current greenlet until the operation with that id is delivered and returns it (the
 * caller frees it), or NULL with the exception that was thrown into the greenlet; the operation is
 * cancelled then. */
struct lc_op *lc_wake_park(struct py_engine *engine, uint64_t id);
/* Switches to the greenlet that waits for the operation; consumes the operation. -1 with an
 * exception that belongs to the hub. */
int lc_wake_deliver(struct py_engine *engine, struct lc_op *op) LC_MUST_USE;
/* Gives back the greenlet of an operation that was cancelled. */
void lc_wake_drop(void *data);

#endif
