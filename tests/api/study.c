#include "api/study.h"

#include "tests/api/check.h"

#include <math.h>

static int parse(const char *text, struct spec *ret, struct err *err)
{
	struct json *body = parsed(text);
	*err = (struct err){0};
	int code = spec_parse(ret, body, err, NULL);
	json_free(body);
	return code;
}

static struct study *study_of(const char *text)
{
	struct study *s = NULL;
	struct spec spec;
	struct err err;
	if (parse(text, &spec, &err) || study_open(&s, &spec, &err, NULL))
		fail_msg("%s: %s %s", text, err.pointer, err.message);
	spec_free(&spec);
	return s;
}

#define BASE "\"base\":{\"kind\":\"ae\",\"preset\":\"report\",\"params\":{\"epochs\":2}}"
#define STUDY(params) "{\"kind\":\"study\",\"params\":{" params "}}"

static void presets_are_studies(void **state)
{
	(void)state;
	struct study *s = study_of("{\"kind\":\"study\",\"preset\":\"report-ae\"}");
	assert_int_equal(s->plan.trials, 20);
	assert_int_equal(s->plan.enqueued, 1);
	assert_int_equal(s->plan.top_k, 3);
	assert_int_equal(s->plan.seeds, 3);
	assert_int_equal(s->space->space.n, 26);
	assert_string_equal(s->metric, "val_loss");
	double x[SPACE_DIMS_MAX];
	void *params;
	uint64_t seed;
	assert_int_equal(study_enqueued(s, 0, x, &params, &seed, NULL), OK);
	for (const struct param *row = s->base.family->params; row->name; row++)
		assert_true(param_equal(row, params, s->base.params)); /* the baseline is the manual net, as it is */
	assert_true(x[study_space_find(s->space, "n_conv")] == 3);
	assert_true(x[study_space_find(s->space, "n_linear")] == 1);
	free(params);
	study_close(s);
	s = study_of("{\"kind\":\"study\",\"preset\":\"latent-sweep\"}");
	assert_int_equal(s->plan.trials, 7);
	assert_int_equal(s->plan.after, 2);
	assert_int_equal(s->plan.enqueued, 0);
	study_close(s);
	s = study_of("{\"kind\":\"study\",\"preset\":\"report-regularisers\",\"seeds\":[4,5]}");
	assert_int_equal(s->plan.trials, 8);
	const double points[2][2] = {{1, 0}, {1, 1}};
	assert_int_equal(study_point(s, points[1], &params, &seed, NULL), OK);
	assert_int_equal(seed, 5);
	assert_true(param_is_on(param_find(s->base.family->params, "early_stopping"), params));
	assert_true(study_same(s, points[0], points[1]));
	free(params);
	study_close(s);
}

