/* study_picture.c: charts of a study; study_sheet.c puts them together with pictures of its children. */
#include "server/study_picture.h"

#include "server/study_picture_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n points. */
static int open_curve(struct curve *ret, const char *name, size_t n, bool range, struct err *err)
{
	struct curve c = {.step = calloc(n + 1, sizeof *c.step),
		.epoch = calloc(n + 1, sizeof *c.epoch),
		.value = calloc(n + 1, sizeof *c.value),
		.time_ms = calloc(n + 1, sizeof *c.time_ms),
		.min = range ? calloc(n + 1, sizeof *c.min) : NULL,
		.max = range ? calloc(n + 1, sizeof *c.max) : NULL};
	snprintf(c.series, sizeof c.series, "%s", name);
	if (!c.step || !c.epoch || !c.value || !c.time_ms || (range && (!c.min || !c.max))) {
		curve_free(&c);
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	}
	*ret = c;
	return OK;
}

static void add_point(struct curve *c, double x, double value, double low, double high)
{
	c->step[c->n] = (int64_t)x;
	c->epoch[c->n] = x;
	c->value[c->n] = value;
	if (c->min) {
		c->min[c->n] = low;
		c->max[c->n] = high;
	}
	c->n++;
}

int study_history_curves(const struct study_rows *s, struct curve ret[2], struct err *err)
{
	const double sign = study_sign(s->study);
	double best = (double)NAN;
	int code = open_curve(&ret[0], s->study->metric, s->n, false, err);
	if (!code && (code = open_curve(&ret[1], "best so far", 2 * s->n, false, err)))
		curve_free(&ret[0]);
	for (size_t i = 0; i < s->n && !code; i++) {
		const struct trials_row *r = &s->row[i];
		if (r->phase != TRIALS_TRIAL || isnan(r->value))
			continue;
		add_point(&ret[0], (double)r->number, sign * r->value, 0, 0);
		if (r->state != TRIAL_COMPLETE)
			continue;
		if (!isnan(best))
			add_point(&ret[1], (double)r->number, sign * best, 0, 0);
		if (!(best <= r->value)) {
			best = r->value;
			add_point(&ret[1], (double)r->number, sign * best, 0, 0);
		}
	}
	return code;
}

/* A logarithm where otherwise one bad trial would press the others together. */
bool study_wants_log(const struct curve *curves, int n)
{
	double low = INFINITY, high = -INFINITY;
	for (const struct curve *c = curves; c < curves + n; c++)
		for (size_t i = 0; i < c->n; i++)
			if (isfinite(c->value[i])) {
				low = fmin(low, c->value[i]);
				high = fmax(high, c->value[i]);
			}
	return low > 0 && high > 5 * low;
}

struct chart study_history_chart(const struct study_rows *s, int w, int h, bool log_y)
{
	return (struct chart){.title = *s->job.name ? s->job.name : s->job.id,
		.x = CHART_STEP,
		.x_label = "trial",
		.dots = 1,
		.log_y = log_y,
		.w = w,
		.h = h};
}

/* --- groups --- */

/* "latent_dim 2", "dropout"; of a search which trial. */
void study_group_name(const struct study_rows *s, int64_t trial, char *text, size_t size)
{
	const struct space *space = &s->study->space->space;
	const struct trial *t = study_rows_find(s, TRIALS_TRIAL, trial);
	const double *x = t ? study_rows_x(s, t) : NULL;
	size_t used = 0;
	*text = '\0';
	if (s->study->params->sampler != STUDY_GRID || trial < s->study->plan.enqueued) {
		snprintf(text, size, trial || !s->study->plan.enqueued ? "trial %lld" : "baseline", (long long)trial);
		return;
	}
	for (int i = 0; i < space->n && x && used < size; i++) {
		struct buf value = BUF_INIT;
		struct jsonw w;
		if (s->study->space->name[i].what == SPACE_SEED || isnan(x[i]))
			continue;
		jw_init(&w, &value, false);
		study_space_write(&w, s->study->space, i, x[i]);
		if (!value.failed && value.data[0] == '"') /* a word says what it is */
			used += (size_t)snprintf(
				text + used, size - used, "%s%.*s", used ? ", " : "", (int)value.len - 2, value.data + 1);
		else if (!value.failed)
			used +=
				(size_t)snprintf(text + used, size - used, "%s%s %s", used ? ", " : "", space->dim[i].name, value.data);
		buf_free(&value);
	}
	if (!used)
		snprintf(text, size, "%s", s->study->base.family->name);
}

size_t study_groups(const struct study_rows *s, int64_t *ret, size_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n && s->study->params->sampler == STUDY_GRID; i++)
		if (s->row[i].phase == TRIALS_TRIAL && s->row[i].group == s->row[i].number &&
			s->row[i].state != TRIAL_INFEASIBLE) {
			if (n == cap) { /* too many to be shown one by one */
				n = 0;
				break;
			}
			ret[n++] = s->row[i].number;
		}
	if (n)
		return n;
	const struct trials_score best = trials_winner(&s->study->plan, s->row, s->n),
							  baseline = trials_baseline(&s->study->plan, s->row, s->n);
	if (best.n)
		ret[n++] = best.trial;
	if (baseline.n && baseline.trial != best.trial)
		ret[n++] = baseline.trial;
	return n;
}

/* --- charts --- */

