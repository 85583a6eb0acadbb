#include "server/study_picture_internal.h"

#include "api/scatter.h"
#include "core/data/png.h"
#include "server/blob.h"
#include "server/projection_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GROUPS_MAX = 14,
	MAPS_MAX = STUDY_AFTER_MAX,
	PANEL = 256, /* width of a group's column */
	GAP = 24,
	CHART_H = 380,
	LINE = 20, /* of a text of scale 2 */
	LINES = 3, /* of figures */
	PICTURE_MAX = 640,
	INK = 0x222222,
	QUIET = 0x777777,
};

/* What is shown of one group, from top to bottom; a canvas without pixels is not there. */
struct panel {
	char name[96], lines[LINES][64];
	struct canvas reconstructions, samples, map[MAPS_MAX];
};

struct sheet {
	const struct study_rows *rows;
	struct store *store;
	const char *data_dir;
	const struct study_classes *names;
	int64_t group[GROUPS_MAX];
	size_t n;
	struct panel *panel; /* [n] */
	struct canvas chart[2];
	char caption[MAPS_MAX][64];
};

static void close_sheet(struct sheet *s)
{
	for (size_t i = 0; i < s->n && s->panel; i++) {
		canvas_close(&s->panel[i].reconstructions);
		canvas_close(&s->panel[i].samples);
		for (int k = 0; k < MAPS_MAX; k++)
			canvas_close(&s->panel[i].map[k]);
	}
	free(s->panel);
	canvas_close(&s->chart[0]);
	canvas_close(&s->chart[1]);
}

/* --- pictures of children --- */

/* The newest preview of that sort, as wide as a panel. A picture that cannot be read is not shown. */
static void read_preview(struct canvas *ret, const struct sheet *s, const char *job_id, const char *what)
{
	struct blob_preview *all;
	const struct blob_preview *found = NULL;
	char name[96], path[BLOB_PATH_MAX];
	void *bytes;
	size_t size;
	int n;
	if (blob_previews(s->data_dir, job_id, &all, &n, NULL))
		return;
	for (int i = 0; i < n; i++)
		if (!strcmp(all[i].what, what))
			found = &all[i];
	if (found) {
		blob_preview_name(name, sizeof name, found);
		blob_path(path, sizeof path, s->data_dir, job_id, name);
		if (!blob_read(path, &bytes, &size, NULL)) {
			png_read(ret, bytes, size, 3, NULL);
			free(bytes);
		}
	}
	free(all);
	ret->w = ret->w > PICTURE_MAX ? 0 : ret->w;
}

static int read_map(struct canvas *ret, const struct sheet *s, const char *job_id, struct err *err)
{
	struct projection_map m;
	if (projection_load(&m, s->data_dir, job_id, NULL))
		return OK;
	double *xy = calloc(m.n + 1, 2 * sizeof *xy);
	int code = xy ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
	int classes = 0;
	for (size_t i = 0; i < m.n && !code && m.components > 1; i++) {
		xy[2 * i] = m.y[i * m.components];
		xy[2 * i + 1] = m.y[i * m.components + 1];
		classes = m.label[i] >= classes ? m.label[i] + 1 : classes;
	}
	const struct scatter_panel panel = {.xy = xy, .labels = m.label, .n = m.n};
	const struct scatter scatter = {.panel = &panel, .panels = 1, .cols = 1, .side = PANEL - 2};
	if (!code && m.components > 1)
		code = scatter_canvas(ret, &scatter, err);
	free(xy);
	projection_free(&m);
	return code;
}

/* --- texts --- */

static void describe(const struct sheet *s, size_t i, struct panel *p)
{
	const struct study_rows *r = s->rows;
	const struct trials_score score = trials_score(&r->study->plan, r->row, r->n, s->group[i]);
	const double value = study_sign(r->study) * score.mean;
	study_group_name(r, s->group[i], p->name, sizeof p->name);
	if (!score.n)
		snprintf(p->lines[0], sizeof p->lines[0], "not complete");
	else
		snprintf(p->lines[0], sizeof p->lines[0], "%s %.5g", r->study->metric, value);
	if (score.n > 1)
		snprintf(p->lines[2], sizeof p->lines[2], "std %.2g, n %d", score.std, score.n);
}

