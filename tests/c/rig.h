/* An engine and a server that one test drives step by step, in one thread.
 *
 * The server is a listening socket on 127.0.0.1 with a port from the kernel; what it says and when
 * is written down in the test. Whatever waits lets the engine turn, sleeps on its descriptor for as
 * long as the engine allows, and ends the program if nothing happens for RIG_PATIENCE_MS. Closing
 * a rig checks that the test left no connection, no operation and no descriptor behind. */
#ifndef LC_RIG_H
#define LC_RIG_H

#include "check.h"
#include "engine.h"

enum { RIG_PATIENCE_MS = 10000, RIG_BACKLOG = 1024 };

static const uint64_t RIG_MS = 1000000;

struct rig {
    struct lc_engine *engine;
    struct lc_pool pool;
    struct lc_origin *origin;
    int listener;
    uint16_t port;
    int descriptors; /* open when the rig was opened */
};

/* Once, before the first test: what libraries open for the whole process is opened, and a test
 * program that hangs ends. */
void rig_prepare_process(void);
int rig_count_descriptors(void);
/* Opens an engine, a pool of at most 8 idle connections and a plain server. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* Sends requests to that host by TLS from now on; the connection still goes to 127.0.0.1. */
void rig_use_tls(struct rig *rig, const struct lc_tls_config *config, const char *host);

/* A request as its bytes go on the wire, with generous limits, to be changed before rig_begin. */
struct lc_request rig_request(struct rig *rig, const char *wire);
uint64_t rig_begin(struct rig *rig, struct lc_request *request);
/* The same with all its defaults. */
uint64_t rig_get(struct rig *rig, const char *wire);

/* Waits until the engine or that descriptor (-1: none) has news or a timer is due; turns once. */
void rig_turn(struct rig *rig, int fd);
/* Turns until neither the loop nor a timer has anything to do at once. */
void rig_settle(struct rig *rig);
/* Turns until a connection arrives; its descriptor does not block. */
int rig_accept(struct rig *rig);
/* Turns until the server has read exactly this. */
void rig_expect(struct rig *rig, int fd, const char *text);
/* Turns until the server sees the end of the connection; closes the descriptor. */
void rig_expect_closed(struct rig *rig, int fd);
/* Turns until an operation has completed and takes it. */
struct lc_exchange *rig_take(struct rig *rig);
/* Takes a request that must have this error, status (0: none) and body, and frees it. */
void rig_expect_result(struct rig *rig, int err, int status, const char *body);
struct lc_engine_counts rig_counts(struct rig *rig);

/* The server's own acts. */
int peer_listen(int backlog, uint16_t *port);
/* The same on another numeric address, at `*port` if that is not 0. */
int peer_listen_at(const char *address, int backlog, uint16_t *port);
void peer_send(int fd, const char *text);
void peer_send_bytes(int fd, const char *bytes, size_t len);
/* Closes with a reset instead of an orderly end. */
void peer_reset(int fd);
/* Fills the kernel's queue of a listening socket made with backlog 0, so that who connects next
 * hears nothing; the descriptor of the connection that fills it. */
int peer_fill_backlog(uint16_t port);

#endif
