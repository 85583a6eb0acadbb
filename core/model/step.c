/* step.c: one optimiser step, and passes without gradients, cut into tasks for the pool.
 *
 * Bits: a batch is cut into the trainer's groups, each a run of whole blocks that adds up its own gradient in order; groups
 * then add up in order over fixed ranges. Neither depends on how many threads there are or which of them does what.
 */
#include "core/model/trainer.h"

#include "core/nn/spectral.h"

#include <math.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static const uint8_t *image_at(const struct trainer *t, enum split split, size_t i)
{
	return t->data->split[split].images + i * (size_t)map_features(&t->m->image);
}

static void add_parts(double sum[RESULT_PARTS], const double part[RESULT_PARTS])
{
	for (int i = 0; i < RESULT_PARTS; i++)
		sum[i] += part[i];
}

static void add_units(struct trainer *t, const double *unit)
{
	for (int j = 0; j < t->m->unit_sums; j++)
		t->unit[j] += unit[j];
}

/* The lanes of a block: images index[from …] of a split, or from … when index is NULL. */
static void gather(
	struct lanes *ret, const struct trainer *t, enum split split, const uint32_t *index, size_t from, int lanes)
{
	for (int l = 0; l < lanes; l++) {
		size_t at = index ? index[from + (size_t)l] : from + (size_t)l;
		ret->image[l] = image_at(t, split, at);
		ret->label[l] = t->data->split[split].labels[at];
		ret->index[l] = (uint32_t)at;
	}
}

/* --- with gradients ---------------------------------------------------------------------------------------------------- */

struct step {
	struct trainer *t;
	const uint32_t *picks; /* positions in t->train of this batch's images */
	size_t images;
	int blocks;
	struct pool *pool;
	int64_t number; /* from 1 */
	double lr;
	const struct train_phase *phases;
	int phase;
	size_t from, reals; /* the parameters that the phase trains */
	real scale;         /* of their gradient, where it is clipped */
};

double trainer_lr(const struct trainer *t)
{
	int64_t warmup = llround(t->p->warmup_epochs * (double)t->steps_per_epoch);
	double lr =
		schedule_lr((enum schedule_kind)t->p->schedule, t->p->lr, t->step, t->p->epochs * t->steps_per_epoch, warmup);
	return lr * t->track.lr_scale;
}

size_t trainer_next_batch(const struct trainer *t)
{
	return smaller(t->batch, t->epoch_images - (size_t)(t->step % t->steps_per_epoch) * t->batch);
}

static const uint32_t *next_picks(struct trainer *t)
{
	int64_t epoch = t->step / t->steps_per_epoch;
	if (t->order_epoch != epoch) {
		struct rng r = {.seed = t->seed, .stream = RNG_SHUFFLE, .step = (uint64_t)epoch};
		rng_permutation(t->order, (uint32_t)t->trains, r);
		t->order_epoch = epoch;
	}
	return t->order + (size_t)(t->step % t->steps_per_epoch) * t->batch;
}

typedef real block_vec __attribute__((vector_size(LANES * sizeof(real)), may_alias));

/* x - x is 0 for a number and NaN for anything else; a gradient block is whole vectors on a 64-byte boundary. */
static bool all_finite(const real *x, size_t n)
{
	const block_vec *v = (const block_vec *)x;
	block_vec sum = {0};
	for (size_t i = 0; i < n / LANES; i++)
		sum += v[i] - v[i];
	bool finite = true;
	for (int l = 0; l < LANES; l++)
		finite = finite && sum[l] == 0;
	return finite;
}

bool trainer_finite(const struct trainer *t)
{
	return all_finite(t->w, t->m->params);
}

static void open_block(const struct step *s, int i)
{
	struct trainer *t = s->t;
	size_t from = (size_t)i * LANES;
	int count = (int)smaller(LANES, s->images - from);
	uint32_t index[LANES];
	for (int l = 0; l < count; l++)
		index[l] = t->train[s->picks[from + (size_t)l]];
	gather(&t->lanes[i], t, SPLIT_TRAIN, index, 0, count);
	t->block[i] = (struct block){.kern = t->kern,
		.w = t->w,
		.effective = t->effective,
		.new_buffers = t->new_buffers,
		.ws = t->ws[i % t->spaces],
		.shared = t->shared,
		.images = t->lanes[i].image,
		.labels = t->lanes[i].label,
		.index = t->lanes[i].index,
		.features = t->features,
		.phases = s->phases,
		.lanes = count,
		.batch = s->images,
		.training = true,
		.epoch = (double)t->step / (double)t->steps_per_epoch,
		.penalty_scale = t->watch.penalty_scale,
		.rng = {.seed = t->seed, .step = (uint64_t)s->number},
		.sample = (uint32_t)from};
}

