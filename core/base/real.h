/* real.h: the number type and lane count of the compute core.
 *
 * Why: the release computes in float; the gradient tests compile the same sources with LATENTD_DOUBLE, so that finite
 * differences in double prove the very code that ships.
 * Invariants: activations are stored sixteen samples side by side ([c][h][w][LANES]); lane l of a block is sample l.
 * Not here: how many lanes a SIMD level takes at once (core/kern/vec.h).
 */
#ifndef LATENTD_CORE_BASE_REAL_H
#define LATENTD_CORE_BASE_REAL_H

#ifdef LATENTD_DOUBLE
typedef double real;
#else
typedef float real;
#endif

enum { LANES = 16 };

#endif
