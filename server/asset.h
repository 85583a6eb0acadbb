/* asset.h: files that the binary carries (made by deploy/embed.sh): those under web/ with openapi.json, which are served, and the
 * judge's. Tables end with a row whose path is NULL; bytes begin at a multiple of 16. */
#ifndef LATENTD_SERVER_ASSET_H
#define LATENTD_SERVER_ASSET_H

struct asset {
	const char *path; /* "index.html", "vendor/uPlot-1.6.32/uPlot.esm.js" */
	const unsigned char *start, *end;
};
extern const struct asset assets[];
extern const struct asset lab_assets[]; /* evaluator.json, evaluator.safetensors */

#endif
