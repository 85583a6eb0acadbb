#include "api/fork.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fork_parse(
	struct spec *ret, const struct json **ret_params, const struct json *body, struct err *err, struct err_more *more)
{
	static const char *const fields[] = {"checkpoint", "params", "name", "priority", "metadata", NULL};
	struct spec s = {0};
	struct err one = {0};
	if (json_type(body) != JSON_OBJECT)
		return json_fail_type(body, "#", "an object such as {\"params\":{\"lr\":0.001}}", err);
	int code = json_only(body, fields, "#", err, more);
	if (spec_take_checkpoint(&s, body, "#/checkpoint", &one))
		code = err_add(err, more, code, &one);
	struct err_more others = {0};
	if (spec_take_labels(&s, body, &one, &others)) {
		code = err_add(err, more, code, &one);
		for (int i = 0; i < others.n; i++)
			err_add(err, more, code, &others.item[i]);
	}
	if (code) {
		spec_free(&s);
		return code;
	}
	*ret = s;
	*ret_params = json_get(body, "params");
	return OK;
}

static int check_row(const struct param *row, const void *now, const void *then, struct err *err)
{
	char pointer[96];
	if (param_in_fork(row) != PARAM_FORK_FIXED || param_equal(row, now, then))
		return OK;
	snprintf(pointer, sizeof pointer, "#/params/%s", row->name);
	return err_field(err, ERR_INVALID, pointer,
		"stays what it is in a fork: the state that it goes on from depends on it; submit a new job for another value");
}

static int check_rows(const struct family *f, const void *now, const void *then, struct err *err, struct err_more *more)
{
	int code = OK;
	for (const struct param *row = f->params; row->name; row++) {
		struct err one = {0};
		if (check_row(row, now, then, &one))
			code = err_add(err, more, code, &one);
	}
	return code;
}

static int check_epochs(const struct train_params *p, int done, struct err *err)
{
	if (p->epochs > done)
		return OK;
	return err_field(
		err, ERR_INVALID, "#/params/epochs", "all %d epochs are done; pass params.epochs > %d", done, done);
}

int fork_params(struct spec *spec, const void *now, const struct json *changes, int epochs_done, struct err *err,
	struct err_more *more)
{
	const struct family *f = spec->family;
	void *then = malloc(f->params_size);
	if (!then)
		return err_set(err, ERR_NO_MEMORY, "no memory for the parameters of a job");
	memcpy(then, now, f->params_size);
	int code = changes ? spec_params_read(f, changes, then, err, more) : OK;
	if (!code)
		code = check_rows(f, now, then, err, more);
	if (!code)
		code = check_epochs(then, epochs_done, err);
	if (code)
		free(then);
	else
		spec->params = then;
	return code;
}
