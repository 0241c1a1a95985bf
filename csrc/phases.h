/* The phases of requests, and for each phase a histogram of how long it took.
 *
 * Two significant digits: a bin is at most 1/128 of its time wide, from 1 us to 1 hour (bins.h).
 * Counts have 32 bits and stay at their greatest value. Recording neither allocates nor locks and
 * cannot fail. The first values of all phases share a short list, so that a name with few samples
 * costs nothing beyond the struct; then each phase has bins of its own, of which pages take memory
 * when they are used. */
#ifndef LC_PHASES_H
#define LC_PHASES_H

#include "bins.h"

/* In the order of a request: X(name, what users call it). */
#define LC_PHASES(X)                                                                               \
    X(LOOKUP, "lookup")   /* the host's name was looked up */                                      \
    X(CONNECT, "connect") /* the connection was established */                                     \
    X(TLS, "tls")         /* the TLS handshake */                                                  \
    X(SEND, "send")       /* sending began -> the write that took the last byte */                 \
    X(WAIT, "wait")       /* sent -> the response's first byte arrived */                          \
    X(RECEIVE, "receive") /* first byte -> last byte */                                            \
    X(LAG, "lag")         /* the response had arrived -> the task ran on */

enum lc_phase {
#define LC_PHASE_ENUM(name, text) LC_PHASE_##name,
    LC_PHASES(LC_PHASE_ENUM)
#undef LC_PHASE_ENUM
        LC_PHASE_COUNT
};

#define LC_PHASE_NONE UINT64_MAX /* the phase did not happen */

/* How long the phases of one request took. */
struct lc_phases {
    uint64_t ns[LC_PHASE_COUNT];
};

#define LC_PHASES_PRECISION 7
#define LC_PHASES_BINS LC_BINS_COUNT(LC_PHASES_PRECISION)
/* From one phase's first bin to that of the next. Bins are used by the page: the first page of each
 * phase holds the times up to 16 ms, the second those up to 4 s. */
#define LC_PHASES_ROW 4096
#define LC_PHASES_PAGE 1024
#define LC_PHASES_FEW 160
/* Bytes of zeroed memory, best at the beginning of a page, that lc_phases_init is given. */
#define LC_PHASES_STORAGE ((size_t)LC_PHASE_COUNT * LC_PHASES_ROW * sizeof(uint32_t))

/* Where the phases of one request are counted: phase * LC_PHASES_ROW + bin, for those that
 * happened. */
struct lc_phase_keys {
    uint32_t count;
    uint16_t keys[LC_PHASE_COUNT];
};

struct lc_phase_hists {
    uint32_t *bins;
    uint32_t pages; /* those of the bins that are used, a bit for each */
    uint32_t few;   /* how many of the pairs below are used */
    bool dense;     /* the counts are in bins, not in the pairs */
    uint16_t few_keys[LC_PHASES_FEW];
    uint32_t few_counts[LC_PHASES_FEW];
};

/* What users call a phase. */
const char *lc_phases_name(enum lc_phase phase);

void lc_phases_init(struct lc_phase_hists *hists, uint32_t *storage);
/* Once for each request, since it is recorded in more than one place. */
void lc_phases_find_keys(const struct lc_phases *phases, struct lc_phase_keys *keys);
void lc_phases_record(struct lc_phase_hists *hists, const struct lc_phase_keys *keys);
void lc_phases_merge(struct lc_phase_hists *to, const struct lc_phase_hists *from);
void lc_phases_reset(struct lc_phase_hists *hists);
/* How many requests had the phase. */
uint64_t lc_phases_count(const struct lc_phase_hists *hists, enum lc_phase phase);
/* As lc_hist_quantile and lc_hist_next, for one phase. */
bool lc_phases_quantile(const struct lc_phase_hists *hists, enum lc_phase phase, double p,
                        double *time_us);
bool lc_phases_next(const struct lc_phase_hists *hists, enum lc_phase phase, uint32_t *cursor,
                    struct lc_bin *bin);

#endif
