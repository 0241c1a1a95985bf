/* Bodies in content codings, made by the libraries' own encoders. */
#ifndef LC_PACK_H
#define LC_PACK_H

#include "buf.h"
#include "check.h"

/* What a stream is written as; deflate is known with and without its wrapper. */
enum pack_as { PACK_GZIP, PACK_ZLIB, PACK_RAW, PACK_BR, PACK_ZSTD, PACK_KINDS };

/* The enum lc_http1_coding that it is sent under. */
uint8_t pack_coding(enum pack_as as);
/* Appends one stream (member, frame) to `packed`. */
void pack(enum pack_as as, const char *bytes, size_t len, struct lc_buf *packed);
struct lc_buf pack_text(enum pack_as as, const char *text);
/* A body that does not compress to nothing; the caller frees it with free(). */
char *pack_make_body(size_t len);

#endif
