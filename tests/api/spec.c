#include "api/spec.h"

#include "tests/api/check.h"

static int parse(const char *text, struct spec *ret, struct err *err)
{
	struct json *body = parsed(text);
	*err = (struct err){0};
	int code = spec_parse(ret, body, err, NULL);
	json_free(body);
	return code;
}

static double param_of(const struct spec *s, const char *name)
{
	return param_number(param_find(s->family->params, name), s->params);
}

static void kind_alone_is_enough(void **state)
{
	struct spec s;
	struct err err;
	(void)state;
	assert_int_equal(parse("{\"kind\":\"ae\"}", &s, &err), OK);
	assert_string_equal(s.family->name, "ae");
	assert_ptr_equal(s.preset, s.family->presets);
	assert_string_equal(s.dataset, "fashion-mnist");
	assert_string_equal(s.name, "");
	assert_int_equal(s.seed, 0);
	assert_int_equal(s.priority, 0);
	assert_null(s.metadata);
	assert_true(param_of(&s, "latent_dim") == 8);
	assert_true(param_of(&s, "epochs") == 50);
	spec_free(&s);
	assert_null(s.params);
}

static void everything_given(void **state)
{
	struct spec s;
	struct err err;
	(void)state;
	assert_int_equal(
		parse("{\"kind\":\"ae\",\"preset\":\"report\",\"name\":\"ae 8 \xc3\xa9\",\"dataset\":\"my_set-1.0\","
			  "\"seed\":9007199254740991,\"priority\":-1000,\"metadata\":{\"k\":\"v\",\"n\":[0.1]},"
			  "\"params\":{\"latent_dim\":5,\"lr\":0.25,\"nesterov\":true,\"optimizer\":\"sgd\",\"channels\":[4,8],"
			  "\"hidden\":[],\"train_limit\":1e3}}",
			&s, &err),
		OK);
	assert_string_equal(s.preset->name, "report");
	assert_string_equal(s.name, "ae 8 \xc3\xa9");
	assert_string_equal(s.dataset, "my_set-1.0");
	assert_true(s.seed == 9007199254740991u);
	assert_int_equal(s.priority, -1000);
	assert_string_equal(s.metadata, "{\"k\":\"v\",\"n\":[0.1]}");
	assert_true(param_of(&s, "latent_dim") == 5 && param_of(&s, "lr") == .25 && param_of(&s, "nesterov") == 1);
	assert_true(param_of(&s, "train_limit") == 1000);
	const struct param_ints *channels = param_ints(param_find(s.family->params, "channels"), s.params);
	assert_int_equal(channels->n, 2);
	assert_int_equal(channels->v[1], 8);
	assert_int_equal(param_ints(param_find(s.family->params, "hidden"), s.params)->n, 0);
	spec_free(&s);
}

