#include "core/model/trainer.h"

#include "tests/core/model/fixture.h"

#include <stdio.h>

/* A diary of what the loop did, one letter and number an entry, and what poll answers when. */
struct diary {
	char text[4096];
	unsigned answer;
	int64_t at_step; /* when poll gives the answer */
	int fail_at;     /* epoch at which save fails */
	int best_seen;
};

static void note(struct diary *d, const char *entry, int64_t number)
{
	size_t n = strlen(d->text);
	snprintf(d->text + n, sizeof d->text - n, "%s%lld ", entry, (long long)number);
}

static void on_point(void *ctx, const struct point *p)
{
	struct diary *d = ctx;
	assert_true(isfinite(p->value));
	if (strcmp(p->series, "lr"))
		note(d, p->series, p->step);
}

struct ears {
	struct diary d;
	struct trainer *t;
};

static unsigned on_poll(void *ctx)
{
	struct ears *e = ctx;
	return trainer_progress(e->t).step == e->d.at_step ? e->d.answer : 0;
}

static int on_publish(void *ctx, struct trainer *t, struct err *err)
{
	(void)err;
	note(ctx, "publish", trainer_progress(t).step);
	return OK;
}

static int on_preview(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	(void)err;
	struct progress p = trainer_progress(t);
	assert_int_equal((p.step + p.steps_per_epoch - 1) / p.steps_per_epoch, epoch);
	note(ctx, p.epoch == epoch ? "preview" : "inside", p.epoch == epoch ? epoch : p.step);
	return OK;
}

static int on_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct diary *d = ctx;
	note(d, "save", epoch);
	if (epoch && trainer_best(t).epoch == epoch)
		d->best_seen = epoch;
	return epoch && epoch == d->fail_at ? err_set(err, ERR_NO_SPACE, "no room") : OK;
}

static const struct hooks all_hooks = {
	.point = on_point, .poll = on_poll, .publish = on_publish, .preview = on_preview, .save = on_save};

/* Trains on 10 + images with batch 5: two steps an epoch. */
static int go(struct ears *e, const struct model *m, struct dataset *d, enum loop_end *end, struct err *err)
{
	if (!e->t)
		e->t = open_trainer(m, d, NULL, best_kern());
	struct hooks hooks = all_hooks;
	hooks.ctx = e;
	return train_loop(e->t, &hooks, end, err);
}

static void test_order_of_hooks(void **state)
{
	(void)state;
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "batch_size=5 val_fraction=0.2 epochs=2 lr=1e-3");
	struct ears e = {.d.at_step = -1};
	enum loop_end end;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK);
	assert_int_equal(end, LOOP_COMPLETED);
	assert_string_equal(e.d.text, "publish0 preview0 train_loss1 train_loss2 val_loss2 publish2 preview1 save1 "
								  "train_loss3 train_loss4 val_loss4 publish4 preview2 save2 ");
	e.d.text[0] = 0; /* nothing is left, but whoever decodes must get the weights */
	assert_int_equal(go(&e, &m, d, &end, NULL), OK);
	assert_int_equal(end, LOOP_COMPLETED);
	assert_string_equal(e.d.text, "publish4 ");
	trainer_close(e.t);
	model_free(&m);
	dataset_put(d);
}

static void test_poll(void **state)
{
	(void)state;
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "batch_size=5 val_fraction=0 epochs=2 lr=1e-3");
	struct ears e = {.d.at_step = 1, .d.answer = LOOP_PUBLISH | LOOP_SAVE | LOOP_STOP};
	enum loop_end end;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK);
	assert_int_equal(end, LOOP_STOPPED);
	assert_string_equal(e.d.text, "publish0 preview0 train_loss1 publish1 save0 ");
	e.d.text[0] = 0;
	e.d.at_step = 3;
	e.d.answer = LOOP_PUBLISH;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK); /* goes on inside the epoch, without a second preview of epoch 0 */
	assert_int_equal(end, LOOP_COMPLETED);
	assert_string_equal(e.d.text,
		"publish1 train_loss2 publish2 preview1 save1 train_loss3 publish3 train_loss4 publish4 preview2 save2 ");
	trainer_close(e.t);
	model_free(&m);
	dataset_put(d);
}

