#include "api/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_DEFAULT = 20, INFEASIBLE_TIMES = 10 };

static int no_memory(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "no memory for a study");
}

/* "#/params/lr" of a spec within another becomes "#/params/base/params/lr". */
static void nest(const char *within, struct err *err)
{
	char inner[sizeof err->pointer];
	snprintf(inner, sizeof inner, "%s", err->pointer[0] == '#' ? err->pointer + 1 : "");
	snprintf(
		err->pointer, sizeof err->pointer, "%s%.*s", within, (int)(sizeof err->pointer - strlen(within) - 1), inner);
}

static int parse_nested(struct spec *ret, const struct json *body, const char *within, const char *const *fields,
	struct err *err, struct err_more *more)
{
	struct err one = {0};
	struct err_more others = {0};
	if (json_type(body) != JSON_OBJECT)
		return json_fail_type(body, within, "an object such as {\"kind\":\"ae\"}", err);
	int code = json_only(body, fields, within, err, more);
	if (code || !(code = spec_parse(ret, body, &one, &others)))
		return code;
	nest(within, &one);
	*err = one;
	for (int i = 0; i < others.n; i++) {
		nest(within, &others.item[i]);
		err_add(err, more, code, &others.item[i]);
	}
	return code;
}

/* --- the base --- */

static const char base_pointer[] = "#/params/base";

static int parse_base(struct study *s, const struct spec *outer, struct err *err, struct err_more *more)
{
	static const char *const fields[] = {
		"kind", "preset", "dataset", "seed", "params", "from", "time_limit_s", "max_retries", NULL};
	struct json *body;
	int code = json_parse(&body, s->params->base, strlen(s->params->base), err);
	if (code)
		return code;
	if (!json_first(body))
		code = err_field(err, ERR_INVALID, base_pointer,
			"is required: what the trials are of, as {\"kind\":\"ae\",\"params\":{\"epochs\":10}}; or take a preset of kind %s",
			outer->family->name);
	if (!code)
		code = parse_nested(&s->base, body, base_pointer, fields, err, more);
	if (!code && !json_get(body, "seed"))
		s->base.seed = outer->seed;
	if (!code && !s->base.dataset_given && outer->dataset_given) {
		memcpy(s->base.dataset, outer->dataset, sizeof s->base.dataset);
		s->base.dataset_given = true;
	}
	json_free(body);
	if (!code && !family_trains(s->base.family))
		code = err_field(
			err, ERR_INVALID, "#/params/base/kind", "must be a kind that trains a net, got '%s'", s->base.family->name);
	return code;
}

int study_settle_base(const struct study *s, struct study_params *params, struct err *err)
{
	const struct spec *b = &s->base;
	struct buf text = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &text, false);
	jw_object(&w);
	jw_kstring(&w, "kind", b->family->name);
	jw_kstring(&w, "preset", b->preset->name);
	jw_kstring(&w, "dataset", b->dataset);
	jw_kint(&w, "seed", (int64_t)b->seed);
	if (*b->from_job) {
		jw_key(&w, "from");
		jw_object(&w);
		jw_kstring(&w, "job", b->from_job);
		jw_kint(&w, "checkpoint", b->from_epoch);
		jw_end_object(&w);
	}
	if (b->time_limit_s)
		jw_kint(&w, "time_limit_s", b->time_limit_s);
	if (b->max_retries)
		jw_kint(&w, "max_retries", b->max_retries);
	jw_key(&w, "params");
	spec_params_write(&w, b->family, b->params);
	jw_end_object(&w);
	int code =
		text.failed ? no_memory(err) : param_set_json(param_find(family_study.params, "base"), params, text.data, err);
	buf_free(&text);
	return code;
}

/* --- objective --- */

static int take_objective(struct study *s, struct err *err)
{
	const struct study_objective *o = &s->params->objective;
	const struct family *f = s->base.family;
	const struct train_params *train = s->base.params;
	struct json *metric = NULL;
	int code = o->on ? json_parse(&metric, o->metric, strlen(o->metric), err) : OK;
	if (code)
		return code;
	const char *name = metric && json_type(metric) == JSON_STRING ? json_string(metric) : NULL;
	const bool held_out = f->monitor && (train->val_fraction > 0 || !family_validates(f));
	if (!name)
		snprintf(s->metric, sizeof s->metric, "%s", held_out ? f->monitor : headline_at(f, 0)->name);
	else if (series_find(f, name, strlen(name)) && strlen(name) < sizeof s->metric)
		snprintf(s->metric, sizeof s->metric, "%s", name);
	else
		code = err_field(err, ERR_INVALID, "#/params/objective/metric",
			"kind '%s' has no series '%.60s'; GET /v1/kinds/%s names them", f->name, name, f->name);
	json_free(metric);
	return code;
}

/* --- how many --- */