/* The objective by epoch over the repeats of a group, as far as all of them went: mean, least, greatest. */
static int group_curve(
	struct curve *ret, const struct study_rows *s, struct store *store, int64_t trial, struct err *err)
{
	enum { CAP = 64 };
	const struct trial *rows[CAP];
	double *value[CAP];
	size_t length[CAP], n = study_scored_rows(s, trial, rows, CAP), most = 0, kept = 0;
	char name[JOB_WORD];
	int code = OK;
	for (size_t i = 0; i < n && !code; i++) {
		if (!rows[i]->there)
			continue;
		code = study_curve(store, s->study, rows[i]->job, &value[kept], &length[kept], err);
		if (!code)
			most = length[kept] > most ? length[kept] : most;
		kept += !code;
	}
	study_group_name(s, trial, name, sizeof name);
	if (!code)
		code = open_curve(ret, name, most, true, err);
	for (size_t e = 0; e < most && !code; e++) {
		double sum = 0, low = INFINITY, high = -INFINITY;
		size_t all = 0;
		for (size_t i = 0; i < kept; i++)
			if (e < length[i] && !isnan(value[i][e])) {
				sum += value[i][e];
				low = fmin(low, value[i][e]);
				high = fmax(high, value[i][e]);
				all++;
			}
		if (all && all == kept) /* the mean of those that went on would be another one's */
			add_point(ret, (double)e + 1, sum / (double)all, low, high);
	}
	for (size_t i = 0; i < kept; i++)
		free(value[i]);
	return code;
}

/* Ten to begin with: where it ends is what one wants to tell apart. */
static int epochs_canvas(struct canvas *ret, const struct study_rows *s, struct store *store, const int64_t *groups,
	size_t n, int w, int h, struct err *err)
{
	enum { MOST = 16 };
	struct curve curves[MOST];
	char title[96];
	int open = 0, code = OK;
	for (size_t i = 0; i < n && i < MOST && !code; i++) {
		code = group_curve(&curves[open], s, store, groups[i], err);
		open += !code;
	}
	snprintf(title, sizeof title, "%s by epoch", s->study->metric);
	const struct chart chart = {.title = title,
		.x = CHART_EPOCH,
		.w = w,
		.h = h,
		.large = true,
		.bands = true,
		.log_y = study_wants_log(curves, open)};
	if (!code)
		code = chart_canvas(ret, &chart, curves, open, err);
	while (open > 0)
		curve_free(&curves[--open]);
	return code;
}

/* The one dimension, beside the seed, that a grid goes along; -1: none, or no numbers. */
static int along(const struct study_rows *s)
{
	int found = -1;
	const struct space *space = &s->study->space->space;
	for (int i = 0; i < space->n; i++) {
		const struct space_name *name = &s->study->space->name[i];
		bool numbers = !name->variants;
		for (int k = 0; k < space->dim[i].choices && numbers; k++)
			numbers = name->choice[k] && json_type(name->choice[k]) == JSON_NUMBER;
		if (name->what == SPACE_SEED)
			continue;
		if (found >= 0 || !numbers)
			return -1;
		found = i;
	}
	return s->study->params->sampler == STUDY_GRID ? found : -1;
}

static double number_at(const struct study_rows *s, int64_t trial, int dim)
{
	const double x = study_rows_x(s, study_rows_find(s, TRIALS_TRIAL, trial))[dim];
	return s->study->space->space.dim[dim].type == DIM_CATEGORICAL
			   ? json_number(s->study->space->name[dim].choice[(int)x])
			   : x;
}

static int values_canvas(struct canvas *ret, const struct study_rows *s, int dim, const int64_t *groups, size_t n,
	int w, int h, struct err *err)
{
	struct curve curve;
	const double sign = study_sign(s->study);
	char title[160];
	int code = open_curve(&curve, s->study->metric, n, true, err);
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		const struct trials_score score = trials_score(&s->study->plan, s->row, s->n, groups[i]);
		if (score.n)
			add_point(&curve, number_at(s, groups[i], dim), sign * score.mean, sign * score.mean - score.std,
				sign * score.mean + score.std);
	}
	snprintf(title, sizeof title, "%s by %s", s->study->metric, s->study->space->space.dim[dim].name);
	const struct chart chart = {.title = title,
		.x = CHART_EPOCH,
		.x_label = s->study->space->space.dim[dim].name,
		.w = w,
		.h = h,
		.large = true,
		.bands = true};
	code = chart_canvas(ret, &chart, &curve, 1, err);
	curve_free(&curve);
	return code;
}

static int history_canvas(struct canvas *ret, const struct study_rows *s, int w, int h, struct err *err)
{
	struct curve curves[2];
	int code = study_history_curves(s, curves, err);
	if (code)
		return code;
	struct chart chart = study_history_chart(s, w, h, study_wants_log(curves, 1));
	chart.title = "values of the trials";
	chart.large = true;
	code = chart_canvas(ret, &chart, curves, 2, err);
	curve_free(&curves[0]);
	curve_free(&curves[1]);
	return code;
}

int study_charts(struct canvas ret[2], const struct study_rows *s, struct store *store, const int64_t *groups, size_t n,
	int w, int h, struct err *err)
{
	const int dim = along(s);
	int code = dim >= 0 && n > 1 ? values_canvas(&ret[0], s, dim, groups, n, w, h, err)
								 : history_canvas(&ret[0], s, w, h, err);
	if (code)
		return code;
	code = epochs_canvas(&ret[1], s, store, groups, n, w, h, err);
	if (code)
		canvas_close(&ret[0]);
	return code;
}
