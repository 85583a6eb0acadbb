#include "core/model/model.h"

#include "core/nn/layer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

static const struct map fashion = {1, 28, 28, 0};

static int try_plan(struct model *ret, const char *overrides, struct map image, struct err *err)
{
	void *params = family_params(&family_ae, NULL);
	int code = param_set_all(family_ae.params, params, overrides, err);
	if (!code)
		code = model_plan(ret, &family_ae, params, image, 10, err);
	free(params);
	return code;
}

static void test_families(void **state)
{
	(void)state;
	assert_ptr_equal(family_find("ae"), &family_ae);
	assert_null(family_find("aee"));
	assert_ptr_equal(family_at(0), &family_ae);
	assert_ptr_equal(family_find("vae"), &family_vae);
	assert_ptr_equal(family_at(1), &family_vae);
	assert_ptr_equal(family_at(2), &family_gan);
	assert_ptr_equal(family_at(3), &family_finetune);
	assert_ptr_equal(family_at(4), &family_classifier);
	assert_ptr_equal(family_at(5), &family_projection);
	assert_ptr_equal(family_at(6), family_find("study"));
	assert_null(family_at(7));
	assert_null(family_at(-1));
	assert_string_equal(family_ae.presets[0].name, "default");
	assert_ptr_equal(preset_find(&family_ae, "report"), &family_ae.presets[1]);
	assert_null(preset_find(&family_ae, "reports"));
}

static double number_in(const struct family *f, const char *preset, const char *name)
{
	void *params = family_params(f, preset_find(f, preset));
	assert_non_null(params);
	double value = param_number(param_find(f->params, name), params);
	free(params);
	return value;
}

static void test_presets(void **state)
{
	(void)state;
	for (const struct preset *p = family_ae.presets; p->name; p++) {
		assert_int_equal((int)number_in(&family_ae, p->name, "latent_dim"), 8);
		assert_int_equal((int)number_in(&family_ae, p->name, "epochs"), 50);
		assert_int_equal((int)number_in(&family_ae, p->name, "batch_size"), 128);
	}
	assert_true(number_in(&family_ae, "report", "lr") == 1e-3);
	assert_int_equal((int)number_in(&family_ae, "report", "optimizer"), OPTIM_ADAM);
	assert_int_equal((int)number_in(&family_ae, "report", "schedule"), SCHEDULE_CONSTANT);
	assert_int_equal((int)number_in(&family_ae, "default", "schedule"), SCHEDULE_COSINE);
}

/* Whoever tells a run in a line walks these: the loop takes the epoch's loss from the first. Of another kind of rows they are
 * found wherever they are. */
static void test_headlines(void **state)
{
	(void)state;
	const struct family *f;
	for (int i = 0; (f = family_at(i)); i++) {
		const struct series *s = headline_at(f, 0);
		if (family_trains(f)) {
			assert_ptr_equal(s, f->series);
			assert_true(s->per_step && s->source == SERIES_PART);
		}
		for (int k = 0; (s = headline_at(f, k)); k++)
			assert_true(s->headline && s->unit && s->source != SERIES_UNITS);
	}
	static const struct series rows[] = {{.name = "d_loss", .per_step = true, .headline = true}, {.name = "d_real"},
		{.name = "fcd", .headline = true}, {0}};
	static const struct family other = {.series = rows};
	assert_ptr_equal(headline_at(&other, 1), &rows[2]);
	assert_null(headline_at(&other, 2));
}

/* The net of the report, module by module as PyTorch counts them. */
static void test_report_net(void **state)
{
	(void)state;
	struct model m;
	struct err err = {0};
	assert_int_equal(try_plan(&m, "", fashion, &err), OK);
	assert_int_equal(m.nets, 2);
	assert_int_equal(m.latent_dim, 8);
	assert_int_equal(model_parameters(&m), 50057);
	assert_true(m.params >= 50057 && m.net_offset[1] * sizeof(real) % 64 == 0);
	static const char *const names[2][16] = {
		{"encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias", "encoder.4.weight",
			"encoder.4.bias", "encoder.7.weight", "encoder.7.bias", "encoder.9.weight", "encoder.9.bias"},
		{"decoder.0.weight", "decoder.0.bias", "decoder.2.weight", "decoder.2.bias", "decoder.5.weight",
			"decoder.5.bias", "decoder.7.weight", "decoder.7.bias", "decoder.9.weight", "decoder.9.bias"}};
	for (int n = 0; n < 2; n++)
		for (int i = 0; i <= 10; i++) {
			struct net_tensor t;
			assert_int_equal(net_tensor(&m.net[n], i, &t), i < 10);
			if (i < 10)
				assert_string_equal(t.name, names[n][i]);
		}
	assert_ptr_equal(m.net[1].layer[m.net[1].n - 1].spec.op, &layer_activation);
	assert_int_equal(m.net[1].layer[m.net[1].n - 1].spec.act, ACT_SIGMOID);
	assert_true(model_flops(&m) > 2e5);
	model_free(&m);
}