/* The block's images become variants of themselves, drawn by step and place in the batch. */
static void augment_block(const struct step *s, int i)
{
	struct trainer *t = s->t;
	const struct map *image = &t->m->image;
	const struct rng r = {.seed = t->seed, .stream = RNG_AUGMENT, .step = (uint64_t)s->number};
	size_t pixels = (size_t)map_features(image), from = (size_t)i * LANES;
	for (int l = 0; l < t->block[i].lanes; l++) {
		uint8_t *to = t->variants + (from + (size_t)l) * pixels;
		augment_image(
			to, t->lanes[i].image[l], image->c, image->h, image->w, t->p->augment, r, (uint32_t)from + (uint32_t)l);
		t->lanes[i].image[l] = to;
	}
}

/* The blocks of a group, in order, from where they stand to the next barrier or the end of the phase. */
static void group_task(void *ctx, int task, int slot)
{
	const struct step *s = ctx;
	struct trainer *t = s->t;
	struct group *g = &t->group[task];
	const struct place from = g->at;
	int first = s->blocks * task / t->groups, end = s->blocks * (task + 1) / t->groups;
	bool images = s->phases == t->m->family->phases;
	bool anew = images && s->phase == 0 && from.op == program_begin.op && from.layer == program_begin.layer;
	for (int i = first; i < end; i++) {
		struct block_result r = {.unit = g->unit};
		if (anew && t->p->augment)
			augment_block(s, i);
		t->block[i].dw = g->grad;
		if (!program_waits(t->m))
			t->block[i].ws = t->ws[slot];
		g->at = program_on(t->m, s->phase, &t->block[i], from, &r);
		add_parts(g->part, r.part);
	}
	g->finite = all_finite(g->grad + s->from, s->reals);
}

/* Where all blocks of the batch stand. The last group has some in the shortest batch, too. */
static struct place standing(const struct trainer *t)
{
	return t->group[t->groups - 1].at;
}

static void settle_task(void *ctx, int task, int slot)
{
	(void)task, (void)slot;
	const struct step *s = ctx;
	struct trainer *t = s->t;
	program_settle(t->m, s->phase, t->block, s->blocks, t->runs, standing(t));
}

/* Handing a step's work to other threads takes some 40 us; less work than that is done here and now, to the same bits. */
static struct pool *crew(const struct trainer *t, size_t images)
{
	static const double small_flops = 1e6;
	return model_flops(t->m) * (double)images < small_flops ? NULL : t->pool;
}

/* Gradients of one phase: all groups go on together from barrier to barrier. */
static void run_phase(struct step *s)
{
	struct trainer *t = s->t;
	for (int g = 0; g < t->groups; g++) {
		memset(t->group[g].grad + s->from, 0, s->reals * sizeof(real));
		t->group[g].at = program_begin;
	}
	pool_run(s->pool, t->groups, group_task, s);
	while (standing(t).layer != NET_WHOLE) {
		pool_run(s->pool, 1, settle_task, s);
		pool_run(s->pool, t->groups, group_task, s);
	}
}

/* --- the update: tasks are fixed ranges of the phase's parameters --- */

struct range {
	size_t from, n;
};

static int ranges_of(const struct step *s)
{
	return (int)((s->reals + UPDATE_GRAIN - 1) / UPDATE_GRAIN);
}

static struct range range_of(const struct step *s, int task)
{
	size_t from = s->from + (size_t)task * UPDATE_GRAIN;
	return (struct range){from, smaller(UPDATE_GRAIN, s->from + s->reals - from)};
}

static void mask_range(const struct trainer *t, struct range r)
{
	for (size_t i = r.from; i < r.from + r.n; i++)
		t->sum[i] = t->mask[i] ? t->sum[i] : 0;
}

