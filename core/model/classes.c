#include "core/model/classes.h"

int classes_check(const struct model *m, struct err *err)
{
	if (m->classes >= 2)
		return OK;
	return err_field(err, ERR_INVALID, "#/dataset", "has %d class%s: there is nothing to tell apart", m->classes,
		m->classes == 1 ? "" : "es");
}

void classes_loss(const struct model *m, const struct block *b, int net, double smoothing, struct block_result *r)
{
	real *slope = b->training ? model_output_grad(m, b, net) : NULL;
	double part = b->training ? smoothing : 0;
	int correct;
	r->part[0] += b->kern->cross_entropy(slope, model_output(m, b, net), m->classes, b->labels, (real)part,
		(real)(1 / (double)b->batch), b->lanes, &correct);
	r->part[1] += correct;
}
