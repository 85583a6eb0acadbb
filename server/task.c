#include "server/task.h"

#include "server/task_projection.h"

#include <stddef.h>

static const struct task *const tasks[] = {&task_projection};

const struct task *task_find(const struct family *f)
{
	for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
		if (tasks[i]->family == f)
			return tasks[i];
	return NULL;
}
