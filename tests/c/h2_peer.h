/* The server's side of an HTTP/2 connection, frame by frame (RFC 9113), for tests of the lane of
 * whole transfers. Header fields are sent as literals without compression (RFC 7541, 6.2.2); those
 * of requests are not decoded. */
#ifndef LC_H2_PEER_H
#define LC_H2_PEER_H

#include "lane.h"
#include "tls_peer.h"

enum h2_type {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST_STREAM,
    H2_SETTINGS,
    H2_PUSH_PROMISE,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW_UPDATE,
};

enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };

enum h2_error {
    H2_NO_ERROR,
    H2_PROTOCOL_ERROR,
    H2_INTERNAL_ERROR,
    H2_REFUSED_STREAM = 7,
    H2_CANCEL = 8,
    H2_ENHANCE_YOUR_CALM = 11,
    H2_HTTP_1_1_REQUIRED = 13,
};

enum { H2_SETTINGS_MAX_CONCURRENT_STREAMS = 3, H2_SETTINGS_INITIAL_WINDOW_SIZE = 4 };

enum { H2_STREAMS_MAX = 1024 };

struct h2_peer {
    struct lane *lane;
    int fd;
    struct tls_peer tls;        /* its ssl is NULL: plain */
    uint32_t stream;            /* of the request that was read last */
    bool ended[H2_STREAMS_MAX]; /* by the server */
};

struct h2_frame {
    uint8_t type, flags;
    uint32_t stream;
    size_t len;
    char payload[16384];
};

/* Accepts a connection; reads the preface and the settings, which it answers. */
void h2_accept(struct h2_peer *peer, struct lane *lane);
void h2_accept_tls(struct h2_peer *peer, struct lane *lane, const struct tls_peer_config *config);
/* By the same server: it knows the sessions that it gave before. */
void h2_accept_tls_again(struct h2_peer *peer, const struct h2_peer *before);
/* The next frame that is no SETTINGS, WINDOW_UPDATE or PRIORITY, nor the reset of a stream that has
 * ended, which libcurl 7.88 sends after each response. */
void h2_read(struct h2_peer *peer, struct h2_frame *frame);
/* That frame must be of this type. */
void h2_expect(struct h2_peer *peer, enum h2_type type, struct h2_frame *frame);
/* The next request's HEADERS. */
uint32_t h2_expect_request(struct h2_peer *peer);
/* DATA frames to the end of the stream; how many bytes they had. The window is kept open. */
size_t h2_expect_body(struct h2_peer *peer, struct lc_buf *into);

void h2_send(struct h2_peer *peer, enum h2_type type, uint8_t flags, uint32_t stream,
             const void *payload, size_t len);
void h2_send_setting(struct h2_peer *peer, uint16_t setting, uint32_t value);
/* `fields`: "name: value\n..." behind the status. */
void h2_send_head(struct h2_peer *peer, uint32_t stream, const char *status, const char *fields,
                  uint8_t flags);
void h2_send_data(struct h2_peer *peer, uint32_t stream, const char *text, uint8_t flags);
void h2_send_reset(struct h2_peer *peer, uint32_t stream, enum h2_error error);
void h2_send_goaway(struct h2_peer *peer, uint32_t last_stream, enum h2_error error);
void h2_send_window(struct h2_peer *peer, uint32_t stream, uint32_t more);
/* Status 200 with that body. */
void h2_answer(struct h2_peer *peer, uint32_t stream, const char *body);
void h2_close(struct h2_peer *peer);

#endif
