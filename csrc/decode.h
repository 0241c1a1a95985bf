/* Content codings (RFC 9110, 8.4.1) undone at once: whole body in, whole body out. */
#ifndef LC_DECODE_H
#define LC_DECODE_H

#include "decoder.h"

/* Decodes a body into `out`, which is empty with its maximum set; see decoder.h for the codings.
 * LC_EDECODE: not in that coding or cut short, with the library's words in `reason`; LC_ELIMIT:
 * more than out->max bytes; `out` owns nothing then. */
int lc_decode_codings(const uint8_t *codings, size_t count, const char *bytes, size_t len,
                      struct lc_buf *out, char reason[LC_DECODER_REASON_MAX]) LC_MUST_USE;

#endif
