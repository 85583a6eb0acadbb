/* Any bytes as labels.txt: refused, or names within their bounds and without control characters. */
#include "core/data/class_names.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct dataset d = {0};
	struct err err = {0};
	int code = class_names_parse(&d, (const char *)bytes, size, &err);
	if (code != err.code || (!code && (d.classes < 1 || d.classes > DATASET_CLASSES_MAX)))
		abort();
	for (int i = 0; i < d.classes; i++) {
		size_t length = strnlen(d.class_name[i], sizeof d.class_name[i]);
		if (length < 1 || length > DATASET_CLASS_NAME_MAX)
			abort();
		for (size_t k = 0; k < length; k++)
			if ((uint8_t)d.class_name[i][k] < ' ' || d.class_name[i][k] == 0x7f)
				abort();
	}
	return 0;
}
