/* Every preset of every kind on images of many sizes: it plans, or the error names the field and says what would do. */
#include "core/model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct map sizes[] = {{1, 8, 8, 0}, {1, 9, 9, 0}, {1, 11, 17, 0}, {1, 12, 20, 0}, {3, 16, 16, 0},
	{3, 27, 27, 0}, {1, 28, 28, 0}, {3, 30, 30, 0}, {1, 31, 31, 0}, {3, 32, 32, 0}, {3, 48, 48, 0}, {1, 64, 48, 0},
	{3, 64, 64, 0}};

/* Of a kind that goes on from another model, whose shape is what counts. */
static bool needs_from(const struct err *err)
{
	return !strncmp(err->pointer, "#/from", 6);
}

static void check_error(const struct family *f, const struct preset *p, const struct map *image, const struct err *err)
{
	char name[64];
	bool remedy = strstr(err->message, "would do") || strstr(err->message, "set it to");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(err->pointer + strlen("#/params/"), "/"),
		err->pointer + strlen("#/params/"));
	bool even = image->h == image->w && image->h > 8;
	if (err->code != ERR_INVALID || strncmp(err->pointer, "#/params/", 9) || !param_find(f->params, name) || !remedy ||
		even)
		fail_msg("%s %s on %dx%dx%d: %d %s %s", f->name, p->name, image->c, image->h, image->w, err->code, err->pointer,
			err->message);
}

/* Square images from 9 pixels a side are for every preset; others have at least one, and an error that helps. */
static void test_presets(void **state)
{
	(void)state;
	const struct family *f;
	for (int i = 0; (f = family_at(i)); i++)
		for (size_t s = 0; family_trains(f) && s < sizeof sizes / sizeof *sizes; s++) {
			int fit = 0, others = 0;
			for (const struct preset *p = f->presets; p->name; p++) {
				struct model m;
				struct err err = {0};
				void *params = family_params(f, p);
				if (!model_plan(&m, f, params, sizes[s], 10, &err)) {
					model_free(&m);
					fit++;
				} else if (needs_from(&err)) {
					others++;
				} else {
					check_error(f, p, &sizes[s], &err);
				}
				free(params);
			}
			if (!fit && !others && sizes[s].h == sizes[s].w)
				fail_msg("%s: no preset for %dx%d", f->name, sizes[s].h, sizes[s].w);
		}
}

/* What an error says would do, does. */
static void test_remedies(void **state)
{
	(void)state;
	static const struct {
		const char *family, *preset, *assignments;
		struct map image;
	} cases[] = {
		{"ae", "default", "padding=1", {1, 8, 8, 0}},
		{"ae", "report", "channels=8,16", {1, 8, 8, 0}},
		{"ae", "conv", "stride=2,1,1", {1, 11, 17, 0}},
		{"ae", "default", "stride=2,1,1", {1, 11, 17, 0}},
		{"classifier", "report", "padding=1", {1, 8, 8, 0}},
		{"classifier", "small", "global_pool=false", {1, 12, 20, 0}},
		{"gan", "default", "channels=8,8", {1, 11, 17, 0}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct family *f = family_find(cases[i].family);
		void *params = family_params(f, preset_find(f, cases[i].preset));
		struct model m;
		struct err err = {0};
		assert_int_equal(model_plan(&m, f, params, cases[i].image, 10, &err), ERR_INVALID);
		assert_int_equal(param_set_all(f->params, params, cases[i].assignments, &err), OK);
		if (model_plan(&m, f, params, cases[i].image, 10, &err))
			fail_msg("%s %s %s: %s", cases[i].family, cases[i].preset, cases[i].assignments, err.message);
		model_free(&m);
		free(params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_presets), cmocka_unit_test(test_remedies)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
