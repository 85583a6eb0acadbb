#include "core/model/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct family *const families[] = {
#define X(f) &f,
	FAMILIES(X)
#undef X
		NULL};

/* What every kind that trains draws: said by the loop (loop.c) and by whoever keeps the time. */
static const struct series common_series[] = {
	{.name = "lr",
		.help = "Learning rate of each optimiser step, as the schedule moved it.",
		.formula = "lr(t) by `schedule`, `warmup_epochs`",
		.per_step = true},
	{.name = "sparsity",
		.help =
			"Share of the weights of linear and convolution layers that pruning has taken out. Only where `prune` is on.",
		.formula = "pruned weights / weights"},
	{.name = "loss_before_prune",
		.help =
			"The loss just before weights were taken out, on the validation images (without any: on 10,000 of the others).",
		.formula = "loss of the epoch's weights"},
	{.name = "loss_after_prune",
		.help =
			"The same just after: how much the weights that went had mattered. What follows is training making up for it.",
		.formula = "loss with the smallest weights at 0"},
	{.name = "samples_per_s",
		.help = "Training images per second over the epoch. The one series that differs from run to run.",
		.formula = "images of the epoch / its seconds",
		.unit = "images/s"},
	{0},
};

static const char *const ability_names[ABILITY_COUNT] = {
#define X(ability, name) [ability] = name,
	ABILITIES(X)
#undef X
};

const struct family *family_at(int i)
{
	return i >= 0 && i < (int)(sizeof families / sizeof *families) ? families[i] : NULL;
}

const struct family *family_find(const char *name)
{
	for (int i = 0; families[i]; i++)
		if (!strcmp(families[i]->name, name))
			return families[i];
	return NULL;
}

const struct series *series_at(const struct family *f, int i)
{
	const struct series *own = f->series;
	while (own->name && i > 0)
		own++, i--;
	if (own->name)
		return own;
	int common = (int)(sizeof common_series / sizeof *common_series) - 1;
	return family_trains(f) && i < common ? &common_series[i] : NULL;
}

const struct series *headline_at(const struct family *f, int i)
{
	for (const struct series *s = f->series; s->name; s++)
		if (s->headline && i-- == 0)
			return s;
	return NULL;
}

const struct preset *preset_find(const struct family *f, const char *name)
{
	for (const struct preset *p = f->presets; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static const char *article(const struct family *f)
{
	return strchr("aeiou", f->name[0]) ? "an" : "a";
}

bool family_trains(const struct family *f)
{
	return f->plan;
}

int family_check_trains(const struct family *f, struct err *err)
{
	char list[160] = "";
	for (const char *const *r = f->results; r && *r; r++)
		snprintf(
			list + strlen(list), sizeof list - strlen(list), "%s%s", list[0] ? ", " : "; what such a job gives: ", *r);
	if (family_trains(f))
		return OK;
	return err_set(
		err, ERR_UNSUPPORTED, "%s %s is no model and has neither weights nor checkpoints%s", article(f), f->name, list);
}

bool family_takes_from(const struct family *f)
{
	return f->adopt || f->needs_from;
}

/* What adopts weights is of the kind of those; who only reads codes minds where they come from as little as who asks for them. */
bool family_goes_on_from(const struct family *f, const struct family *base)
{
	return family_takes_from(f) && base->encode && !(f->adopt && base->adopt);
}

bool family_needs_from(const struct family *f, const void *params)
{
	return f->needs_from ? f->needs_from(params) : f->adopt != NULL;
}

bool family_gives(const struct family *f, const char *result)
{
	for (const char *const *r = f->results; r && *r; r++)
		if (!strcmp(*r, result))
			return true;
	return false;
}

bool family_validates(const struct family *f)
{
	for (const struct series *s = f->series; s->name; s++)
		if (!s->per_step && s->source == SERIES_PART)
			return true;
	return false;
}

static bool all_digits(const char *text, size_t n)
{
	return n > 0 && strspn(text, "0123456789") >= n;
}

const struct series *series_find(const struct family *f, const char *name, size_t n)
{
	for (const struct series *s = f->series; s->name; s++) {
		size_t own = strlen(s->name);
		if (n < own || memcmp(s->name, name, own))
			continue;
		if (s->source == SERIES_UNITS || s->source == SERIES_SHARES
				? n > own + 1 && name[own] == '_' && all_digits(name + own + 1, n - own - 1)
				: n == own)
			return s;
	}
	return NULL;
}

void *family_params(const struct family *f, const struct preset *preset)
{
	void *params = calloc(1, f->params_size);
	if (!params)
		return NULL;
	param_defaults(f->params, params);
	struct err err;
	const int code = preset ? param_set_all(f->params, params, preset->overrides, &err) : OK;
	if (code == ERR_NO_MEMORY) {
		free(params);
		return NULL;
	}
	if (code) {
		fprintf(stderr, "preset %s of %s: %s\n", preset->name, f->name, err.message);
		abort();
	}
	return params;
}

const char *ability_name(enum ability a)
{
	return ability_names[a];
}

bool family_can(const struct family *f, enum ability a)
{
	switch (a) {
	case ABILITY_ENCODE:
		return f->encode;
	case ABILITY_DECODE:
		return f->decode;
	case ABILITY_SAMPLE:
		return f->decode && f->auto_distribution;
	case ABILITY_CLASSIFY:
		return f->logits;
	case ABILITY_COUNT:
		break;
	}
	return false;
}

int family_lacks(const struct family *f, const char *what, struct err *err)
{
	char list[96] = "";
	for (enum ability a = 0; a < ABILITY_COUNT; a++)
		if (family_can(f, a))
			snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", list[0] ? ", " : "", ability_names[a]);
	return err_set(
		err, ERR_UNSUPPORTED, "%s %s has no %s; abilities: %s", article(f), f->name, what, list[0] ? list : "none");
}
