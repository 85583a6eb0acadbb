#include "api/space.h"

#include "api/spec.h"

#include "tests/api/check.h"

#include <math.h>

static const struct family *ae(void)
{
	return family_find("ae");
}

static struct study_space *space_of(const char *text)
{
	struct study_space *s;
	struct err err = {0};
	if (study_space_read(&s, text, ae(), &err))
		fail_msg("%s: %s", err.pointer, err.message);
	return s;
}

static void *report(void)
{
	return family_params(ae(), preset_find(ae(), "report"));
}

#define CONVS                                                                       \
	"\"channels.0\":{\"low\":4,\"high\":8},\"channels.1\":{\"low\":4,\"high\":16}," \
	"\"channels.2\":{\"low\":4,\"high\":32,\"when\":{\"n_conv\":[3,4]}},\"channels.3\":{\"low\":4,\"high\":64,\"when\":{\"n_conv\":4}}"

static void names_are_parameters_entries_members_helpers(void **state)
{
	(void)state;
	struct study_space *s = space_of(
		"{" CONVS ",\"n_conv\":{\"low\":2,\"high\":4},\"lr\":{\"low\":1e-5,\"high\":0.1,\"log\":true},"
		"\"kernel.0\":{\"low\":2,\"high\":6},\"padding.0\":{\"low\":0,\"high\":{\"of\":\"kernel.0\",\"factor\":0.5}},"
		"\"prune.amount\":[0.25,0.5],\"optimizer\":{},\"seed\":{\"values\":[1,2]}}");
	assert_int_equal(s->space.n, 11);
	const int n_conv = study_space_find(s, "n_conv"), third = study_space_find(s, "channels.2");
	assert_true(n_conv < third); /* what is referred to comes first */
	assert_int_equal(s->name[n_conv].what, SPACE_HELPER);
	assert_int_equal(s->name[third].what, SPACE_ITEM);
	assert_int_equal(s->space.dim[third].nconditions, 1);
	assert_int_equal(s->space.dim[third].type, DIM_INT);
	assert_int_equal(s->space.dim[study_space_find(s, "lr")].type, DIM_FLOAT);
	assert_int_equal(s->space.dim[study_space_find(s, "optimizer")].choices, 4);
	assert_string_equal(s->name[study_space_find(s, "prune.amount")].member->name, "amount");
	assert_int_equal(s->name[study_space_find(s, "seed")].what, SPACE_SEED);
	study_space_free(s);
}

static void lists_end_where_an_entry_is_not_there(void **state)
{
	(void)state;
	struct study_space *s = space_of("{\"n_conv\":{\"low\":2,\"high\":4}," CONVS "}");
	void *params = report();
	uint64_t seed = 7;
	const double x[] = {2, 5, 6, NAN, NAN};
	assert_int_equal(study_space_apply(s, x, params, &seed, NULL), OK);
	const struct param_ints *channels = param_ints(param_find(ae()->params, "channels"), params);
	assert_int_equal(channels->n, 2);
	assert_int_equal(channels->v[0], 5);
	assert_int_equal(channels->v[1], 6);
	assert_int_equal(seed, 7);
	const double y[] = {4, 5, 6, 7, 8};
	assert_int_equal(study_space_apply(s, y, params, &seed, NULL), OK);
	assert_int_equal(channels->n, 4);
	free(params);
	study_space_free(s);
	/* what no dimension speaks of is the base's */
	s = space_of("{\"channels.1\":{\"low\":4,\"high\":16}}");
	params = report();
	const double z[] = {9};
	assert_int_equal(study_space_apply(s, z, params, &seed, NULL), OK);
	channels = param_ints(param_find(ae()->params, "channels"), params);
	assert_int_equal(channels->n, 3);
	assert_int_equal(channels->v[0], 8);
	assert_int_equal(channels->v[1], 9);
	assert_int_equal(channels->v[2], 32);
	free(params);
	study_space_free(s);
}

