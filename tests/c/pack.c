#include "pack.h"

#include "http1.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

uint8_t pack_coding(enum pack_as as)
{
    static const uint8_t codings[PACK_KINDS] = {LC_CODING_GZIP, LC_CODING_DEFLATE,
                                                LC_CODING_DEFLATE, LC_CODING_BR, LC_CODING_ZSTD};
    return codings[as];
}

static size_t deflate_to(enum pack_as as, const char *bytes, size_t len, char *into, size_t room)
{
    static const int window_bits[] = {[PACK_GZIP] = 31, [PACK_ZLIB] = 15, [PACK_RAW] = -15};
    z_stream stream = {0};
    CHECK_INT(deflateInit2(&stream, 6, Z_DEFLATED, window_bits[as], 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)len;
    stream.next_out = (unsigned char *)into;
    stream.avail_out = (unsigned)room;
    CHECK_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
    CHECK_INT(deflateEnd(&stream), Z_OK);
    return stream.total_out;
}

void pack(enum pack_as as, const char *bytes, size_t len, struct lc_buf *packed)
{
    size_t bound = ZSTD_compressBound(len) + BrotliEncoderMaxCompressedSize(len) + 100;
    CHECK_INT(lc_buf_reserve(packed, bound), 0);
    char *into = packed->ptr + packed->len;
    size_t size = bound;
    if (as == PACK_BR) {
        CHECK_INT(BrotliEncoderCompress(5, 22, BROTLI_DEFAULT_MODE, len, (const uint8_t *)bytes,
                                        &size, (uint8_t *)into),
                  1);
    } else if (as == PACK_ZSTD) {
        size = ZSTD_compress(into, bound, bytes, len, 3);
        CHECK(!ZSTD_isError(size));
    } else {
        size = deflate_to(as, bytes, len, into, bound);
    }
    packed->len += size;
}

struct lc_buf pack_text(enum pack_as as, const char *text)
{
    struct lc_buf packed;
    lc_buf_init(&packed, SIZE_MAX);
    pack(as, text, strlen(text), &packed);
    return packed;
}

char *pack_make_body(size_t len)
{
    char *body = malloc(len > 0 ? len : 1);
    CHECK(body != NULL);
    uint32_t state = 1;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        body[i] = (char)('a' + (state >> 24) % 16);
    }
    return body;
}
