/* What is switched on or off in a run that goes on from another's state is as if it had been so from there on. */
#include "core/model/fork.h"

#include "core/model/trainer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

enum { TRAIN = 205, TEST = 33, EPOCH = 5, HALF = 2 * EPOCH, END = 4 * EPOCH };
#define RUN SMALL_AE "epochs=4 val_fraction=0.1 "

/* On the heap: a trainer points to its model. */
struct one {
	struct model m;
	struct trainer *t;
	struct heard h;
};

static struct dataset *data;

static int setup(void **state)
{
	(void)state;
	data = balls(TRAIN, TEST, 1, 12, 12);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dataset_put(data);
	return 0;
}

static struct one *opened(const char *params)
{
	struct one *r = calloc(1, sizeof *r);
	r->m = ae_for(data, params);
	r->t = open_trainer(&r->m, data, NULL, best_kern());
	return r;
}

static void close_one(struct one *r)
{
	trainer_close(r->t);
	model_free(&r->m);
	free(r->h.point);
	free(r);
}

/* So many steps from its beginning. */
static struct one *ran(const char *params, int steps)
{
	struct one *r = opened(params);
	run(r->t, &r->h, steps);
	return r;
}

/* A fork of `from`, which it closes, up to that step; where it stands, if it is there already. */
static struct one *forked(struct one *from, const char *params, int step)
{
	struct one *r = opened(params);
	struct err err = {0};
	struct state saved;
	struct reformed state;
	trainer_state(from->t, &saved);
	if (fork_reform(&state, &r->m, from->m.family_params, &saved, &err) || trainer_restore(r->t, &state.state, &err))
		fail_msg("%s", err.message);
	reformed_free(&state);
	state_free(&saved);
	trainer_fork(r->t, from->m.family_params);
	close_one(from);
	run(r->t, &r->h, step);
	return r;
}

static void assert_same_weights(const struct one *a, const struct one *b)
{
	assert_int_equal(a->t->step, b->t->step);
	assert_int_equal(model_reals(&a->m), model_reals(&b->m));
	assert_memory_equal(a->t->w, b->t->w, model_reals(&a->m) * sizeof(real));
}

static void assert_equal(struct one *a, struct one *b)
{
	assert_same_state(a->t, b->t);
	close_one(a);
	close_one(b);
}

static void test_nothing(void **state)
{
	(void)state;
	static const char all[] =
		RUN "ema=0.9 dropout=0.1 dropout2d=0.1 norm=batch prune.amount=0.2 optimizer=rmsprop momentum=0.5";
	assert_equal(forked(ran(all, HALF), all, END), ran(all, END));
}

/* What the mean looks at never notices it. It begins with the weights there, and follows them from there on. */
static void test_running_mean(void **state)
{
	(void)state;
	struct one *plain = ran(RUN, HALF), *fork = forked(ran(RUN, HALF), RUN "ema=0.9", HALF);
	const size_t bytes = model_reals(&plain->m) * sizeof(real);
	assert_memory_equal(fork->t->w, plain->t->w, bytes);
	assert_memory_equal(fork->t->ema, plain->t->w, bytes);
	assert_memory_equal(fork->t->moment[1], plain->t->moment[1], plain->m.params * sizeof(real));
	close_one(plain);
	close_one(fork);
	plain = ran(RUN, HALF + 3);
	fork = forked(ran(RUN, HALF), RUN "ema=0.9", HALF + 3);
	assert_same_weights(plain, fork);
	assert_memory_not_equal(fork->t->ema, fork->t->w, bytes);
	close_one(plain);
	close_one(fork);
}

/* What was trained goes on; codes are those of what is served. */
static void test_no_running_mean(void **state)
{
	(void)state;
	struct one *plain = ran(RUN, HALF), *fork = forked(ran(RUN "ema=0.9", HALF), RUN, HALF);
	assert_same_weights(plain, fork);
	assert_memory_equal(plain->t->codes.cov, fork->t->codes.cov, 9 * sizeof(double));
	close_one(plain);
	close_one(fork);
	plain = ran(RUN, END);
	fork = forked(ran(RUN "ema=0.9", HALF), RUN, END);
	assert_same_weights(plain, fork);
	close_one(plain);
	close_one(fork);
}