#define CHARS64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct wrong_body {
	const char *body, *pointer, *message;
} wrong_bodies[] = {
	{"[]", "#", "must be an object such as {\"kind\":\"ae\"}, got an array"},
	{"null", "#", "must be an object such as {\"kind\":\"ae\"}, got null"},
	{"{}", "#/kind", "is required; kinds: ae, vae, gan, finetune, classifier, projection, study"},
	{"{\"kind\":\"vea\"}", "#/kind", "unknown kind 'vea'; kinds: ae, vae, gan, finetune, classifier, projection, study"},
	{"{\"kind\":\"AE\"}", "#/kind", "unknown kind 'AE'; kinds: ae, vae, gan, finetune, classifier, projection, study"},
	{"{\"kind\":8}", "#/kind", "must be a string, got 8 (a number)"},
	{"{\"kind\":\"\"}", "#/kind", "must have 1..31 characters, got 0"},
	{"{\"kind\":\"ae\",\"preset\":\"raport\"}", "#/preset",
		"kind 'ae' has no preset 'raport'; presets: default, report, report-literal, mlp, conv-small, conv"},
	{"{\"kind\":\"ae\",\"preset\":null}", "#/preset", "must be a string, got null"},
	{"{\"kind\":\"ae\",\"param\":{}}", "#/param", "unknown field; did you mean 'params'?"},
	{"{\"kind\":\"ae\",\"lr\":1}", "#/lr", "unknown field; a parameter belongs inside \"params\""},
	{"{\"kind\":\"ae\",\"nothing_like_it\":1}", "#/nothing_like_it", "unknown field"},
	{"{\"kind\":\"ae\",\"Kind\":1}", "#/Kind", "unknown field; did you mean 'kind'?"},
	{"{\"kind\":\"ae\",\"name\":\"\"}", "#/name", "must have 1..128 characters, got 0"},
	{"{\"kind\":\"ae\",\"name\":\"" CHARS64 CHARS64 "ä\"}", "#/name", "must have 1..128 characters, got 129"},
	{"{\"kind\":\"ae\",\"name\":\"a\\tb\"}", "#/name", "must not contain control characters"},
	{"{\"kind\":\"ae\",\"name\":\"job_1\"}", "#/name", "must not begin with job_: ids do"},
	{"{\"kind\":\"ae\",\"name\":\"a@b\"}", "#/name", "must not contain '@' or '/'"},
	{"{\"kind\":\"ae\",\"name\":\"a/b\"}", "#/name", "must not contain '@' or '/'"},
	{"{\"kind\":\"ae\",\"name\":\"latest\"}", "#/name", "'latest' is reserved"},
	{"{\"kind\":\"ae\",\"name\":\"..\"}", "#/name", "'..' is reserved"},
	{"{\"kind\":\"ae\",\"dataset\":\"../etc\"}", "#/dataset",
		"must be letters, digits, '.', '_' or '-', not beginning with '.'; GET /v1/datasets lists what is here"},
	{"{\"kind\":\"ae\",\"dataset\":\".\"}", "#/dataset", NULL},
	{"{\"kind\":\"ae\",\"dataset\":\"a/b\"}", "#/dataset", NULL},
	{"{\"kind\":\"ae\",\"dataset\":\"a b\"}", "#/dataset", NULL},
	{"{\"kind\":\"ae\",\"dataset\":\"" CHARS64 "a\"}", "#/dataset", "must have 1..64 characters, got 65"},
	{"{\"kind\":\"ae\",\"seed\":-1}", "#/seed", "must be 0..9007199254740991, got -1"},
	{"{\"kind\":\"ae\",\"seed\":9007199254740992}", "#/seed", "must be 0..9007199254740991, got 9007199254740992"},
	{"{\"kind\":\"ae\",\"seed\":0.5}", "#/seed", "must be a whole number 0..9007199254740991, got 0.5"},
	{"{\"kind\":\"ae\",\"priority\":1001}", "#/priority", "must be -1000..1000, got 1001"},
	{"{\"kind\":\"ae\",\"metadata\":[]}", "#/metadata", "must be an object, got an array"},
	{"{\"kind\":\"ae\",\"params\":[]}", "#/params", "must be an object, got an array"},
	{"{\"kind\":\"ae\",\"params\":{\"latnt_dim\":8}}", "#/params/latnt_dim",
		"unknown parameter; did you mean 'latent_dim'?"},
	{"{\"kind\":\"ae\",\"params\":{\"quite_another\":8}}", "#/params/quite_another",
		"unknown parameter; GET /v1/kinds/ae lists the parameters"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":0}}", "#/params/latent_dim", "must be 1..512, got 0"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":1.5}}", "#/params/latent_dim",
		"must be a whole number 1..512, got 1.5"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":\"8\"}}", "#/params/latent_dim",
		"must be a whole number 1..512, got \"8\" (a string)"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":null}}", "#/params/latent_dim",
		"must be a whole number 1..512, got null"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":{}}}", "#/params/latent_dim",
		"must be a whole number 1..512, got an object"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":[8]}}", "#/params/latent_dim",
		"must be a whole number 1..512, got an array"},
	{"{\"kind\":\"ae\",\"params\":{\"latent_dim\":true}}", "#/params/latent_dim",
		"must be a whole number 1..512, got true (a boolean)"},
	{"{\"kind\":\"ae\",\"params\":{\"lr\":11}}", "#/params/lr", "must be 0..10, got 11"},
	{"{\"kind\":\"ae\",\"params\":{\"lr\":\"fast\"}}", "#/params/lr",
		"must be a number 0..10, got \"fast\" (a string)"},
	{"{\"kind\":\"ae\",\"params\":{\"nesterov\":1}}", "#/params/nesterov", "must be true or false, got 1 (a number)"},
	{"{\"kind\":\"ae\",\"params\":{\"nesterov\":null}}", "#/params/nesterov", "must be true or false, got null"},
	{"{\"kind\":\"ae\",\"params\":{\"optimizer\":\"adm\"}}", "#/params/optimizer",
		"must be one of adam|adamw|sgd|rmsprop, got 'adm'"},
	{"{\"kind\":\"ae\",\"params\":{\"optimizer\":0}}", "#/params/optimizer",
		"must be one of adam|adamw|sgd|rmsprop, got 0 (a number)"},
	{"{\"kind\":\"ae\",\"params\":{\"channels\":8}}", "#/params/channels",
		"must be a list of 0..16 whole numbers, got 8 (a number)"},
	{"{\"kind\":\"ae\",\"params\":{\"channels\":[8,\"16\"]}}", "#/params/channels/1",
		"must be a whole number 1..1024, got \"16\" (a string)"},
	{"{\"kind\":\"ae\",\"params\":{\"channels\":[8,0]}}", "#/params/channels/1", "must be 1..1024, got 0"},
	{"{\"kind\":\"ae\",\"params\":{\"channels\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}}", "#/params/channels",
		"must be a list of 0..16 whole numbers, got 17"},
	{"{\"kind\":\"ae\",\"params\":{\"early_stopping\":true}}", "#/params/early_stopping",
		"must be an object, or null to switch it off, got true (a boolean)"},
	{"{\"kind\":\"ae\",\"params\":{\"early_stopping\":{\"patience\":0}}}", "#/params/early_stopping/patience",
		"must be 1..100000, got 0"},
	{"{\"kind\":\"ae\",\"params\":{\"early_stopping\":{\"patient\":1}}}", "#/params/early_stopping/patient",
		"unknown parameter; did you mean 'patience'?"},
	{"{\"kind\":\"classifier\",\"params\":{\"augment\":[\"hflip\",\"vflip\"]}}", "#/params/augment/1",
		"must be one of hflip|crop|erase, got 'vflip'"},
	{"{\"kind\":\"classifier\",\"params\":{\"augment\":[1]}}", "#/params/augment/0",
		"must be one of hflip|crop|erase, got 1 (a number)"},
	{"{\"kind\":\"classifier\",\"params\":{\"augment\":\"hflip\"}}", "#/params/augment",
		"must be a list of any of hflip|crop|erase, got \"hflip\" (a string)"},
	{"{\"kind\":\"ae\",\"from\":\"ae-8\"}", "#/from", "a job of kind 'ae' begins anew; leave it out"},
	{"{\"kind\":\"finetune\",\"from\":8}", "#/from",
		"must be a job as \"ae-8@best\" or {\"job\":…,\"checkpoint\":…}, got 8 (a number)"},
	{"{\"kind\":\"finetune\",\"from\":\"@best\"}", "#/from",
		"must be the id or name of a job, as \"ae-8\" or \"ae-8@best\""},
	{"{\"kind\":\"finetune\",\"from\":\"ae-8@\"}", "#/from",
		"must name a checkpoint: best, last or the number of an epoch"},
	{"{\"kind\":\"finetune\",\"from\":{\"checkpoint\":2}}", "#/from/job", "is required: the id or name of a job"},
	{"{\"kind\":\"finetune\",\"from\":{\"job\":\"a\",\"checkpoint\":0}}", "#/from/checkpoint",
		"must be 1..999999, got 0"},
	{"{\"kind\":\"finetune\",\"from\":{\"job\":\"a\",\"epoch\":2}}", "#/from/epoch", NULL},
	{"{\"kind\":\"ae\",\"params\":{\"kernel\":[]}}", "#/params/kernel", "must be a list of 1..16 whole numbers, got 0"},
};

