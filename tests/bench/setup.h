/* setup.h: what train and infer have in common: their options, the data set, a model that can be run. */
#ifndef LATENTD_TESTS_BENCH_SETUP_H
#define LATENTD_TESTS_BENCH_SETUP_H

#include "tests/bench/workloads.h"

#include <stdbool.h>

struct setup {
	const char *what;
	int threads, epochs, images, batch;
	bool profile;
	const struct kern *kern;
	struct dataset *data; /* Fashion-MNIST */
	struct pool *pool;
};

/* 0, BENCH_USAGE, or 1 after a line on stderr. */
int setup_open(struct setup *ret, int argc, char **argv);
void setup_close(struct setup *s);
/* Trains `w` for a while: `more` are overrides of its parameters. NULL after a line on stderr; trainer_close, model_free. */
struct trainer *setup_trainer(struct setup *s, const struct workload *w, struct model *ret_model, const char *more);
/* Codes of all training images by an autoencoder that has seen them once, [n][CODE_DIM]; free(). */
float *setup_codes(struct setup *s);

#endif
