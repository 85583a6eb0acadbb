#include "server/mixture_file.h"

#include "api/safetensors.h"
#include "server/blob.h"

#include <stdio.h>
#include <stdlib.h>

static void path_of(char path[BLOB_PATH_MAX], const char *data_dir, const char *job_id, int epoch)
{
	char name[64];
	snprintf(name, sizeof name, "codes/epoch-%06d-gmm.safetensors", epoch);
	blob_path(path, BLOB_PATH_MAX, data_dir, job_id, name);
}

int mixture_write(const char *data_dir, const char *job_id, int epoch, struct gmm *g, struct err *err)
{
	static const struct metadata_entry metadata[] = {{"format", "latentd-gmm-1"}};
	char path[BLOB_PATH_MAX];
	struct state state = {0};
	struct buf file = BUF_INIT;
	gmm_state(g, &state);
	int code = state.failed ? err_set(err, ERR_NO_MEMORY, "out of memory")
							: safetensors_write(&file, &state, metadata, 1, true, err);
	state_free(&state);
	path_of(path, data_dir, job_id, epoch);
	if (!code)
		code = blob_write(path, file.data, file.len, err);
	buf_free(&file);
	return code;
}

int mixture_read(struct gmm *ret, const char *data_dir, const char *job_id, int epoch, int latent_dim, struct err *err)
{
	char path[BLOB_PATH_MAX];
	struct safetensors st;
	void *bytes;
	size_t size;
	path_of(path, data_dir, job_id, epoch);
	int code = blob_read(path, &bytes, &size, err);
	if (code)
		return code;
	code = safetensors_read(&st, bytes, size, err);
	if (!code) {
		code = st.has_checksum ? gmm_load(ret, &st.state, latent_dim, err)
							   : err_set(err, ERR_CORRUPT, "a mixture without a checksum");
		safetensors_free(&st);
	}
	free(bytes);
	return code;
}