/* Whatever the sizes, the decoder ends where the encoder began. */
static const struct {
	const char *overrides;
	struct map image;
} mirrors[] = {
	{"", {1, 28, 28, 0}},
	{"", {3, 32, 32, 0}},
	{"channels=16,32", {1, 28, 28, 0}},
	{"channels=8,16,32,64", {1, 28, 28, 0}},
	{"channels=- hidden=256,128", {1, 28, 28, 0}},
	{"channels=- hidden=-", {1, 5, 7, 0}},
	{"hidden=-", {1, 28, 28, 0}},
	{"hidden=300,200,100 latent_dim=512", {1, 28, 28, 0}},
	{"latent_dim=1 channels=1 kernel=1 stride=1 padding=0", {1, 1, 1, 0}},
	{"kernel=4,4,3 stride=2 padding=1", {1, 28, 28, 0}},
	{"kernel=5 stride=3,2,1 padding=2", {2, 29, 29, 0}},
	{"kernel=2 stride=2 padding=0", {1, 28, 28, 0}},
	{"kernel=1 stride=1 padding=0 channels=2,3", {1, 6, 9, 0}},
	{"kernel=7 stride=4 padding=3 channels=4", {1, 31, 27, 0}},
	{"norm=batch dropout=0.1 dropout2d=0.2", {1, 28, 28, 0}},
	{"norm=group channels=12,7,40 hidden=-", {1, 28, 28, 0}},
	{"channels=- hidden=16,8 dropout=0.5", {1, 8, 8, 0}},
};
enum { MIRRORS = sizeof mirrors / sizeof *mirrors };

/* The report's text: 28-14-7-4, so 512 values meet the first linear layer. The mlp has none but linear layers. */
static void test_preset_nets(void **state)
{
	(void)state;
	static const struct {
		const char *preset;
		size_t parameters;
	} rows[] = {
		{"report", 50057}, {"report-literal", 345769}, {"mlp", 470552}, {"conv-small", 584169}, {"conv", 1270217}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct model m;
		void *params = family_params(&family_ae, preset_find(&family_ae, rows[i].preset));
		assert_int_equal(model_plan(&m, &family_ae, params, fashion, 10, NULL), OK);
		assert_int_equal(model_parameters(&m), rows[i].parameters);
		model_free(&m);
		free(params);
	}
}

/* As nn.Sequential would count them: conv, norm, activation, dropout; 12 channels fall into 6 groups, not 8. */
static void test_norms_and_dropout(void **state)
{
	(void)state;
	static const char *const encoder[] = {
		"Conv2d", "GroupNorm", "Activation", "Dropout2d", "Flatten", "Linear", "Activation", "Dropout", "Linear"};
	static const char *const decoder[] = {"Linear", "Activation", "Dropout", "Linear", "Activation", "Dropout",
		"Unflatten", "ConvTranspose2d", "Activation"};
	struct model m;
	assert_int_equal(try_plan(&m, "channels=12 hidden=20 norm=group dropout=0.25 dropout2d=0.5", fashion, NULL), OK);
	assert_int_equal(m.net[0].n, 9);
	assert_int_equal(m.net[1].n, 9);
	for (int i = 0; i < 9; i++) {
		assert_string_equal(m.net[0].layer[i].spec.op->name, encoder[i]);
		assert_string_equal(m.net[1].layer[i].spec.op->name, decoder[i]);
	}
	assert_int_equal(m.net[0].layer[1].spec.groups, 6);
	assert_true(m.net[0].layer[3].spec.p == 0.5 && m.net[0].layer[7].spec.p == 0.25);
	model_free(&m);
	assert_int_equal(try_plan(&m, "channels=8,16 norm=batch", fashion, NULL), OK);
	assert_string_equal(
		m.net[1].layer[6].spec.op->name, "BatchNorm2d"); /* between the transposed ones, not at the end */
	assert_int_equal(m.net[1].n, 10);
	assert_true(m.net[0].layer[1].spec.op->barrier && m.buffers);
	model_free(&m);
}

static void test_mirrors(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIRRORS; i++) {
		struct model m;
		struct err err = {0};
		if (try_plan(&m, mirrors[i].overrides, mirrors[i].image, &err))
			fail_msg("%s: %s %s", mirrors[i].overrides, err.pointer, err.message);
		assert_int_equal(m.net[1].out.c, mirrors[i].image.c);
		assert_int_equal(m.net[1].out.h, mirrors[i].image.h);
		assert_int_equal(m.net[1].out.w, mirrors[i].image.w);
		assert_int_equal(m.net[0].out.c, m.latent_dim);
		model_free(&m);
	}
}

