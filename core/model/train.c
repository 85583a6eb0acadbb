#include "core/model/train.h"

#include "core/model/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct progress trainer_plan(const struct model *m, const struct dataset *d)
{
	const struct train_params *p = model_train(m);
	struct progress plan = {.epochs = (int)p->epochs};
	size_t n = d->split[SPLIT_TRAIN].n;
	if (!n)
		return plan;
	if (p->train_limit > 0 && (size_t)p->train_limit < n)
		n = (size_t)p->train_limit;
	size_t held = (size_t)llround(p->val_fraction * (double)n);
	plan.val_images = held < n ? held : n - 1; /* one image at least stays for training */
	plan.train_images = n - plan.val_images;
	plan.batch_size = (size_t)p->batch_size < plan.train_images ? (size_t)p->batch_size : plan.train_images;
	const size_t rest = m->family->drop_last ? plan.train_images % plan.batch_size : 0;
	plan.epoch_images = plan.train_images - rest;
	plan.steps_per_epoch = (int64_t)((plan.epoch_images + plan.batch_size - 1) / plan.batch_size);
	plan.steps = p->epochs * plan.steps_per_epoch;
	return plan;
}

static int groups_of(const struct model *m, size_t batch)
{
	size_t blocks = (batch + LANES - 1) / LANES;
	size_t groups = (blocks + GROUP_BLOCKS - 1) / GROUP_BLOCKS;
	size_t most = GROUP_REALS / (m->params + 1);
	if (most < GROUPS_LARGE)
		most = GROUPS_LARGE;
	if (most > GROUPS_MAX)
		most = GROUPS_MAX;
	return (int)(groups < most ? groups : most);
}

struct optim trainer_optim(const struct train_params *p)
{
	return (struct optim){.kind = (enum optim_kind)p->optimizer,
		.beta1 = p->beta1,
		.beta2 = p->beta2,
		.eps = 1e-8,
		.weight_decay = p->weight_decay,
		.momentum = p->momentum,
		.nesterov = p->nesterov};
}

static void *take(struct arena *a, size_t n, size_t size)
{
	return arena_alloc(a, n * size);
}

static void layout_groups(struct trainer *t, struct arena *a)
{
	struct group *group = take(a, (size_t)t->groups, sizeof *group);
	for (int g = 0; g < t->groups; g++) {
		real *grad = take(a, t->m->params, sizeof(real));
		double *unit = take(a, (size_t)t->m->unit_sums, sizeof *unit);
		if (group)
			group[g] = (struct group){.grad = grad, .unit = unit};
	}
	t->group = group;
}

static void layout_blocks(struct trainer *t, struct arena *a, int threads)
{
	const struct model *m = t->m;
	size_t blocks = (t->batch + LANES - 1) / LANES;
	t->spaces = program_waits(m) && (int)blocks > threads ? (int)blocks : threads;
	real **ws = take(a, (size_t)t->spaces, sizeof *ws);
	for (int i = 0; i < t->spaces; i++) {
		real *mine = take(a, model_workspace(m), sizeof(real));
		if (ws)
			ws[i] = mine;
	}
	t->ws = ws;
	t->block = take(a, blocks, sizeof *t->block);
	t->lanes = take(a, blocks, sizeof *t->lanes);
	t->variants = take(a, t->p->augment ? blocks * LANES : 0, (size_t)map_features(&m->image));
	t->runs = take(a, program_waits(m) ? blocks : 0, sizeof *t->runs);
	t->shared = take(a, model_shared(m), sizeof(real));
}

/* Sums per unit, and how their curves are called. */
static void name_units(char (*ret)[SERIES_NAME_MAX], int units, const struct family *f, enum series_source source)
{
	const struct series *row = f->series;
	while (row->name && row->source != source)
		row++;
	for (int j = 0; row->name && j < units; j++)
		snprintf(ret[j], sizeof *ret, "%s_%d", row->name, j);
}

