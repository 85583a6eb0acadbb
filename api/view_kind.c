#include "api/view.h"

#include "api/spec.h"

#include <stdlib.h>
#include <string.h>

static void write_series(struct jsonw *w, const struct series *s)
{
	jw_object(w);
	jw_kstring(w, "name", s->name);
	jw_kstring(w, "help", s->help);
	jw_kstring(w, "formula", s->formula);
	jw_kstring(w, "unit", s->unit);
	jw_kbool(w, "per_step", s->per_step);
	jw_kbool(w, "per_unit", s->source == SERIES_UNITS);
	jw_kbool(w, "per_class", s->source == SERIES_SHARES);
	jw_kbool(w, "headline", s->headline);
	jw_key(w, "reference_lines");
	jw_array(w);
	for (size_t i = 0; i < sizeof s->lines / sizeof *s->lines && s->lines[i].label; i++) {
		jw_object(w);
		jw_kreal(w, "value", s->lines[i].value);
		jw_kstring(w, "label", s->lines[i].label);
		jw_end_object(w);
	}
	jw_end_array(w);
	jw_end_object(w);
}

static void write_all_series(struct jsonw *w, const struct family *f)
{
	const struct series *s;
	jw_key(w, "series");
	jw_array(w);
	for (int i = 0; (s = series_at(f, i)); i++)
		write_series(w, s);
	jw_end_array(w);
}

/* JSON Schema names of a row's type. */
static const char *const schema_types[] = {
	[PARAM_INT] = "integer",
	[PARAM_REAL] = "number",
	[PARAM_BOOL] = "boolean",
	[PARAM_ENUM] = "string",
	[PARAM_INTS] = "array",
	[PARAM_OBJECT] = "object",
	[PARAM_SET] = "array",
};

static void write_bounds(struct jsonw *w, const struct param *row)
{
	jw_key(w, "minimum");
	jw_number(w, row->min);
	jw_key(w, "maximum");
	jw_number(w, row->max);
}

static void write_choices(struct jsonw *w, const struct param *row)
{
	char choice[48];
	jw_key(w, "enum");
	jw_array(w);
	for (int i = 0; param_choice(row, i, choice, sizeof choice); i++)
		jw_string(w, choice);
	jw_end_array(w);
}

static void write_items(struct jsonw *w, const struct param *row)
{
	jw_key(w, "items");
	jw_object(w);
	jw_kstring(w, "type", "integer");
	write_bounds(w, row);
	jw_end_object(w);
	jw_kint(w, "minItems", row->min_items);
	jw_kint(w, "maxItems", PARAM_INTS_MAX);
}

static void write_members(struct jsonw *w, const struct param *rows, const void *defaults);

/* An object may be null, which switches off what it describes; its members' defaults hold once it is there. */
static void write_type(struct jsonw *w, const struct param *row)
{
	jw_key(w, "type");
	if (row->type != PARAM_OBJECT && row->type != PARAM_JSON) {
		jw_string(w, schema_types[row->type]);
		return;
	}
	jw_array(w);
	if (row->type == PARAM_JSON) {
		char type[24];
		for (int i = 0; param_choice(row, i, type, sizeof type); i++)
			jw_string(w, type);
		jw_end_array(w);
		return;
	}
	jw_string(w, schema_types[row->type]);
	jw_string(w, "null");
	jw_end_array(w);
}

static void write_set(struct jsonw *w, const struct param *row)
{
	jw_key(w, "items");
	jw_object(w);
	jw_kstring(w, "type", "string");
	write_choices(w, row);
	jw_end_object(w);
	jw_kbool(w, "uniqueItems", true);
}

/* The schema of one row, its object still open; defaults: what a job gets that names neither preset nor parameter. */
static void open_property(struct jsonw *w, const struct param *row, const void *defaults, int order)
{
	jw_key(w, row->name);
	jw_object(w);
	write_type(w, row);
	jw_key(w, "default");
	spec_param_write(w, row, defaults);
	if (row->type == PARAM_INT || row->type == PARAM_REAL)
		write_bounds(w, row);
	else if (row->type == PARAM_ENUM)
		write_choices(w, row);
	else if (row->type == PARAM_INTS)
		write_items(w, row);
	else if (row->type == PARAM_OBJECT)
		write_members(w, row->rows, (const char *)defaults + row->offset);
	else if (row->type == PARAM_SET)
		write_set(w, row);
	jw_kstring(w, "description", row->doc);
	jw_kstring(w, "group", row->group);
	jw_kstring(w, "unit", row->unit);
	jw_kint(w, "order", order);
}

static void open_properties(struct jsonw *w)
{
	jw_kbool(w, "additionalProperties", false);
	jw_key(w, "properties");
	jw_object(w);
}

static void write_members(struct jsonw *w, const struct param *rows, const void *defaults)
{
	open_properties(w);
	for (const struct param *row = rows; row->name; row++) {
		open_property(w, row, defaults, (int)(row - rows));
		jw_end_object(w);
	}
	jw_end_object(w);
}

/* Whole parameters say also what a job that is there, and another that goes on from it, lets be changed of them. */
static void write_rules(struct jsonw *w, const struct param *row)
{
	static const char *const rules[] = {
		[PARAM_FORK_FIXED] = "fixed", [PARAM_FORK_FREE] = "free", [PARAM_FORK_LOSS] = "loss"};
	jw_kstring(w, "fork", rules[param_in_fork(row)]);
	if (row->live != PARAM_FIXED)
		jw_kbool(w, "live", true);
}