static void test_impossible_nets(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *pointer, *words;
	} cases[] = {
		{"channels=- norm=batch", "#/params/norm", "must be none, as there are no convolutions"},
		{"channels=- dropout2d=0.1", "#/params/dropout2d", "must be 0, as there are no convolutions"},
		{"channels=- hidden=- dropout=0.1", "#/params/dropout", "must be 0, as there are no hidden linear layers"},
		{"kernel=3,3", "#/params/kernel", "has 2 values for 3 convolutions; give one for all or one for each"},
		{"stride=2,2,2,2", "#/params/stride", "has 4 values for 3 convolutions"},
		{"channels=4,8 padding=1,0,1", "#/params/padding", "has 3 values for 2 convolutions"},
		{"channels=8,16,32,64,128,256", "#/params/kernel",
			"convolution 5: kernel 3 does not fit its 1x1 input with padding 0"},
		{"kernel=15 padding=0", "#/params/kernel",
			"convolution 2: kernel 15 does not fit its 7x7 input with padding 0"},
		{"channels=1024,1024,1024 hidden=8192", "#/params", "parameters"},
		{"latent_dim=0", "#/params/latent_dim", "1..512"},
		{"channels=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 kernel=3 stride=1 padding=1 hidden=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
			"#/params", "66 layers"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model m = {.latent_dim = -7};
		struct err err = {0};
		assert_int_equal(try_plan(&m, cases[i].overrides, fashion, &err), ERR_INVALID);
		assert_string_equal(err.pointer, cases[i].pointer);
		if (!strstr(err.message, cases[i].words))
			fail_msg("%s: '%s' lacks '%s'", cases[i].overrides, err.message, cases[i].words);
		assert_int_equal(m.latent_dim, -7);
	}
	struct model m;
	struct err err = {0};
	assert_int_equal(try_plan(&m, "stride=3 padding=1", (struct map){1, 28, 27, 0}, &err), ERR_INVALID);
	assert_string_equal(err.pointer, "#/params/stride");
	assert_non_null(strstr(err.message, "leaves over"));
}

static void test_init_depends_on_seed_only(void **state)
{
	(void)state;
	struct model m;
	assert_int_equal(try_plan(&m, "", fashion, NULL), OK);
	real *a = calloc(m.params, sizeof *a), *b = calloc(m.params, sizeof *b), *c = calloc(m.params, sizeof *c);
	model_init(&m, a, 1);
	model_init(&m, b, 1);
	model_init(&m, c, 2);
	assert_memory_equal(a, b, m.params * sizeof *a);
	assert_memory_not_equal(a, c, m.params * sizeof *a);
	free(a);
	free(b);
	free(c);
	model_free(&m);
}

/* Two tensors of one shape, one in each net: they must not be the same draw. */
static void test_every_tensor_has_its_own_draw(void **state)
{
	(void)state;
	struct model m;
	assert_int_equal(try_plan(&m, "channels=- hidden=- latent_dim=9", (struct map){1, 3, 3, 0}, NULL), OK);
	real *w = zeroed(m.params);
	model_init(&m, w, 1);
	assert_memory_not_equal(w, w + m.net_offset[1], 81 * sizeof *w);
	free(w);
	model_free(&m);
}

static void test_abilities(void **state)
{
	(void)state;
	for (enum ability a = 0; a < ABILITY_COUNT; a++)
		assert_int_equal(family_can(&family_ae, a), a != ABILITY_CLASSIFY);
	for (enum ability a = 0; a < ABILITY_COUNT; a++)
		assert_int_equal(family_can(&family_classifier, a), a == ABILITY_CLASSIFY);
	assert_string_equal(ability_name(ABILITY_SAMPLE), "sample");
	struct family blind = family_ae;
	blind.name = "gan";
	blind.encode = NULL;
	assert_false(family_can(&blind, ABILITY_ENCODE));
	struct model m;
	assert_int_equal(try_plan(&m, "", fashion, NULL), OK);
	m.family = &blind;
	struct err err = {0};
	assert_int_equal(model_encode(&m, best_kern(), NULL, NULL, NULL, 1, NULL, &err), ERR_UNSUPPORTED);
	assert_string_equal(err.message, "a gan has no encoder; abilities: decode, sample");
	model_free(&m);
}

enum { IMAGES = 257 };

struct use {
	struct dataset *d;
	struct model m;
	real *w, *ws;
	float images[IMAGES * 784], z[IMAGES * 8], out[IMAGES * 784];
};