/* The short form and the long one; best unless a checkpoint is named. */
static void what_it_goes_on_from(void **state)
{
	static const struct {
		const char *from, *job, *checkpoint;
	} rows[] = {
		{"\"ae-8\"", "ae-8", "best"},
		{"\"ae-8@last\"", "ae-8", "last"},
		{"\"a@b@12\"", "a@b", "12"},
		{"{\"job\":\"ae-8\"}", "ae-8", "best"},
		{"{\"job\":\"ae-8\",\"checkpoint\":12}", "ae-8", "12"},
		{"{\"job\":\"ae-8\",\"checkpoint\":\"last\"}", "ae-8", "last"},
		{"null", "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char body[160];
		struct spec s;
		struct err err;
		for (int k = 0; k < 2; k++) { /* one that always needs it, one that may */
			snprintf(body, sizeof body, "{\"kind\":\"%s\",\"from\":%s}", k ? "projection" : "finetune", rows[i].from);
			if (parse(body, &s, &err))
				fail_msg("%s: %s", body, err.message);
			assert_string_equal(s.from, rows[i].job);
			assert_string_equal(s.from_checkpoint, rows[i].checkpoint);
			assert_false(s.dataset_given);
			spec_free(&s);
		}
	}
}

static void errors_name_field_and_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong_bodies / sizeof *wrong_bodies; i++) {
		struct spec s = {.seed = 77};
		struct err err;
		if (parse(wrong_bodies[i].body, &s, &err) != ERR_INVALID)
			fail_msg("accepted: %s", wrong_bodies[i].body);
		assert_int_equal(s.seed, 77); /* untouched on failure */
		assert_string_equal(err.pointer, wrong_bodies[i].pointer);
		if (wrong_bodies[i].message)
			assert_string_equal(err.message, wrong_bodies[i].message);
	}
}

