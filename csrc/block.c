#include "block.h"

#include <sys/mman.h>

#define UNIT ((size_t)64 * 1024)

/* What stands at the beginning of a block while it is spare. */
struct spare {
    struct spare *next;
    size_t size;
};

static _Thread_local struct spare *first_spare;
static _Thread_local size_t spare_bytes;
static _Thread_local size_t keepers;

static size_t round_up(size_t size)
{
    size = size < LC_BLOCK_MIN ? LC_BLOCK_MIN : size;
    return size > SIZE_MAX - UNIT ? 0 : (size + UNIT - 1) / UNIT * UNIT;
}

/* Under AddressSanitizer nothing is used again, so that a stale pointer is noticed. */
static bool keeps_spares(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return false;
#else
    return keepers > 0;
#endif
}

/* One that is large enough, but not much larger: the smallest of those. */
static struct spare *take_spare(size_t size)
{
    struct spare **best = NULL;
    for (struct spare **at = &first_spare; *at != NULL; at = &(*at)->next) {
        if ((*at)->size >= size && (*at)->size / 2 <= size &&
            (best == NULL || (*at)->size < (*best)->size)) {
            best = at;
        }
    }
    struct spare *found = best != NULL ? *best : NULL;
    if (found != NULL) {
        *best = found->next;
        spare_bytes -= found->size;
    }
    return found;
}

static void *map(size_t size)
{
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block != MAP_FAILED ? block : NULL;
}

void *lc_block_alloc(size_t size, size_t *got)
{
    size = round_up(size);
    if (size == 0 || lc_alloc_must_fail()) {
        return NULL;
    }
    struct spare *spare = take_spare(size);
    void *block = spare != NULL ? spare : map(size);
    if (block != NULL) {
        *got = spare != NULL ? spare->size : size;
        lc_alloc_count(1);
    }
    return block;
}

void *lc_block_grow(void *block, size_t old_size, size_t size, size_t *got)
{
    size = round_up(size);
    if (size == 0 || lc_alloc_must_fail()) {
        return NULL;
    }
#ifdef MREMAP_MAYMOVE
    void *grown = mremap(block, old_size, size, MREMAP_MAYMOVE);
    grown = grown != MAP_FAILED ? grown : NULL;
#else
    void *grown = map(size);
    if (grown != NULL) {
        memcpy(grown, block, old_size);
        munmap(block, old_size);
    }
#endif
    if (grown != NULL) {
        *got = size;
    }
    return grown;
}

void lc_block_free(void *block, size_t size)
{
    if (block == NULL) {
        return;
    }
    lc_alloc_count(-1);
    if (!keeps_spares() || size > LC_BLOCKS_SPARE - spare_bytes) {
        munmap(block, size);
        return;
    }
    struct spare *spare = block;
    *spare = (struct spare){first_spare, size};
    first_spare = spare;
    spare_bytes += size;
}

void lc_blocks_keep(void)
{
    keepers++;
}

void lc_blocks_release(void)
{
    keepers -= keepers > 0;
    if (keepers > 0) {
        return;
    }
    while (first_spare != NULL) {
        struct spare *spare = first_spare;
        first_spare = spare->next;
        munmap(spare, spare->size);
    }
    spare_bytes = 0;
}
