#include "api/view.h"

#include "tests/api/check.h"

static struct model plan(int latent_dim)
{
	const struct family *f = family_find("ae");
	struct model m;
	struct err err;
	void *params = family_params(f, f->presets);
	assert_int_equal(param_set_number(param_find(f->params, "latent_dim"), params, latent_dim, &err), OK);
	assert_int_equal(model_plan(&m, f, params, (struct map){1, 28, 28, 0}, 10, &err), OK);
	free(params);
	return m;
}

static struct json *shown(const struct model *m, const struct code_stats *codes)
{
	struct buf b = BUF_INIT;
	struct jsonw w;
	jw_init(&w, &b, false);
	view_model(&w, "job_a", m, 3, 1266, "gaussian_fit", codes);
	return parsed_buf(&b);
}

static void model_with_codes(void **state)
{
	double mean[2] = {.5, -1}, std[2] = {1, 2}, q01[2] = {-3, -4}, q99[2] = {3, 4};
	struct code_stats codes = {.latent_dim = 2, .mean = mean, .std = std, .q01 = q01, .q99 = q99};
	struct model m = plan(2);
	struct json *root = shown(&m, &codes);
	(void)state;
	assert_string_equal(text_at(root, "id"), "job_a");
	assert_string_equal(text_at(root, "kind"), "ae");
	assert_true(number_at(root, "epoch") == 3 && number_at(root, "step") == 1266);
	assert_true(number_at(root, "latent_dim") == 2);
	assert_true(number_at(root, "image/0") == 1 && number_at(root, "image/2") == 28);
	assert_true(number_at(root, "parameters") == (double)model_parameters(&m));
	assert_string_equal(text_at(root, "abilities/0"), "encode");
	assert_string_equal(text_at(root, "auto_distribution"), "gaussian_fit");
	assert_int_equal(json_count(at(root, "distributions")), 4);
	assert_string_equal(text_at(root, "distributions/3/name"), "gmm");
	assert_true(number_at(root, "z/mean/1") == -1 && number_at(root, "z/std/1") == 2);
	assert_true(number_at(root, "z/q01/0") == -3 && number_at(root, "z/q99/1") == 4);
	assert_int_equal(json_count(at(root, "z/q99")), 2);
	json_free(root);
	model_free(&m);
}

static void model_without_codes(void **state)
{
	struct model m = plan(8);
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct json *root = shown(&m, i ? &(struct code_stats){0} : NULL);
		assert_int_equal(json_type(at(root, "z")), JSON_NULL);
		json_free(root);
	}
	model_free(&m);
}

static void dataset(void **state)
{
	struct dataset d = {.name = "mini", .c = 1, .h = 28, .w = 30, .classes = 2, .sha256 = "ab"};
	struct buf b = BUF_INIT;
	struct jsonw w;
	(void)state;
	strcpy(d.class_name[0], "T-shirt/top");
	strcpy(d.class_name[1], "Bag");
	uint8_t train[60] = {1, 0, 1}, test[10] = {0};
	d.split[SPLIT_TRAIN] = (struct dataset_split){.n = 60, .labels = train};
	d.split[SPLIT_TEST] = (struct dataset_split){.n = 10, .labels = test};
	jw_init(&w, &b, false);
	view_dataset(&w, &d, "/data/mini", false);
	struct json *root = parsed_buf(&b);
	assert_string_equal(text_at(root, "name"), "mini");
	assert_true(number_at(root, "images") == 70);
	assert_true(number_at(root, "height") == 28 && number_at(root, "width") == 30 && number_at(root, "channels") == 1);
	assert_string_equal(text_at(root, "classes/0"), "T-shirt/top");
	assert_int_equal(json_count(at(root, "classes")), 2);
	assert_true(number_at(root, "splits/train") == 60 && number_at(root, "splits/test") == 10);
	assert_true(number_at(root, "class_counts/train/0") == 58 && number_at(root, "class_counts/train/1") == 2);
	assert_true(number_at(root, "class_counts/test/0") == 10 && number_at(root, "class_counts/test/1") == 0);
	assert_string_equal(text_at(root, "sha256"), "ab");
	assert_string_equal(text_at(root, "path"), "/data/mini");
	assert_false(json_bool(at(root, "uploaded")));
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(model_with_codes),
		cmocka_unit_test(model_without_codes),
		cmocka_unit_test(dataset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
