/* Large blocks of memory that are used again.
 *
 * A page that the kernel hands out anew is zeroed, mapped and charged for: for a body of a megabyte
 * that costs several times what reading it costs. Blocks that were freed are therefore kept, up to
 * LC_BLOCKS_SPARE bytes in each thread that asked for it; more goes back to the kernel at once. Not
 * for small things: a block has at least LC_BLOCK_MIN bytes. */
#ifndef LC_BLOCK_H
#define LC_BLOCK_H

#include "lc.h"

#define LC_BLOCK_MIN ((size_t)128 * 1024)
#define LC_BLOCKS_SPARE ((size_t)16 << 20)

/* A block of at least `size` bytes, not zeroed; `*got` is how many it has. NULL: out of memory. */
void *lc_block_alloc(size_t size, size_t *got) LC_MUST_USE;
/* A larger one with the same bytes; on failure the old one stays. */
void *lc_block_grow(void *block, size_t old_size, size_t size, size_t *got) LC_MUST_USE;
void lc_block_free(void *block, size_t size);
/* What this thread frees is kept until lc_blocks_release was called as often; then its spare blocks
 * go back to the kernel. */
void lc_blocks_keep(void);
void lc_blocks_release(void);

#endif
