/* Content codings (RFC 9110, 8.4.1) undone while the bytes come, in any split.
 *
 * gzip has any number of members, bytes behind the last are ignored; deflate comes with or without
 * zlib wrapper; br (RFC 7932) ends where its bytes end; zstd (RFC 8878) has any number of frames,
 * with windows of 8 MiB at most (RFC 9659). A body of no bytes decodes to none. Memory does not
 * depend on how much bytes expand: what is between two codings passes through small buffers. */
#ifndef LC_DECODER_H
#define LC_DECODER_H

#include "buf.h"

enum { LC_DECODER_MAX_CODINGS = 5, LC_DECODER_REASON_MAX = 128 };

struct lc_decoder;

/* For codings (enum lc_http1_coding, of which IDENTITY changes nothing) in the order in which they
 * were applied. LC_EINVAL: one is OTHER, or they are more than LC_DECODER_MAX_CODINGS. */
int lc_decoder_new(const uint8_t *codings, size_t count, struct lc_decoder **out) LC_MUST_USE;
void lc_decoder_free(struct lc_decoder *decoder);
/* Appends to `out` what these bytes decode to. `last`: nothing follows them, so that a body that is
 * cut short is an error; there may be none of them. LC_EDECODE: not in that coding, or cut short;
 * LC_ELIMIT: `out` would grow past its maximum; LC_EINVAL: the last bytes were fed before. After a
 * failure the decoder keeps failing so, and how much `out` has of these bytes is not said. */
int lc_decoder_feed(struct lc_decoder *decoder, const char *bytes, size_t len, bool last,
                    struct lc_buf *out) LC_MUST_USE;
/* What LC_EDECODE is about, in the words of zlib, the module brotli or zstd; else "". */
const char *lc_decoder_reason(const struct lc_decoder *decoder);

#endif
