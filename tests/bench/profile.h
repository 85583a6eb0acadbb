/* profile.h: where a step's time goes, layer by layer. */
#ifndef LATENTD_TESTS_BENCH_PROFILE_H
#define LATENTD_TESTS_BENCH_PROFILE_H

#include "core/model/train.h"

/* After at least one step of t: each layer by itself on the blocks that lie there, one thread; a line each. */
void profile_layers(struct trainer *t, double peak_gflops);

#endif
