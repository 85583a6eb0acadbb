#include "api/view.h"

#include "api/spec.h"
#include "tests/api/check.h"

static struct json *shown(const struct family *f)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	view_kind(&w, f);
	return parsed_buf(&b);
}

static bool has(const struct json *object, const char *key)
{
	return json_get(object, key) != NULL;
}

/* A value of the schema, as a request would give it, passes the validation that the same row does. */
static void default_is_accepted(const struct family *f, const struct json *property, const char *name)
{
	struct buf body = BUF_INIT;
	struct spec s;
	struct err err;
	buf_printf(&body, "{\"kind\":\"%s\",\"params\":{\"%s\":", f->name, name);
	json_print(&body, json_get(property, "default"));
	buf_str(&body, "}}");
	struct json *root = parsed_buf(&body);
	int code = spec_parse(&s, root, &err, NULL);
	if (code && strncmp(err.pointer, "#/params/base", 13)) /* what has none of its own must be given */
		fail_msg("default of %s: %s", name, err.message);
	if (!code)
		spec_free(&s);
	json_free(root);
}

static void check_type(const struct param *row, const struct json *property)
{
	static const char *const types[] = {[PARAM_INT] = "integer",
		[PARAM_REAL] = "number",
		[PARAM_BOOL] = "boolean",
		[PARAM_ENUM] = "string",
		[PARAM_INTS] = "array",
		[PARAM_SET] = "array"};
	if (row->type == PARAM_JSON) {
		for (const struct json *t = json_first(at(property, "type")); t; t = json_next(t))
			assert_non_null(strstr(row->choices, json_string(t)));
		return;
	}
	if (row->type == PARAM_OBJECT) {
		assert_string_equal(text_at(property, "type/0"), "object");
		assert_string_equal(text_at(property, "type/1"), "null");
		assert_false(json_bool(at(property, "additionalProperties")));
		for (const struct param *member = row->rows; member->name; member++)
			check_type(member, json_get(at(property, "properties"), member->name));
		return;
	}
	const struct json *bounded = row->type == PARAM_INTS ? at(property, "items") : property;
	assert_string_equal(text_at(property, "type"), types[row->type]);
	if (row->type == PARAM_INT || row->type == PARAM_REAL || row->type == PARAM_INTS) {
		assert_true(number_at(bounded, "minimum") == row->min);
		assert_true(number_at(bounded, "maximum") == row->max);
	} else {
		assert_false(has(property, "minimum") || has(property, "maximum"));
	}
	assert_int_equal(has(property, "enum"), row->type == PARAM_ENUM);
	if (row->type == PARAM_SET) {
		assert_string_equal(text_at(property, "items/type"), "string");
		assert_non_null(strstr(row->choices, text_at(property, "items/enum/0")));
		assert_true(json_bool(at(property, "uniqueItems")));
	}
	if (row->type == PARAM_INTS) {
		assert_string_equal(text_at(property, "items/type"), "integer");
		assert_true(number_at(property, "minItems") == row->min_items);
		assert_true(number_at(property, "maxItems") == PARAM_INTS_MAX);
	}
}

/* Walks every row of every kind: the schema says what the row says. */
static void schema_is_the_table(void **state)
{
	const struct family *f;
	(void)state;
	for (int i = 0; (f = family_at(i)); i++) {
		struct json *root = shown(f);
		const struct json *properties = at(root, "params/properties");
		int order = 0;
		assert_string_equal(text_at(root, "params/type"), "object");
		assert_false(json_bool(at(root, "params/additionalProperties")));
		for (const struct json *s = json_first(at(root, "series")); s; s = json_next(s))
			assert_true(strlen(text_at(s, "help")) > 20 && strlen(text_at(s, "formula")) > 5);
		for (const struct param *row = f->params; row->name; row++) {
			const struct json *property = json_get(properties, row->name);
			assert_non_null(property);
			check_type(row, property);
			assert_string_equal(text_at(property, "description"), row->doc);
			assert_string_equal(text_at(property, "group"), row->group);
			assert_true(number_at(property, "order") == order++);
			default_is_accepted(f, property, row->name);
		}
		assert_int_equal(json_count(properties), order);
		json_free(root);
	}
}

static void schema_of_the_autoencoder(void **state)
{
	struct json *root = shown(family_find("ae"));
	const struct json *latent = at(root, "params/properties/latent_dim");
	(void)state;
	assert_string_equal(text_at(root, "object"), "kind");
	assert_string_equal(text_at(root, "kind"), "ae");
	assert_string_equal(text_at(root, "default_preset"), "default");
	assert_true(
		number_at(latent, "default") == 8 && number_at(latent, "minimum") == 1 && number_at(latent, "maximum") == 512);
	assert_string_equal(text_at(latent, "group"), "net");
	assert_string_equal(text_at(latent, "fork"), "fixed");
	assert_string_equal(text_at(root, "params/properties/dropout/fork"), "free");
	assert_string_equal(text_at(root, "params/properties/prune/fork"), "free");
	assert_true(json_bool(at(root, "params/properties/lr/live")));
	assert_false(has(latent, "live") || has(at(root, "params/properties/prune/properties/amount"), "fork"));
	assert_int_equal(json_count(at(root, "params/properties/channels/default")), 3);
	assert_string_equal(text_at(root, "params/properties/optimizer/enum/0"), "adam");
	assert_string_equal(text_at(root, "params/properties/epochs/unit"), "epochs");
	assert_int_equal(json_type(at(root, "params/properties/nesterov/default")), JSON_BOOL);
	json_free(root);
}

