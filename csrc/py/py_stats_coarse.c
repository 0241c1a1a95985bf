/* The methods of StatsCounters that copy the histograms out in few bins, for who does it each
 * second. */
#include "py_stats.h"

/* A bin is at most 3 % of its time wide, and the bins of the finer histograms lie within one. */
#define COARSE_PRECISION 5

struct coarse {
    PyObject *dict;
    struct lc_bin bin;
};

static int put_coarse(const struct coarse *coarse)
{
    if (coarse->bin.count == 0) {
        return 0;
    }
    return lc_py_put_count(coarse->dict, (uint32_t)coarse->bin.low_us, coarse->bin.count);
}

/* Bins come in rising order, so that those of one coarse bin follow each other. */
static int add_bin(struct coarse *coarse, const struct lc_bin *bin)
{
    struct lc_bin around = {0, 0, 0};
    lc_bins_limits(lc_bins_of(bin->low_us, COARSE_PRECISION), COARSE_PRECISION, &around);
    if (around.low_us != coarse->bin.low_us) {
        if (put_coarse(coarse) < 0) {
            return -1;
        }
        coarse->bin = around;
    }
    coarse->bin.count += bin->count;
    return 0;
}

/* Where the fine bins come from: the response times, or one phase if there are `hists`. */
struct source {
    const struct lc_hist *hist;
    const struct lc_phase_hists *hists;
    enum lc_phase phase;
};

static bool next_bin(const struct source *source, uint32_t *cursor, struct lc_bin *bin)
{
    if (source->hists != NULL) {
        return lc_phases_next(source->hists, source->phase, cursor, bin);
    }
    return lc_hist_next(source->hist, cursor, bin);
}

static PyObject *collect(const struct source *source)
{
    struct coarse coarse = {.dict = PyDict_New()};
    uint32_t cursor = 0;
    struct lc_bin bin;
    if (coarse.dict == NULL) {
        return NULL;
    }
    while (next_bin(source, &cursor, &bin)) {
        if (add_bin(&coarse, &bin) < 0) {
            goto failed;
        }
    }
    if (put_coarse(&coarse) == 0) {
        return coarse.dict;
    }
failed:
    Py_DECREF(coarse.dict);
    return NULL;
}

PyObject *lc_py_stats_coarse(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct lc_stats *stats = ((struct lc_py_counters *)self)->stats;
    return collect(&(struct source){.hist = &stats->hist});
}

PyObject *lc_py_stats_phase_coarse(PyObject *self, PyObject *object)
{
    const struct lc_stats *stats = ((struct lc_py_counters *)self)->stats;
    long phase = lc_py_to_phase(object);
    if (phase < 0) {
        return NULL;
    }
    return collect(&(struct source){.hists = &stats->phases, .phase = (enum lc_phase)phase});
}
