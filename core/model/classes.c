#include "core/model/classes.h"

int classes_check(const struct model *m, const struct classes_params *p, struct err *err)
{
	if (p->label_smoothing > 0 && p->gce_q > 0)
		return err_field(err, ERR_INVALID, "#/params/gce_q",
			"must be 0 where labels are smoothed, or label_smoothing 0, got %g", p->gce_q);
	if (m->classes >= 2)
		return OK;
	return err_field(err, ERR_INVALID, "#/dataset", "has %d class%s: there is nothing to tell apart", m->classes,
		m->classes == 1 ? "" : "es");
}

void classes_loss(
	const struct model *m, const struct block *b, int net, const struct classes_params *p, struct block_result *r)
{
	real *slope = b->training ? model_output_grad(m, b, net) : NULL;
	const struct label_loss how = {
		.smoothing = b->training ? (real)p->label_smoothing : 0,
		.q = (real)p->gce_q,
	};
	int correct;
	r->part[0] += b->kern->cross_entropy(
		slope, model_output(m, b, net), m->classes, b->labels, &how, (real)(1 / (double)b->batch), b->lanes, &correct);
	r->part[1] += correct;
}
