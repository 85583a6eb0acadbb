#include "server/projection_picture.h"

#include "api/scatter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double *plane_of(const struct projection_map *m)
{
	double *xy = malloc(m->n * 2 * sizeof *xy);
	for (size_t i = 0; xy && i < m->n; i++) {
		xy[2 * i] = m->y[i * m->components];
		xy[2 * i + 1] = m->components > 1 ? m->y[i * m->components + 1] : 0;
	}
	return xy;
}

static void print_caption(char *text, size_t size, const struct projection_picture *p)
{
	if (isfinite(p->kl))
		snprintf(text, size, "t-SNE of %zu points, iteration %lld, KL %.4f", p->map->n, (long long)p->step, p->kl);
	else if (isfinite(p->share))
		snprintf(text, size, "PCA of %zu points, %.1f %% of the variance", p->map->n, 100 * p->share);
	else
		snprintf(text, size, "%zu points", p->map->n);
}

int projection_paint(struct canvas *ret, const struct projection_picture *p, struct err *err)
{
	char caption[120];
	double *xy = plane_of(p->map);
	if (!xy)
		return err_set(err, ERR_NO_MEMORY, "no memory for the picture of a map");
	print_caption(caption, sizeof caption, p);
	const struct scatter_panel panel = {.caption = caption, .xy = xy, .labels = p->map->label, .n = p->map->n};
	const struct scatter s = {.panel = &panel,
		.panels = 1,
		.cols = 1,
		.side = SCATTER_SIDE,
		.classes = p->classes,
		.label = p->label,
		.named = true};
	int code = scatter_canvas(ret, &s, err);
	free(xy);
	return code;
}
