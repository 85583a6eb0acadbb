/* study.h: the parameters of a study: what its trials are of, what they may differ in, and by what they are judged.
 *
 * Why: a study is a job like any other, so its parameters are rows like any other's: schema, form, presets and stored specs walk them.
 * What no row can say (a space of names, a list of trials) is a field of JSON.
 * Not here: what that JSON may be (api/study.h, api/space.h), who moves a study (server/study.h).
 */
#ifndef LATENTD_CORE_LAB_STUDY_H
#define LATENTD_CORE_LAB_STUDY_H

#include "core/model/model.h"

/* Bytes of a field of JSON. */
enum { STUDY_TEXT = 16384, STUDY_WORD = 128, STUDY_TRIALS_MAX = 10000, STUDY_PARALLEL_MAX = 64 };

/* order = choices of `sampler`, `direction` */
enum study_sampler { STUDY_TPE, STUDY_RANDOM, STUDY_GRID };
enum study_direction { STUDY_MINIMIZE, STUDY_MAXIMIZE };

struct study_objective {
	bool on;
	char metric[STUDY_WORD]; /* a string */
	int direction;           /* enum study_direction */
};

struct study_retrain {
	bool on;
	int64_t top_k;
	struct param_ints seeds;
	char params[STUDY_TEXT]; /* an object */
};

struct study_params {
	char base[STUDY_TEXT], space[STUDY_TEXT]; /* objects */
	int sampler;                              /* enum study_sampler */
	bool multivariate;
	int64_t startup_trials, trials, parallel;
	struct study_objective objective;
	int pruner;               /* enum pruner */
	char enqueue[STUDY_TEXT]; /* a list of objects, or null */
	char after[STUDY_TEXT];   /* a list of objects */
	struct study_retrain retrain;
};

extern const struct family family_study;

#endif
