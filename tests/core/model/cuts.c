/* Every step of a run as the point where it is cut: its state is saved there, another trainer takes it up, and from then on says
 * and becomes what the run that was not cut said and became. Each kind with each optimiser.
 *
 * A cut run goes on for WINDOW steps, from one in EVERY cuts to the end; LATENTD_CUTS=all: from all of them. */
#include "core/model/trainer.h"
#include "tests/core/model/fixture.h"

#include <stdio.h>

/* Neither fills its last block, batch or span; five steps an epoch, the last one short where the kind keeps it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 23 }; /* sanitizers are slow */
#else
enum { STRIDE = 1 };
#endif
enum { TRAIN = 205, TEST = 33, STEPS = 60, CUTS_MAX = 80, WINDOW = 2, EVERY = 11, EDIT_STEP = 23, BASE_SEED = 5 };

#define NET "latent_dim=3 channels=4,6 kernel=3 stride=2 padding=1 hidden=10 "
#define ALL "batch_size=40 epochs=12 "

/* What a run is made of beside its model. */
struct rig {
	struct dataset *d;
	struct pool *pool;
	const struct family *base; /* NULL: it stands alone */
	struct model on, m;
	struct trainer *on_t;
	bool edited; /* its learning rate at EDIT_STEP */
};

struct run_of {
	const struct rig *rig;
	struct trainer *t;
	struct heard heard;
	int at, stop_at;            /* steps done; 0: to the end */
	struct state cut[CUTS_MAX]; /* after so many steps; while a whole run is recorded */
	struct state *epoch;        /* [epochs + 1]: what was saved at the end of each */
	bool record;
};

/* --- states kept elsewhere, as in a file --- */

static struct state copy_of(struct trainer *t)
{
	struct state s;
	trainer_state(t, &s);
	assert_false(s.failed);
	for (int i = 0; i < s.n; i++)
		s.tensor[i].data = memcpy(malloc(s.tensor[i].bytes + 1), s.tensor[i].data, s.tensor[i].bytes);
	return s;
}

static void drop(struct state *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->tensor[i].data);
	state_free(s);
}

/* --- a run --- */

static void on_point(void *ctx, const struct point *p)
{
	hear(&((struct run_of *)ctx)->heard, p);
}

static unsigned on_poll(void *ctx)
{
	struct run_of *r = ctx;
	r->at = (int)trainer_progress(r->t).step;
	if (r->record)
		r->cut[r->at] = copy_of(r->t);
	return r->stop_at && r->at >= r->stop_at ? LOOP_STOP : 0;
}

static void edit(const struct rig *rig, struct trainer *t)
{
	const struct family *f = rig->m.family;
	void *then = malloc(f->params_size);
	memcpy(then, trainer_model(t)->family_params, f->params_size);
	((struct train_params *)then)->lr /= 4;
	((struct train_params *)then)->epochs = 14;
	trainer_edit(t, then, EDIT_STEP);
	free(then);
}

static int on_edit(void *ctx, struct trainer *t, struct err *err)
{
	struct run_of *r = ctx;
	(void)err;
	if (r->rig->edited && trainer_progress(t).step == EDIT_STEP && trainer_progress(t).epochs != 14)
		edit(r->rig, t);
	return OK;
}

static int on_save(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	struct run_of *r = ctx;
	(void)err;
	if (!r->record || !epoch)
		return OK;
	drop(&r->epoch[epoch]);
	r->epoch[epoch] = copy_of(t);
	return OK;
}

static int on_recall(void *ctx, struct trainer *t, int epoch, struct err *err)
{
	return trainer_roll_back(t, &((struct run_of *)ctx)->epoch[epoch], err);
}

/* What samples are worth follows from the weights that are served. */
static int on_look(void *ctx, struct trainer *t, size_t n, struct verdict *ret, struct err *err)
{
	(void)ctx, (void)err;
	const real *w = trainer_weights(t);
	double sum = 0;
	for (size_t i = 0; i < trainer_model(t)->params; i++)
		sum += (double)w[i] * (double)w[i] * (double)(i % 7);
	*ret = (struct verdict){.count = (int)n,
		.classes = 3,
		.fcd = 1 + fabs(sin(sum)),
		.min_share = 0.02 + 0.1 * fabs(cos(sum)),
		.diversity = 1};
	return OK;
}

/* A model of its own: an edit changes its parameters. */
static void open_run(struct run_of *r, const struct rig *rig, struct model *m, struct pool *pool)
{
	struct err err = {0};
	assert_int_equal(model_copy(m, &rig->m, &err), OK);
	if (trainer_open(&r->t, m, rig->d, pool, best_kern(), BASE_SEED, &err))
		fail_msg("%s", err.message);
	r->rig = rig;
	trainer_judge(r->t, &(struct judge_hook){r, on_look});
}

