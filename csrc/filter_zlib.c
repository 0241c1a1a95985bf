#include "filter.h"

#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

/* zlib's names for what a stream starts with: 15 is the largest window, 16 more means gzip. */
enum wrapper { WRAPPER_NONE = -15, WRAPPER_ZLIB = 15, WRAPPER_GZIP = 31 };

enum state {
    STATE_STREAM,
    STATE_BETWEEN, /* behind a gzip member: another one, or bytes that are to be ignored */
    STATE_END      /* whatever follows is ignored */
};

/* Deflate cannot expand more, whatever a trailer says. */
#define LARGEST_RATIO ((size_t)1032)
/* A deflate stream that began without output is kept up to here, to be read without wrapper. */
#define KEPT_MAX ((size_t)1 << 16)
#define MAGIC_LEN ((size_t)3)

static const char MAGIC[] = "\x1f\x8b\x08";

struct zlib_filter {
    struct lc_filter base;
    z_stream stream;
    struct lc_buf kept;
    uint8_t magic_seen;
    uint8_t state;
    bool later_member; /* not the first one */
    bool may_be_raw;   /* it is read as zlib, and nothing came out yet that would prove it */
};

static void *allocate(void *unused, unsigned count, unsigned size)
{
    return lc_alloc((size_t)count * size);
}

static void release(void *unused, void *memory)
{
    lc_free(memory);
}

static void free_filter(struct lc_filter *base)
{
    struct zlib_filter *filter = (struct zlib_filter *)base;
    (void)inflateEnd(&filter->stream);
    lc_buf_free(&filter->kept);
    lc_free(filter);
}

static int fail(struct zlib_filter *filter, const char *why)
{
    filter->base.why = why;
    return LC_EDECODE;
}

static unsigned at_most_uint(size_t value)
{
    return value < UINT_MAX ? (unsigned)value : UINT_MAX;
}

/* Up to the end of the stream, of the input or of the room. */
static int inflate_some(struct zlib_filter *filter, struct lc_filter_step *step)
{
    z_stream *stream = &filter->stream;
    for (;;) {
        stream->next_in = (const unsigned char *)step->in;
        stream->avail_in = at_most_uint(step->in_len);
        stream->next_out = (unsigned char *)step->out;
        stream->avail_out = at_most_uint(step->out_room);
        /* With everything at hand zlib needs no window. */
        int status = inflate(stream, step->last ? Z_FINISH : Z_NO_FLUSH);
        size_t taken = (size_t)((const char *)stream->next_in - step->in);
        size_t given = (size_t)((char *)stream->next_out - step->out);
        step->in += taken;
        step->in_len -= taken;
        step->out += given;
        step->out_room -= given;
        switch (status) {
        case Z_STREAM_END:
            filter->state = STATE_END;
            return LC_FILTER_MORE;
        case Z_OK:
        case Z_BUF_ERROR:
            break;
        case Z_MEM_ERROR:
            return LC_ENOMEM;
        default:
            return fail(filter, stream->msg != NULL ? stream->msg : zError(status));
        }
        if (step->out_room == 0) {
            return LC_FILTER_FULL;
        }
        if (step->in_len == 0) {
            return step->last ? fail(filter, "incomplete or truncated stream") : LC_FILTER_MORE;
        }
    }
}

/* --- gzip: members one after the other (RFC 1952, 2.2), then perhaps bytes that are none --- */

static int inflate_member(struct zlib_filter *filter, struct lc_filter_step *step)
{
    int rc = inflate_some(filter, step);
    if (rc == LC_EDECODE && filter->later_member && filter->stream.msg != NULL &&
        filter->stream.total_out == 0) {
        filter->state = STATE_END; /* it only looked like a member */
        return LC_FILTER_MORE;
    }
    if (rc == LC_FILTER_MORE && filter->state == STATE_END) {
        filter->state = STATE_BETWEEN;
    }
    return rc;
}

static int begin_member(struct zlib_filter *filter)
{
    char no_room;
    struct lc_filter_step step = {.in = MAGIC, .in_len = MAGIC_LEN, .out = &no_room, .out_room = 1};
    filter->magic_seen = 0;
    filter->later_member = true;
    filter->state = STATE_STREAM;
    (void)inflateReset(&filter->stream);
    return inflate_some(filter, &step);
}

