#include "decoder.h"

#include "filter.h"

#include <stdio.h>

enum { LINK_SIZE = 16384 };

/* The first guess of the decoded size where the coding does not tell it. */
#define GUESSED_RATIO ((size_t)4)
/* How much is reserved on the body's word alone. */
#define RESERVE_AT_ONCE ((size_t)1 << 20)

struct stage {
    struct lc_filter *filter;
    char *link; /* to the next stage, made when needed */
    bool began;
};

struct lc_decoder {
    size_t count;
    int failure; /* what every further call returns */
    char reason[LC_DECODER_REASON_MAX];
    struct stage stages[LC_DECODER_MAX_CODINGS]; /* in the order in which they are undone */
};

static int new_filter(uint8_t coding, struct lc_filter **out)
{
    switch (coding) {
    case LC_CODING_GZIP:
    case LC_CODING_DEFLATE:
        return lc_filter_zlib_new(coding == LC_CODING_GZIP, out);
    case LC_CODING_BR:
        return lc_filter_brotli_new(out);
    case LC_CODING_ZSTD:
        return lc_filter_zstd_new(out);
    default:
        return LC_EINVAL;
    }
}

int lc_decoder_new(const uint8_t *codings, size_t count, struct lc_decoder **out)
{
    if (count > LC_DECODER_MAX_CODINGS) {
        return LC_EINVAL;
    }
    struct lc_decoder *decoder = lc_alloc_zero(sizeof *decoder);
    if (decoder == NULL) {
        return LC_ENOMEM;
    }
    for (size_t i = count; i > 0; i--) {
        if (codings[i - 1] == LC_CODING_IDENTITY) {
            continue;
        }
        int rc = new_filter(codings[i - 1], &decoder->stages[decoder->count].filter);
        if (rc < 0) {
            lc_decoder_free(decoder);
            return rc;
        }
        decoder->count++;
    }
    *out = decoder;
    return 0;
}

void lc_decoder_free(struct lc_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    for (size_t i = 0; i < decoder->count; i++) {
        decoder->stages[i].filter->free(decoder->stages[i].filter);
        lc_free(decoder->stages[i].link);
    }
    lc_free(decoder);
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

static size_t guess_size(const struct lc_filter *filter, const struct lc_filter_step *step)
{
    size_t told = 0;
    if (step->last && filter->told_size != NULL) {
        told = filter->told_size(step->in, step->in_len);
    }
    size_t guess = told > 0 ? told : smaller(step->in_len, RESERVE_AT_ONCE) * GUESSED_RATIO + 1;
    return smaller(guess, RESERVE_AT_ONCE);
}

static int take_step(struct lc_decoder *decoder, struct lc_filter *filter,
                     struct lc_filter_step *step)
{
    int rc = filter->step(filter, step);
    if (rc == LC_EDECODE) {
        bool more = filter->which != NULL;
        snprintf(decoder->reason, sizeof decoder->reason, "%s%s%s", filter->why, more ? ": " : "",
                 more ? filter->which : "");
    }
    return rc;
}

/* The last stage writes to `out`. When that is as large as it may get there is room for one byte
 * beside it, which tells a body of exactly the maximum from one that is larger. */
static int run_last(struct lc_decoder *decoder, struct lc_filter *filter,
                    struct lc_filter_step *step, struct lc_buf *out)
{
    int rc;
    do {
        char beside;
        bool is_full = out->len == out->max;
        if (!is_full && out->len == out->cap) {
            size_t more = out->len == 0 ? guess_size(filter, step) : 1;
            rc = lc_buf_reserve(out, smaller(more, out->max - out->len));
            if (rc < 0) {
                return rc;
            }
        }
        size_t room = is_full ? 1 : out->cap - out->len;
        step->out = is_full ? &beside : out->ptr + out->len;
        step->out_room = room;
        rc = take_step(decoder, filter, step);
        if (is_full && step->out_room == 0) {
            return LC_ELIMIT;
        }
        out->len += room - step->out_room;
    } while (rc == LC_FILTER_FULL);
    return rc;
}

/* Hands bytes to the stage at that place, and what comes of them to the next. */
static int run(struct lc_decoder *decoder, size_t place, const char *bytes, size_t len, bool last,
               struct lc_buf *out)
{
    if (place == decoder->count) {
        return lc_buf_append(out, bytes, len);
    }
    struct stage *stage = &decoder->stages[place];
    struct lc_filter_step step = {.in = bytes, .in_len = len, .last = last};
    stage->began |= len > 0;
    if (!stage->began) {
        return last ? run(decoder, place + 1, bytes, 0, true, out) : 0;
    }
    if (place + 1 == decoder->count) {
        return run_last(decoder, stage->filter, &step, out);
    }
    if (stage->link == NULL && (stage->link = lc_alloc(LINK_SIZE)) == NULL) {
        return LC_ENOMEM;
    }
    int rc, next = 0;
    do {
        step.out = stage->link;
        step.out_room = LINK_SIZE;
        rc = take_step(decoder, stage->filter, &step);
        if (rc >= 0) {
            bool ends = last && rc == LC_FILTER_MORE;
            next = run(decoder, place + 1, stage->link, LINK_SIZE - step.out_room, ends, out);
        }
    } while (rc == LC_FILTER_FULL && next == 0);
    return rc < 0 ? rc : next;
}

int lc_decoder_feed(struct lc_decoder *decoder, const char *bytes, size_t len, bool last,
                    struct lc_buf *out)
{
    if (decoder->failure < 0) {
        return decoder->failure;
    }
    int rc = len > 0 || last ? run(decoder, 0, len > 0 ? bytes : "", len, last, out) : 0;
    decoder->failure = rc < 0 ? rc : last ? LC_EINVAL : 0;
    return rc;
}

const char *lc_decoder_reason(const struct lc_decoder *decoder)
{
    return decoder->reason;
}
