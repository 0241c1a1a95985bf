#include "decode.h"

#include "http1.h"

#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

/* zlib's names for what a stream starts with: 15 is the largest window, 16 more means gzip. */
enum wrapper { WRAPPER_NONE = -15, WRAPPER_ZLIB = 15, WRAPPER_GZIP = 31 };

/* The first guess of the decoded size where the coding does not tell it. */
#define GUESSED_RATIO ((size_t)4)
/* Deflate cannot expand more, whatever a trailer says. */
#define LARGEST_RATIO ((size_t)1032)
/* How much is reserved on the trailer's word alone. */
#define RESERVE_AT_ONCE ((size_t)1 << 20)

static void *allocate(void *unused, unsigned count, unsigned size)
{
    return lc_alloc((size_t)count * size);
}

static void release(void *unused, void *memory)
{
    lc_free(memory);
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* A gzip member ends with its decoded size. A right guess lets zlib finish in one call, and then
 * it needs no window. */
static size_t guess_size(enum wrapper wrapper, const char *bytes, size_t len)
{
    size_t guess = smaller(len, RESERVE_AT_ONCE) * GUESSED_RATIO;
    if (wrapper == WRAPPER_GZIP && len >= 18) {
        const unsigned char *end = (const unsigned char *)bytes + len;
        size_t told =
            end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
        if (told > 0 && told / LARGEST_RATIO <= len) {
            guess = told;
        }
    }
    return smaller(guess, RESERVE_AT_ONCE);
}

/* Room for more output; one byte of `spare` when the buffer is as large as it may get, which tells
 * a body of exactly the maximum from one that is larger. */
static int make_room(z_stream *stream, struct lc_buf *out, size_t guess, unsigned char *spare)
{
    if (out->len == out->max) {
        stream->next_out = spare;
        stream->avail_out = 1;
        return 0;
    }
    if (out->len == out->cap) {
        int rc = lc_buf_reserve(out, smaller(out->len == 0 ? guess : 1, out->max - out->len));
        if (rc < 0) {
            return rc;
        }
    }
    stream->next_out = (unsigned char *)out->ptr + out->len;
    stream->avail_out = (unsigned)smaller(out->cap - out->len, UINT_MAX);
    return 0;
}

/* Decodes one stream from where `stream` stands up to its end. */
static int inflate_one(z_stream *stream, const char *end, struct lc_buf *out, size_t guess)
{
    for (;;) {
        unsigned char spare;
        int rc = make_room(stream, out, guess, &spare);
        if (rc < 0) {
            return rc;
        }
        stream->avail_in =
            (unsigned)smaller((size_t)(end - (const char *)stream->next_in), UINT_MAX);
        unsigned in_before = stream->avail_in, out_before = stream->avail_out;
        int status = inflate(stream, Z_FINISH);
        size_t written = out_before - stream->avail_out;
        if (stream->next_out == &spare + 1) {
            return LC_ELIMIT;
        }
        out->len += written;
        switch (status) {
        case Z_STREAM_END:
            return 0;
        case Z_OK:
        case Z_BUF_ERROR:
            break;
        case Z_MEM_ERROR:
            return LC_ENOMEM;
        default:
            return LC_EDECODE;
        }
        if (written == 0 && stream->avail_in == in_before && stream->avail_out > 0) {
            return LC_EDECODE; /* neither input nor output: it was cut short */
        }
    }
}

static bool is_gzip_member(const char *ptr, size_t len)
{
    return len >= 3 && memcmp(ptr, "\x1f\x8b\x08", 3) == 0;
}

/* Decodes one stream, or all members of a gzip body. */
static int inflate_all(enum wrapper wrapper, const char *bytes, size_t len, struct lc_buf *out,
                       const char **why)
{
    z_stream stream = {.zalloc = allocate, .zfree = release};
    stream.next_in = (const unsigned char *)bytes;
    int rc = inflateInit2(&stream, (int)wrapper);
    if (rc != Z_OK) {
        return rc == Z_MEM_ERROR ? LC_ENOMEM : LC_EDECODE;
    }
    const char *end = bytes + len;
    rc = inflate_one(&stream, end, out, guess_size(wrapper, bytes, len));
    while (rc == 0 && wrapper == WRAPPER_GZIP) {
        const char *next = (const char *)stream.next_in;
        size_t complete = out->len;
        if (!is_gzip_member(next, (size_t)(end - next)) || inflateReset(&stream) != Z_OK) {
            break;
        }
        rc = inflate_one(&stream, end, out, 1);
        if (rc == LC_EDECODE && stream.msg != NULL) {
            out->len = complete; /* it only looked like a member: bytes behind the last one */
            rc = 0;
            break;
        }
    }
    *why = stream.msg != NULL ? stream.msg : "incomplete or truncated stream";
    (void)inflateEnd(&stream);
    return rc;
}

/* RFC 1950, 2.2: the method is deflate and the two bytes are a multiple of 31. */
static bool has_zlib_header(const char *bytes, size_t len)
{
    const unsigned char *header = (const unsigned char *)bytes;
    return len >= 2 && (header[0] & 0x0f) == 8 && (header[0] << 8 | header[1]) % 31 == 0;
}

int lc_decode_body(uint8_t coding, const char *bytes, size_t len, struct lc_buf *out,
                   const char **why)
{
    int rc;
    if (len == 0) {
        return 0;
    }
    switch (coding) {
    case LC_CODING_GZIP:
        rc = inflate_all(WRAPPER_GZIP, bytes, len, out, why);
        break;
    case LC_CODING_DEFLATE:
        rc = LC_EDECODE;
        if (has_zlib_header(bytes, len)) {
            rc = inflate_all(WRAPPER_ZLIB, bytes, len, out, why);
        }
        if (rc == LC_EDECODE) {
            out->len = 0;
            rc = inflate_all(WRAPPER_NONE, bytes, len, out, why);
        }
        break;
    default:
        return LC_EINVAL;
    }
    if (rc < 0) {
        lc_buf_free(out);
    }
    return rc;
}

int lc_decode_codings(const uint8_t *codings, size_t count, const char *bytes, size_t len,
                      struct lc_buf *out, const char **why)
{
    struct lc_buf coded;
    lc_buf_init(&coded, out->max);
    int rc = 0;
    for (size_t i = count; rc == 0 && i > 0; i--) {
        lc_buf_free(&coded);
        lc_buf_move(&coded, out);
        rc = i == count ? lc_decode_body(codings[i - 1], bytes, len, out, why)
                        : lc_decode_body(codings[i - 1], coded.ptr, coded.len, out, why);
    }
    lc_buf_free(&coded);
    return rc;
}