/* The test figures of one child: "test loss 0.0213". */
static void describe_test(const struct sheet *s, const char *job_id, struct panel *p)
{
	struct job job;
	struct json *test;
	if (store_get(s->store, job_id, &job, NULL))
		return;
	if (job.test && !json_parse(&test, job.test, strlen(job.test), NULL)) {
		const struct json *first = json_first(test);
		if (first && json_type(first) == JSON_NUMBER)
			snprintf(p->lines[1], sizeof p->lines[1], "test %.24s %.5g", json_key(first), json_number(first));
		json_free(test);
	}
	job_free(&job);
}

/* "projection, method tsne": what was asked for. */
static void caption_after(const struct study *study, int k, char *text, size_t size)
{
	const struct json *after = json_first(study->after);
	while (k-- > 0)
		after = json_next(after);
	const struct json *params = json_get(after, "params");
	snprintf(text, size, "%s", json_string(json_get(after, "kind")));
	for (const struct json *p = params ? json_first(params) : NULL; p; p = json_next(p)) {
		struct buf value = BUF_INIT;
		const size_t used = strlen(text);
		json_print(&value, p);
		const bool quoted = !value.failed && value.data[0] == '"';
		if (!value.failed)
			snprintf(
				text + used, size - used, ", %s %.*s", json_key(p), (int)value.len - 2 * quoted, value.data + quoted);
		buf_free(&value);
	}
}

/* --- putting together --- */

static int fill_panel(struct sheet *s, size_t i, struct err *err)
{
	struct panel *p = &s->panel[i];
	const struct trial *scored[64], *best = NULL;
	const double sign = study_sign(s->rows->study);
	const size_t n = study_scored_rows(s->rows, s->group[i], scored, 64);
	describe(s, i, p);
	for (size_t k = 0; k < n; k++)
		if (scored[k]->there && (!best || sign * scored[k]->row.value < sign * best->row.value))
			best = scored[k];
	if (!best)
		return OK;
	describe_test(s, best->job, p);
	read_preview(&p->reconstructions, s, best->job, "reconstructions");
	read_preview(&p->samples, s, best->job, "samples");
	const int after = s->rows->study->plan.after;
	int code = OK;
	for (int k = 0; k < after && !code; k++) {
		const struct trial *map = study_rows_find(s->rows, TRIALS_AFTER, s->group[i] * after + k);
		if (map && map->there)
			code = read_map(&p->map[k], s, map->job, err);
	}
	return code;
}

static int tallest(const struct sheet *s, size_t offset)
{
	int h = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct canvas *c = (const struct canvas *)((const char *)&s->panel[i] + offset);
		h = c->pixels && c->h > h ? c->h : h;
	}
	return h;
}

struct strip {
	size_t offset; /* in struct panel */
	const char *caption;
	int h;
};

/* One sort of picture of all groups: how high, 0: none has it. */
static int list_strips(const struct sheet *s, struct strip strips[2 + MAPS_MAX])
{
	int n = 0;
	strips[n++] = (struct strip){offsetof(struct panel, reconstructions), "images above, reconstructions beneath", 0};
	strips[n++] = (struct strip){offsetof(struct panel, samples), "samples", 0};
	for (int k = 0; k < s->rows->study->plan.after; k++)
		strips[n++] = (struct strip){offsetof(struct panel, map) + (size_t)k * sizeof(struct canvas), s->caption[k], 0};
	for (int i = 0; i < n; i++)
		strips[i].h = tallest(s, strips[i].offset);
	return n;
}

static int clipped_text(struct canvas *c, int x, int y, int w, uint32_t color, const char *text)
{
	char fits[128];
	snprintf(fits, sizeof fits, "%s", text);
	while (*fits && canvas_text_width(2, fits) > w)
		fits[strlen(fits) - 1] = '\0';
	return canvas_text(c, x, y, 2, color, fits);
}

