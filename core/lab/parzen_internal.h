/* parzen_internal.h: what parzen.c and parzen_pdf.c share. */
#ifndef LATENTD_CORE_LAB_PARZEN_INTERNAL_H
#define LATENTD_CORE_LAB_PARZEN_INTERNAL_H

#include "core/lab/parzen.h"

#include <math.h>

static const double log_sqrt_2pi = 0.91893853320467274178;
/* Its square is log2(e) / 2. */
static const double root_half_log2e = 0.84932180028801904272;

enum { PARZEN_FEW = 32 }; /* cells whose masses are kept */

static inline double parzen_coordinate(const struct range *r, double v)
{
	return r->log ? log(v) : v;
}

#endif
