#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

#include <stdio.h>

struct pruned {
	struct dataset *d;
	struct model m;
	struct trainer *t;
};

static void open_pruned(struct pruned *p, const char *overrides)
{
	char all[300];
	p->d = balls(40, 1, 1, 12, 12);
	snprintf(all, sizeof all, "%s %s", SMALL_AE, overrides);
	p->m = ae_for(p->d, all);
	p->t = open_trainer(&p->m, p->d, NULL, best_kern());
}

static void close_pruned(struct pruned *p)
{
	trainer_close(p->t);
	model_free(&p->m);
	dataset_put(p->d);
}

/* Zeros by the mask among the weights of tensor `name`, and how many weights it has. */
static size_t zeros_of(const struct trainer *t, const char *name, size_t *ret_weights)
{
	struct net_tensor tensor;
	size_t offset, zeros = 0;
	for (int net = 0; net < t->m->nets; net++)
		for (int i = 0; model_tensor(t->m, net, i, &tensor, &offset); i++)
			if (!strcmp(tensor.name, name)) {
				for (size_t k = 0; k < tensor.count; k++)
					zeros += !t->mask[offset + k];
				*ret_weights = tensor.count;
				return zeros;
			}
	fail_msg("no tensor %s", name);
	return 0;
}

/* encoder.0.weight has 36 weights: halves are rounded to even, as Python's round does. */
static void test_counts_by_layer(void **state)
{
	(void)state;
	struct pruned p;
	size_t n;
	open_pruned(&p, "prune.amount=0.375 prune.start_epoch=2 prune.every=3 prune.end_epoch=7"); /* at 2 and 5 */
	for (int epoch = 1; epoch <= 7; epoch++)
		assert_int_equal(trainer_prune(p.t, epoch), epoch == 2 || epoch == 5);
	/* 36 * .375 = 13.5 -> 14; 22 * .375 = 8.25 -> 8 */
	assert_int_equal(zeros_of(p.t, "encoder.0.weight", &n), 22);
	assert_int_equal(n, 36);
	close_pruned(&p);
	open_pruned(&p, "prune.amount=0.125 prune.start_epoch=2"); /* 36 * .125 = 4.5 -> 4 */
	assert_true(trainer_prune(p.t, 2));
	assert_false(trainer_prune(p.t, 12));
	assert_int_equal(zeros_of(p.t, "encoder.0.weight", &n), 4);
	close_pruned(&p);
}

/* Those that stay are no smaller than those that went; biases stay; weights, moments and mean are 0 where the mask is. */
static void test_the_smallest_go(void **state)
{
	(void)state;
	static const char *const methods[] = {"l1_unstructured", "global_l1_unstructured"};
	for (int global = 0; global < 2; global++) {
		char overrides[160];
		snprintf(overrides, sizeof overrides,
			"ema=0.5 prune.method=%s prune.amount=0.6 prune.start_epoch=1 prune.every=1 prune.end_epoch=1",
			methods[global]);
		struct pruned p;
		open_pruned(&p, overrides);
		double part[RESULT_PARTS];
		assert_int_equal(trainer_step(p.t, part, NULL), OK);
		real *before = memcpy(zeroed(p.m.params), p.t->w, p.m.params * sizeof(real)), most_gone = 0, least_left = 1e9;
		assert_true(trainer_prune(p.t, 1));
		assert_true(fabs(trainer_sparsity(p.t) - 0.6) < 0.01);
		struct net_tensor tensor;
		size_t offset;
		for (int net = 0; net < p.m.nets; net++)
			for (int i = 0; model_tensor(&p.m, net, i, &tensor, &offset); i++) {
				if (!global)
					most_gone = 0, least_left = 1e9;
				for (size_t k = offset; k < offset + tensor.count; k++) {
					real size = before[k] < 0 ? -before[k] : before[k];
					assert_true(p.t->mask[k] || tensor.rank > 1);
					bool clear = p.t->w[k] == 0 && p.t->ema[k] == 0 && p.t->moment[0][k] == 0 && p.t->moment[1][k] == 0;
					assert_true(p.t->mask[k] ? p.t->w[k] == before[k] : clear);
					if (tensor.rank > 1 && !p.t->mask[k] && size > most_gone)
						most_gone = size;
					if (tensor.rank > 1 && p.t->mask[k] && size < least_left)
						least_left = size;
				}
				assert_true(most_gone <= least_left);
			}
		free(before);
		close_pruned(&p);
	}
}

/* What went stays away, whatever the optimiser adds. */
static void test_pruned_weights_stay_zero(void **state)
{
	(void)state;
	static const char *const optimizers[] = {
		"adam weight_decay=0.1", "adamw weight_decay=0.1", "rmsprop", "sgd nesterov=true"};
	for (int i = 0; i < 4; i++) {
		char overrides[200];
		snprintf(overrides, sizeof overrides, "epochs=4 prune.amount=0.9 prune.start_epoch=2 lr=1e-3 optimizer=%s",
			optimizers[i]);
		struct pruned p;
		open_pruned(&p, overrides);
		struct heard h = {0};
		run(p.t, &h, 0);
		size_t gone = 0;
		for (size_t k = 0; k < p.m.params; k++) {
			assert_true(p.t->mask[k] || p.t->w[k] == 0);
			gone += !p.t->mask[k];
		}
		assert_true(gone > p.m.params / 2);
		assert_true(fabs(last_value(&h, "sparsity") - 0.9) < 0.01);
		assert_true(last_value(&h, "loss_after_prune") != last_value(&h, "loss_before_prune"));
		assert_true(trainer_best(p.t).epoch >= 2); /* what is served is pruned */
		free(h.point);
		close_pruned(&p);
	}
}

/* Zhu & Gupta: 1 - (1 - i/3)^3 of the amount, at i = 0 … 3. */
static void test_cubic(void **state)
{
	(void)state;
	struct pruned p;
	open_pruned(&p, "prune.amount=0.9 prune.schedule=cubic prune.start_epoch=2 prune.every=2 prune.end_epoch=9");
	static const double share[] = {0, 0.6333, 0.8667, 0.9};
	for (int i = 0; i < 4; i++) {
		assert_true(trainer_prune(p.t, 2 + 2 * i));
		assert_true(fabs(trainer_sparsity(p.t) - share[i]) < 0.01);
	}
	close_pruned(&p);
}

static void test_what_cannot_be(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *pointer;
	} cases[] = {
		{"prune.start_epoch=5 prune.end_epoch=4", "#/params/prune/end_epoch"},
		{"prune.schedule=cubic", "#/params/prune/end_epoch"},
	};
	for (int i = 0; i < 2; i++) {
		struct err err = {0};
		struct model m;
		void *params = family_params(&family_ae, NULL);
		assert_int_equal(param_set_all(family_ae.params, params, cases[i].overrides, &err), OK);
		assert_int_equal(model_plan(&m, &family_ae, params, (struct map){1, 28, 28, 0}, 10, &err), ERR_INVALID);
		assert_string_equal(err.pointer, cases[i].pointer);
		free(params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_by_layer),
		cmocka_unit_test(test_the_smallest_go),
		cmocka_unit_test(test_pruned_weights_stay_zero),
		cmocka_unit_test(test_cubic),
		cmocka_unit_test(test_what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