static void test_seldom(void **state)
{
	(void)state;
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct model m = ae_for(
		d, SMALL_AE "batch_size=10 val_fraction=0 epochs=5 lr=1e-3 checkpoint_every_epochs=3 preview_every_epochs=2");
	struct ears e = {.d.at_step = -1};
	enum loop_end end;
	e.t = open_trainer(&m, d, NULL, best_kern());
	e.t->track.best_epoch = 7; /* a best that no epoch here can reach */
	e.t->track.best_value = -1;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK);
	assert_string_equal(e.d.text,
		"publish0 preview0 train_loss1 publish1 train_loss2 publish2 preview2 train_loss3 publish3 save3 "
		"train_loss4 publish4 preview4 train_loss5 publish5 preview5 save5 ");
	trainer_close(e.t);
	struct ears quiet = {.d.at_step = -1};
	struct model n = ae_for(
		d, SMALL_AE "batch_size=10 val_fraction=0 epochs=2 lr=1e-3 preview_every_epochs=0 checkpoint_every_epochs=50");
	assert_int_equal(go(&quiet, &n, d, &end, NULL), OK);
	assert_null(strstr(quiet.d.text, "preview"));
	assert_non_null(strstr(quiet.d.text, "save1")); /* the best so far */
	trainer_close(quiet.t);
	model_free(&m);
	model_free(&n);
	dataset_put(d);
}

/* A kind may ask for pictures on the way: its epochs are parted as evenly as their steps allow, and a resume repeats those that
 * come after its checkpoint, no others. */
static void test_previews_inside_epochs(void **state)
{
	(void)state;
	static const struct {
		int parts;
		const char *params, *diary;
	} rows[] = {
		{3, "epochs=2", "preview0 inside2 inside4 preview1 inside7 inside9 preview2 "},
		{2, "epochs=3 preview_every_epochs=2", "preview0 inside8 preview2 inside13 preview3 "},
		{10, "epochs=1", "preview0 inside1 inside2 inside3 inside4 preview1 "},
		{3, "epochs=1 preview_every_epochs=0", ""},
		{1, "epochs=1", "preview0 preview1 "},
	};
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct hooks hooks = {.preview = on_preview, .poll = on_poll};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[300];
		enum loop_end end;
		snprintf(text, sizeof text, SMALL_AE "batch_size=2 val_fraction=0 lr=1e-3 %s", rows[i].params);
		struct model m = ae_for(d, text);
		struct family f = *m.family;
		f.looks_per_epoch = rows[i].parts;
		m.family = &f;
		struct ears e = {.d.at_step = i ? -1 : 4, .d.answer = LOOP_STOP};
		e.t = open_trainer(&m, d, NULL, best_kern());
		hooks.ctx = &e;
		assert_int_equal(train_loop(e.t, &hooks, &end, NULL), OK);
		e.d.at_step = -1;
		if (end == LOOP_STOPPED)
			assert_int_equal(train_loop(e.t, &hooks, &end, NULL), OK);
		assert_int_equal(end, LOOP_COMPLETED);
		assert_string_equal(e.d.text, rows[i].diary);
		trainer_close(e.t);
		model_free(&m);
	}
	dataset_put(d);
}

/* A rate of 0 makes no epoch better than the first: patience ends the run, and its last epoch is saved and shown. */
static void test_early_stopping(void **state)
{
	(void)state;
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "batch_size=10 val_fraction=0 epochs=9 lr=0 checkpoint_every_epochs=50 "
										"preview_every_epochs=50 early_stopping.patience=2");
	struct ears e = {.d.at_step = -1};
	enum loop_end end;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK);
	assert_int_equal(end, LOOP_EARLY);
	assert_string_equal(e.d.text,
		"publish0 preview0 train_loss1 publish1 save1 train_loss2 publish2 train_loss3 publish3 preview3 save3 ");
	assert_int_equal(trainer_best(e.t).epoch, 1);
	e.d.text[0] = 0;
	assert_int_equal(go(&e, &m, d, &end, NULL), OK); /* as after a kill between the last checkpoint and the verdict */
	assert_int_equal(end, LOOP_EARLY);
	assert_string_equal(e.d.text, "publish3 ");
	trainer_close(e.t);
	model_free(&m);
	m = ae_for(d, SMALL_AE "batch_size=10 val_fraction=0 epochs=9 lr=0 early_stopping.patience=2 "
						   "early_stopping.restore_best=false");
	struct ears last = {.d.at_step = -1};
	assert_int_equal(go(&last, &m, d, &end, NULL), OK);
	assert_int_equal(trainer_best(last.t).epoch, 3);
	trainer_close(last.t);
	model_free(&m);
	dataset_put(d);
}

