#include "http1.h"

#include "http1_head.h"

/* How much of a line is shown that cannot be read. */
#define SHOWN_AT_MOST ((size_t)64)
/* How much of a body is reserved on the peer's word alone. */
#define RESERVE_AT_ONCE ((size_t)1 << 20)
/* A body with so much to come is read into its place. */
#define LARGE_PIECE ((size_t)16 * 1024)
/* A head that did not come whole gets room for what most heads have. */
#define SPLIT_HEAD_ROOM ((size_t)1024)

enum state {
    STATE_START, /* before the status line */
    STATE_HEAD,
    STATE_LENGTH,
    STATE_UNTIL_CLOSE,
    STATE_CHUNK_SIZE,  /* the digits */
    STATE_CHUNK_BLANK, /* behind the digits: white space, an extension or the line end */
    STATE_CHUNK_EXT,   /* an extension, up to the line end */
    STATE_CHUNK_LF,    /* the LF behind the CR of the size line */
    STATE_CHUNK_DATA,
    STATE_CHUNK_END,    /* the line end behind the data */
    STATE_CHUNK_END_LF, /* its LF */
    STATE_TRAILER,
    STATE_DONE,
    STATE_FAILED
};

/* Bytes that were fed and how many of them are taken. */
struct input {
    const char *ptr;
    size_t len;
    size_t pos;
};

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

static int fail(struct lc_http1 *parser, int code, const char *error)
{
    parser->state = STATE_FAILED;
    parser->failure = code;
    if (error != NULL) {
        parser->error = error;
    }
    return code;
}

void lc_http1_init(struct lc_http1 *parser, bool request_is_head, size_t max_head, size_t max_body)
{
    *parser = (struct lc_http1){.request_is_head = request_is_head};
    lc_buf_init(&parser->head, max_head);
    lc_buf_init(&parser->body, max_body);
}

void lc_http1_free(struct lc_http1 *parser)
{
    lc_buf_free(&parser->head);
    lc_buf_free(&parser->body);
    lc_http1_init(parser, parser->request_is_head, parser->head.max, parser->body.max);
}

/* Looks for the empty line that ends a head or the trailers; remembers an unfinished line for the
 * next call. Returns how many bytes belong to it. */
static size_t scan_lines(struct lc_http1 *parser, const char *bytes, size_t len, bool *found)
{
    size_t pos = 0;
    while (pos < len) {
        if (parser->line_len == 0) {
            parser->line_first = bytes[pos];
            parser->folded |= bytes[pos] == ' ' || bytes[pos] == '\t';
        }
        const char *end = memchr(bytes + pos, '\n', len - pos);
        if (end == NULL) {
            parser->line_len += len - pos;
            break;
        }
        size_t line_len = parser->line_len + (size_t)(end - (bytes + pos));
        pos = (size_t)(end - bytes) + 1;
        parser->line_len = 0;
        if (line_len == 0 || (line_len == 1 && parser->line_first == '\r')) {
            *found = true;
            return pos;
        }
    }
    *found = false;
    return len;
}

static int begin_body(struct lc_http1 *parser, enum lc_http1_framing framing)
{
    switch (framing) {
    case LC_FRAMING_LENGTH:
        if (parser->remaining > parser->body.max) {
            return fail(parser, LC_ELIMIT, "the response body is longer than the limit");
        }
        parser->state = parser->remaining > 0 ? STATE_LENGTH : STATE_DONE;
        return 0;
    case LC_FRAMING_CHUNKED:
        parser->state = STATE_CHUNK_SIZE;
        return 0;
    case LC_FRAMING_CLOSE:
        parser->state = STATE_UNTIL_CLOSE;
        return 0;
    case LC_FRAMING_NONE:
        break;
    }
    parser->state = STATE_DONE;
    return 0;
}

