/* spec.h: what a client asks for ↔ what a family's param rows describe.
 *
 * Why: request bodies, stored params, presets and the schema in GET /v1/kinds all walk the same rows.
 * Owner: spec_free. Not here: whether the data set exists or the job fits in memory (server/sched.h).
 */
#ifndef LATENTD_API_SPEC_H
#define LATENTD_API_SPEC_H

#include "api/job.h"
#include "api/json.h"
#include "core/model/model.h"

/* Of "best", "last" or an epoch's number. */
enum { SPEC_CHECKPOINT_SIZE = 16 };
enum { SPEC_DEPENDS_MAX = 32 };
enum { SPEC_TIME_LIMIT_MAX = 100000000 /* s: three years */, SPEC_RETRIES_MAX = 10 };
enum { SPEC_PRIORITY_MAX = 1000, SPEC_METADATA_MAX = 16384 /* bytes of JSON */ };

struct spec {
	const struct family *family;
	const struct preset *preset;
	char name[JOB_NAME_SIZE], dataset[DATASET_NAME_MAX + 1];
	bool dataset_given;
	char from[JOB_NAME_SIZE], from_checkpoint[SPEC_CHECKPOINT_SIZE]; /* as asked for; from "": it stands alone */
	char from_job[JOB_ID_SIZE];                                      /* what that is: set by whoever looks it up */
	int from_epoch;
	/* jobs that must have succeeded before: ids or names as asked for, ids once somebody has looked them up; malloc'd */
	int ndepends;
	char (*depends_on)[JOB_NAME_SIZE];
	uint64_t seed;
	int priority;
	int64_t time_limit_s; /* 0: none */
	int max_retries;
	char *metadata; /* JSON object text, malloc'd, or NULL */
	void *params;   /* the family's struct, malloc'd */
};

/* A POST /v1/jobs body: only `kind` is required; preset, name, dataset (default "fashion-mnist"), seed (default 0),
 * priority, time_limit_s, max_retries (default 0: none), params, metadata, depends_on, and from ("ae-8@best" or {"job","checkpoint"}) for kinds that go on from another job. Unknown fields, wrong types, values out of range: ERR_INVALID with the pointer and the
 * remedy ("unknown parameter; did you mean 'latent_dim'?"), the first field at fault in err, others in *more
 * (NULL: the first is enough). */
int spec_parse(struct spec *ret, const struct json *body, struct err *err, struct err_more *more);
void spec_free(struct spec *s);
/* What any submission has of its own: name, seed, priority, metadata, each where it is there. */
int spec_take_labels(struct spec *s, const struct json *body, struct err *err, struct err_more *more);
/* Its member "checkpoint", "best" where there is none, into from_checkpoint; errors at `pointer`. */
int spec_take_checkpoint(struct spec *s, const struct json *object, const char *pointer, struct err *err);
/* ERR_INVALID at #/name for a name that reads as something else where it stands for its job. */
int spec_check_name(const char *name, struct err *err);
/* {"epochs":50,…} onto params that hold defaults already; pointer "#/params/…". */
int spec_params_read(
	const struct family *f, const struct json *object, void *params, struct err *err, struct err_more *more);
/* One row's value as JSON. */
void spec_param_write(struct jsonw *w, const struct param *row, const void *params);
/* The family's struct as JSON, every row. */
void spec_params_write(struct jsonw *w, const struct family *f, const void *params);
/* Stored text → struct (malloc'd). */
int spec_params_parse(const struct family *f, const char *text, void **ret_params, struct err *err);

#endif
