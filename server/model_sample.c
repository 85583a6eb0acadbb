#include "server/model_io.h"

#include "server/limits.h"

#include <stdio.h>
#include <string.h>

static int set_distribution(const char *name, const struct published *p, struct sample_spec *spec, struct err *err)
{
	const char *chosen = strcmp(name, "auto") ? name : published_auto(p);
	int found = chosen ? distribution_find(chosen) : -1;
	if (found >= 0) {
		spec->distribution = (enum distribution)found;
		return OK;
	}
	char names[160] = "auto";
	for (int i = 0; i < DIST_COUNT; i++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, ", %s", distribution_name((enum distribution)i));
	}
	return err_field(err, ERR_INVALID, "#/distribution", "must be one of %s, got '%.40s'", names, name);
}

static int check_box(struct sample_spec *spec, bool has_low, bool has_high, struct err *err)
{
	spec->has_box = has_low || has_high;
	if (!spec->has_box)
		return OK;
	if (has_low != has_high)
		return err_field(err, ERR_INVALID, has_low ? "#/high" : "#/low", "is missing: low and high come together");
	if (spec->distribution != DIST_UNIFORM)
		return err_field(err, ERR_INVALID, "#/low", "belongs to distribution uniform");
	return spec->low < spec->high ? OK : err_field(err, ERR_INVALID, "#/high", "must be above low");
}

enum { SEED_BITS = 53, BOX = 1000000 };
static const int64_t seed_max = ((int64_t)1 << SEED_BITS) - 1;

static int sample_from_query(const struct uri *u, const struct published *p, const struct sample_rule *rule,
	struct sample_request *r, struct err *err)
{
	const char *distribution = uri_get(u, "distribution");
	int64_t seed = 0;
	int code = uri_int(u, "count", rule->min, rule->max, &r->count, err);
	if (!code)
		code = uri_int(u, "cols", 1, rule->cols, &r->cols, err);
	if (!code)
		code = uri_int(u, "seed", 0, seed_max, &seed, err);
	if (!code)
		code = uri_real(u, "low", -BOX, BOX, &r->spec.low, err);
	if (!code)
		code = uri_real(u, "high", -BOX, BOX, &r->spec.high, err);
	if (!code)
		code = set_distribution(distribution ? distribution : "auto", p, &r->spec, err);
	r->spec.seed = (uint64_t)seed;
	return code ? code : check_box(&r->spec, uri_get(u, "low"), uri_get(u, "high"), err);
}

static int sample_from_json(const struct json *body, const struct published *p, const struct sample_rule *rule,
	struct sample_request *r, struct err *err)
{
	static const char *const fields[] = {"cols", "count", "seed", "distribution", "low", "high", NULL};
	const char *distribution = "auto";
	int64_t seed = 0;
	int code = json_only(body, rule->cols ? fields : fields + 1, "#", err, NULL);
	if (!code)
		code = json_take_int(body, "count", "#/count", rule->min, rule->max, &r->count, err);
	if (!code && rule->cols)
		code = json_take_int(body, "cols", "#/cols", 1, rule->cols, &r->cols, err);
	if (!code)
		code = json_take_int(body, "seed", "#/seed", 0, seed_max, &seed, err);
	if (!code)
		code = json_take_real(body, "low", "#/low", -BOX, BOX, &r->spec.low, err);
	if (!code)
		code = json_take_real(body, "high", "#/high", -BOX, BOX, &r->spec.high, err);
	if (!code)
		code = json_take_string(body, "distribution", "#/distribution", 32, &distribution, err);
	if (!code)
		code = set_distribution(distribution, p, &r->spec, err);
	r->spec.seed = (uint64_t)seed;
	return code ? code : check_box(&r->spec, json_get(body, "low"), json_get(body, "high"), err);
}

int input_seed(const struct published *p, const struct json *object, const char *pointer, struct sample_spec *ret,
	struct err *err)
{
	int64_t seed = 0;
	*ret = (struct sample_spec){0};
	int code = json_take_int(object, "seed", pointer, 0, seed_max, &seed, err);
	ret->seed = (uint64_t)seed;
	return code ? code : set_distribution("auto", p, ret, err);
}

int input_sample(struct call *c, const struct published *p, const struct sample_rule *rule, struct sample_request *ret,
	struct err *err)
{
	struct json *body;
	*ret = (struct sample_request){.count = rule->count};
	if (!method_changes(c->req.method))
		return sample_from_query(&c->req.uri, p, rule, ret, err);
	int code = call_body_json(c, &body, err);
	if (code)
		return code;
	code = sample_from_json(body, p, rule, ret, err);
	json_free(body);
	return code;
}