/* With p so small that nothing is ever dropped and the others are scaled by 1 the layers are there, and do nothing. */
#define HARDLY "dropout=1e-9 dropout2d=1e-9 "

static void test_dropout(void **state)
{
	(void)state;
	struct one *plain = ran(RUN, END), *off = forked(ran(RUN HARDLY, HALF), RUN, END);
	assert_equal(plain, off);
	static const char much[] = RUN "dropout=0.3 dropout2d=0.2 norm=batch ema=0.9 prune.start_epoch=1 prune.every=1";
	struct one *on = forked(ran(RUN "norm=batch ema=0.9 prune.start_epoch=1 prune.every=1", HALF), much, END),
			   *more = forked(ran(RUN HARDLY "norm=batch ema=0.9 prune.start_epoch=1 prune.every=1", HALF), much, END);
	assert_equal(on, more);
}

static void test_pruning(void **state)
{
	(void)state;
	static const char later[] = RUN "prune.amount=0.5 prune.start_epoch=3";
	assert_equal(forked(ran(RUN, HALF), later, END), ran(later, END));
	/* what was taken out learns again */
	static const char sooner[] = RUN "prune.amount=0.5 prune.start_epoch=1";
	struct one *fork = forked(ran(sooner, HALF), RUN, HALF), *same = ran(sooner, HALF);
	assert_same_weights(fork, same);
	assert_null(fork->t->mask);
	size_t gone = 0, back = 0;
	for (size_t i = 0; i < same->m.params; i++)
		gone += !same->t->mask[i];
	run(fork->t, &fork->h, HALF + 1);
	for (size_t i = 0; i < same->m.params; i++)
		back += !same->t->mask[i] && fork->t->w[i] != 0;
	assert_true(gone > 50 && back > gone / 2);
	close_one(fork);
	close_one(same);
}

/* PyTorch's buffer begins as the first gradient, which is what 0 comes to. */
static void test_momentum(void **state)
{
	(void)state;
	static const char *const kinds[] = {RUN "optimizer=sgd lr=0.1 ", RUN "optimizer=rmsprop lr=1e-3 "};
	for (int k = 0; k < 2; k++) {
		char without[400], with[400], hardly[400];
		snprintf(without, sizeof without, "%smomentum=0", kinds[k]);
		snprintf(with, sizeof with, "%smomentum=0.9", kinds[k]);
		snprintf(hardly, sizeof hardly, "%smomentum=1e-30", kinds[k]);
		struct one *plain = ran(without, HALF + 1), *fork = forked(ran(without, HALF), with, HALF + 1);
		assert_same_weights(plain, fork);
		run(plain->t, &plain->h, END);
		run(fork->t, &fork->h, END);
		assert_memory_not_equal(plain->t->w, fork->t->w, plain->m.params * sizeof(real));
		close_one(plain);
		close_one(fork);
		plain = forked(ran(with, HALF), hardly, END);
		fork = forked(ran(with, HALF), without, END);
		assert_same_weights(plain, fork);
		close_one(plain);
		close_one(fork);
	}
}

static void test_what_should_be_there(void **state)
{
	(void)state;
	struct one *from = ran(RUN, 3), *mean = opened(RUN "ema=0.9");
	struct err err = {0};
	struct state saved;
	struct reformed state_of = {0};
	trainer_state(from->t, &saved);
	/* said to have been there, it must be */
	assert_int_equal(fork_reform(&state_of, &mean->m, mean->m.family_params, &saved, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "live.encoder.0.weight"));
	strcpy(saved.tensor[0].name, "lost");
	assert_int_equal(fork_reform(&state_of, &from->m, from->m.family_params, &saved, &err), ERR_CORRUPT);
	assert_non_null(strstr(err.message, "encoder.0.weight"));
	assert_null(state_of.blank);
	state_free(&saved);
	close_one(from);
	close_one(mean);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_running_mean),
		cmocka_unit_test(test_no_running_mean),
		cmocka_unit_test(test_dropout),
		cmocka_unit_test(test_pruning),
		cmocka_unit_test(test_momentum),
		cmocka_unit_test(test_what_should_be_there),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
