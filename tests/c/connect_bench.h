/* A connector on a loop of its own, for tests that drive it step by step. */
#ifndef LC_CONNECT_BENCH_H
#define LC_CONNECT_BENCH_H

#include "connect.h"
#include "rig.h"

struct bench {
    uv_loop_t loop;
    struct lc_connector *connector;
    int listener, descriptors;
    uint16_t port;
    char url[64];
    struct lc_connect_target target; /* 127.0.0.1 at that port */
};

/* What became of one attempt; its owner points here. */
struct outcome {
    int calls, err, fd, os_errno, eai;
    uint64_t lookup_ns, connect_ns;
    char reason[LC_CONNECT_REASON_MAX];
};

void bench_open(struct bench *bench);
/* The same with names that are looked up by functions of the test's own. */
void bench_open_with(struct bench *bench, const struct lc_lookup_config *lookups);
/* Cancels what is in flight; checks that no descriptor is left. */
void bench_close(struct bench *bench);
struct lc_connect *bench_start(struct bench *bench, struct outcome *outcome);
/* One turn, which waits for what libuv waits for, and for `fd` (-1: none). */
void bench_turn(struct bench *bench, int fd);
void bench_await(struct bench *bench, const struct outcome *outcome);
/* Starts an attempt and waits for its end. */
void bench_connect(struct bench *bench, struct outcome *outcome);
/* Turns until the server has a connection; its descriptor does not block. */
int bench_accept(struct bench *bench);
/* Turns until the server has read so many bytes. */
void bench_receive(struct bench *bench, int fd, void *into, size_t len);
/* Turns until what the server has read ends like that; terminated. */
void bench_receive_until(struct bench *bench, int fd, char *into, size_t size, const char *end);
/* A byte that is sent on one descriptor arrives at the other. */
void expect_joined(int fd, int peer);

#endif
