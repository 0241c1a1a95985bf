#include "engine_private.h"

#include "block.h"

#include <stdio.h>

/* So long a TLS connection rests before it gives its buffers back. */
#define RESTS_NS UINT64_C(10000000)

/* --- ids --- */

static int grow_slots(struct lc_engine *engine)
{
    uint32_t cap = engine->slots_cap ? engine->slots_cap * 2 : 64;
    struct lc_op_slot *slots = lc_realloc(engine->slots, cap * sizeof *slots);
    if (slots == NULL) {
        return LC_ENOMEM;
    }
    for (uint32_t i = engine->slots_cap; i < cap; i++) {
        slots[i] = (struct lc_op_slot){.generation = 1, .next_free = i + 1 < cap ? i + 2 : 0};
    }
    engine->slots_free = engine->slots_cap + 1;
    engine->slots = slots;
    engine->slots_cap = cap;
    return 0;
}

int lc_engine_register(struct lc_engine *engine, struct lc_op *op)
{
    if (engine->slots_free == 0) {
        int rc = grow_slots(engine);
        if (rc < 0) {
            return rc;
        }
    }
    uint32_t index = engine->slots_free - 1;
    struct lc_op_slot *slot = &engine->slots[index];
    engine->slots_free = slot->next_free;
    slot->op = op;
    op->id = (uint64_t)slot->generation << 32 | index;
    op->state = LC_OP_PENDING;
    engine->operations++;
    lc_count_opened(LC_COUNT_OPERATIONS);
    return 0;
}

void lc_engine_unregister(struct lc_engine *engine, struct lc_op *op)
{
    uint32_t index = (uint32_t)op->id;
    struct lc_op_slot *slot = &engine->slots[index];
    slot->op = NULL;
    slot->generation++;
    slot->next_free = engine->slots_free;
    engine->slots_free = index + 1;
    engine->operations--;
    lc_count_closed(LC_COUNT_OPERATIONS);
}

static struct lc_op *find_op(struct lc_engine *engine, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    if (index >= engine->slots_cap || engine->slots[index].generation != id >> 32) {
        return NULL;
    }
    return engine->slots[index].op;
}

/* --- the completed list --- */

void lc_engine_complete(struct lc_engine *engine, struct lc_op *op)
{
    lc_timers_stop(&engine->timers, &op->timer);
    op->state = LC_OP_COMPLETED;
    op->next = NULL;
    if (engine->completed_last != NULL) {
        engine->completed_last->next = op;
    } else {
        engine->completed_first = op;
    }
    engine->completed_last = op;
}

/* What has ended needs the engine no more, and may outlive it. */
static void remember_open(struct lc_engine *engine, struct lc_exchange *exchange)
{
    if (exchange->ended) {
        exchange->engine = NULL;
        return;
    }
    exchange->prev = NULL;
    exchange->next = engine->open;
    if (engine->open != NULL) {
        engine->open->prev = exchange;
    }
    engine->open = exchange;
}

void lc_engine_forget_open(struct lc_exchange *exchange)
{
    struct lc_engine *engine = exchange->engine;
    if (engine == NULL || (engine->open != exchange && exchange->prev == NULL)) {
        return;
    }
    *(exchange->prev != NULL ? &exchange->prev->next : &engine->open) = exchange->next;
    if (exchange->next != NULL) {
        exchange->next->prev = exchange->prev;
    }
    exchange->next = exchange->prev = NULL;
}

struct lc_op *lc_engine_take(struct lc_engine *engine)
{
    struct lc_op *op = engine->completed_first;
    if (op != NULL) {
        engine->completed_first = op->next;
        if (op->next == NULL) {
            engine->completed_last = NULL;
        }
        op->next = NULL;
        op->state = LC_OP_TAKEN;
        lc_engine_unregister(engine, op);
        if (op->kind == LC_OP_REQUEST) {
            remember_open(engine, (struct lc_exchange *)op);
        }
    }
    return op;
}

static void remove_completed(struct lc_engine *engine, struct lc_op *op)
{
    struct lc_op *before = NULL;
    for (struct lc_op *at = engine->completed_first; at != op; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = op->next;
    } else {
        engine->completed_first = op->next;
    }
    if (engine->completed_last == op) {
        engine->completed_last = before;
    }
}

