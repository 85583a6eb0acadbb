/* apng.h: animated PNG: pictures of one size, one after the other, in one file that ordinary PNG readers show the first of.
 *
 * Source: APNG specification 1.0 (W3C PNG, third edition): acTL, fcTL and fdAT chunks. Each picture is written by png.h; its pixels
 * are taken over as they are packed.
 * Invariants: the same pictures give the same bytes; every frame covers all of the picture; plays for ever.
 */
#ifndef LATENTD_CORE_DATA_APNG_H
#define LATENTD_CORE_DATA_APNG_H

#include "core/data/png.h"

#include <stdbool.h>

struct apng {
	struct buf *file;
	int w, h, channels, scale; /* of the first frame */
	int frames, written;
	uint32_t sequence; /* of the next fcTL or fdAT */
};

/* Begins to append a file of `frames` ≥ 1 pictures, each pixel `scale` times repeated. */
void apng_begin(struct apng *a, struct buf *ret_file, int frames, int scale);
/* The next one, to be seen for delay_ms (1..65535). ERR_INVALID if its size is not the first one's; else png_write's errors. */
int apng_frame(struct apng *a, const struct canvas *canvas, int delay_ms, struct err *err);
/* All frames are there. */
int apng_end(struct apng *a, struct err *err);

#endif
