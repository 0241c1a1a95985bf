#include "filter.h"

#include <brotli/decode.h>

struct brotli_filter {
    struct lc_filter base;
    BrotliDecoderState *decoder;
    bool ended;
};

static void *allocate(void *unused, size_t size)
{
    return lc_alloc(size);
}

static void release(void *unused, void *memory)
{
    lc_free(memory);
}

static void free_filter(struct lc_filter *base)
{
    struct brotli_filter *filter = (struct brotli_filter *)base;
    BrotliDecoderDestroyInstance(filter->decoder);
    lc_free(filter);
}

static bool is_out_of_memory(const BrotliDecoderState *decoder)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

/* As the module brotli: it has one text for every fault. */
static int fail(struct brotli_filter *filter)
{
    filter->base.why = "brotli: decoder failed";
    return LC_EDECODE;
}

static int step_brotli(struct lc_filter *base, struct lc_filter_step *step)
{
    struct brotli_filter *filter = (struct brotli_filter *)base;
    if (filter->ended) {
        return step->in_len == 0 ? LC_FILTER_MORE : fail(filter);
    }
    const uint8_t *in = (const uint8_t *)step->in;
    uint8_t *out = (uint8_t *)step->out;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(filter->decoder, &step->in_len, &in,
                                                               &step->out_room, &out, NULL);
    step->in = (const char *)in;
    step->out = (char *)out;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        filter->ended = true;
        return step->in_len == 0 ? LC_FILTER_MORE : fail(filter);
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return LC_FILTER_FULL;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return step->last ? fail(filter) : LC_FILTER_MORE;
    default:
        return is_out_of_memory(filter->decoder) ? LC_ENOMEM : fail(filter);
    }
}

int lc_filter_brotli_new(struct lc_filter **out)
{
    struct brotli_filter *filter = lc_alloc_zero(sizeof *filter);
    if (filter == NULL) {
        return LC_ENOMEM;
    }
    filter->base.step = step_brotli;
    filter->base.free = free_filter;
    /* Windows are 16 MiB at most, unless larger ones are asked for. */
    filter->decoder = BrotliDecoderCreateInstance(allocate, release, NULL);
    if (filter->decoder == NULL) {
        lc_free(filter);
        return LC_ENOMEM;
    }
    *out = &filter->base;
    return 0;
}
