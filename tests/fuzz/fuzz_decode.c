/* A body must decode to the same at once and in pieces, and to no more than it may. The first byte
 * says how many codings there are and how long the pieces, one byte for each coding follows. */
#include "fuzz.h"

#include "decode.h"
#include "http1.h"

#define MAX_BODY 100000

static const uint8_t CODINGS[] = {LC_CODING_GZIP, LC_CODING_DEFLATE, LC_CODING_BR, LC_CODING_ZSTD};

static int decode_pieces(const uint8_t *codings, size_t count, struct lc_sv body, size_t step,
                         struct lc_buf *out)
{
    struct lc_decoder *decoder;
    FUZZ_CHECK(lc_decoder_new(codings, count, &decoder) == 0);
    int rc = 0;
    for (size_t pos = 0; rc == 0 && pos < body.len; pos += step) {
        size_t left = body.len - pos, before = out->len;
        rc = lc_decoder_feed(decoder, body.ptr + pos, step < left ? step : left, false, out);
        FUZZ_CHECK(out->len >= before && out->len <= MAX_BODY);
    }
    if (rc == 0) {
        rc = lc_decoder_feed(decoder, NULL, 0, true, out);
    }
    FUZZ_CHECK((rc == LC_EDECODE) == (lc_decoder_reason(decoder)[0] != '\0'));
    FUZZ_CHECK(lc_decoder_feed(decoder, "x", 1, false, out) == (rc < 0 ? rc : LC_EINVAL));
    lc_decoder_free(decoder);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t codings[3];
    size_t count = size > 0 ? data[0] % 3 + 1 : 1;
    if (size < 1 + count) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        codings[i] = CODINGS[data[1 + i] % sizeof CODINGS];
    }
    struct lc_sv body = {(const char *)data + 1 + count, size - 1 - count};
    struct lc_buf whole, pieces;
    char reason[LC_DECODER_REASON_MAX];
    lc_buf_init(&whole, MAX_BODY);
    lc_buf_init(&pieces, MAX_BODY);
    int rc = lc_decode_codings(codings, count, body.ptr, body.len, &whole, reason);
    int rc_pieces = decode_pieces(codings, count, body, 1 + data[0] / 3, &pieces);
    /* Which fault or limit is met first may depend on the pieces; that one is met may not. */
    FUZZ_CHECK((rc < 0) == (rc_pieces < 0) && (rc == 0 || whole.ptr == NULL));
    FUZZ_CHECK(rc < 0 || (whole.len == pieces.len &&
                          (whole.len == 0 || memcmp(whole.ptr, pieces.ptr, whole.len) == 0)));
    lc_buf_free(&whole);
    lc_buf_free(&pieces);
    FUZZ_CHECK(lc_alloc_live() == 0);
    return 0;
}