static void layout_units(struct trainer *t, struct arena *a, size_t spans)
{
	const size_t units = (size_t)t->m->unit_sums;
	struct block_result *span = take(a, spans, sizeof *span);
	double *sums = take(a, spans * units, sizeof *sums);
	for (size_t i = 0; span && i < spans; i++)
		span[i].unit = sums + i * units;
	t->span = span;
	t->unit = take(a, units, sizeof *t->unit);
	t->epoch_unit = take(a, units, sizeof *t->epoch_unit);
	t->unit_name = take(a, units, sizeof *t->unit_name);
	if (t->unit_name)
		name_units(t->unit_name, (int)units, t->m->family, SERIES_UNITS);
	name_units(t->share_name, VERDICT_CLASSES_MAX, t->m->family, SERIES_SHARES);
}

static bool spectral(const struct model *m)
{
	bool any = false;
	for (int i = 0; i < m->nets; i++)
		any = any || m->net[i].spectral;
	return any;
}

static void layout_compute(struct trainer *t, struct arena *a, int threads)
{
	const struct model *m = t->m;
	t->w = take(a, model_reals(m), sizeof(real));
	for (int i = 0; i < t->moments; i++)
		t->moment[i] = take(a, m->params, sizeof(real));
	t->sum = take(a, m->params, sizeof(real));
	t->square = take(a, m->params / UPDATE_GRAIN + 1, sizeof *t->square);
	t->effective = spectral(m) ? take(a, m->params, sizeof(real)) : NULL;
	t->new_buffers = take(a, m->buffers, sizeof(real));
	t->ema = t->p->ema > 0 ? take(a, model_reals(m), sizeof(real)) : NULL;
	t->served = t->ema ? t->ema : t->w;
	t->mask = t->p->prune.on ? take(a, m->params, sizeof *t->mask) : NULL;
	t->rank = t->p->prune.on ? take(a, m->params, sizeof *t->rank) : NULL;
	t->undo = take(a, m->family->phases[1].ops ? m->params * (size_t)(1 + t->moments) : 0, sizeof(real));
	layout_groups(t, a);
	layout_blocks(t, a, threads);
}

/* Sizes first, then memory: with a measuring arena the pointers stay NULL and only a->used is of use. */
static void layout(struct trainer *t, struct arena *a, const struct model *m, const struct dataset *d, int threads)
{
	t->m = m;
	t->p = model_train(m);
	struct progress plan = trainer_plan(m, d);
	size_t n = plan.train_images + plan.val_images;
	t->trains = plan.train_images;
	t->vals = plan.val_images;
	t->batch = plan.batch_size;
	t->epoch_images = plan.epoch_images;
	t->steps_per_epoch = plan.steps_per_epoch;
	t->optim = trainer_optim(t->p);
	t->moments = optim_moments(&t->optim);
	t->groups = groups_of(m, t->batch);
	t->train = take(a, n, sizeof *t->train);
	t->val = t->train ? t->train + t->trains : NULL;
	t->order = take(a, n, sizeof *t->order);
	size_t most = n > d->split[SPLIT_TEST].n ? n : d->split[SPLIT_TEST].n;
	layout_units(t, a, (most + SPAN_IMAGES - 1) / SPAN_IMAGES);
	layout_compute(t, a, threads);
	bool cached = m->family->cached && m->family->cached(m, 0);
	t->own_features = take(a, cached ? n * (size_t)m->latent_dim : 0, sizeof *t->own_features);
	if (model_has_codes(m))
		codes_layout(t, a, m->latent_dim, t->trains < CODE_STATS_IMAGES ? t->trains : CODE_STATS_IMAGES, threads);
}

size_t trainer_bytes(const struct model *m, const struct dataset *d, int threads)
{
	if (!d->split[SPLIT_TRAIN].n)
		return sizeof(struct trainer);
	struct arena measure = ARENA_MEASURE;
	struct trainer t;
	layout(&t, &measure, m, d, threads);
	return sizeof t + measure.used;
}