static int step_gzip(struct lc_filter *base, struct lc_filter_step *step)
{
    struct zlib_filter *filter = (struct zlib_filter *)base;
    int rc = LC_FILTER_MORE;
    while (rc == LC_FILTER_MORE) {
        if (filter->state == STATE_STREAM) {
            rc = inflate_member(filter, step);
            if (filter->state == STATE_STREAM) {
                return rc;
            }
        } else if (filter->state == STATE_END || step->in_len == 0) {
            break;
        } else if (*step->in != MAGIC[filter->magic_seen]) {
            filter->state = STATE_END;
        } else {
            step->in++;
            step->in_len--;
            if (++filter->magic_seen == MAGIC_LEN) {
                rc = begin_member(filter);
            }
        }
    }
    return rc;
}

/* A gzip member ends with its decoded size. */
static size_t gzip_told_size(const char *bytes, size_t len)
{
    if (len < 18) {
        return 0;
    }
    const unsigned char *end = (const unsigned char *)bytes + len;
    size_t told = end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    return told / LARGEST_RATIO <= len ? told : 0;
}

/* --- deflate: a zlib stream (RFC 1950), or what some servers take for it (RFC 1951) --- */

static int read_as_raw(struct zlib_filter *filter)
{
    filter->may_be_raw = false;
    filter->state = STATE_STREAM;
    return inflateReset2(&filter->stream, WRAPPER_NONE) == Z_OK ? 0 : LC_ENOMEM;
}

/* What was kept of the stream comes first. */
static int inflate_kept(struct zlib_filter *filter, struct lc_filter_step *step)
{
    if (filter->kept.len == 0) {
        return inflate_some(filter, step);
    }
    struct lc_filter_step first = {.in = filter->kept.ptr,
                                   .in_len = filter->kept.len,
                                   .out = step->out,
                                   .out_room = step->out_room};
    int rc = inflate_some(filter, &first);
    step->out = first.out;
    step->out_room = first.out_room;
    filter->kept.len = first.in_len;
    if (first.in_len > 0) {
        memmove(filter->kept.ptr, first.in, first.in_len);
        return rc;
    }
    lc_buf_free(&filter->kept);
    return rc == LC_FILTER_MORE && filter->state == STATE_STREAM ? inflate_some(filter, step) : rc;
}

static int step_deflate(struct lc_filter *base, struct lc_filter_step *step)
{
    struct zlib_filter *filter = (struct zlib_filter *)base;
    if (filter->state == STATE_END) {
        return LC_FILTER_MORE;
    }
    if (!filter->may_be_raw) {
        return inflate_kept(filter, step);
    }
    struct lc_filter_step before = *step;
    int rc = inflate_some(filter, step);
    size_t taken = before.in_len - step->in_len;
    if (step->out != before.out) {
        filter->may_be_raw = false;
    } else if (rc == LC_EDECODE) {
        *step = before;
        rc = read_as_raw(filter);
        return rc < 0 ? rc : inflate_kept(filter, step);
    } else if (taken > KEPT_MAX - filter->kept.len) {
        filter->may_be_raw = false;
    } else if (lc_buf_append(&filter->kept, before.in, taken) < 0) {
        return LC_ENOMEM;
    }
    if (!filter->may_be_raw || filter->state == STATE_END) {
        lc_buf_free(&filter->kept);
    }
    return rc;
}

int lc_filter_zlib_new(bool gzip, struct lc_filter **out)
{
    struct zlib_filter *filter = lc_alloc_zero(sizeof *filter);
    if (filter == NULL) {
        return LC_ENOMEM;
    }
    filter->base.step = gzip ? step_gzip : step_deflate;
    filter->base.told_size = gzip ? gzip_told_size : NULL;
    filter->base.free = free_filter;
    filter->may_be_raw = !gzip;
    filter->stream.zalloc = allocate;
    filter->stream.zfree = release;
    lc_buf_init(&filter->kept, KEPT_MAX);
    if (inflateInit2(&filter->stream, gzip ? WRAPPER_GZIP : WRAPPER_ZLIB) != Z_OK) {
        lc_free(filter);
        return LC_ENOMEM;
    }
    *out = &filter->base;
    return 0;
}
