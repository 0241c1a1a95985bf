#include "decode.h"

int lc_decode_codings(const uint8_t *codings, size_t count, const char *bytes, size_t len,
                      struct lc_buf *out, char reason[LC_DECODER_REASON_MAX])
{
    struct lc_decoder *decoder;
    reason[0] = '\0';
    int rc = lc_decoder_new(codings, count, &decoder);
    if (rc < 0) {
        return rc;
    }
    rc = lc_decoder_feed(decoder, bytes, len, true, out);
    if (rc < 0) {
        memcpy(reason, lc_decoder_reason(decoder), LC_DECODER_REASON_MAX);
        lc_buf_free(out);
    }
    lc_decoder_free(decoder);
    return rc;
}
