/* space.h: the space of a study: names and bounds in JSON ↔ dimensions without a meaning (core/lab/space.h) ↔ parameters of a job.
 *
 * A dimension is named like what it sets: a parameter of the base kind ("lr"), an entry of a list ("channels.0"), a member of an
 * object ("prune.amount"), or "seed". Its value is an array of values, or an object:
 *   low, high   numbers, or {"of":"kernel.0","factor":0.5,"offset":0}: factor times that dimension's value plus offset
 *   log, step   drawn evenly on a logarithm; only low, low + step, …
 *   values      any values that the parameter takes; of a choice or a flag they may be left out: all
 *   variants    {"name":{parameters}, …}: of a helper: sets of parameters, each under a name
 *   when        {"n_conv":[3,4]}: it is there only where that dimension has one of those values
 * A name that is no parameter is a helper: it sets nothing by itself, so something must refer to it (a bound, a condition), or it has
 * variants. Dimensions may be given in any order; what they refer to must not go round in a circle.
 *
 * Lists: entry i is the dimension's value where one of that name is there; the list ends before an entry whose dimension is not there;
 * an entry without a dimension is the base's, as far as that goes. So {"n_conv":{"low":2,"high":4}} says how long lists are whose
 * later entries have conditions on it.
 *
 * Owner: study_space_free. Not here: what is tried (core/lab/tpe.h), what a job is (spec.h).
 */
#ifndef LATENTD_API_SPACE_H
#define LATENTD_API_SPACE_H

#include "api/json.h"
#include "core/lab/space.h"
#include "core/model/model.h"

enum space_what { SPACE_HELPER, SPACE_SEED, SPACE_PARAM, SPACE_ITEM };

/* What a dimension is about, beside its numbers. */
struct space_name {
	enum space_what what;
	const struct param *row, *member; /* member: of the object that `row` is; NULL: the row itself */
	int item;                         /* of the list that `row` is */
	bool variants;
	const struct json
		*choice[SPACE_CHOICES_MAX]; /* of a categorical one: the value; of variants: named sets of parameters */
};

struct study_space {
	const struct family *family;
	struct json *tree; /* choices lie in it */
	struct space space;
	struct space_name name[SPACE_DIMS_MAX];
};

/* For jobs of that kind. ERR_INVALID with the pointer "#/params/space/…". *ret: malloc'd. */
int study_space_read(struct study_space **ret, const char *text, const struct family *family, struct err *err);
void study_space_free(struct study_space *s);
/* The index of a dimension; -1: there is none of that name. */
int study_space_find(const struct study_space *s, const char *name);

/* Makes of the base's parameters and seed those of a point. ERR_INVALID "#/params/…" where a value is none of the parameter's. */
int study_space_apply(const struct study_space *s, const double *x, void *params, uint64_t *seed, struct err *err);
/* The other way: where jobs with these parameters lie, as far as that can be said: NaN where a dimension is not there or cannot have
 * that value. `given` (or NULL): an object of values by name that win, helpers' above all. */
void study_space_locate(
	const struct study_space *s, const void *params, uint64_t seed, const struct json *given, double *ret_x);
/* The number by which dimension i knows a value: itself, or the index of the choice that reads the same. NaN: it is none of them. */
double study_space_value(const struct study_space *s, int i, const struct json *value);
/* A value of dimension i as JSON: of a variant its name; null where it is not there. */
void study_space_write(struct jsonw *w, const struct study_space *s, int i, double x);

/* {"lr":0.1,"channels.0":4,"prune.amount":0.5,"seed":1} onto parameters of a kind: what one would write in a space. Pointers are
 * `pointer` and the name. */
int study_params_set(const struct family *f, const struct json *values, const char *pointer, void *params,
	uint64_t *seed, const struct study_space *space, struct err *err);
/* One value, as JSON text, of a parameter or of a member of an object. */
int study_param_read(const struct family *f, const struct param *row, const struct param *member, const char *value,
	void *params, struct err *err);

#endif
