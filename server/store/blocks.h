/* blocks.h: a long curve, thinned without reading it all.
 *
 * How: of each 16, 64, 256, 1024 and 4096 points in a row of a series the store keeps one record: their sum, least and greatest, and
 * the place of the last. They are made as the points are written, one point after another, so that the same points give the same
 * records however commits cut them up; what makes no whole record yet is kept with the series (`tail`).
 * Invariant: the points are the truth; a series whose tail is NULL has its records made anew from them before the next is written.
 */
#ifndef LATENTD_SERVER_STORE_BLOCKS_H
#define LATENTD_SERVER_STORE_BLOCKS_H

#include "server/store/internal.h"

#include "api/curve.h"

/* What the blob of a `points` row is made of: little-endian words. */
struct record {
	uint64_t step, epoch, time_ms, value; /* epoch and value: the bits of a double */
};

/* A point as it was reported. */
struct sample {
	int64_t step, time_ms;
	double epoch, value;
};
struct sample record_read(const void *at);
void record_write(struct record *ret, const struct sample *s);

/* Adds `bytes` of records, which follow those in the tail. */
int blocks_add(struct conn *c, int64_t series, struct tail *tail, const void *records, size_t bytes, struct err *err);
/* From all points of a series that are stored. */
int blocks_rebuild(struct conn *c, int64_t series, struct tail *ret, struct err *err);
/* The series column. False: there is none, or it is not of this form. */
bool tail_read(struct tail *ret, const void *bytes, size_t size);
/* Of points in a span of steps, entries that stand for several each (curve->weight): at least twice as many as `points`. *ret_done
 * false: the series is too short for that, read its points. */
int blocks_curve(struct conn *c, int64_t series, const struct tail *tail, struct steps span, size_t points,
	struct curve *ret, bool *ret_done, struct err *err);
/* Room for n entries in each column. */
int curve_reserve(struct curve *c, size_t n, struct err *err);

#endif