/* Its left part, where it is wider than the column. */
static void put_clipped(struct canvas *to, int x, int y, const struct canvas *from)
{
	struct canvas cut;
	if (from->w <= PANEL + GAP) { /* a map has a margin of half a gap */
		canvas_put(to, x - (from->w > PANEL ? GAP / 2 : 0), y, from);
		return;
	}
	const int w = from->w / 2 <= PANEL ? from->w / 2 : PANEL; /* rows of pairs: half of them */
	if (canvas_open(&cut, w, from->h, 3, 0xff, NULL))
		return;
	canvas_put(&cut, 0, 0, from);
	canvas_put(to, x, y, &cut);
	canvas_close(&cut);
}

static bool has_maps(const struct sheet *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (int k = 0; k < MAPS_MAX; k++)
			if (s->panel[i].map[k].pixels)
				return true;
	return false;
}

/* Names of the classes in the maps' colours, in a line. */
static void draw_legend(const struct sheet *s, struct canvas *c, int y)
{
	int x = GAP;
	for (int k = 0; k < s->names->n && has_maps(s); k++) {
		canvas_rect(c, x, y, 14, 14, scatter_color(k));
		x += 20 + canvas_text(c, x + 20, y, 2, INK, s->names->name[k]) + 16;
	}
}

static int draw_panels(
	const struct sheet *s, struct canvas *c, const struct strip *strips, int nstrips, size_t from, size_t to, int y)
{
	for (size_t i = from; i < to; i++) {
		const struct panel *p = &s->panel[i];
		const int x = GAP + (int)(i - from) * (PANEL + GAP);
		canvas_rect(c, x, y, 14, 14, chart_color((int)i));
		clipped_text(c, x + 22, y, PANEL - 22, INK, p->name);
		for (int k = 0; k < LINES; k++)
			clipped_text(c, x, y + (k + 1) * LINE, PANEL, QUIET, p->lines[k]);
	}
	y += (1 + LINES) * LINE + 8;
	for (int k = 0; k < nstrips; k++) {
		if (!strips[k].h)
			continue;
		canvas_text(c, GAP, y, 2, QUIET, strips[k].caption);
		y += LINE;
		for (size_t i = from; i < to; i++) {
			const struct canvas *picture = (const struct canvas *)((const char *)&s->panel[i] + strips[k].offset);
			if (picture->pixels)
				put_clipped(c, GAP + (int)(i - from) * (PANEL + GAP), y, picture);
		}
		y += strips[k].h + 12;
	}
	return y;
}

static void unquote(struct buf *b)
{
	if (b->failed || b->len < 2 || b->data[0] != '"')
		return;
	memmove(b->data, b->data + 1, b->len);
	b->len -= 2;
	b->data[b->len] = '\0';
}

/* Of a search, beside its panels: what the best has, and the baseline. */
static void draw_params(const struct sheet *s, struct canvas *c, int y)
{
	enum { NAME_W = 300, VALUE_W = 150 };
	const struct study_rows *r = s->rows;
	const struct space *space = &r->study->space->space;
	const int x = GAP + (int)s->n * (PANEL + GAP);
	for (size_t i = 0; i < s->n; i++)
		clipped_text(c, x + NAME_W + (int)i * VALUE_W, y, VALUE_W - 8, INK, s->panel[i].name);
	for (int d = 0; d < space->n && y + 2 * LINE < c->h; d++) {
		y += LINE;
		clipped_text(c, x, y, NAME_W - 8, QUIET, space->dim[d].name);
		for (size_t i = 0; i < s->n; i++) {
			struct buf value = BUF_INIT;
			struct jsonw w;
			const double at = study_rows_x(r, study_rows_find(r, TRIALS_TRIAL, s->group[i]))[d];
			jw_init(&w, &value, false);
			if (space->dim[d].type == DIM_FLOAT && !isnan(at))
				buf_printf(&value, "%.4g", at);
			else
				study_space_write(&w, r->study->space, d, at);
			unquote(&value);
			if (!value.failed)
				clipped_text(c, x + NAME_W + (int)i * VALUE_W, y, VALUE_W - 8, INK, isnan(at) ? "-" : value.data);
			buf_free(&value);
		}
	}
}