/* torch.nn.utils.clip_grad_value_ */
static void clip_values(const struct trainer *t, struct range r)
{
	const real most = (real)t->p->grad_clip_value;
	for (size_t i = r.from; i < r.from + r.n; i++) {
		real g = t->sum[i] > most ? most : t->sum[i];
		t->sum[i] = g < -most ? -most : g;
	}
}

/* The gradient of a range, of the whole batch, as the optimiser is to see it but for grad_clip. */
static void sum_groups(const struct step *s, struct range r)
{
	const struct trainer *t = s->t;
	const real *parts[GROUPS_MAX];
	for (int g = 0; g < t->groups; g++)
		parts[g] = t->group[g].grad + r.from;
	t->kern->sum_parts(t->sum + r.from, parts, t->groups, r.n);
	if (t->mask)
		mask_range(t, r);
	if (t->p->grad_clip_value > 0)
		clip_values(t, r);
}

/* Nets of different pace in one range are updated apart; where it is cut does not matter. */
static void optimise(const struct step *s, struct range r)
{
	const struct trainer *t = s->t;
	const struct model *m = t->m;
	size_t end = r.from + r.n;
	for (int net = 0; net < m->nets; net++) {
		const struct pace pace = model_pace(m, net);
		size_t from = m->net_offset[net], to = net + 1 < m->nets ? m->net_offset[net + 1] : m->params;
		from = from > r.from ? from : r.from;
		to = smaller(to, end);
		if (from >= to)
			continue;
		int64_t first = pace.first_epoch * t->steps_per_epoch;
		first = first > t->watch.origin ? first : t->watch.origin;
		optim_update(&t->optim, t->kern, t->w, t->sum, t->moment, from, to - from,
			s->number / pace.every - first / pace.every,
			s->lr * pace.lr_scale * (pace.leads ? watch_leader_scale(&t->watch) : 1));
	}
}

static void update_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct step *s = ctx;
	const struct range r = range_of(s, task);
	sum_groups(s, r);
	optimise(s, r);
}

/* Where more is wanted of the gradient than to go into the weights, it is added up as a whole before any of it is used. */
static void sum_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct step *s = ctx;
	sum_groups(s, range_of(s, task));
}

/* Squares are added up in double, range by range. */
static void square_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct step *s = ctx;
	const struct range r = range_of(s, task);
	double sum = 0;
	for (size_t i = 0; i < r.n; i++)
		sum += (double)s->t->sum[r.from + i] * (double)s->t->sum[r.from + i];
	s->t->square[task] = sum;
}

static void scaled_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct step *s = ctx;
	struct trainer *t = s->t;
	const struct range r = range_of(s, task);
	for (size_t i = 0; s->scale < 1 && i < r.n; i++)
		t->sum[r.from + i] *= s->scale;
	optimise(s, r);
}

static double norm_of(struct step *s)
{
	double sum = 0;
	pool_run(s->pool, ranges_of(s), square_task, s);
	for (int i = 0; i < ranges_of(s); i++)
		sum += s->t->square[i];
	return sqrt(sum);
}

/* A net of the phase, from its parameters' place on. */
static void each_spectral(const struct step *s,
	void (*act)(const struct step *s, const struct net *net, size_t params, size_t buffers))
{
	const struct model *m = s->t->m;
	for (int i = 0; i < m->nets; i++)
		if (m->net[i].spectral)
			act(s, &m->net[i], m->net_offset[i], m->buffer_offset[i]);
}

static bool trained(const struct step *s, size_t params)
{
	return params >= s->from && params < s->from + s->reals;
}

/* The vectors of a net move once a step, in the phase that trains it. */
static void prepare_spectral(const struct step *s, const struct net *net, size_t params, size_t buffers)
{
	struct trainer *t = s->t;
	if (trained(s, params))
		spectral_iterate(net, t->w + params, t->new_buffers + buffers);
	spectral_weights(net, t->w + params, t->new_buffers + buffers, t->effective + params);
}

static void finish_spectral(const struct step *s, const struct net *net, size_t params, size_t buffers)
{
	struct trainer *t = s->t;
	if (trained(s, params))
		spectral_grad(net, t->w + params, t->new_buffers + buffers, t->sum + params);
}

/* Somebody wants to see the norm of this phase's gradient. */
static bool norm_told(const struct step *s)
{
	for (const struct series *row = s->t->m->family->series; row->name; row++)
		if (row->source == SERIES_GRAD_NORM && row->at == (size_t)s->phase)
			return true;
	return false;
}