/* Presets come resolved, and the schema's defaults are those of the default preset: what kind alone gives. */
static void presets(void **state)
{
	struct json *root = shown(family_find("ae"));
	(void)state;
	assert_string_equal(text_at(root, "presets/0/name"), "default");
	assert_string_equal(text_at(root, "presets/1/name"), "report");
	assert_string_equal(text_at(root, "presets/1/params/optimizer"), "adam");
	assert_string_equal(text_at(root, "presets/1/params/schedule"), "constant");
	assert_true(number_at(root, "presets/1/params/lr") == .001);
	assert_true(number_at(root, "presets/1/params/epochs") == 50);
	for (const struct json *p = json_first(at(root, "params/properties")); p; p = json_next(p)) {
		struct buf wanted = BUF_INIT, found = BUF_INIT;
		json_print(&wanted, json_get(at(root, "presets/0/params"), json_key(p)));
		json_print(&found, json_get(p, "default"));
		assert_string_equal(found.data, wanted.data);
		buf_free(&wanted);
		buf_free(&found);
	}
	json_free(root);
}

static void series_and_abilities(void **state)
{
	struct json *root = shown(family_find("ae"));
	bool lr = false, speed = false;
	(void)state;
	assert_string_equal(text_at(root, "series/0/name"), "train_loss");
	assert_true(json_bool(at(root, "series/0/per_step")));
	assert_string_equal(text_at(root, "series/1/name"), "val_loss");
	assert_false(json_bool(at(root, "series/1/per_step")));
	assert_true(json_bool(at(root, "series/0/headline")) && json_bool(at(root, "series/1/headline")));
	assert_false(json_bool(at(root, "series/2/headline")));
	assert_true(number_at(root, "series/0/reference_lines/0/value") > .05);
	assert_true(strlen(text_at(root, "series/0/reference_lines/0/label")) > 3);
	for (const struct json *s = json_first(at(root, "series")); s; s = json_next(s)) {
		assert_true(strlen(text_at(s, "help")) > 20);
		assert_int_equal(json_type(at(s, "reference_lines")), JSON_ARRAY);
		lr |= !strcmp(text_at(s, "name"), "lr") && json_bool(at(s, "per_step"));
		speed |= !strcmp(text_at(s, "name"), "samples_per_s") && !json_bool(at(s, "per_step"));
	}
	assert_true(lr && speed);
	assert_string_equal(text_at(root, "abilities/0"), "encode");
	assert_string_equal(text_at(root, "abilities/2"), "sample");
	assert_int_equal(json_count(at(root, "abilities")), 3);
	json_free(root);
}

static void list_of_kinds(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	jw_init(&w, &b, false);
	view_kinds(&w, "/p");
	struct json *root = parsed_buf(&b);
	assert_string_equal(text_at(root, "first_id"), "ae");
	assert_string_equal(text_at(root, "data/0/kind"), "ae");
	assert_string_equal(text_at(root, "data/0/links/self"), "/p/v1/kinds/ae");
	assert_string_equal(text_at(root, "data/0/abilities/1"), "decode");
	assert_string_equal(text_at(root, "data/0/headlines/0"), "train_loss");
	assert_string_equal(text_at(root, "data/0/headlines/1"), "val_loss");
	assert_string_equal(text_at(root, "data/1/kind"), "vae");
	assert_int_equal(json_count(at(root, "data/1/headlines")), 2);
	assert_int_equal(json_count(at(root, "data/1/starter/params")), 2);
	assert_true(json_number(at(root, "data/1/starter/params/latent_dim")) == 2);
	assert_string_equal(text_at(root, "data/0/starter/title"), "Squeeze images into eight numbers");
	assert_int_equal(json_type(at(root, "data/3/starter")), JSON_NULL);
	assert_string_equal(text_at(root, "data/2/kind"), "gan");
	assert_string_equal(text_at(root, "data/2/headlines/0"), "d_loss");
	assert_string_equal(text_at(root, "data/2/headlines/2"), "fcd");
	assert_string_equal(text_at(root, "data/3/kind"), "finetune");
	assert_string_equal(text_at(root, "data/3/from/1"), "vae");
	assert_int_equal(json_count(at(root, "data/3/from")), 2);
	assert_string_equal(text_at(root, "data/4/kind"), "classifier");
	assert_string_equal(text_at(root, "data/4/abilities/0"), "classify");
	assert_int_equal(json_type(at(root, "data/4/from")), JSON_NULL);
	assert_true(json_bool(at(root, "data/4/trains")) && !json_count(at(root, "data/4/results")));
	assert_string_equal(text_at(root, "data/5/kind"), "projection");
	assert_false(json_bool(at(root, "data/5/trains")));
	assert_int_equal(json_count(at(root, "data/5/abilities")), 0);
	assert_string_equal(text_at(root, "data/5/results/0"), "projection");
	assert_string_equal(text_at(root, "data/5/headlines/0"), "kl_divergence");
	assert_int_equal(json_count(at(root, "data/5/from")), 3); /* of whatever encodes, heads too */
	assert_string_equal(text_at(root, "data/6/kind"), "study");
	assert_false(json_bool(at(root, "data/6/trains")));
	assert_string_equal(text_at(root, "data/6/results/0"), "trials");
	assert_int_equal(json_type(at(root, "data/6/from")), JSON_NULL);
	assert_string_equal(text_at(root, "last_id"), "study");
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_is_the_table),
		cmocka_unit_test(schema_of_the_autoencoder),
		cmocka_unit_test(presets),
		cmocka_unit_test(series_and_abilities),
		cmocka_unit_test(list_of_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
