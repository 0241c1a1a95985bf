/* The lane of whole transfers on a loop of its own, with a server that the test plays.
 *
 * Requests go to 127.0.0.1, over HTTP/2 with prior knowledge unless the origin is changed before
 * the first. Whatever waits lets the loop turn, sleeps on its descriptors, and ends the program if
 * nothing happens for RIG_PATIENCE_MS. Closing a lane checks that nothing is left of it. */
#ifndef LC_LANE_H
#define LC_LANE_H

#include "rig.h"
#include "transfer.h"

struct lane {
    uv_loop_t loop;
    struct lc_connector *connector;
    struct lc_transfers *transfers;
    struct lc_transfer_scope *scope;
    struct lc_origin origin;
    int listener, descriptors;
    uint16_t port;
    unsigned told; /* ends of transfers */
    char url[64];
};

/* A request, what its events do, and what came of it. */
struct sent {
    struct lane *lane;
    struct lc_transfer *transfer;
    /* to be set before */
    const struct lc_origin *origin; /* NULL: the lane's */
    const char *upload;             /* the request's body */
    size_t upload_len;
    size_t upload_ready; /* on_read has to wait behind that many bytes */
    bool unknown_len;
    bool cannot_rewind;
    bool may_pause;
    size_t body_ready; /* on_body refuses what would go beyond, if it may pause */
    int head_err, body_err, read_err;
    size_t max_head;
    uint32_t resend;
    /* what came */
    size_t uploaded;
    bool refused, starved; /* on_body, on_read returned LC_EAGAIN */
    int heads, bodies, rewinds, calls;
    struct lc_buf head, body;
    struct lc_transfer_result result; /* its reason is in `reason` */
    char reason[256];
};

/* To 127.0.0.1 at that port; the URL is written there. */
struct lc_origin lane_origin(const char *host, uint16_t port, char url[64]);
void lane_open(struct lane *lane);
void lane_close(struct lane *lane);
/* What is left to be closed when the transfers were. */
void lane_end(struct lane *lane);
/* Only what the loop has to do, and what `fd` (-1: none) tells. */
void lane_turn(struct lane *lane, int fd);
/* The loop alone, when it has news: nobody is called back for an end. */
void lane_run(struct lane *lane);
int lane_accept(struct lane *lane);
bool lane_has_connection(struct lane *lane); /* that was not accepted yet */
/* No connection is there to be accepted. */
void lane_expect_no_connection(struct lane *lane);
/* Turns until the peer's descriptor has this many bytes. */
void lane_read(struct lane *lane, int fd, char *into, size_t len);
void lane_expect(struct lane *lane, int fd, const char *text);
/* Turns until the peer sees the end, whatever comes before; closes the descriptor. */
void lane_expect_closed(struct lane *lane, int fd);

struct sent sent_on(struct lane *lane);
/* With a body that is all there. */
struct sent sent_with(struct lane *lane, const char *body, size_t len);
/* What lc_transfer_start returns. */
int sent_try(struct sent *sent, const char *head);
void sent_begin(struct sent *sent, const char *head);
/* As HTTP/1 form of "GET / HTTP/1.1" with a Host. */
void sent_get(struct sent *sent);
void sent_cancel(struct sent *sent);
void sent_await(struct sent *sent);
void sent_free(struct sent *sent);
/* Waits for the end, which must be this; frees. */
void sent_expect(struct sent *sent, int err, const char *body);
/* Waits for an error with words. */
void sent_expect_error(struct sent *sent, int err, const char *words);

#endif