static int take_list(const char *text, struct json **ret, struct err *err)
{
	int code = json_parse(ret, text, strlen(text), err);
	if (!code && json_type(*ret) != JSON_ARRAY) { /* null */
		json_free(*ret);
		*ret = NULL;
	}
	return code;
}

static const struct json *item_at(const struct json *list, int k)
{
	const struct json *item = list ? json_first(list) : NULL;
	while (k-- > 0 && item)
		item = json_next(item);
	return item;
}

static int take_enqueue(struct study *s, struct err *err)
{
	static const char baseline[] = "[{}]";
	const bool grid = s->params->sampler == STUDY_GRID;
	int code = take_list(s->params->enqueue, &s->enqueue, err);
	if (!code && !s->enqueue && !grid)
		code = json_parse(&s->enqueue, baseline, strlen(baseline), err);
	s->plan.enqueued = s->enqueue ? (int64_t)json_count(s->enqueue) : 0;
	for (int k = 0; k < s->plan.enqueued && !code; k++) {
		double x[SPACE_DIMS_MAX];
		void *params = NULL;
		uint64_t seed;
		code = study_enqueued(s, k, x, &params, &seed, err);
		free(params);
	}
	return code;
}

static int take_grid(struct study *s, struct err *err)
{
	int64_t points = 1;
	if (s->space->space.n) {
		int code = space_grid_check(&s->space->space, err);
		if (code)
			return code;
		points = space_grid_count(&s->space->space);
	}
	s->plan.most = points + s->plan.enqueued;
	s->plan.trials = s->params->trials ? s->params->trials : s->plan.most;
	if (s->plan.trials < s->plan.most)
		s->plan.most = s->plan.trials;
	if (s->plan.most <= STUDY_TRIALS_MAX)
		return OK;
	return err_field(err, ERR_INVALID, "#/params/space",
		"the grid has %s%lld points, at most %d can be tried; pass trials, or coarser steps",
		points == SPACE_GRID_MAX ? "more than " : "", (long long)points, STUDY_TRIALS_MAX);
}

static int take_numbers(struct study *s, struct err *err)
{
	const struct study_params *p = s->params;
	s->plan.parallel = (int)p->parallel;
	s->plan.after = s->after ? (int)json_count(s->after) : 0;
	s->plan.top_k = p->retrain.on ? (int)p->retrain.top_k : 0;
	s->plan.seeds = p->retrain.on ? p->retrain.seeds.n : 0;
	if (p->sampler == STUDY_GRID)
		return take_grid(s, err);
	s->plan.trials = p->trials ? p->trials : TRIALS_DEFAULT;
	s->plan.most = INFEASIBLE_TIMES * s->plan.trials;
	if (s->space->space.n)
		return OK;
	return err_field(err, ERR_INVALID, "#/params/space",
		"is empty: nothing to try; name parameters and their bounds, as "
		"{\"lr\":{\"low\":1e-5,\"high\":0.1,\"log\":true}}");
}

/* --- after, retrain --- */

static const char *const after_fields[] = {"kind", "preset", "params", "seed", "dataset", NULL};

static int take_after(struct study *s, struct err *err, struct err_more *more)
{
	int i = 0, code = take_list(s->params->after, &s->after, err);
	if (!code && s->after && json_count(s->after) > STUDY_AFTER_MAX)
		code = err_field(err, ERR_INVALID, "#/params/after", "must have at most %d jobs", STUDY_AFTER_MAX);
	for (const struct json *body = s->after ? json_first(s->after) : NULL; body && !code; body = json_next(body), i++) {
		struct spec spec = {0};
		char pointer[40];
		snprintf(pointer, sizeof pointer, "#/params/after/%d", i);
		code = parse_nested(&spec, body, pointer, after_fields, err, more);
		if (!code && !family_goes_on_from(spec.family, s->base.family))
			code = err_field(
				err, ERR_INVALID, pointer, "a %s cannot go on from a %s", spec.family->name, s->base.family->name);
		spec_free(&spec);
	}
	return code;
}

int study_after(const struct study *s, int i, const char *from, struct spec *ret, struct err *err)
{
	int code = spec_parse(ret, item_at(s->after, i), err, NULL);
	if (code)
		return code;
	snprintf(ret->from, sizeof ret->from, "%s", from);
	snprintf(ret->from_checkpoint, sizeof ret->from_checkpoint, "best");
	if (!ret->dataset_given) {
		memcpy(ret->dataset, s->base.dataset, sizeof ret->dataset);
		ret->dataset_given = true;
	}
	return OK;
}

static int copy_params(const struct study *s, void **ret, struct err *err)
{
	const size_t size = s->base.family->params_size;
	*ret = malloc(size);
	if (!*ret)
		return no_memory(err);
	memcpy(*ret, s->base.params, size);
	return OK;
}

