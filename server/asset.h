/* asset.h: the files under web/, and openapi.json, as the binary carries them (made by deploy/embed.sh). Ends with a row whose path is NULL. */
#ifndef LATENTD_SERVER_ASSET_H
#define LATENTD_SERVER_ASSET_H

struct asset {
	const char *path; /* "index.html", "vendor/uPlot-1.6.32/uPlot.esm.js" */
	const unsigned char *start, *end;
};
extern const struct asset assets[];

#endif