static void update(struct step *s)
{
	static const double eps = 1e-6; /* torch.nn.utils.clip_grad_norm_'s */
	struct trainer *t = s->t;
	const bool clipped = t->p->grad_clip > 0, norm = clipped || norm_told(s);
	if (!norm && !t->effective) {
		pool_run(s->pool, ranges_of(s), update_task, s);
		return;
	}
	pool_run(s->pool, ranges_of(s), sum_task, s);
	each_spectral(s, finish_spectral);
	if (norm)
		t->grad_norm[s->phase] = t->watch.grad_norm = norm_of(s);
	s->scale = clipped ? (real)fmin(1, t->p->grad_clip / (t->grad_norm[s->phase] + eps)) : 1;
	pool_run(s->pool, ranges_of(s), scaled_task, s);
}

/* The mean of the first steps looks back over few of them: at step t the decay is (1 + t) / (10 + t), while that is less. */
static void mean_task(void *ctx, int task, int slot)
{
	(void)slot;
	const struct step *s = ctx;
	const struct trainer *t = s->t;
	size_t from = (size_t)task * UPDATE_GRAIN, n = smaller(UPDATE_GRAIN, model_reals(t->m) - from);
	double early = (1 + (double)s->number) / (10 + (double)s->number);
	const real share = (real)(1 - (early < t->p->ema ? early : t->p->ema));
	for (size_t i = from; i < from + n; i++)
		t->ema[i] += share * (t->w[i] - t->ema[i]);
}

static void update_mean(struct step *s)
{
	size_t n = model_reals(s->t->m);
	pool_run(s->pool, (int)((n + UPDATE_GRAIN - 1) / UPDATE_GRAIN), mean_task, s);
}

/* --- the whole step --- */

/* A loss or gradient that is not a number must never reach the weights. */
static int check_finite(const struct step *s, double part[RESULT_PARTS], struct err *err)
{
	const struct trainer *t = s->t;
	bool gradient = true, loss = true;
	memset(part, 0, RESULT_PARTS * sizeof *part);
	for (int g = 0; g < t->groups; g++) {
		add_parts(part, t->group[g].part);
		gradient = gradient && t->group[g].finite;
	}
	for (int i = 0; i < RESULT_PARTS; i++)
		loss = loss && isfinite(part[i]);
	if (loss && gradient)
		return OK;
	return err_set(err, ERR_DIVERGED, "non-finite %s at step %lld; try a lower lr (it was %g)",
		loss ? "gradient" : "loss", (long long)s->number, s->lr);
}

/* The parameters of the phase's nets lie together. */
static void choose_phase(struct step *s, int phase)
{
	const struct model *m = s->t->m;
	const struct train_phase *p = &s->phases[phase];
	int end = p->first_net + p->nets;
	s->phase = phase;
	s->from = m->net_offset[p->first_net];
	s->reals = (end < m->nets ? m->net_offset[end] : m->params) - s->from;
}

/* What a failed later phase takes back of the earlier ones. */
static void keep_undo(struct trainer *t)
{
	size_t n = t->m->params;
	memcpy(t->undo, t->w, n * sizeof(real));
	for (int i = 0; i < t->moments; i++)
		memcpy(t->undo + n * (size_t)(i + 1), t->moment[i], n * sizeof(real));
}

static void take_back(struct trainer *t)
{
	size_t n = t->m->params;
	memcpy(t->w, t->undo, n * sizeof(real));
	for (int i = 0; i < t->moments; i++)
		memcpy(t->moment[i], t->undo + n * (size_t)(i + 1), n * sizeof(real));
}

const struct train_phase *trainer_phases(const struct trainer *t)
{
	const struct family *f = t->m->family;
	return f->cached && f->cached(t->m, t->step / t->steps_per_epoch) ? f->cached_phases : f->phases;
}

bool trainer_due(const struct trainer *t, int phase, int64_t number)
{
	return number % model_pace(t->m, trainer_phases(t)[phase].first_net).every == 0;
}

bool trainer_cached(const struct trainer *t)
{
	const struct family *f = t->m->family;
	return f->cached && f->cached(t->m, t->step > 0 ? (t->step - 1) / t->steps_per_epoch : 0);
}