static int finish_head(struct lc_http1 *parser)
{
    enum lc_http1_framing framing = LC_FRAMING_NONE;
    int rc = lc_http1_read_head(parser, &framing);
    if (rc < 0) {
        return fail(parser, rc, NULL);
    }
    if (parser->status >= 200 || parser->status == 101) {
        parser->head_done = true;
        return begin_body(parser, framing);
    }
    parser->skipped += parser->head.len;
    if (parser->skipped > parser->head.max) {
        return fail(parser, LC_ELIMIT, "the interim responses are longer than the limit");
    }
    parser->head.len = 0;
    parser->reason = (struct lc_sv){0};
    parser->status = 0;
    parser->coding = LC_CODING_IDENTITY;
    parser->keep_alive = false;
    parser->has_set_cookie = false;
    parser->has_location = false;
    parser->folded = false;
    parser->state = STATE_START;
    return 0;
}

/* Robust against a server that sends a line end too many behind the previous body. */
static int take_blank_lines(struct lc_http1 *parser, struct input *in)
{
    while (in->pos < in->len && (in->ptr[in->pos] == '\r' || in->ptr[in->pos] == '\n')) {
        in->pos++;
        parser->skipped++;
    }
    if (parser->skipped > parser->head.max) {
        return fail(parser, LC_ELIMIT, "too many blank lines precede the response");
    }
    if (in->pos < in->len) {
        parser->began = true;
        parser->state = STATE_HEAD;
    }
    return 0;
}

static int take_head(struct lc_http1 *parser, struct input *in)
{
    static const char protocol[] = "HTTP/1.";
    struct lc_buf *head = &parser->head;
    bool complete;
    const char *bytes = in->ptr + in->pos;
    size_t len = scan_lines(parser, bytes, in->len - in->pos, &complete);
    in->pos += len;
    if (len > head->max - head->len) {
        return fail(parser, LC_ELIMIT, "the response head is longer than the limit");
    }
    int rc = 0;
    if (!complete && head->cap == 0) {
        rc = lc_buf_reserve(head, smaller(larger(len, SPLIT_HEAD_ROOM), head->max));
    }
    if (rc == 0) {
        rc = lc_buf_append(head, bytes, len);
    }
    if (rc < 0) {
        return fail(parser, rc, NULL);
    }
    if (complete) {
        return finish_head(parser);
    }
    /* A peer that speaks something else may never send an empty line. */
    if (memcmp(head->ptr, protocol, smaller(head->len, sizeof protocol - 1)) != 0) {
        return fail(parser, LC_EPROTO, "this is not an HTTP/1 response");
    }
    return 0;
}

/* So many bytes more of the body, or of the chunk, are in the body. */
static void count_data(struct lc_http1 *parser, size_t len)
{
    parser->remaining -= len;
    if (parser->remaining == 0) {
        parser->state = parser->state == STATE_LENGTH ? STATE_DONE : STATE_CHUNK_END;
    }
}

/* Appends up to parser->remaining bytes to the body. */
static int take_data(struct lc_http1 *parser, struct input *in)
{
    struct lc_buf *body = &parser->body;
    size_t left = in->len - in->pos;
    size_t len = parser->remaining < left ? (size_t)parser->remaining : left;
    int rc = 0;
    if (body->cap == 0) {
        size_t room = len;
        if (parser->remaining > len) {
            room = larger(len, smaller((size_t)parser->remaining, RESERVE_AT_ONCE));
        } else if (parser->state == STATE_CHUNK_DATA) {
            room = left; /* most likely the other chunks are here as well */
        }
        rc = lc_buf_reserve(body, smaller(room, body->max));
    }
    if (rc == 0) {
        rc = lc_buf_append(body, in->ptr + in->pos, len);
    }
    if (rc < 0) {
        return fail(parser, rc, NULL);
    }
    in->pos += len;
    count_data(parser, len);
    return 0;
}

