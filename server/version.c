#include "server/version.h"

#include <version.h> /* made by the Makefile */

const char latentd_version[] = LATENTD_VERSION;
const char latentd_commit[] = LATENTD_COMMIT;
