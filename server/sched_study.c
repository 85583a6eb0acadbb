/* sched_study.c: what a study would take: that of its base, so many times. */
#include "server/sched_internal.h"

#include "api/study.h"

#include <stdio.h>
#include <string.h>

/* "#/params/channels" of the base is "#/params/base/params/channels" of the study. */
static int within_base(struct err *err)
{
	char inner[sizeof err->pointer];
	snprintf(inner, sizeof inner, "%s", err->pointer[0] == '#' ? err->pointer + 1 : "");
	snprintf(err->pointer, sizeof err->pointer, "#/params/base%.*s", (int)(sizeof err->pointer - 16), inner);
	return err->code;
}

/* All trials as long as the base: those that are trained again may be longer, and others be pruned. */
static void multiply(const struct study *study, struct estimate *e)
{
	int64_t ended, all;
	trials_count(&study->plan, NULL, 0, &ended, &all);
	e->memory_bytes = 0; /* its children ask for theirs */
	e->epochs = (int)all;
	e->steps = all;
	e->steps_per_epoch = 1;
}

int sched_estimate_study(struct sched *s, struct spec *spec, struct estimate *ret, struct err *err)
{
	struct study *study;
	struct estimate e;
	struct err why = {0};
	int code = study_open(&study, spec, err, NULL);
	if (code)
		return code;
	code = sched_estimate(s, &study->base, &e, &why);
	if (code) {
		within_base(&why);
		code = err_field(err, code, why.pointer, "%s", why.message);
	} else {
		code = study_settle_base(study, spec->params, err);
		snprintf(spec->dataset, sizeof spec->dataset, "%s", study->base.dataset);
		if (e.seconds_per_epoch >= 0) /* an epoch of a study is a trial */
			e.seconds_per_epoch *= e.epochs;
		e.flops_per_epoch *= e.epochs;
		multiply(study, &e);
	}
	study_close(study);
	if (!code)
		*ret = e;
	return code;
}