static int draw(struct canvas *ret, const struct sheet *s, struct err *err)
{
	enum { COLS = 7, COLS_MIN = 4, HEAD = 64 };
	struct strip strips[2 + MAPS_MAX];
	const struct study_rows *r = s->rows;
	char title[200], line[200];
	const int nstrips = list_strips(s, strips);
	const size_t rows = (s->n + COLS - 1) / COLS, cols = rows ? (s->n + rows - 1) / rows : 1;
	const int columns = cols < COLS_MIN ? COLS_MIN : (int)cols, w = GAP + columns * (PANEL + GAP);
	int h = HEAD + CHART_H + GAP, block = (1 + LINES) * LINE + 8;
	for (int k = 0; k < nstrips; k++)
		block += strips[k].h ? strips[k].h + LINE + 12 : 0;
	h += (int)rows * (block + GAP) + (has_maps(s) ? LINE + GAP : 0);
	int code = canvas_open(ret, w, h, 3, 0xff, err);
	if (code)
		return code;
	snprintf(title, sizeof title, "%.128s", *r->job.name ? r->job.name : r->job.id);
	size_t trials = 0, complete = 0;
	for (size_t i = 0; i < r->n; i++) {
		trials += r->row[i].phase == TRIALS_TRIAL;
		complete += r->row[i].phase == TRIALS_TRIAL && r->row[i].state == TRIAL_COMPLETE;
	}
	snprintf(line, sizeof line, "%s of %s on %s: %zu trials, %zu complete",
		r->study->params->sampler == STUDY_GRID ? "grid" : "search", r->study->base.family->name,
		r->study->base.dataset, trials, complete);
	canvas_text(ret, GAP, 14, 3, INK, title);
	canvas_text(ret, GAP, 44, 2, QUIET, line);
	canvas_put(ret, GAP, HEAD, &s->chart[0]);
	canvas_put(ret, w / 2, HEAD, &s->chart[1]);
	int y = HEAD + CHART_H + GAP;
	for (size_t row = 0; row < rows; row++) {
		const size_t to = (row + 1) * cols < s->n ? (row + 1) * cols : s->n;
		y = draw_panels(s, ret, strips, nstrips, row * cols, to, y) + GAP;
	}
	draw_legend(s, ret, y);
	if (r->study->params->sampler != STUDY_GRID)
		draw_params(s, ret, HEAD + CHART_H + GAP);
	return OK;
}

int study_sheet(struct canvas *ret, const struct study_rows *rows, struct store *store, const char *data_dir,
	const struct study_classes *names, struct err *err)
{
	struct sheet s = {.rows = rows, .store = store, .data_dir = data_dir, .names = names};
	s.n = study_groups(rows, s.group, GROUPS_MAX);
	s.panel = calloc(s.n + 1, sizeof *s.panel);
	int code = s.panel ? OK : err_set(err, ERR_NO_MEMORY, "out of memory");
	for (int k = 0; k < rows->study->plan.after && !code; k++)
		caption_after(rows->study, k, s.caption[k], sizeof s.caption[k]);
	for (size_t i = 0; i < s.n && !code; i++)
		code = fill_panel(&s, i, err);
	const size_t nrows = (s.n + 6) / 7, cols = nrows ? (s.n + nrows - 1) / nrows : 1;
	const int columns = cols < 4 ? 4 : (int)cols, w = columns * (PANEL + GAP) - GAP;
	if (!code)
		code = study_charts(s.chart, rows, store, s.group, s.n, w / 2 - GAP / 2, CHART_H, err);
	if (!code)
		code = draw(ret, &s, err);
	close_sheet(&s);
	return code;
}