/* Which images are held out: the first of a permutation; both parts in the data set's order. */
void split_draw(uint32_t *ret_images, uint32_t *order, size_t trains, size_t vals, int64_t val_seed)
{
	const size_t n = trains + vals;
	uint32_t *train = ret_images, *val = ret_images + trains;
	rng_permutation(order, (uint32_t)n, (struct rng){.seed = (uint64_t)val_seed, .stream = RNG_SPLIT});
	memset(train, 0, n * sizeof *train);
	for (size_t i = 0; i < vals; i++)
		train[order[i]] = 1;
	memcpy(order, train, n * sizeof *order);
	for (uint32_t i = 0; i < n; i++)
		*(order[i] ? val++ : train++) = i;
}

static int check_data(const struct model *m, const struct dataset *d, struct err *err)
{
	if (!d->split[SPLIT_TRAIN].n)
		return err_set(err, ERR_INVALID, "data set %s has no training images", d->name);
	if (d->c != m->image.c || d->h != m->image.h || d->w != m->image.w)
		return err_set(err, ERR_INVALID, "data set %s has images of %dx%dx%d, the model is for %dx%dx%d", d->name, d->c,
			d->h, d->w, m->image.c, m->image.h, m->image.w);
	return OK;
}

int trainer_open(struct trainer **ret, const struct model *m, struct dataset *d, struct pool *pool,
	const struct kern *kern, uint64_t seed, struct err *err)
{
	int code = check_data(m, d, err);
	if (code)
		return code;
	struct trainer *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(err, ERR_NO_MEMORY, "no memory for a trainer");
	code = arena_open(&t->arena, trainer_bytes(m, d, pool_threads(pool)) - sizeof *t, err);
	if (code) {
		free(t);
		return code;
	}
	layout(t, &t->arena, m, d, pool_threads(pool));
	t->data = dataset_get(d);
	t->pool = pool;
	t->kern = kern;
	t->seed = seed;
	split_draw(t->train, t->order, t->trains, t->vals, t->p->val_seed);
	t->order_epoch = -1;
	tracker_init(&t->track);
	watch_init(&t->watch);
	model_init(m, t->w, seed);
	if (t->ema)
		memcpy(t->ema, t->w, model_reals(m) * sizeof *t->ema);
	if (t->mask)
		memset(t->mask, 1, m->params);
	if (model_has_codes(m))
		trainer_take_codes(t);
	*ret = t;
	return OK;
}

void trainer_close(struct trainer *t)
{
	if (!t)
		return;
	dataset_put(t->data);
	arena_close(&t->arena);
	free(t);
}

int trainer_adopt(
	struct trainer *t, const struct model *base, const real *base_w, const struct code_stats *codes, struct err *err)
{
	int code = t->m->family->adopt(t->m, base, base_w, codes, t->w, err);
	if (code)
		return code;
	if (t->ema)
		memcpy(t->ema, t->w, model_reals(t->m) * sizeof *t->ema);
	t->features = NULL;
	trainer_take_codes(t);
	return OK;
}

void trainer_features(struct trainer *t, const float *rows)
{
	t->features = rows;
}

const struct model *trainer_model(const struct trainer *t)
{
	return t->m;
}

struct progress trainer_progress(const struct trainer *t)
{
	struct progress now = trainer_plan(t->m, t->data);
	now.step = t->step;
	now.epoch = (int)(t->step / t->steps_per_epoch);
	return now;
}

struct best trainer_best(const struct trainer *t)
{
	const struct early_stopping_params *stop = &t->p->early_stopping;
	if (stop->on && !stop->restore_best)
		return (struct best){.epoch = (int)(t->step / t->steps_per_epoch), .value = t->track.last_value};
	return (struct best){.epoch = (int)t->track.best_epoch, .value = t->track.best_value};
}

void trainer_judge(struct trainer *t, const struct judge_hook *judge)
{
	t->judge = *judge;
}

int trainer_sound_epoch(const struct trainer *t)
{
	return (int)t->watch.sound_epoch;
}

bool trainer_monitored(const struct trainer *t)
{
	return t->vals || t->judge.look;
}

const char *trainer_monitor(const struct trainer *t)
{
	return trainer_monitored(t) ? t->m->family->monitor : headline_at(t->m->family, 0)->name;
}