static void use_open(struct use *u)
{
	u->d = balls(IMAGES, 1, 1, 28, 28);
	u->m = ae_for(u->d, "");
	u->w = zeroed(u->m.params);
	u->ws = zeroed(model_workspace(&u->m));
	model_init(&u->m, u->w, 3);
	for (size_t i = 0; i < IMAGES * 784; i++)
		u->images[i] = (float)u->d->split[SPLIT_TRAIN].images[i] / 255.0f;
}

static void use_close(struct use *u)
{
	dataset_put(u->d);
	model_free(&u->m);
	free(u->w);
	free(u->ws);
}

static void test_one_by_one_is_the_same(void **state)
{
	(void)state;
	static struct use u;
	use_open(&u);
	const struct kern *k = best_kern();
	assert_int_equal(model_encode(&u.m, k, u.w, u.ws, u.images, IMAGES, u.z, NULL), OK);
	assert_int_equal(model_decode(&u.m, k, u.w, u.ws, u.z, IMAGES, u.out, NULL), OK);
	static float both[IMAGES * 784];
	assert_int_equal(model_reconstruct(&u.m, k, u.w, u.ws, u.images, IMAGES, both, NULL), OK);
	assert_memory_equal(both, u.out, sizeof both);
	for (size_t i = 0; i < IMAGES; i++) {
		float z[8], image[784];
		assert_int_equal(model_encode(&u.m, k, u.w, u.ws, u.images + i * 784, 1, z, NULL), OK);
		assert_memory_equal(z, u.z + i * 8, sizeof z);
		assert_int_equal(model_decode(&u.m, k, u.w, u.ws, z, 1, image, NULL), OK);
		assert_memory_equal(image, u.out + i * 784, sizeof image);
	}
	for (size_t i = 0; i < IMAGES * 784; i++)
		assert_true(u.out[i] > 0 && u.out[i] < 1);
	use_close(&u);
}

/* A decoder of any shape, at every level: a code by itself gives the picture that it gives in a block. */
static void test_one_code_decodes_as_in_a_block(void **state)
{
	(void)state;
	enum { CODES = 3 };
	for (size_t i = 0; i < MIRRORS; i++) {
		struct model m;
		assert_int_equal(try_plan(&m, mirrors[i].overrides, mirrors[i].image, NULL), OK);
		size_t pixels = (size_t)map_features(&m.image);
		real *w = zeroed(model_reals(&m)), *ws = zeroed(model_workspace(&m));
		float *z = malloc((size_t)(CODES * m.latent_dim) * sizeof *z), *block = malloc(CODES * pixels * sizeof *block);
		float *one = malloc(pixels * sizeof *one);
		model_init(&m, w, i);
		rng_normal(z, (size_t)(CODES * m.latent_dim), (struct rng){i, RNG_SAMPLE, 1});
		for (enum cpu_level level = 0; level < CPU_LEVEL_COUNT; level++) {
			const struct kern *k = kern_at(level);
			if (!k)
				continue;
			assert_int_equal(model_decode(&m, k, w, ws, z, CODES, block, NULL), OK);
			for (int c = 0; c < CODES; c++) {
				assert_int_equal(model_decode(&m, k, w, ws, z + c * m.latent_dim, 1, one, NULL), OK);
				assert_memory_equal(one, block + (size_t)c * pixels, pixels * sizeof *one);
			}
		}
		free(w);
		free(ws);
		free(z);
		free(block);
		free(one);
		model_free(&m);
	}
}

static void test_levels_agree(void **state)
{
	(void)state;
	const struct kern *a = kern_at(CPU_AVX2), *b = kern_at(CPU_AVX512);
	if (!a || !b)
		skip();
	static struct use u;
	use_open(&u);
	static float other[IMAGES * 784];
	assert_int_equal(model_reconstruct(&u.m, a, u.w, u.ws, u.images, IMAGES, u.out, NULL), OK);
	assert_int_equal(model_reconstruct(&u.m, b, u.w, u.ws, u.images, IMAGES, other, NULL), OK);
	assert_memory_equal(u.out, other, sizeof other);
	use_close(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_headlines),
		cmocka_unit_test(test_report_net),
		cmocka_unit_test(test_preset_nets),
		cmocka_unit_test(test_norms_and_dropout),
		cmocka_unit_test(test_mirrors),
		cmocka_unit_test(test_impossible_nets),
		cmocka_unit_test(test_init_depends_on_seed_only),
		cmocka_unit_test(test_every_tensor_has_its_own_draw),
		cmocka_unit_test(test_abilities),
		cmocka_unit_test(test_one_by_one_is_the_same),
		cmocka_unit_test(test_one_code_decodes_as_in_a_block),
		cmocka_unit_test(test_levels_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