static void metadata_is_bounded(void **state)
{
	struct buf b = BUF_INIT;
	struct spec s;
	struct err err;
	(void)state;
	buf_str(&b, "{\"kind\":\"ae\",\"metadata\":{\"k\":\"");
	for (int i = 0; i < 16384; i++)
		buf_str(&b, "x");
	buf_str(&b, "\"}}");
	assert_int_equal(parse(b.data, &s, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/metadata");
	buf_free(&b);
}

/* Every row at an odd value survives writing and reading; so does the text itself. */
static void stored_params_come_back(void **state)
{
	struct spec s;
	struct err err;
	struct jsonw w;
	struct buf first = BUF_INIT, second = BUF_INIT;
	void *again;
	(void)state;
	assert_int_equal(
		parse(
			"{\"kind\":\"ae\",\"params\":{\"lr\":0.12345678901234567,\"beta2\":0.9999999,\"val_seed\":9007199254740991,"
			"\"channels\":[3],\"padding\":[2],\"kernel\":[5],\"nesterov\":true,\"schedule\":\"one_cycle\","
			"\"early_stopping\":{\"patience\":3},\"prune\":null}}",
			&s, &err),
		OK);
	jw_init(&w, &first, false);
	spec_params_write(&w, s.family, s.params);
	assert_int_equal(spec_params_parse(s.family, first.data, &again, &err), OK);
	assert_memory_equal(again, s.params, s.family->params_size);
	jw_init(&w, &second, false);
	spec_params_write(&w, s.family, again);
	assert_string_equal(first.data, second.data);
	assert_non_null(strstr(first.data, "\"schedule\":\"one_cycle\""));
	assert_non_null(strstr(first.data, "\"patience\":3,\"min_delta\":0"));
	assert_non_null(strstr(first.data, "\"prune\":null"));
	assert_non_null(strstr(first.data, "\"val_seed\":9007199254740991"));
	assert_int_equal(spec_params_parse(s.family, "{\"lr\":-1}", &again, &err), ERR_INVALID);
	assert_int_equal(spec_params_parse(s.family, "{", &again, &err), ERR_SYNTAX);
	assert_int_equal(spec_params_parse(s.family, "[]", &again, &err), ERR_INVALID);
	free(again);
	buf_free(&first);
	buf_free(&second);
	spec_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_alone_is_enough),
		cmocka_unit_test(everything_given),
		cmocka_unit_test(what_it_goes_on_from),
		cmocka_unit_test(errors_name_field_and_remedy),
		cmocka_unit_test(metadata_is_bounded),
		cmocka_unit_test(stored_params_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