const struct dataset *trainer_dataset(const struct trainer *t)
{
	return t->data;
}

const real *trainer_weights(const struct trainer *t)
{
	return t->served;
}

const struct code_stats *trainer_codes(const struct trainer *t)
{
	return &t->codes;
}

/* What an optimiser step changes. */
static void weights_state(struct trainer *t, struct state *ret)
{
	*ret = (struct state){0};
	state_add_model(ret, t->m, t->served);
	if (t->ema)
		state_add_prefixed(ret, "live", t->m, t->w, true);
	if (t->mask)
		state_add_mask(ret, "mask", t->m, t->mask);
	for (int i = 0; i < t->moments; i++) {
		char prefix[32];
		snprintf(prefix, sizeof prefix, "optim.%s", optim_moment_name(&t->optim, i));
		state_add_prefixed(ret, prefix, t->m, t->moment[i], false);
	}
}

void trainer_state(struct trainer *t, struct state *ret)
{
	static const int64_t one[] = {1}, parts[] = {RESULT_PARTS};
	weights_state(t, ret);
	state_add(ret, "counter.step", DTYPE_I64, 1, one, &t->step);
	tracker_state(&t->track, ret);
	state_add(ret, "tracker.epoch_part", DTYPE_F64, 1, parts, t->epoch_part);
	if (t->m->unit_sums)
		state_add(ret, "tracker.epoch_unit", DTYPE_F64, 1, (int64_t[]){t->m->unit_sums}, t->epoch_unit);
	if (t->m->family->signs)
		watch_state(&t->watch, ret);
	if (model_has_codes(t->m))
		code_stats_state(&t->codes, ret);
}

int trainer_restore(struct trainer *t, const struct state *saved, struct err *err)
{
	const struct tensor *counter = state_find(saved, "counter.step");
	int64_t step = -1, steps = trainer_progress(t).steps;
	if (counter && counter->bytes == sizeof step)
		memcpy(&step, counter->data, sizeof step);
	if (step < 0 || step > steps)
		return err_set(
			err, ERR_CORRUPT, "the saved state is not of this run: its step is not in 0..%lld", (long long)steps);
	struct state live;
	trainer_state(t, &live);
	int code =
		live.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the list of tensors") : state_copy(&live, saved, err);
	state_free(&live);
	if (!code && model_has_codes(t->m))
		code_stats_derive(&t->codes);
	if (!code)
		t->features = NULL; /* of other weights */
	return code;
}

int trainer_roll_back(struct trainer *t, const struct state *saved, struct err *err)
{
	struct state live;
	weights_state(t, &live);
	int code =
		live.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the list of tensors") : state_copy(&live, saved, err);
	state_free(&live);
	if (!code) {
		t->track.lr_scale /= 2;
		watch_rolled_back(&t->watch);
	}
	return code;
}

void trainer_start_over(struct trainer *t)
{
	model_init(t->m, t->w, t->seed);
	if (t->ema)
		memcpy(t->ema, t->w, model_reals(t->m) * sizeof *t->ema);
	for (int i = 0; i < t->moments; i++)
		memset(t->moment[i], 0, t->m->params * sizeof *t->moment[i]);
	watch_started_over(&t->watch, t->step);
}

/* The model's params are the run's own copy; whatever reads them while it trains does so on this thread, between steps. */
void trainer_edit(struct trainer *t, const void *params, int64_t step)
{
	void *mine = t->m->family_params;
	struct train_params *train = mine;
	const int64_t epochs = train->epochs, begun = step / t->steps_per_epoch + 1;
	for (const struct param *row = t->m->family->params; row->name; row++) {
		double value = param_number(row, params);
		if (row->live == PARAM_FIXED || value == param_number(row, mine) || param_set_number(row, mine, value, NULL))
			continue;
		if (row->live == PARAM_LIVE_LOSS)
			tracker_forget(&t->track);
	}
	if (train->epochs != epochs && train->epochs < begun)
		train->epochs = begun;
}
