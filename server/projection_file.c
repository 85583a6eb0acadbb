#include "server/projection_file.h"

#include "core/data/sha256.h"
#include "server/blob.h"

#include <stdlib.h>
#include <string.h>

static const char file_name[] = "projection.safetensors", facts_key[] = "facts";
enum { FACTS_MAX = 1 << 18 };

int projection_write(const char *data_dir, const char *job_id, const struct projection_map *map,
	const struct state *more, struct err *err)
{
	const struct metadata_entry metadata[] = {{"format", "latentd-projection-1"}, {facts_key, map->facts}};
	const int64_t n = (int64_t)map->n, k = (int64_t)map->components;
	char path[BLOB_PATH_MAX];
	struct state s = {0};
	struct buf file = BUF_INIT;
	state_add(&s, "map", DTYPE_F64, 2, (int64_t[]){n, k}, map->y);
	state_add(&s, "index", DTYPE_I64, 1, &n, map->index);
	state_add(&s, "label", DTYPE_U8, 1, &n, map->label);
	for (int i = 0; more && i < more->n; i++) {
		const struct tensor *t = &more->tensor[i];
		state_add(&s, t->name, t->dtype, t->rank, t->shape, t->data);
	}
	int code =
		s.failed ? err_set(err, ERR_NO_MEMORY, "out of memory") : safetensors_write(&file, &s, metadata, 2, true, err);
	blob_path(path, sizeof path, data_dir, job_id, file_name);
	if (!code)
		code = blob_write(path, file.data, file.len, err);
	buf_free(&file);
	state_free(&s);
	return code;
}

static int fail_shape(struct err *err)
{
	return err_set(err, ERR_CORRUPT, "%s is no map", file_name);
}

static int read_tensors(struct projection_map *m, struct err *err)
{
	const struct tensor *y = state_find(&m->st.state, "map"), *index = state_find(&m->st.state, "index"),
						*label = state_find(&m->st.state, "label");
	if (!m->st.has_checksum || !y || !index || !label || y->dtype != DTYPE_F64 || y->rank != 2 ||
		index->dtype != DTYPE_I64 || label->dtype != DTYPE_U8)
		return fail_shape(err);
	m->n = (size_t)y->shape[0];
	m->components = (size_t)y->shape[1];
	if (index->bytes != m->n * sizeof *m->index || label->bytes != m->n || !m->components)
		return fail_shape(err);
	m->y = y->data;
	m->index = index->data;
	m->label = label->data;
	return OK;
}

static int read_facts(struct projection_map *m, struct err *err)
{
	m->facts = malloc(FACTS_MAX);
	if (!m->facts)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	return safetensors_metadata(&m->st, facts_key, m->facts, FACTS_MAX) ? OK : fail_shape(err);
}

int projection_load(struct projection_map *ret, const char *data_dir, const char *job_id, struct err *err)
{
	struct projection_map m = {0};
	char path[BLOB_PATH_MAX];
	size_t size;
	blob_path(path, sizeof path, data_dir, job_id, file_name);
	int code = blob_read(path, &m.file, &size, err);
	if (code)
		return code;
	sha256_text(m.file, size, m.sha256);
	code = safetensors_read(&m.st, m.file, size, err);
	if (code) {
		free(m.file);
		return err_wrap(err, "%s", file_name);
	}
	code = read_tensors(&m, err);
	if (!code)
		code = read_facts(&m, err);
	if (code)
		projection_free(&m);
	else
		*ret = m;
	return code;
}

void projection_free(struct projection_map *map)
{
	free(map->facts);
	safetensors_free(&map->st);
	free(map->file);
	*map = (struct projection_map){0};
}