void lc_op_free(struct lc_op *op)
{
    if (op == NULL) {
        return;
    }
    if (op->kind == LC_OP_REQUEST) {
        lc_exchange_free((struct lc_exchange *)op);
    } else {
        lc_free(op);
    }
}

/* --- life cycle --- */

int lc_engine_new(struct lc_engine **out)
{
    struct lc_engine *engine = lc_alloc_zero(sizeof *engine);
    if (engine == NULL) {
        return LC_ENOMEM;
    }
    int rc = LC_ESYS;
    if (uv_loop_init(&engine->loop) != 0) {
        goto fail_loop;
    }
    rc = lc_connector_new(&engine->loop, NULL, &engine->connector);
    if (rc < 0) {
        goto fail_connector;
    }
    lc_timers_init(&engine->timers);
    lc_home_init(&engine->home);
    lc_blocks_keep();
    *out = engine;
    return 0;

fail_connector:
    uv_loop_close(&engine->loop);
fail_loop:
    lc_free(engine);
    return rc;
}

static void close_handle(uv_handle_t *handle, void *ignored)
{
    (void)ignored;
    /* Only connections that no pool and no operation knew are left here. */
    struct lc_conn *conn = handle->data;
    if (!uv_is_closing(handle) && handle->type == UV_POLL) {
        lc_conn_close(conn);
    }
}

void lc_engine_free(struct lc_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    if (!lc_engine_is_ours(engine)) {
        /* A forked child: the loop's descriptors are shared with the parent, whose epoll set and
         * TLS sessions must not be touched. The copy of the memory is left to the process's end. */
        return;
    }
    uint32_t place = 0;
    void *data;
    while (lc_engine_cancel_next(engine, &place, &data)) {
    }
    while (engine->open != NULL) {
        struct lc_exchange *exchange = engine->open;
        lc_exchange_abort(exchange);
        lc_engine_forget_open(exchange);
        exchange->engine = NULL;
    }
    if (engine->transfers != NULL) {
        lc_transfers_close(engine->transfers);
    }
    lc_connector_close(engine->connector);
    uv_run(&engine->loop, UV_RUN_NOWAIT);
    uv_walk(&engine->loop, close_handle, NULL);
    while (uv_loop_close(&engine->loop) == UV_EBUSY) {
        uv_run(&engine->loop, UV_RUN_NOWAIT);
    }
    while (engine->origins != NULL) {
        struct lc_origin *origin = engine->origins;
        engine->origins = origin->next;
        lc_free(origin);
    }
    while (engine->tls_entries != NULL) {
        struct lc_tls_entry *entry = engine->tls_entries;
        engine->tls_entries = entry->next;
        lc_tls_context_free(entry->context);
        lc_free(entry);
    }
    lc_timers_free(&engine->timers);
    lc_free(engine->slots);
    lc_home_free(&engine->home);
    lc_free(engine);
    lc_blocks_release();
}

/* --- the loop --- */

bool lc_engine_is_ours(const struct lc_engine *engine)
{
    return lc_home_is_here(&engine->home);
}

int lc_engine_fd(const struct lc_engine *engine)
{
    return uv_backend_fd(&engine->loop);
}

bool lc_engine_is_dirty(const struct lc_engine *engine)
{
    return engine->dirty;
}

uint64_t lc_engine_wait_ns(struct lc_engine *engine)
{
    if (engine->dirty || engine->completed_first != NULL) {
        return 0;
    }
    uint64_t wait = UINT64_MAX;
    if (uv_loop_alive(&engine->loop)) {
        /* uv_backend_timeout counts from the loop's cached time, and is 0 without a live handle. */
        uv_update_time(&engine->loop);
        int loop_ms = uv_backend_timeout(&engine->loop);
        if (loop_ms >= 0) {
            wait = (uint64_t)loop_ms * 1000000u;
        }
    }
    uint64_t due = lc_timers_next(&engine->timers);
    if (due != UINT64_MAX) {
        uint64_t now = lc_now_ns();
        uint64_t left = due > now ? due - now : 0;
        wait = left < wait ? left : wait;
    }
    return wait;
}