static void write_properties(struct jsonw *w, const struct param *rows, const void *defaults)
{
	open_properties(w);
	for (const struct param *row = rows; row->name; row++) {
		open_property(w, row, defaults, (int)(row - rows));
		write_rules(w, row);
		jw_end_object(w);
	}
	jw_end_object(w);
}

static void write_schema(struct jsonw *w, const struct family *f)
{
	void *defaults = family_params(f, f->presets);
	if (!defaults) {
		w->b->failed = true;
		return;
	}
	jw_key(w, "params");
	jw_object(w);
	jw_kstring(w, "type", "object");
	write_properties(w, f->params, defaults);
	jw_end_object(w);
	free(defaults);
}

static void write_presets(struct jsonw *w, const struct family *f)
{
	jw_key(w, "presets");
	jw_array(w);
	for (const struct preset *p = f->presets; p->name; p++) {
		void *params = family_params(f, p);
		if (!params) {
			w->b->failed = true;
			return;
		}
		jw_object(w);
		jw_kstring(w, "name", p->name);
		jw_kstring(w, "description", p->blurb);
		jw_key(w, "params");
		spec_params_write(w, f, params);
		jw_end_object(w);
		free(params);
	}
	jw_end_array(w);
}

void view_abilities(struct jsonw *w, const struct family *f)
{
	jw_key(w, "abilities");
	jw_array(w);
	for (int a = 0; a < ABILITY_COUNT; a++)
		if (family_can(f, (enum ability)a))
			jw_string(w, ability_name((enum ability)a));
	jw_end_array(w);
}

/* The kinds that it may be given a finished model of; null: none. */
static void write_bases(struct jsonw *w, const struct family *f)
{
	const struct family *base;
	jw_key(w, "from");
	if (!family_takes_from(f)) {
		jw_null(w);
		return;
	}
	jw_array(w);
	for (int i = 0; (base = family_at(i)); i++)
		if (family_goes_on_from(f, base))
			jw_string(w, base->name);
	jw_end_array(w);
}

/* What such a job gives beside what every job does: addresses below its own. */
static void write_results(struct jsonw *w, const struct family *f)
{
	jw_key(w, "results");
	jw_array(w);
	for (const char *const *r = f->results; r && *r; r++)
		jw_string(w, *r);
	jw_end_array(w);
}

/* Whether "epochs=5 latent_dim=2" says something of this row. */
static bool overridden(const char *overrides, const char *name)
{
	const size_t n = strlen(name);
	for (const char *at = overrides; (at = strstr(at, name)); at += n)
		if ((at == overrides || at[-1] == ' ') && at[n] == '=')
			return true;
	return false;
}

/* A job to begin with: what it is called, what it shows, and the parameters to ask for it. */
static void write_starter(struct jsonw *w, const struct family *f)
{
	void *params = f->starter ? family_params(f, f->starter) : NULL;
	jw_key(w, "starter");
	if (!params) {
		w->b->failed |= f->starter != NULL;
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kstring(w, "title", f->starter->name);
	jw_kstring(w, "description", f->starter->blurb);
	jw_key(w, "params");
	jw_object(w);
	for (const struct param *row = f->params; row->name; row++)
		if (overridden(f->starter->overrides, row->name)) {
			jw_key(w, row->name);
			spec_param_write(w, row, params);
		}
	jw_end_object(w);
	jw_end_object(w);
	free(params);
}

/* Names, so that a list of jobs of many kinds needs no more than the list of kinds. */
static void write_headlines(struct jsonw *w, const struct family *f)
{
	const struct series *s;
	jw_key(w, "headlines");
	jw_array(w);
	for (int i = 0; (s = headline_at(f, i)); i++)
		jw_string(w, s->name);
	jw_end_array(w);
}

/* The members that a list of kinds and a kind itself share. */
static void write_summary(struct jsonw *w, const struct family *f)
{
	jw_kstring(w, "object", "kind");
	jw_kstring(w, "kind", f->name);
	jw_kstring(w, "description", f->blurb);
	jw_kstring(w, "default_preset", f->presets->name);
	jw_kbool(w, "trains", family_trains(f));
	view_abilities(w, f);
	write_results(w, f);
	write_headlines(w, f);
	write_bases(w, f);
	write_starter(w, f);
}

void view_kind(struct jsonw *w, const struct family *f)
{
	jw_object(w);
	write_summary(w, f);
	write_presets(w, f);
	write_schema(w, f);
	write_all_series(w, f);
	jw_end_object(w);
}

void view_kinds(struct jsonw *w, const char *prefix)
{
	const struct family *f, *last = NULL;
	view_list_begin(w);
	for (int i = 0; (f = family_at(i)); i++) {
		struct buf url = BUF_INIT;
		buf_printf(&url, "%s/v1/kinds/%s", prefix, f->name);
		jw_object(w);
		write_summary(w, f);
		jw_key(w, "links");
		jw_object(w);
		jw_kbuf(w, "self", &url);
		jw_end_object(w);
		jw_end_object(w);
		buf_free(&url);
		last = f;
	}
	view_list_end(w, last ? family_at(0)->name : NULL, last ? last->name : NULL, false);
}