int trainer_step(struct trainer *t, double ret_part[RESULT_PARTS], struct err *err)
{
	struct step s = {
		.t = t, .picks = next_picks(t), .images = trainer_next_batch(t), .number = t->step + 1, .lr = trainer_lr(t)};
	const struct train_phase *phases = s.phases = trainer_phases(t);
	if (phases == t->m->family->cached_phases && !t->features)
		trainer_take_features(t);
	s.blocks = (int)((s.images + LANES - 1) / LANES);
	s.pool = crew(t, s.images);
	for (int i = 0; i < s.blocks; i++)
		open_block(&s, i);
	for (int g = 0; g < t->groups; g++) {
		memset(t->group[g].part, 0, sizeof t->group[g].part);
		memset(t->group[g].unit, 0, (size_t)t->m->unit_sums * sizeof *t->unit);
	}
	memcpy(t->new_buffers, t->w + t->m->params, t->m->buffers * sizeof(real));
	if (phases[1].ops)
		keep_undo(t);
	double part[RESULT_PARTS];
	for (int phase = 0; phases[phase].ops; phase++) {
		if (!trainer_due(t, phase, s.number))
			continue;
		choose_phase(&s, phase);
		each_spectral(&s, prepare_spectral);
		run_phase(&s);
		int code = check_finite(&s, part, err);
		if (code && phase > 0)
			take_back(t);
		if (code)
			return code;
		update(&s);
	}
	memcpy(t->w + t->m->params, t->new_buffers, t->m->buffers * sizeof(real));
	if (t->ema)
		update_mean(&s);
	memset(t->unit, 0, (size_t)t->m->unit_sums * sizeof *t->unit);
	for (int g = 0; g < t->groups; g++)
		add_units(t, t->group[g].unit);
	t->step = s.number;
	watch_step(&t->watch, part, (double)s.images);
	memcpy(ret_part, part, sizeof part);
	return OK;
}

/* --- without gradients ------------------------------------------------------------------------------------------------- */

struct pass {
	struct trainer *t;
	enum split split;
	const uint32_t *index;
	size_t n;
	const real *w;
	const struct train_phase *phases;
};

static void span_task(void *ctx, int task, int slot)
{
	const struct pass *p = ctx;
	struct trainer *t = p->t;
	struct block_result sum = {.unit = t->span[task].unit};
	memset(sum.unit, 0, (size_t)t->m->unit_sums * sizeof *sum.unit);
	size_t end = smaller((size_t)(task + 1) * SPAN_IMAGES, p->n);
	for (size_t from = (size_t)task * SPAN_IMAGES; from < end; from += LANES) {
		struct lanes lanes;
		int count = (int)smaller(LANES, end - from);
		gather(&lanes, t, p->split, p->index, from, count);
		struct block b = {.kern = t->kern,
			.w = p->w,
			.ws = t->ws[slot],
			.images = lanes.image,
			.labels = lanes.label,
			.index = lanes.index,
			.features = t->features,
			.phases = p->phases,
			.lanes = count,
			.batch = p->n,
			.rng = {.seed = t->seed},
			.sample = (uint32_t)from};
		struct block_result r = {.unit = sum.unit};
		program_run(t->m, &b, &r);
		add_parts(sum.part, r.part);
	}
	t->span[task] = sum;
}

void trainer_pass(
	struct trainer *t, enum split split, const uint32_t *index, size_t n, const real *w, double ret_part[RESULT_PARTS])
{
	/* what the nets that stand still make of the training images is known, unless the weights are others */
	bool cached = w == t->served && split == SPLIT_TRAIN && trainer_cached(t);
	if (cached && !t->features)
		trainer_take_features(t);
	struct pass p = {.t = t, .split = split, .index = index, .n = n, .w = w};
	p.phases = cached ? t->m->family->cached_phases : t->m->family->phases;
	int spans = (int)((n + SPAN_IMAGES - 1) / SPAN_IMAGES);
	pool_run(t->pool, spans, span_task, &p);
	memset(ret_part, 0, RESULT_PARTS * sizeof *ret_part);
	memset(t->unit, 0, (size_t)t->m->unit_sums * sizeof *t->unit);
	for (int i = 0; i < spans; i++) {
		add_parts(ret_part, t->span[i].part);
		add_units(t, t->span[i].unit);
	}
}