static void go_on(struct run_of *r)
{
	const struct hooks hooks = {
		.ctx = r, .point = on_point, .poll = on_poll, .edit = on_edit, .save = on_save, .recall = on_recall};
	struct err err = {0};
	enum loop_end end;
	if (train_loop(r->t, &hooks, &end, &err))
		fail_msg("%s", err.message);
	r->at = (int)trainer_progress(r->t).step;
}

/* --- comparing --- */

static void assert_same_tensors(const struct state *a, const struct state *b, const char *what, int cut, int at)
{
	assert_int_equal(a->n, b->n);
	for (int i = 0; i < a->n; i++)
		if (memcmp(a->tensor[i].data, b->tensor[i].data, a->tensor[i].bytes))
			fail_msg("%s, cut at step %d: %s differs at step %d", what, cut, a->tensor[i].name, at);
}

/* What was said from the cut on is part of what the whole run said. */
static void assert_same_words(const struct heard *whole, const struct heard *part, const char *what, int cut)
{
	int first = 0;
	while (first < whole->n && whole->point[first].step <= cut)
		first++;
	assert_true(part->n <= whole->n - first);
	for (int i = 0; i < part->n; i++) {
		const struct point *a = &whole->point[first + i], *b = &part->point[i];
		if (strcmp(a->series, b->series) || a->step != b->step || memcmp(&a->value, &b->value, sizeof a->value))
			fail_msg("%s, cut at step %d: %s of step %lld is %.17g, not %.17g", what, cut, a->series,
				(long long)a->step, b->value, a->value);
	}
}

static void take_up(const struct run_of *whole, int cut, int to, const char *what)
{
	struct model m;
	struct run_of r = {.stop_at = to < whole->at ? to : 0, .epoch = whole->epoch};
	struct err err = {0};
	open_run(&r, whole->rig, &m, cut % 2 ? whole->rig->pool : NULL);
	if (whole->rig->edited && cut > EDIT_STEP)
		edit(whole->rig, r.t);
	if (trainer_restore(r.t, &whole->cut[cut], &err))
		fail_msg("%s, cut at step %d: %s", what, cut, err.message);
	go_on(&r);
	struct state now = copy_of(r.t);
	assert_int_equal(r.at, to);
	assert_same_tensors(&whole->cut[to], &now, what, cut, to);
	assert_same_words(&whole->heard, &r.heard, what, cut);
	drop(&now);
	free(r.heard.point);
	trainer_close(r.t);
	model_free(&m);
}

/* --- what is cut --- */

struct row {
	const char *what;
	const struct family *family, *base;
	const char *overrides;
	bool edited;
};

static const struct row rows[] = {
	{"ae", &family_ae, NULL,
		NET ALL
		"norm=batch ema=0.9 dropout=0.2 dropout2d=0.1 denoise=0.1 schedule=plateau lr_patience=1 augment=hflip,crop "
		"prune.amount=0.3 prune.start_epoch=2 prune.every=3 prune.end_epoch=9 early_stopping.patience=40"},
	{"vae", &family_vae, NULL,
		NET ALL
		"beta=0.5 beta_warmup=5.5 free_bits=0.1 likelihood=bernoulli binarize=true schedule=one_cycle grad_clip=1"},
	{"vae, edited", &family_vae, NULL, NET ALL "norm=group activation=glu schedule=cosine warmup_epochs=1.5", true},
	{"gan", &family_gan, NULL,
		"latent_dim=5 channels=6,4 discriminator_channels=4,6 val_fraction=0 n_critic=2 r1_every=3 instance_noise=0.1 "
		"label_smoothing=0.1 ema=0.9 on_collapse=rollback judge_samples=256 " ALL},
	{"gan, batch norm", &family_gan, NULL,
		"latent_dim=5 channels=6,4 discriminator_channels=4,6 val_fraction=0 discriminator_norm=batch spectral_norm=false r1=0 "
		"gan_loss=hinge judge_samples=0 schedule=linear " ALL},
	{"finetune, frozen", &family_finetune, &family_ae, "head=7 dropout=0.2 label_smoothing=0.1 ema=0.9 " ALL},
	{"finetune, thawed", &family_finetune, &family_vae,
		"head=7 unfreeze_after=4 dropout=0.2 augment=hflip,erase schedule=linear " ALL},
	{"classifier", &family_classifier, NULL,
		"channels=4,6 augment=hflip,crop,erase label_smoothing=0.1 schedule=step lr_step_epochs=2 lr_gamma=0.5 " ALL},
};

static const char *const optimisers[] = {
	"optimizer=adam lr=5e-3",
	"optimizer=adamw lr=5e-3 weight_decay=0.01",
	"optimizer=sgd lr=1e-3 momentum=0.9 nesterov=true",
	"optimizer=rmsprop lr=1e-4",
};