int study_retrained(const struct study *s, void *params, struct err *err)
{
	uint64_t seed = 0;
	return study_params_set(s->base.family, s->retrain, "#/params/retrain/params", params, &seed, NULL, err);
}

static int take_retrain(struct study *s, struct err *err)
{
	void *params;
	if (!s->params->retrain.on)
		return OK;
	int code = json_parse(&s->retrain, s->params->retrain.params, strlen(s->params->retrain.params), err);
	if (!code && json_get(s->retrain, "seed"))
		code = err_field(err, ERR_INVALID, "#/params/retrain/params/seed", "is said by retrain.seeds");
	if (!code)
		code = copy_params(s, &params, err);
	if (code)
		return code;
	code = study_retrained(s, params, err);
	free(params);
	return code;
}

/* --- as a whole --- */

static int copy_own(struct study *s, const struct spec *outer, struct err *err)
{
	s->params = malloc(sizeof *s->params);
	if (!s->params)
		return no_memory(err);
	memcpy(s->params, outer->params, sizeof *s->params);
	return OK;
}

int study_open(struct study **ret, const struct spec *outer, struct err *err, struct err_more *more)
{
	struct study *s = calloc(1, sizeof *s);
	if (!s)
		return no_memory(err);
	int code = copy_own(s, outer, err);
	if (!code)
		code = parse_base(s, outer, err, more);
	if (!code)
		code = study_space_read(&s->space, s->params->space, s->base.family, err);
	if (!code)
		code = take_objective(s, err);
	if (!code)
		code = take_enqueue(s, err);
	if (!code)
		code = take_after(s, err, more);
	if (!code)
		code = take_retrain(s, err);
	if (!code)
		code = take_numbers(s, err);
	if (code)
		study_close(s);
	else
		*ret = s;
	return code;
}

int study_open_job(struct study **ret, const struct job *job, struct err *err)
{
	struct spec outer = {.family = &family_study, .seed = job->seed, .dataset_given = true};
	snprintf(outer.dataset, sizeof outer.dataset, "%.*s", DATASET_NAME_MAX, job->dataset);
	int code = spec_params_parse(outer.family, job->params, &outer.params, err);
	if (!code)
		code = study_open(ret, &outer, err, NULL);
	free(outer.params);
	return code;
}

void study_close(struct study *s)
{
	if (!s)
		return;
	spec_free(&s->base);
	study_space_free(s->space);
	json_free(s->enqueue);
	json_free(s->after);
	json_free(s->retrain);
	free(s->params);
	free(s);
}

int study_check(struct spec *spec, struct err *err, struct err_more *more)
{
	struct study *s;
	int code = study_open(&s, spec, err, more);
	if (!code)
		study_close(s);
	return code;
}

/* --- points --- */

int study_enqueued(const struct study *s, int k, double *ret_x, void **ret_params, uint64_t *ret_seed, struct err *err)
{
	char pointer[40];
	void *params;
	uint64_t seed = s->base.seed;
	const struct json *values = item_at(s->enqueue, k);
	snprintf(pointer, sizeof pointer, "#/params/enqueue/%d", k);
	int code = copy_params(s, &params, err);
	if (code)
		return code;
	code = study_params_set(s->base.family, values, pointer, params, &seed, s->space, err);
	if (!code) {
		study_space_locate(s->space, params, seed, values, ret_x);
		code = study_space_apply(s->space, ret_x, params, &seed, err);
	}
	if (code) {
		free(params);
		return code;
	}
	*ret_params = params;
	*ret_seed = seed;
	return OK;
}

int study_point(const struct study *s, const double *x, void **ret_params, uint64_t *ret_seed, struct err *err)
{
	void *params;
	uint64_t seed = s->base.seed;
	int code = copy_params(s, &params, err);
	if (code)
		return code;
	code = study_space_apply(s->space, x, params, &seed, err);
	if (code) {
		free(params);
		return code;
	}
	*ret_params = params;
	*ret_seed = seed;
	return OK;
}

void study_write_x(struct buf *b, const struct study *s, const double *x)
{
	struct jsonw w;
	jw_init(&w, b, false);
	jw_array(&w);
	for (int i = 0; i < s->space->space.n; i++)
		jw_number(&w, x[i]);
	jw_end_array(&w);
}

int study_read_x(const struct study *s, const char *text, double *ret_x, struct err *err)
{
	struct json *list;
	int i = 0, code = json_parse(&list, text, strlen(text), err);
	if (code)
		return code;
	for (const struct json *v = json_first(list); v && i < s->space->space.n; v = json_next(v))
		ret_x[i++] = json_type(v) == JSON_NUMBER ? json_number(v) : NAN;
	json_free(list);
	return i == s->space->space.n
			   ? OK
			   : err_set(err, ERR_CORRUPT, "a trial has %d values for %d dimensions", i, s->space->space.n);
}