static int take_until_close(struct lc_http1 *parser, struct input *in)
{
    size_t len = in->len - in->pos;
    int rc = lc_buf_append(&parser->body, in->ptr + in->pos, len);
    if (rc < 0) {
        return fail(parser, rc,
                    rc == LC_ELIMIT ? "the response body is longer than the limit" : NULL);
    }
    in->pos += len;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int fail_chunk_size(struct lc_http1 *parser, const struct input *in)
{
    size_t start = in->pos - smaller(parser->line_len, in->pos);
    const char *line = in->ptr + start;
    const char *end = memchr(line, '\n', in->len - start);
    size_t len = end != NULL ? (size_t)(end + 1 - line) : in->len - start;
    parser->error_bytes = (struct lc_sv){line, smaller(len, SHOWN_AT_MOST)};
    return fail(parser, LC_EPROTO, "a chunk size is not hexadecimal");
}

static int take_chunk_size(struct lc_http1 *parser, struct input *in)
{
    for (; in->pos < in->len; in->pos++) {
        int digit = hex_digit(in->ptr[in->pos]);
        if (digit < 0) {
            if (!parser->line_has_size) {
                return fail_chunk_size(parser, in);
            }
            parser->state = STATE_CHUNK_BLANK;
            return 0;
        }
        if (parser->remaining >> 60 != 0) {
            return fail(parser, LC_EPROTO, "a chunk size is too large");
        }
        parser->remaining = parser->remaining << 4 | (unsigned)digit;
        parser->line_has_size = true;
        parser->line_len++;
    }
    return 0;
}

static int begin_chunk(struct lc_http1 *parser)
{
    parser->line_has_size = false;
    parser->line_len = 0;
    if (parser->remaining == 0) {
        parser->skipped = 0;
        parser->state = STATE_TRAILER;
        return 0;
    }
    if (parser->remaining > parser->body.max - parser->body.len) {
        return fail(parser, LC_ELIMIT, "the response body is longer than the limit");
    }
    parser->state = STATE_CHUNK_DATA;
    return 0;
}

static int take_chunk_blank(struct lc_http1 *parser, struct input *in)
{
    char c = in->ptr[in->pos++];
    parser->line_len++;
    switch (c) {
    case ' ':
    case '\t':
        return 0;
    case ';':
        parser->state = STATE_CHUNK_EXT;
        return 0;
    case '\r':
        parser->state = STATE_CHUNK_LF;
        return 0;
    case '\n':
        return begin_chunk(parser);
    default:
        return fail_chunk_size(parser, in);
    }
}

static int take_chunk_ext(struct lc_http1 *parser, struct input *in)
{
    const char *start = in->ptr + in->pos;
    const char *end = memchr(start, '\n', in->len - in->pos);
    size_t len = end != NULL ? (size_t)(end - start) + 1 : in->len - in->pos;
    in->pos += len;
    parser->line_len += len;
    return end != NULL && parser->line_len <= parser->head.max ? begin_chunk(parser) : 0;
}

/* The line end behind a size line or behind a chunk's data. */
static int take_line_end(struct lc_http1 *parser, struct input *in)
{
    char c = in->ptr[in->pos++];
    if (c == '\n') {
        if (parser->state == STATE_CHUNK_LF) {
            return begin_chunk(parser);
        }
        parser->state = STATE_CHUNK_SIZE;
        return 0;
    }
    if (c == '\r' && parser->state == STATE_CHUNK_END) {
        parser->state = STATE_CHUNK_END_LF;
        return 0;
    }
    return fail(parser, LC_EPROTO,
                parser->state == STATE_CHUNK_LF ? "a chunk size is not followed by a line end"
                                                : "a chunk is not followed by a line end");
}

static int take_chunk_line(struct lc_http1 *parser, struct input *in)
{
    int rc;
    switch (parser->state) {
    case STATE_CHUNK_SIZE:
        rc = take_chunk_size(parser, in);
        break;
    case STATE_CHUNK_BLANK:
        rc = take_chunk_blank(parser, in);
        break;
    default:
        rc = take_chunk_ext(parser, in);
        break;
    }
    if (rc == 0 && parser->line_len > parser->head.max) {
        return fail(parser, LC_ELIMIT, "a chunk's size line is longer than the limit");
    }
    return rc;
}

static int take_trailer(struct lc_http1 *parser, struct input *in)
{
    bool complete;
    size_t len = scan_lines(parser, in->ptr + in->pos, in->len - in->pos, &complete);
    in->pos += len;
    parser->skipped += len;
    if (parser->skipped > parser->head.max) {
        return fail(parser, LC_ELIMIT, "the trailers are longer than the limit");
    }
    if (complete) {
        parser->state = STATE_DONE;
    }
    return 0;
}

static int take(struct lc_http1 *parser, struct input *in)
{
    switch ((enum state)parser->state) {
    case STATE_START:
        return take_blank_lines(parser, in);
    case STATE_HEAD:
        return take_head(parser, in);
    case STATE_LENGTH:
    case STATE_CHUNK_DATA:
        return take_data(parser, in);
    case STATE_UNTIL_CLOSE:
        return take_until_close(parser, in);
    case STATE_CHUNK_SIZE:
    case STATE_CHUNK_BLANK:
    case STATE_CHUNK_EXT:
        return take_chunk_line(parser, in);
    case STATE_CHUNK_LF:
    case STATE_CHUNK_END:
    case STATE_CHUNK_END_LF:
        return take_line_end(parser, in);
    case STATE_TRAILER:
        return take_trailer(parser, in);
    case STATE_DONE:
    case STATE_FAILED:
        break;
    }
    return parser->failure;
}

int lc_http1_feed(struct lc_http1 *parser, const char *bytes, size_t len, size_t *used)
{
    struct input in = {bytes, len, 0};
    int rc = parser->failure;
    while (rc == 0 && in.pos < in.len && parser->state != STATE_DONE) {
        rc = take(parser, &in);
    }
    *used = in.pos;
    if (rc < 0) {
        return rc;
    }
    return parser->state == STATE_DONE ? LC_HTTP1_DONE : LC_HTTP1_MORE;
}

int lc_http1_adopt_head(struct lc_http1 *parser, const char *bytes, size_t len)
{
    static const char short_version[] = "HTTP/2 ", full_version[] = "HTTP/2.0 ";
    enum lc_http1_framing framing = LC_FRAMING_NONE;
    int rc = 0;
    if (len >= sizeof short_version &&
        memcmp(bytes, short_version, sizeof short_version - 1) == 0) {
        rc = lc_buf_append(&parser->head, full_version, sizeof full_version - 1);
        bytes += sizeof short_version - 1;
        len -= sizeof short_version - 1;
    }
    rc = rc == 0 ? lc_buf_append(&parser->head, bytes, len) : rc;
    if (rc < 0) {
        return fail(parser, rc,
                    rc == LC_ELIMIT ? "the response head is longer than the limit" : NULL);
    }
    parser->adopted = parser->began = true;
    rc = lc_http1_read_head(parser, &framing);
    if (rc < 0) {
        return fail(parser, rc, NULL);
    }
    parser->head_done = true;
    parser->state = STATE_UNTIL_CLOSE; /* who has read it says when it ends */
    return 0;
}

int lc_http1_adopt_body(struct lc_http1 *parser, const char *bytes, size_t len)
{
    struct input in = {bytes, len, 0};
    return take_until_close(parser, &in);
}

size_t lc_http1_room(struct lc_http1 *parser, char **into)
{
    struct lc_buf *body = &parser->body;
    bool in_body = parser->state == STATE_LENGTH || parser->state == STATE_CHUNK_DATA;
    if (!in_body || body->cap == 0 || parser->remaining < LARGE_PIECE) {
        return 0;
    }
    size_t wanted = smaller((size_t)parser->remaining, RESERVE_AT_ONCE);
    if (body->cap - body->len < smaller(wanted, LARGE_PIECE) && lc_buf_reserve(body, wanted) < 0) {
        return 0; /* feeding says so */
    }
    *into = body->ptr + body->len;
    return smaller((size_t)parser->remaining, body->cap - body->len);
}

int lc_http1_took(struct lc_http1 *parser, size_t len)
{
    parser->body.len += len;
    count_data(parser, len);
    return parser->state == STATE_DONE ? LC_HTTP1_DONE : LC_HTTP1_MORE;
}

int lc_http1_eof(struct lc_http1 *parser)
{
    switch ((enum state)parser->state) {
    case STATE_UNTIL_CLOSE:
        parser->state = STATE_DONE;
        return LC_HTTP1_DONE;
    case STATE_DONE:
        return LC_HTTP1_DONE;
    case STATE_FAILED:
        return parser->failure;
    case STATE_CHUNK_SIZE:
    case STATE_CHUNK_BLANK:
    case STATE_CHUNK_EXT:
    case STATE_CHUNK_LF:
        parser->remaining = 0; /* half a size tells nothing */
        return LC_ETRUNCATED;
    default:
        return parser->began ? LC_ETRUNCATED : LC_ECLOSED;
    }
}