/* What the rows above leave out, each with an optimiser of its own. */
static const struct row others[] = {
	{"ae that stops early", &family_ae, NULL,
		NET ALL
		"prune.method=global_l1_unstructured prune.start_epoch=1 prune.every=1 prune.end_epoch=2 val_fraction=0 "
		"early_stopping.patience=3 early_stopping.min_delta=1"},
	{"ae on a plateau", &family_ae, NULL,
		NET ALL "schedule=plateau lr_patience=2 lr_gamma=0.5 early_stopping.patience=40 lr=1e-12"},
	{"ae without momentum", &family_ae, NULL, NET ALL "optimizer=sgd momentum=0 val_fraction=0 grad_clip_value=1e-3"},
	{"ae with one linear layer", &family_ae, NULL,
		"latent_dim=2 channels=- hidden=- denoise_mask=0.2 schedule=one_cycle " ALL},
	{"gan, looked at between steps", &family_gan, NULL,
		"latent_dim=5 channels=6,4 discriminator_channels=4,6 val_fraction=0 judge_samples=256 batch_size=8 epochs=3 lr=1e-3"},
	{"gan of the report's", &family_gan, NULL,
		"latent_dim=5 channels=6,4 discriminator_channels=4,6 norm=group gan_loss=saturating val_fraction=0 r1=0 spectral_norm=false lr_d=2e-3 "
		"judge_samples=0 optimizer=rmsprop lr=1e-4 " ALL},
	{"classifier without batch norm", &family_classifier, NULL,
		"channels=4,6 norm=none hidden=5 gce_q=0.7 label_smoothing=0 optimizer=sgd momentum=0.5 lr=0.01 early_stopping.patience=30 " ALL},
};

static void open_rig(struct rig *rig, const struct row *row, const char *overrides)
{
	*rig = (struct rig){.d = balls(TRAIN, TEST, 1, 12, 12), .base = row->base, .edited = row->edited};
	assert_int_equal(pool_open(&rig->pool, 2, NULL), OK);
	if (!row->base) {
		rig->m = model_for(row->family, rig->d, overrides);
		return;
	}
	rig->on = model_for(row->base, rig->d, NET "norm=batch dropout=0.1");
	rig->on_t = open_trainer(&rig->on, rig->d, NULL, best_kern());
	rig->m = finetune_for(rig->d, row->base, NET "norm=batch dropout=0.1", overrides);
}

static void close_rig(struct rig *rig)
{
	trainer_close(rig->on_t);
	if (rig->base)
		model_free(&rig->on);
	model_free(&rig->m);
	pool_close(rig->pool);
	dataset_put(rig->d);
}

static int cut_everywhere(const struct row *row, const char *optimiser)
{
	char overrides[600], what[200];
	struct rig rig;
	struct model m;
	struct state epochs[16] = {0};
	struct run_of whole = {.record = true, .epoch = epochs};
	const char *all = getenv("LATENTD_CUTS");
	snprintf(overrides, sizeof overrides, "%s %s", row->overrides, optimiser);
	snprintf(what, sizeof what, "%s with %s", row->what, optimiser);
	open_rig(&rig, row, overrides);
	open_run(&whole, &rig, &m, NULL);
	if (rig.base)
		assert_int_equal(trainer_adopt(whole.t, &rig.on, rig.on_t->w, trainer_codes(rig.on_t), NULL), OK);
	go_on(&whole);
	assert_true(whole.at >= STEPS || model_train(&rig.m)->early_stopping.on);
	whole.cut[whole.at] = copy_of(whole.t);
	for (int cut = 0; cut < whole.at; cut += STRIDE) {
		const bool to_end = all ? !strcmp(all, "all") : cut % EVERY == 0;
		take_up(&whole, cut, to_end || cut + WINDOW > whole.at ? whole.at : cut + WINDOW, what);
	}
	for (int i = 0; i < CUTS_MAX; i++)
		drop(&whole.cut[i]);
	for (int i = 0; i < 16; i++)
		drop(&epochs[i]);
	free(whole.heard.point);
	trainer_close(whole.t);
	model_free(&m);
	close_rig(&rig);
	return whole.at;
}

static void cut_with(const char *optimiser)
{
	int cuts = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cuts += cut_everywhere(&rows[i], optimiser);
	print_message("%d cuts with %s\n", cuts, optimiser);
}

static void test_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cut_everywhere(&others[i], "");
}

#define TEST_WITH(name, i)         \
	static void name(void **state) \
	{                              \
		(void)state;               \
		if (i && STRIDE > 1)       \
			skip();                \
		cut_with(optimisers[i]);   \
	}
TEST_WITH(test_adam, 0)
TEST_WITH(test_adamw, 1)
TEST_WITH(test_sgd, 2)
TEST_WITH(test_rmsprop, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_adam), cmocka_unit_test(test_adamw),
		cmocka_unit_test(test_sgd), cmocka_unit_test(test_rmsprop), cmocka_unit_test(test_others)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
