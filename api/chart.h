/* chart.h: curves as a picture, for READMEs, terminals and mail: SVG text or pixels. The page draws its own.
 *
 * Thin curves first (curve_thin): a picture is a thousand pixels wide, and the spread of thinned points is drawn behind
 * them.
 */
#ifndef LATENTD_API_CHART_H
#define LATENTD_API_CHART_H

#include "api/curve.h"
#include "core/data/grid.h"
#include "core/model/model.h"

enum chart_x { CHART_STEP, CHART_EPOCH, CHART_TIME };

struct chart {
	const char *title;
	enum chart_x x;
	bool log_y;
	int w, h; /* pixels */
	bool large; /* letters of twice the size, as part of a larger picture */
	const char *x_label; /* NULL: as x says */
	int dots;            /* the first so many curves are points, without a line */
	bool bands;          /* between min and max of a curve's points it is filled */
	const struct reference_line *lines; /* drawn across, with their labels, where their values are on the axis */
	int nlines;
};

/* Of the i-th curve. */
uint32_t chart_color(int i);
void chart_svg(struct buf *b, const struct chart *chart, const struct curve *curves, int n);
int chart_canvas(struct canvas *ret, const struct chart *chart, const struct curve *curves, int n, struct err *err);

#endif
