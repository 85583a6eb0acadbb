/* safetensors.h: named state ↔ bytes: a checkpoint and an export are the same format.
 *
 * Source: huggingface/safetensors format: u64 LE header length, JSON header, tensors without holes. Our writer pads the
 * header so that data begins at a multiple of 64, sorts nothing (order of the state), and, for a checkpoint, ends with
 * a U8[32] tensor "checksum": the SHA-256 of every byte before that tensor's data.
 * Reader invariants: every size is checked against the file before use: offsets contiguous from 0 to the end, no
 * overlap, no hole, size = shape x dtype, no duplicate names, header ≤ 16 MiB. Equal states and metadata give equal
 * bytes.
 */
#ifndef LATENTD_API_SAFETENSORS_H
#define LATENTD_API_SAFETENSORS_H

#include "core/base/buf.h"
#include "core/model/state.h"

struct metadata_entry {
	const char *key, *value;
};

int safetensors_write(struct buf *b, const struct state *s, const struct metadata_entry *metadata, int nmetadata,
	bool checksum, struct err *err);

struct json;

struct safetensors {
	struct state state; /* data points into the file's bytes */
	struct json *metadata; /* the __metadata__ object; NULL: there is none */
	bool has_checksum;
};
/* Verifies the checksum when there is one (whoever reads a checkpoint insists on has_checksum: damage may lie in its
 * very name) and leaves it out of the state; ERR_CORRUPT names the rule that was broken. `file` must outlive ret and be
 * 8-byte aligned; a tensor in a file of others may lie at any byte: copy it out (state_copy does). */
int safetensors_read(struct safetensors *ret, const void *file, size_t size, struct err *err);
void safetensors_free(struct safetensors *s);
/* Value of a metadata key into text; false if absent. */
bool safetensors_metadata(const struct safetensors *s, const char *key, char *text, size_t size);

#endif
