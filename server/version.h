/* version.h: which build this is. Known to one small object, which is made anew when it changes. */
#ifndef LATENTD_SERVER_VERSION_H
#define LATENTD_SERVER_VERSION_H

extern const char latentd_version[]; /* "0.1.0" */
extern const char latentd_commit[];  /* "1a2b3c4", "1a2b3c4-dirty" or "unknown" */

#endif
