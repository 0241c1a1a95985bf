/* The date of a cookie's Expires attribute, as loosely as servers write it.
 *
 * Understood are the three forms of RFC 9110, 5.6.7, and what http.cookiejar accepts besides: no
 * weekday, no clock, numeric months, years of two digits (the nearest one to `now`), offsets. */
#ifndef LC_COOKIE_DATE_H
#define LC_COOKIE_DATE_H

#include "lc.h"

/* Epoch seconds of the date; false if it cannot be read, lies before 1970 or has a zone that is
 * neither UTC nor an offset. */
bool lc_cookie_date_parse(struct lc_sv text, int64_t now, int64_t *seconds);

#endif