static void values_and_variants(void **state)
{
	(void)state;
	struct study_space *s =
		space_of("{\"early_stopping\":{\"values\":[null,{\"patience\":3}]},\"norm\":{},"
				 "\"way\":{\"variants\":{\"plain\":{},\"both\":{\"dropout\":0.5,\"channels.0\":4}}},\"seed\":[5,6]}");
	void *params = report();
	uint64_t seed = 0;
	const double x[] = {1, 2, 1, 1};
	assert_int_equal(study_space_apply(s, x, params, &seed, NULL), OK);
	assert_true(param_is_on(param_find(ae()->params, "early_stopping"), params));
	assert_true(param_number(param_find(ae()->params, "norm"), params) == 2);
	assert_true(param_number(param_find(ae()->params, "dropout"), params) == 0.5);
	assert_int_equal(param_ints(param_find(ae()->params, "channels"), params)->v[0], 4);
	assert_int_equal(seed, 6);
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	jw_array(&w);
	for (int i = 0; i < 4; i++)
		study_space_write(&w, s, i, x[i]);
	study_space_write(&w, s, 0, NAN);
	jw_end_array(&w);
	assert_string_equal(b.data, "[{\"patience\":3},\"group\",\"both\",6,null]");
	buf_free(&b);
	double back[4];
	study_space_locate(s, params, seed, NULL, back);
	for (int i = 0; i < 4; i++)
		assert_true(back[i] == x[i]); /* "plain" would change nothing either, and says less */
	free(params);
	study_space_free(s);
}

static void the_base_has_a_place(void **state)
{
	(void)state;
	struct study_space *s = space_of(
		"{\"n_conv\":{\"low\":2,\"high\":4}," CONVS ",\"kernel.2\":{\"low\":2,\"high\":6},"
		"\"lr\":{\"low\":1e-5,\"high\":0.1,\"log\":true},\"weight_decay\":{\"low\":1e-7,\"high\":0.1,\"log\":true},"
		"\"early_stopping.patience\":{\"low\":1,\"high\":10}}");
	void *params = report();
	double x[SPACE_DIMS_MAX];
	study_space_locate(s, params, 0, NULL, x);
	assert_true(x[study_space_find(s, "n_conv")] == 3); /* as many as there are */
	assert_true(x[study_space_find(s, "channels.2")] == 32);
	assert_true(isnan(x[study_space_find(s, "channels.3")]));
	assert_true(x[study_space_find(s, "kernel.2")] == 3); /* one for all */
	assert_true(x[study_space_find(s, "lr")] == 1e-3);
	assert_true(isnan(x[study_space_find(s, "weight_decay")]));            /* 0 is not in the space */
	assert_true(isnan(x[study_space_find(s, "early_stopping.patience")])); /* it is off */
	struct json *given = parsed("{\"n_conv\":2,\"lr\":0.01,\"weight_decay\":7}");
	study_space_locate(s, params, 0, given, x);
	assert_true(x[study_space_find(s, "n_conv")] == 2);
	assert_true(isnan(x[study_space_find(s, "channels.2")]));
	assert_true(x[study_space_find(s, "lr")] == 0.01);
	assert_true(isnan(x[study_space_find(s, "weight_decay")]));
	json_free(given);
	free(params);
	study_space_free(s);
}

