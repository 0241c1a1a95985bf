#include "h2_peer.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- frames --- */

static void put32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (char)(value >> (24 - 8 * i));
    }
}

static uint32_t get32(const char *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

static void write_bytes(struct h2_peer *peer, const char *bytes, size_t len)
{
    if (peer->tls.ssl != NULL) {
        CHECK_INT(SSL_write(peer->tls.ssl, bytes, (int)len), len);
        return;
    }
    while (len > 0) {
        ssize_t more = send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (more > 0) {
            bytes += more;
            len -= (size_t)more;
            continue;
        }
        CHECK_INT(errno, EAGAIN);
        lane_turn(peer->lane, -1);
    }
}

static void read_bytes(struct h2_peer *peer, char *into, size_t len)
{
    if (peer->tls.ssl == NULL) {
        lane_read(peer->lane, peer->fd, into, len);
        return;
    }
    while (len > 0) {
        int more = SSL_read(peer->tls.ssl, into, (int)len);
        if (more > 0) {
            into += more;
            len -= (size_t)more;
            continue;
        }
        CHECK_INT(SSL_get_error(peer->tls.ssl, more), SSL_ERROR_WANT_READ);
        lane_turn(peer->lane, peer->fd);
    }
}

void h2_send(struct h2_peer *peer, enum h2_type type, uint8_t flags, uint32_t stream,
             const void *payload, size_t len)
{
    char frame[9 + 16384];
    CHECK(len <= sizeof frame - 9 && stream < H2_STREAMS_MAX);
    peer->ended[stream] |= (type <= H2_HEADERS && (flags & H2_END_STREAM)) || type == H2_RST_STREAM;
    put32(frame, (uint32_t)len << 8 | type);
    frame[4] = (char)flags;
    put32(frame + 5, stream);
    if (len > 0) {
        memcpy(frame + 9, payload, len);
    }
    write_bytes(peer, frame, len + 9);
}

static void read_frame(struct h2_peer *peer, struct h2_frame *frame)
{
    char head[9];
    read_bytes(peer, head, sizeof head);
    frame->len = get32(head) >> 8;
    frame->type = (uint8_t)head[3];
    frame->flags = (uint8_t)head[4];
    frame->stream = get32(head + 5);
    CHECK(frame->len <= sizeof frame->payload);
    read_bytes(peer, frame->payload, frame->len);
}

void h2_read(struct h2_peer *peer, struct h2_frame *frame)
{
    do {
        read_frame(peer, frame);
        if (frame->type == H2_SETTINGS && !(frame->flags & H2_ACK)) {
            h2_send(peer, H2_SETTINGS, H2_ACK, 0, NULL, 0);
        }
    } while (frame->type == H2_SETTINGS || frame->type == H2_WINDOW_UPDATE ||
             frame->type == H2_PRIORITY ||
             (frame->type == H2_RST_STREAM && peer->ended[frame->stream]));
}

void h2_expect(struct h2_peer *peer, enum h2_type type, struct h2_frame *frame)
{
    h2_read(peer, frame);
    CHECK_INT(frame->type, type);
}

/* --- what a server hears --- */

static void greet(struct h2_peer *peer)
{
    char preface[24];
    read_bytes(peer, preface, sizeof preface);
    CHECK_BYTES(preface, sizeof preface, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_send(peer, H2_SETTINGS, 0, 0, NULL, 0);
}

void h2_accept(struct h2_peer *peer, struct lane *lane)
{
    *peer = (struct h2_peer){.lane = lane, .fd = lane_accept(lane)};
    greet(peer);
}

static void shake_hands(struct h2_peer *peer)
{
    enum tls_peer_step step;
    while ((step = tls_peer_handshake(&peer->tls)) == TLS_PEER_WAITS) {
        lane_turn(peer->lane, peer->fd);
    }
    CHECK_INT(step, TLS_PEER_READY);
    greet(peer);
}

void h2_accept_tls(struct h2_peer *peer, struct lane *lane, const struct tls_peer_config *config)
{
    *peer = (struct h2_peer){.lane = lane, .fd = lane_accept(lane)};
    tls_peer_open(&peer->tls, config, peer->fd);
    shake_hands(peer);
}

void h2_accept_tls_again(struct h2_peer *peer, const struct h2_peer *before)
{
    *peer = (struct h2_peer){.lane = before->lane, .fd = lane_accept(before->lane)};
    tls_peer_open_again(&peer->tls, &before->tls, peer->fd);
    shake_hands(peer);
}

uint32_t h2_expect_request(struct h2_peer *peer)
{
    struct h2_frame frame;
    h2_expect(peer, H2_HEADERS, &frame);
    CHECK(frame.flags & H2_END_HEADERS);
    peer->stream = frame.stream;
    return frame.stream;
}

size_t h2_expect_body(struct h2_peer *peer, struct lc_buf *into)
{
    struct h2_frame frame;
    size_t len = 0;
    do {
        h2_expect(peer, H2_DATA, &frame);
        len += frame.len;
        if (into != NULL) {
            CHECK_INT(lc_buf_append(into, frame.payload, frame.len), 0);
        }
        if (frame.len > 0) {
            h2_send_window(peer, 0, (uint32_t)frame.len);
            h2_send_window(peer, frame.stream, (uint32_t)frame.len);
        }
    } while (!(frame.flags & H2_END_STREAM));
    return len;
}

/* --- what a server says --- */

void h2_send_setting(struct h2_peer *peer, uint16_t setting, uint32_t value)
{
    char payload[6] = {(char)(setting >> 8), (char)setting};
    put32(payload + 2, value);
    h2_send(peer, H2_SETTINGS, 0, 0, payload, sizeof payload);
}

/* A length of RFC 7541, 5.1, with 7 bits in its first byte. */
static size_t put_length(char *at, size_t len)
{
    size_t used = 0;
    if (len < 127) {
        at[used++] = (char)len;
        return used;
    }
    at[used++] = 127;
    for (len -= 127; len >= 128; len >>= 7) {
        at[used++] = (char)(len & 127) | (char)128;
    }
    at[used++] = (char)len;
    return used;
}

static size_t put_field(char *at, struct lc_sv name, struct lc_sv value)
{
    size_t used = 0;
    at[used++] = 0; /* literal, not indexed, with a name of its own */
    used += put_length(at + used, name.len);
    memcpy(at + used, name.ptr, name.len);
    used += name.len;
    used += put_length(at + used, value.len);
    memcpy(at + used, value.ptr, value.len);
    return used + value.len;
}

void h2_send_head(struct h2_peer *peer, uint32_t stream, const char *status, const char *fields,
                  uint8_t flags)
{
    char payload[16384];
    size_t used = put_field(payload, lc_sv_of(":status"), lc_sv_of(status));
    while (*fields != '\0') {
        const char *colon = strstr(fields, ": ");
        const char *end = strchr(fields, '\n');
        CHECK(colon != NULL && end != NULL && colon < end);
        struct lc_sv name = {fields, (size_t)(colon - fields)};
        struct lc_sv value = {colon + 2, (size_t)(end - colon - 2)};
        CHECK(used + name.len + value.len + 8 < sizeof payload);
        used += put_field(payload + used, name, value);
        fields = end + 1;
    }
    h2_send(peer, H2_HEADERS, flags | H2_END_HEADERS, stream, payload, used);
}

void h2_send_data(struct h2_peer *peer, uint32_t stream, const char *text, uint8_t flags)
{
    h2_send(peer, H2_DATA, flags, stream, text, strlen(text));
}

void h2_send_reset(struct h2_peer *peer, uint32_t stream, enum h2_error error)
{
    char payload[4];
    put32(payload, error);
    h2_send(peer, H2_RST_STREAM, 0, stream, payload, sizeof payload);
}

void h2_send_goaway(struct h2_peer *peer, uint32_t last_stream, enum h2_error error)
{
    char payload[8];
    put32(payload, last_stream);
    put32(payload + 4, error);
    h2_send(peer, H2_GOAWAY, 0, 0, payload, sizeof payload);
}

void h2_send_window(struct h2_peer *peer, uint32_t stream, uint32_t more)
{
    char payload[4];
    put32(payload, more);
    h2_send(peer, H2_WINDOW_UPDATE, 0, stream, payload, sizeof payload);
}

void h2_answer(struct h2_peer *peer, uint32_t stream, const char *body)
{
    h2_send_head(peer, stream, "200", "", 0);
    h2_send_data(peer, stream, body, H2_END_STREAM);
}

void h2_close(struct h2_peer *peer)
{
    if (peer->tls.ssl != NULL) {
        tls_peer_close(&peer->tls);
    } else {
        close(peer->fd);
    }
}