static void fire_timers(struct lc_engine *engine)
{
    uint64_t now = lc_now_ns();
    struct lc_timer *timer;
    while ((timer = lc_timers_pop(&engine->timers, now)) != NULL) {
        struct lc_op *op = (struct lc_op *)((char *)timer - offsetof(struct lc_op, timer));
        if (op->kind == LC_OP_REQUEST) {
            lc_exchange_on_timer(engine, (struct lc_exchange *)op);
        } else {
            lc_engine_complete(engine, op);
        }
    }
}

/* What may not happen while libuv or libcurl is on the stack; true: there is more. */
static bool turn_lanes(struct lc_engine *engine)
{
    bool more = lc_connector_turn(engine->connector);
    if (engine->transfers != NULL) {
        more = lc_transfers_turn(engine->transfers) || more;
    }
    return more;
}

int lc_engine_turn(struct lc_engine *engine)
{
    if (!lc_engine_is_ours(engine)) {
        return LC_EFORKED;
    }
    engine->dirty = false;
    uint64_t now = lc_now_ns();
    engine->realtime_offset_ns = lc_realtime_offset_ns();
    engine->gap_ns = now - engine->turned_ns;
    engine->turned_ns = now;
    lc_rest_queue_shrink(&engine->resting, now - RESTS_NS);
    bool more = turn_lanes(engine);
    uv_run(&engine->loop, UV_RUN_NOWAIT);
    more = turn_lanes(engine) || more;
    fire_timers(engine);
    lc_exchange_start_waiting(engine);
    if (more) {
        engine->dirty = true;
    }
    return 0;
}

/* --- operations --- */

int lc_engine_submit(struct lc_engine *engine, struct lc_request *request, uint64_t *id)
{
    struct lc_exchange *exchange;
    if (!lc_engine_is_ours(engine)) {
        return LC_EFORKED;
    }
    int rc = lc_exchange_begin(engine, request, &exchange);
    if (rc == 0) {
        *id = exchange->op.id;
    }
    return rc;
}

int lc_engine_sleep(struct lc_engine *engine, uint64_t duration_ns, void *data, uint64_t *id)
{
    if (!lc_engine_is_ours(engine)) {
        return LC_EFORKED;
    }
    struct lc_op *op = lc_alloc_zero(sizeof *op);
    if (op == NULL) {
        return LC_ENOMEM;
    }
    op->kind = LC_OP_SLEEP;
    op->data = data;
    uint64_t now = lc_now_ns();
    uint64_t due = duration_ns > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + duration_ns;
    int rc = lc_timers_start(&engine->timers, &op->timer, due);
    if (rc < 0) {
        goto fail_timer;
    }
    rc = lc_engine_register(engine, op);
    if (rc < 0) {
        goto fail_register;
    }
    *id = op->id;
    return 0;

fail_register:
    lc_timers_stop(&engine->timers, &op->timer);
fail_timer:
    lc_free(op);
    return rc;
}

void *lc_engine_cancel(struct lc_engine *engine, uint64_t id)
{
    struct lc_op *op = find_op(engine, id);
    if (op == NULL || !lc_engine_is_ours(engine)) {
        return NULL;
    }
    void *data = op->data;
    if (op->state == LC_OP_COMPLETED) {
        remove_completed(engine, op);
    } else {
        lc_timers_stop(&engine->timers, &op->timer);
        if (op->kind == LC_OP_REQUEST) {
            lc_exchange_abort((struct lc_exchange *)op);
        }
    }
    lc_engine_unregister(engine, op);
    lc_op_free(op);
    return data;
}

bool lc_engine_cancel_next(struct lc_engine *engine, uint32_t *place, void **data)
{
    while (*place < engine->slots_cap) {
        struct lc_op *op = engine->slots[(*place)++].op;
        if (op != NULL && lc_engine_is_ours(engine)) {
            *data = lc_engine_cancel(engine, op->id);
            return true;
        }
    }
    return false;
}

void lc_engine_count(const struct lc_engine *engine, struct lc_engine_counts *out)
{
    struct lc_transfer_counts transfers = {0};
    if (engine->transfers != NULL) {
        lc_transfers_count(engine->transfers, &transfers);
    }
    *out = (struct lc_engine_counts){.connections = engine->connections + transfers.connections,
                                     .opened = engine->opened + transfers.opened,
                                     .operations = engine->operations};
}
