#include "server/evaluator.h"

#include "api/json.h"
#include "core/data/sha256.h"
#include "server/asset.h"
#include "server/checkpoint.h"

#include <stdlib.h>
#include <string.h>

struct evaluator {
	struct pool *pool;
	const struct kern *kern;
	struct evaluator_facts facts;
	struct model model;
	real *w;
	struct judge *judge; /* atomic, set once */
};

static const struct asset *find(const char *path)
{
	const struct asset *a = lab_assets;
	while (a->path && strcmp(a->path, path) != 0)
		a++;
	return a->path ? a : NULL;
}

static int take_text(const struct json *root, const char *key, char *ret, size_t size, struct err *err)
{
	const struct json *value = json_get(root, key);
	if (!value || json_type(value) != JSON_STRING || strlen(json_string(value)) >= size)
		return err_set(err, ERR_CORRUPT, "what is written down of the evaluator has no %s", key);
	strcpy(ret, json_string(value));
	return OK;
}

static int read_facts(struct evaluator_facts *ret, const struct asset *a, struct err *err)
{
	struct json *root;
	int code = json_parse(&root, (const char *)a->start, (size_t)(a->end - a->start), err);
	if (code)
		return code;
	const struct json *accuracy = json_get(root, "accuracy");
	code = take_text(root, "sha256", ret->sha256, sizeof ret->sha256, err);
	if (!code)
		code = take_text(root, "dataset_sha256", ret->dataset_sha256, sizeof ret->dataset_sha256, err);
	if (!code && (!accuracy || json_type(accuracy) != JSON_NUMBER))
		code = err_set(err, ERR_CORRUPT, "what is written down of the evaluator has no accuracy");
	if (!code)
		ret->accuracy = json_number(accuracy);
	json_free(root);
	return code;
}

int evaluator_model(const void *bytes, size_t size, struct model *ret_model, real **ret_w, struct err *err)
{
	struct checkpoint c = {.size = size};
	int code = safetensors_read(&c.st, bytes, size, err);
	if (code)
		return code;
	code = checkpoint_model(&c, ret_model, ret_w, err);
	safetensors_free(&c.st);
	return code;
}

static int load(struct evaluator *e, struct err *err)
{
	const struct asset *weights = find("evaluator.safetensors"), *facts = find("evaluator.json");
	char sha256[65];
	if (!weights || !facts)
		return err_set(err, ERR_CORRUPT, "this build carries no evaluator");
	const size_t size = (size_t)(weights->end - weights->start);
	int code = read_facts(&e->facts, facts, err);
	if (code)
		return code;
	sha256_text(weights->start, size, sha256);
	if (strcmp(sha256, e->facts.sha256) != 0)
		return err_set(err, ERR_CORRUPT, "the evaluator's weights have sha256 %s, not %s as is written down of them",
			sha256, e->facts.sha256);
	return evaluator_model(weights->start, size, &e->model, &e->w, err);
}

int evaluator_open(struct evaluator **ret, struct pool *pool, const struct kern *kern, struct err *err)
{
	struct evaluator *e = calloc(1, sizeof *e);
	if (!e)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	e->pool = pool;
	e->kern = kern;
	int code = load(e, err);
	if (code) {
		evaluator_close(e);
		return code;
	}
	*ret = e;
	return OK;
}

void evaluator_close(struct evaluator *e)
{
	if (!e)
		return;
	judge_close(e->judge);
	if (e->w)
		model_free(&e->model);
	free(e->w);
	free(e);
}

const struct evaluator_facts *evaluator_facts(const struct evaluator *e)
{
	return &e->facts;
}

bool evaluator_knows(const struct evaluator *e, const char *dataset_sha256)
{
	return !strcmp(e->facts.dataset_sha256, dataset_sha256);
}

int evaluator_judge(struct evaluator *e, const struct dataset *d, struct judge **ret, struct err *err)
{
	struct judge *there = __atomic_load_n(&e->judge, __ATOMIC_ACQUIRE), *mine = NULL;
	if (!evaluator_knows(e, d->sha256))
		return err_set(err, ERR_NO_JUDGE, "the evaluator knows the data set of sha256 %s only; %s has %s",
			e->facts.dataset_sha256, d->name, d->sha256);
	if (!there) {
		int code = judge_open(&mine, &e->model, e->w, d, e->pool, e->kern, err);
		if (code)
			return code;
		/* who comes meanwhile opens an equal one; the first to end is kept */
		if (__atomic_compare_exchange_n(&e->judge, &there, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			there = mine;
		else
			judge_close(mine);
	}
	*ret = there;
	return OK;
}
