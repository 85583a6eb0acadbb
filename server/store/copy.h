/* copy.h: a copy of a database that others may be writing, by SQLite's backup API: whole and durable, or absent. */
#ifndef LATENTD_SERVER_STORE_COPY_H
#define LATENTD_SERVER_STORE_COPY_H

#include "core/base/err.h"

struct sqlite3;
/* As one moment left it. Replaces what is at `path`. */
int db_copy(struct sqlite3 *from, const char *path, struct err *err);

#endif