bool study_same(const struct study *s, const double *x, const double *y)
{
	for (int i = 0; i < s->space->space.n; i++)
		if (s->space->name[i].what != SPACE_SEED && x[i] != y[i] && !(isnan(x[i]) && isnan(y[i])))
			return false;
	return true;
}

/* --- repeats --- */

static void write_seeds(struct jsonw *w, const struct json *seeds)
{
	jw_key(w, "seed");
	jw_object(w);
	jw_key(w, "values");
	jw_node(w, seeds);
	jw_end_object(w);
}

/* {"kind":"study","params":{"base":{all but labels},"space":{"seed":…},"sampler":"grid"},labels} */
static void write_repeats(struct jsonw *w, const struct json *body)
{
	static const char *const labels[] = {"name", "priority", "metadata", "depends_on", NULL};
	jw_object(w);
	jw_kstring(w, "kind", family_study.name);
	for (int i = 0; labels[i]; i++)
		if (json_get(body, labels[i])) {
			jw_key(w, labels[i]);
			jw_node(w, json_get(body, labels[i]));
		}
	jw_key(w, "params");
	jw_object(w);
	jw_kstring(w, "sampler", "grid");
	jw_key(w, "space");
	jw_object(w);
	write_seeds(w, json_get(body, "seeds"));
	jw_end_object(w);
	jw_key(w, "base");
	jw_object(w);
	for (const struct json *m = json_first(body); m; m = json_next(m)) {
		bool own = !strcmp(json_key(m), "seeds");
		for (int i = 0; labels[i]; i++)
			own = own || !strcmp(json_key(m), labels[i]);
		if (own)
			continue;
		jw_key(w, json_key(m));
		jw_node(w, m);
	}
	jw_end_object(w);
	jw_end_object(w);
	jw_end_object(w);
}

static int check_seeds(const struct json *seeds, struct err *err)
{
	int i = 0;
	if (json_type(seeds) != JSON_ARRAY || !json_count(seeds) || json_count(seeds) > SPACE_CHOICES_MAX)
		return err_field(err, ERR_INVALID, "#/seeds", "must be a list of 1..%d whole numbers", SPACE_CHOICES_MAX);
	for (const struct json *v = json_first(seeds); v; v = json_next(v), i++) {
		char pointer[40];
		double seed = json_type(v) == JSON_NUMBER ? json_number(v) : NAN;
		snprintf(pointer, sizeof pointer, "#/seeds/%d", i);
		if (!(seed >= 0 && seed <= 9007199254740991.0 && seed == floor(seed)))
			return err_field(err, ERR_INVALID, pointer, "must be a whole number 0..9007199254740991");
	}
	return OK;
}

int study_of_seeds(struct json **ret, const struct json *body, struct err *err)
{
	struct buf text = BUF_INIT;
	struct jsonw w;
	int code = check_seeds(json_get(body, "seeds"), err);
	if (!code && json_get(body, "seed"))
		code = err_field(err, ERR_INVALID, "#/seed", "cannot go with seeds: give one or the other");
	if (code)
		return code;
	jw_init(&w, &text, false);
	write_repeats(&w, body);
	code = text.failed ? no_memory(err) : json_parse(ret, text.data, text.len, err);
	buf_free(&text);
	return code;
}

/* The space with these seeds instead of those that it has. */
static int set_seeds(struct study_params *p, const struct json *seeds, struct err *err)
{
	struct json *space;
	struct buf text = BUF_INIT;
	struct jsonw w;
	int code = json_parse(&space, p->space, strlen(p->space), err);
	if (code)
		return code;
	jw_init(&w, &text, false);
	jw_object(&w);
	for (const struct json *m = json_first(space); m; m = json_next(m))
		if (strcmp(json_key(m), "seed") != 0) {
			jw_key(&w, json_key(m));
			jw_node(&w, m);
		}
	write_seeds(&w, seeds);
	jw_end_object(&w);
	json_free(space);
	code = text.failed ? no_memory(err) : param_set_json(param_find(family_study.params, "space"), p, text.data, err);
	buf_free(&text);
	return code;
}

int study_repeat(struct spec *spec, const struct json *seeds, struct err *err)
{
	int code = check_seeds(seeds, err);
	if (code)
		return code;
	if (spec->family != &family_study)
		return err_field(
			err, ERR_INVALID, "#/seeds", "are for kinds that train a net; a %s does not", spec->family->name);
	struct study_params *p = spec->params;
	if (p->sampler != STUDY_GRID)
		return err_field(err, ERR_INVALID, "#/seeds",
			"repeat the points of a grid; what another sampler finds is trained again on params.retrain.seeds");
	code = set_seeds(p, seeds, err);
	return code ? code : study_check(spec, err, NULL);
}
