/* What engine.c and exchange.c share; nobody else includes it. */
#ifndef LC_ENGINE_PRIVATE_H
#define LC_ENGINE_PRIVATE_H

#include "engine.h"
#include "home.h"

#include <sys/types.h>

enum { LC_READ_BUFFER = 65536 };

enum lc_op_state { LC_OP_PENDING, LC_OP_COMPLETED, LC_OP_TAKEN };

struct lc_op_slot {
    struct lc_op *op; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* 1 + index, 0: end */
};

struct lc_tls_entry {
    struct lc_tls_entry *next;
    struct lc_tls_context *context;
    struct lc_tls_config config; /* strings point into bytes */
    char bytes[];
};

struct lc_engine {
    uv_loop_t loop;
    struct lc_timers timers;
    struct lc_connector *connector;
    struct lc_origin *origins;
    struct lc_tls_entry *tls_entries;
    struct lc_op *completed_first, *completed_last;
    struct lc_op_slot *slots;
    uint32_t slots_cap;
    uint32_t slots_free; /* 1 + index, 0: none */
    size_t operations;
    int64_t connections;
    uint64_t opened;
    uint64_t realtime_offset_ns; /* real time - monotonic, as of this turn */
    struct lc_home home;
    bool dirty;
    char read_buffer[LC_READ_BUFFER];
};

/* engine.c */
int lc_engine_register(struct lc_engine *engine, struct lc_op *op) LC_MUST_USE;
void lc_engine_unregister(struct lc_engine *engine, struct lc_op *op);
void lc_engine_complete(struct lc_engine *engine, struct lc_op *op);

/* exchange.c */
int lc_exchange_begin(struct lc_engine *engine, struct lc_request *request,
                      struct lc_exchange **out) LC_MUST_USE;
void lc_exchange_on_timer(struct lc_engine *engine, struct lc_exchange *exchange);
void lc_exchange_abort(struct lc_engine *engine, struct lc_exchange *exchange);
void lc_exchange_free(struct lc_exchange *exchange);
void lc_exchange_on_connected(void *owner, const struct lc_connect_result *result);

#endif