static void faults_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *pointer, *says;
	} cases[] = {
		{"{\"latnt_dim\":{\"low\":1,\"high\":2}}", "#/params/space/latnt_dim", "did you mean 'latent_dim'?"},
		{"{\"chanels.0\":{\"low\":1,\"high\":2}}", "#/params/space/chanels.0", "did you mean 'channels.0'?"},
		{"{\"prune.amuont\":{\"low\":0.1,\"high\":0.2}}", "#/params/space/prune.amuont",
			"did you mean 'prune.amount'?"},
		{"{\"channels.x\":{\"low\":1,\"high\":2}}", "#/params/space/channels.x", "'channels.0'"},
		{"{\"nothing_like_it\":{\"low\":1,\"high\":2}}", "#/params/space/nothing_like_it",
			"nothing in the space refers to it"},
		{"{\"latent_dim\":{\"low\":0,\"high\":2}}", "#/params/space/latent_dim/low", "must be 1..512, got 0"},
		{"{\"latent_dim\":{\"low\":1,\"high\":1000}}", "#/params/space/latent_dim/high", "must be 1..512, got 1000"},
		{"{\"latent_dim\":{\"low\":1.5,\"high\":3}}", "#/params/space/latent_dim/low", "a whole number"},
		{"{\"latent_dim\":{\"low\":3}}", "#/params/space/latent_dim/high", "is required"},
		{"{\"latent_dim\":{\"low\":3,\"high\":2}}", "#/params/space/latent_dim/high", ""},
		{"{\"latent_dim\":{}}", "#/params/space/latent_dim", "needs low and high, or values"},
		{"{\"latent_dim\":{\"low\":1,\"hihg\":2}}", "#/params/space/latent_dim/hihg", "did you mean 'high'?"},
		{"{\"latent_dim\":{\"low\":1,\"high\":2,\"values\":[1]}}", "#/params/space/latent_dim", "one of these"},
		{"{\"latent_dim\":[2,0]}", "#/params/space/latent_dim/1", "must be 1..512, got 0"},
		{"{\"latent_dim\":{\"values\":[2,\"x\"]}}", "#/params/space/latent_dim/values/1", "must be a whole number"},
		{"{\"latent_dim\":{\"values\":[]}}", "#/params/space/latent_dim/values", "a list of 1.."},
		{"{\"optimizer\":{\"values\":[\"adm\"]}}", "#/params/space/optimizer/values/0", "must be one of"},
		{"{\"optimizer\":{\"low\":1,\"high\":2}}", "#/params/space/optimizer", "needs values"},
		{"{\"lr\":{\"low\":0,\"high\":1,\"log\":true}}", "#/params/space/lr/low", ""},
		{"{\"lr\":{\"low\":{\"of\":\"lrr\"},\"high\":1}}", "#/params/space/lr/low", "of this space"},
		{"{\"lr\":{\"low\":{\"off\":\"lr\"},\"high\":1}}", "#/params/space/lr/low/off", "did you mean 'of'?"},
		{"{\"lr\":{\"low\":0,\"high\":{\"of\":\"beta1\"}},\"beta1\":{\"low\":{\"of\":\"lr\"},\"high\":0.9}}",
			"#/params/space/lr", "to itself"},
		{"{\"lr\":{\"low\":0,\"high\":1,\"when\":{\"optimizr\":\"adam\"}}}", "#/params/space/lr/when/optimizr",
			"a dimension of this space"},
		{"{\"optimizer\":{},\"lr\":{\"low\":0,\"high\":1,\"when\":{\"optimizer\":\"sdg\"}}}",
			"#/params/space/lr/when/optimizer", "values that optimizer can have"},
		{"{\"lr\":7}", "#/params/space/lr", "must be an object"},
		{"{\"way\":{\"variants\":{\"a\":{\"drpout\":1}}}}", "#/params/space/way/variants/a/drpout",
			"did you mean 'dropout'?"},
		{"{\"lr\":{\"variants\":{\"a\":{}}}}", "#/params/space/lr/variants", "no parameter"},
		{"{\"seed\":[1.5]}", "#/params/space/seed/0", "a whole number"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct study_space *s;
		struct err err = {0};
		assert_int_equal(study_space_read(&s, cases[i].text, ae(), &err), ERR_INVALID);
		if (strcmp(err.pointer, cases[i].pointer) || !strstr(err.message, cases[i].says))
			fail_msg("%s: got %s %s", cases[i].text, err.pointer, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_parameters_entries_members_helpers),
		cmocka_unit_test(lists_end_where_an_entry_is_not_there),
		cmocka_unit_test(values_and_variants),
		cmocka_unit_test(the_base_has_a_place),
		cmocka_unit_test(faults_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
