/* What engine.c, origin.c and the files of an exchange share; nobody else includes it.
 *
 *   exchange        one request from its beginning to its end: steps, time-outs, what it waits for
 *   exchange_http1  over a connection of ours: connect, handshake, send, receive
 *   exchange_transfer  through libcurl, for HTTP/2 */
#ifndef LC_ENGINE_PRIVATE_H
#define LC_ENGINE_PRIVATE_H

#include "engine.h"
#include "home.h"
#include "transfer.h"

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
    struct lc_transfers *transfers; /* NULL: nobody has asked for HTTP/2 yet */
    struct lc_origin *origins;
    struct lc_tls_entry *tls_entries;
    struct lc_op *completed_first, *completed_last;
    struct lc_exchange *open; /* taken before they ended */
    struct lc_rest_queue resting;
    struct lc_pool starting; /* whose pool has room again wait here for the next turn */
    struct lc_op_slot *slots;
    uint32_t slots_cap;
    uint32_t slots_free; /* 1 + index, 0: none */
    size_t operations;
    int64_t connections;
    uint64_t opened;
    uint64_t realtime_offset_ns; /* real time - monotonic, as of this turn */
    uint64_t turned_ns;          /* when this turn began */
    uint64_t gap_ns;             /* since the turn before it began */
    struct lc_home home;
    bool dirty;
    char read_buffer[LC_READ_BUFFER];
};

/* engine.c */
int lc_engine_register(struct lc_engine *engine, struct lc_op *op) LC_MUST_USE;
void lc_engine_unregister(struct lc_engine *engine, struct lc_op *op);
void lc_engine_complete(struct lc_engine *engine, struct lc_op *op);
/* An exchange that was taken before it ended goes on, or is over. */
void lc_engine_forget_open(struct lc_exchange *exchange);

/* exchange.c */
int lc_exchange_begin(struct lc_engine *engine, struct lc_request *request,
                      struct lc_exchange **out) LC_MUST_USE;
void lc_exchange_on_timer(struct lc_engine *engine, struct lc_exchange *exchange);
/* Starts those that waited for room in their pool. */
void lc_exchange_start_waiting(struct lc_engine *engine);
/* Lets go of the connection or attempt; there is no result. */
void lc_exchange_abort(struct lc_exchange *exchange);
void lc_exchange_free(struct lc_exchange *exchange);

/* For the lanes. On another connection. */
void lc_exchange_send_again(struct lc_exchange *exchange);
/* The end, exactly once; the connection is closed if it is still attached. */
void lc_exchange_finish(struct lc_exchange *exchange, int err);
/* There is news for the owner: completes the operation if it waits for that. */
void lc_exchange_tell(struct lc_exchange *exchange);
void lc_exchange_keep_reason(struct lc_exchange *exchange, const char *reason);
void lc_exchange_note_arrival(struct lc_exchange *exchange, uint64_t arrival_realtime_ns);
/* The deadline of the phase that begins; false: out of memory, and the exchange has ended. */
bool lc_exchange_set_deadline(struct lc_exchange *exchange, uint64_t now_ns,
                              uint64_t timeout_ns) LC_MUST_USE;
/* Something moved: the read time-out begins anew. */
void lc_exchange_extend_deadline(struct lc_exchange *exchange, uint64_t now_ns);
bool lc_exchange_is_all_sent(const struct lc_exchange *exchange);
/* True if the owner of a streamed response has something to read; while it still feeds, it is only
 * told when more can be fed and when all is over. */
bool lc_exchange_has_news(const struct lc_exchange *exchange);
/* How much more of the body should be read; 0: so much waits to be consumed that reading rests. */
size_t lc_exchange_wants(const struct lc_exchange *exchange);

/* exchange_http1.c: the lane of our own. */
/* False: its pool has no room for another connection. */
bool lc_http1_lane_start(struct lc_exchange *exchange, uint64_t now_ns) LC_MUST_USE;
/* Goes on after a pause: more was fed, or consumed. */
void lc_http1_lane_resume(struct lc_exchange *exchange);
bool lc_http1_lane_is_connecting(const struct lc_exchange *exchange);
void lc_http1_lane_detach(struct lc_exchange *exchange);

/* exchange_transfer.c: the other lane. */
void lc_transfer_lane_start(struct lc_exchange *exchange, uint64_t now_ns);
/* The connect time-out has passed: whether there is another address, which is tried now. */
bool lc_transfer_lane_next_address(struct lc_exchange *exchange) LC_MUST_USE;
void lc_transfer_lane_resume(struct lc_exchange *exchange);
void lc_transfer_lane_detach(struct lc_exchange *exchange);

#endif
