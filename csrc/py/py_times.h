/* The moments of an engine's request, as the statistics and users see them. */
#ifndef LC_PY_TIMES_H
#define LC_PY_TIMES_H

#include "engine.h"
#include "module.h"
#include "phases.h"

/* Where the response time ends, monotonic nanoseconds: with the arrival of the response's last
 * byte, or of the head if the body is streamed; when the request failed (`err`: LC_E*), with its
 * failure. 0: it was no engine's request. */
uint64_t lc_py_times_end(const struct lc_times *times, int err);
/* How long its phases took; false, and nothing written, if it was no engine's request. */
bool lc_py_times_phases(const struct lc_times *times, int err, struct lc_phases *phases);
/* The fields of locust_c.timings.Timings in their order, as a tuple; None if it was no engine's
 * request; NULL with an exception. */
PyObject *lc_py_times_moments(const struct lc_times *times, int err);

#endif