struct alerts {
	int n;
	char text[200];
};

static void on_alert(void *ctx, struct trainer *t, const struct alert *a)
{
	struct alerts *heard = ctx;
	(void)t;
	assert_string_equal(a->code, "min_delta_large");
	heard->n++;
	snprintf(heard->text, sizeof heard->text, "%s", a->text);
}

/* A min_delta beside which improvements are nothing is told of once, when the loss has become so small. */
static void test_deaf_patience(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *epoch;
	} cases[] = {{"early_stopping.min_delta=1 ", "after epoch 1"}, {"early_stopping.min_delta=1e-3 ", "after epoch "},
		{"early_stopping.min_delta=0 ", NULL}, {"", NULL}};
	struct dataset *d = balls(100, 1, 1, 12, 12);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char overrides[200];
		struct alerts heard = {0};
		struct hooks hooks = {.ctx = &heard, .alert = on_alert};
		enum loop_end end;
		snprintf(overrides, sizeof overrides, "%s%s", SMALL_AE "epochs=30 lr=5e-3 ", cases[i].overrides);
		struct model m = ae_for(d, overrides);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		assert_int_equal(train_loop(t, &hooks, &end, NULL), OK);
		assert_int_equal(heard.n, cases[i].epoch != NULL);
		assert_true(!heard.n || strstr(heard.text, cases[i].epoch));
		trainer_close(t);
		model_free(&m);
	}
	dataset_put(d);
}

static void test_failing_hook_ends_the_loop(void **state)
{
	(void)state;
	struct dataset *d = balls(10, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "batch_size=5 val_fraction=0 epochs=9 lr=1e-3");
	struct ears e = {.d.at_step = -1, .d.fail_at = 2};
	enum loop_end end = (enum loop_end)99;
	struct err err = {0};
	assert_int_equal(go(&e, &m, d, &end, &err), ERR_NO_SPACE);
	assert_string_equal(err.message, "no room");
	assert_int_equal(end, 99);
	assert_int_equal(trainer_progress(e.t).step, 4);
	trainer_close(e.t);
	model_free(&m);
	dataset_put(d);
}

static void test_best_follows_the_monitor(void **state)
{
	(void)state;
	static const struct {
		const char *overrides, *series;
	} cases[] = {
		{SMALL_AE "epochs=6 val_fraction=0.3", "val_loss"}, {SMALL_AE "epochs=6 val_fraction=0 lr=0.05", "train_loss"}};
	struct dataset *d = balls(100, 1, 1, 12, 12);
	for (int c = 0; c < 2; c++) {
		struct model m = ae_for(d, cases[c].overrides);
		struct trainer *t = open_trainer(&m, d, NULL, best_kern());
		struct heard h = {0};
		assert_int_equal(trainer_best(t).epoch, 0);
		run(t, &h, 0);
		struct progress p = trainer_progress(t);
		double sum = 0, best = INFINITY;
		int best_epoch = 0;
		for (int i = 0; i < h.n; i++) {
			if (strcmp(h.point[i].series, cases[c].series))
				continue;
			bool end = h.point[i].step % p.steps_per_epoch == 0;
			size_t last = p.train_images - (size_t)(p.steps_per_epoch - 1) * p.batch_size;
			sum +=
				c ? h.point[i].value * (double)(end ? last : p.batch_size) / (double)p.train_images : h.point[i].value;
			assert_true(h.point[i].epoch == (double)h.point[i].step / (double)p.steps_per_epoch);
			if (!end)
				continue;
			if (sum < best) {
				best = sum;
				best_epoch = (int)(h.point[i].step / p.steps_per_epoch);
			}
			sum = 0;
		}
		assert_int_equal(trainer_best(t).epoch, best_epoch);
		assert_true(fabs(trainer_best(t).value - best) < 1e-12);
		free(h.point);
		trainer_close(t);
		model_free(&m);
	}
	dataset_put(d);
}

