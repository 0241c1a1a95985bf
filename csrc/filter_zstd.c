#include "filter.h"

#include <zstd.h>
#include <zstd_errors.h>

/* 8 MiB, which is what senders may use (RFC 9659, section 3). */
#define LARGEST_WINDOW_LOG 23

struct zstd_filter {
    struct lc_filter base;
    ZSTD_DCtx *decoder;
    bool between; /* frames: nothing of one came, or all of it */
};

static void free_filter(struct lc_filter *base)
{
    struct zstd_filter *filter = (struct zstd_filter *)base;
    (void)ZSTD_freeDCtx(filter->decoder);
    lc_free(filter);
}

static int fail(struct zstd_filter *filter, size_t result)
{
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
        return LC_ENOMEM;
    }
    filter->base.why = "Unable to decompress Zstandard data";
    filter->base.which = ZSTD_getErrorName(result);
    return LC_EDECODE;
}

/* Frames one after the other until input or room ends. */
static int step_zstd(struct lc_filter *base, struct lc_filter_step *step)
{
    struct zstd_filter *filter = (struct zstd_filter *)base;
    while (step->out_room > 0 && (step->in_len > 0 || !filter->between)) {
        /* A frame that is seen whole would be decoded at once, past the check of its window and
         * with the formats of old: it is never shown whole. */
        ZSTD_inBuffer in = {step->in, filter->between ? 1 : step->in_len, 0};
        ZSTD_outBuffer out = {step->out, step->out_room, 0};
        size_t result = ZSTD_decompressStream(filter->decoder, &out, &in);
        if (ZSTD_isError(result)) {
            return fail(filter, result);
        }
        filter->between = result == 0;
        step->in += in.pos;
        step->in_len -= in.pos;
        step->out += out.pos;
        step->out_room -= out.pos;
        if (step->in_len == 0 && step->out_room > 0 && !filter->between) {
            if (step->last) {
                filter->base.why = "Zstandard data is incomplete";
                return LC_EDECODE;
            }
            break;
        }
    }
    return step->out_room > 0 ? LC_FILTER_MORE : LC_FILTER_FULL;
}

/* Of the first frame. */
static size_t zstd_told_size(const char *bytes, size_t len)
{
    unsigned long long told = ZSTD_getFrameContentSize(bytes, len);
    return told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR ? (size_t)told : 0;
}

int lc_filter_zstd_new(struct lc_filter **out)
{
    struct zstd_filter *filter = lc_alloc_zero(sizeof *filter);
    if (filter == NULL) {
        return LC_ENOMEM;
    }
    filter->base.step = step_zstd;
    filter->base.told_size = zstd_told_size;
    filter->base.free = free_filter;
    filter->between = true;
    filter->decoder = ZSTD_createDCtx();
    if (filter->decoder == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(
                                       filter->decoder, ZSTD_d_windowLogMax, LARGEST_WINDOW_LOG))) {
        free_filter(&filter->base);
        return LC_ENOMEM;
    }
    *out = &filter->base;
    return 0;
}