static void seeds_make_a_study_of_any_job(void **state)
{
	(void)state;
	struct spec spec;
	struct err err;
	assert_int_equal(
		parse(
			"{\"kind\":\"vae\",\"name\":\"v\",\"priority\":3,\"dataset\":\"mnist\",\"params\":{\"epochs\":4},\"seeds\":[1,2,9]}",
			&spec, &err),
		OK);
	assert_string_equal(spec.family->name, "study");
	assert_string_equal(spec.name, "v");
	assert_int_equal(spec.priority, 3);
	struct study *s;
	assert_int_equal(study_open(&s, &spec, &err, NULL), OK);
	assert_string_equal(s->base.family->name, "vae");
	assert_string_equal(s->base.dataset, "mnist");
	assert_int_equal(s->plan.most, 3);
	study_close(s);
	spec_free(&spec);
	static const struct {
		const char *text, *pointer;
	} cases[] = {
		{"{\"kind\":\"ae\",\"seeds\":[]}", "#/seeds"},
		{"{\"kind\":\"ae\",\"seeds\":[1,1.5]}", "#/seeds/1"},
		{"{\"kind\":\"ae\",\"seed\":1,\"seeds\":[1]}", "#/seed"},
		{"{\"kind\":\"ae\",\"params\":{\"epohcs\":1},\"seeds\":[1]}", "#/params/epohcs"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].text, &spec, &err), ERR_INVALID);
		assert_string_equal(err.pointer, cases[i].pointer);
	}
	assert_int_equal(parse("{\"kind\":\"study\",\"preset\":\"report-ae\",\"seeds\":[1]}", &spec, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/seeds");
}

static void the_base_is_resolved_once(void **state)
{
	(void)state;
	struct spec spec;
	struct err err;
	assert_int_equal(parse("{\"kind\":\"study\",\"seed\":11,\"dataset\":\"mnist\",\"params\":{" BASE
						   ",\"space\":{\"lr\":[0.1,0.2]}}}",
						 &spec, &err),
		OK);
	struct study *s, *again;
	assert_int_equal(study_open(&s, &spec, &err, NULL), OK);
	assert_int_equal(s->base.seed, 11);
	assert_int_equal(study_settle_base(s, spec.params, &err), OK);
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	spec_params_write(&w, spec.family, spec.params);
	struct job job = {.seed = 99, .params = b.data};
	strcpy(job.kind, "study");
	strcpy(job.dataset, "other");
	assert_int_equal(study_open_job(&again, &job, &err), OK);
	assert_int_equal(again->base.seed, 11);
	assert_string_equal(again->base.dataset, "mnist");
	for (const struct param *row = s->base.family->params; row->name; row++)
		assert_true(param_equal(row, s->base.params, again->base.params));
	buf_free(&b);
	study_close(s);
	study_close(again);
	spec_free(&spec);
}

static void points_are_text_and_back(void **state)
{
	(void)state;
	struct study *s = study_of(STUDY(BASE
		",\"space\":{\"lr\":{\"low\":1e-5,\"high\":0.1,\"log\":true},\"norm\":{},\"latent_dim\":{\"low\":1,\"high\":9}}"));
	const double x[] = {0.1 / 3, NAN, 7};
	double back[3];
	struct buf b = BUF_INIT;
	study_write_x(&b, s, x);
	assert_int_equal(study_read_x(s, b.data, back, NULL), OK);
	assert_true(back[0] == x[0] && isnan(back[1]) && back[2] == 7);
	assert_int_equal(study_read_x(s, "[1,2]", back, NULL), ERR_CORRUPT);
	buf_free(&b);
	study_close(s);
}

static void faults_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *pointer, *says;
	} cases[] = {
		{"{\"kind\":\"study\"}", "#/params/base", "is required"},
		{STUDY("\"base\":{\"knd\":\"ae\"}"), "#/params/base/knd", "did you mean 'kind'?"},
		{STUDY("\"base\":{\"kind\":\"aee\"}"), "#/params/base/kind", "unknown kind"},
		{STUDY("\"base\":{\"kind\":\"ae\",\"name\":\"x\"}"), "#/params/base/name", "unknown field"},
		{STUDY("\"base\":{\"kind\":\"ae\",\"params\":{\"epochs\":0}}"), "#/params/base/params/epochs", "must be 1.."},
		{STUDY("\"base\":{\"kind\":\"study\",\"preset\":\"report-ae\"}"), "#/params/base/kind", "a kind that trains"},
		{STUDY("\"base\":7"), "#/params/base", "must be an object"},
		{STUDY(BASE), "#/params/space", "nothing to try"},
		{STUDY(BASE ",\"space\":{\"lr\":{\"low\":0.1,\"high\":0.2}},\"sampler\":\"grid\""), "#/params/space/lr/step",
			""},
		{STUDY(BASE ",\"space\":{\"lr\":{\"low\":0.1,\"high\":0.2}},\"sampler\":\"tpee\""), "#/params/sampler",
			"tpe|random|grid"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"objective\":{\"metric\":\"val_los\"}"), "#/params/objective/metric",
			"no series 'val_los'"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"objective\":{\"metric\":7}"), "#/params/objective/metric", "must be"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"enqueue\":[{\"lrr\":1}]"), "#/params/enqueue/0/lrr",
			"did you mean 'lr'?"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"enqueue\":[{},{\"lr\":11}]"), "#/params/enqueue/1/lr",
			"must be 0..10"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"enqueue\":[7]"), "#/params/enqueue/0", "must be an object"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"after\":[{\"kind\":\"ae\"}]"), "#/params/after/0",
			"cannot go on from"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"after\":[{\"kind\":\"projection\",\"params\":{\"methd\":\"pca\"}}]"),
			"#/params/after/0/params/methd", "did you mean 'method'?"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"retrain\":{\"params\":{\"epohcs\":1}}"),
			"#/params/retrain/params/epohcs", "did you mean 'epochs'?"},
		{STUDY(BASE ",\"space\":{\"lr\":[0.1]},\"retrain\":{\"top_k\":0}"), "#/params/retrain/top_k", "must be 1.."},
		{STUDY(BASE ",\"space\":{\"latnt_dim\":[1]}"), "#/params/space/latnt_dim", "did you mean 'latent_dim'?"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct spec spec;
		struct err err;
		int code = parse(cases[i].text, &spec, &err);
		if (code != ERR_INVALID || strcmp(err.pointer, cases[i].pointer) || !strstr(err.message, cases[i].says))
			fail_msg("%s: got %d %s %s", cases[i].text, code, err.pointer, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_are_studies),
		cmocka_unit_test(seeds_make_a_study_of_any_job),
		cmocka_unit_test(the_base_is_resolved_once),
		cmocka_unit_test(points_are_text_and_back),
		cmocka_unit_test(faults_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