/* A rate far too high: the run ends with the step's number, and what can be saved is finite. */
static void test_diverging_run(void **state)
{
	(void)state;
	struct dataset *d = balls(100, 1, 1, 12, 12);
	struct model m = ae_for(d, SMALL_AE "optimizer=sgd lr=10 momentum=0.99 weight_decay=1 epochs=200 val_fraction=0");
	struct ears e = {.d.at_step = -1};
	e.t = open_trainer(&m, d, NULL, best_kern());
	struct hooks hooks = {0};
	enum loop_end end;
	struct err err = {0};
	assert_int_equal(train_loop(e.t, &hooks, &end, &err), ERR_DIVERGED);
	char step[48];
	snprintf(step, sizeof step, "at step %lld;", (long long)trainer_progress(e.t).step + 1);
	assert_non_null(strstr(err.message, step));
	for (size_t i = 0; i < m.params; i++)
		assert_true(isfinite(e.t->w[i]));
	trainer_close(e.t);
	model_free(&m);
	dataset_put(d);
}

/* Stands for an update that overflows: after step 4 a weight is no number. */
struct overflow {
	struct trainer *t;
	real poison;
	char told[200];
};

static void overflow_point(void *ctx, const struct point *p)
{
	struct overflow *o = ctx;
	if (p->step == 4 && !strcmp(p->series, "lr"))
		o->t->w[0] = o->poison;
	else if (!strcmp(p->series, "val_loss"))
		snprintf(o->told + strlen(o->told), sizeof o->told - strlen(o->told), "val%lld ", (long long)p->step);
}

static int overflow_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct overflow *o = ctx;
	(void)err, (void)t;
	snprintf(o->told + strlen(o->told), sizeof o->told - strlen(o->told), "save%d ", epoch);
	return OK;
}

/* No next step would find out before the epoch is saved over what is good, or at all after the last one. */
static void test_diverging_epoch(void **state)
{
	(void)state;
	static const struct {
		const char *overrides;
		real poison;
		const char *told, *message;
	} cases[] = {
		{SMALL_AE "batch_size=50 epochs=2 val_fraction=0", (real)NAN, "save1 ", "non-finite codes at step 4;"},
		{SMALL_AE "batch_size=25 epochs=2 val_fraction=0.5", (real)NAN, "val2 save1 ",
			"non-finite val_loss at step 4;"},
		{SMALL_AE "batch_size=50 epochs=2 val_fraction=0", (real)INFINITY, "save1 ", " at step 4;"},
	};
	struct dataset *d = balls(100, 1, 1, 12, 12);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model m = ae_for(d, cases[i].overrides);
		struct overflow o = {.t = open_trainer(&m, d, NULL, best_kern()), .poison = cases[i].poison};
		const struct hooks hooks = {.ctx = &o, .point = overflow_point, .save = overflow_save};
		enum loop_end end;
		struct err err = {0};
		assert_int_equal(train_loop(o.t, &hooks, &end, &err), ERR_DIVERGED);
		assert_non_null(strstr(err.message, cases[i].message));
		assert_string_equal(o.told, cases[i].told);
		assert_int_equal(trainer_best(o.t).epoch, 1);
		trainer_close(o.t);
		model_free(&m);
	}
	dataset_put(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_hooks),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_seldom),
		cmocka_unit_test(test_previews_inside_epochs),
		cmocka_unit_test(test_early_stopping),
		cmocka_unit_test(test_deaf_patience),
		cmocka_unit_test(test_failing_hook_ends_the_loop),
		cmocka_unit_test(test_best_follows_the_monitor),
		cmocka_unit_test(test_diverging_run),
		cmocka_unit_test(test_diverging_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
