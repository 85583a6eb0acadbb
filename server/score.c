#include "server/score.h"

static void write_classes(struct jsonw *w, const struct verdict *v, const struct dataset *d)
{
	jw_key(w, "class_shares");
	jw_object(w);
	for (int i = 0; i < v->classes; i++)
		jw_kreal(w, d->class_name[i], v->share[i]);
	jw_end_object(w);
	jw_kreal(w, "class_kl", v->class_kl);
	jw_kreal(w, "min_share", v->min_share);
	jw_kreal(w, "diversity", v->diversity);
}

void score_write(struct jsonw *w, const struct judge_report *r, const struct dataset *d)
{
	jw_kint(w, "count", r->look.count);
	jw_kreal(w, "fcd", r->look.fcd);
	jw_kreal(w, "fcd_floor", r->fcd_floor);
	jw_kreal(w, "fcd_inf", r->fcd_inf);
	jw_kreal(w, "kid", r->kid);
	jw_kreal(w, "kid_sd", r->kid_sd);
	write_classes(w, &r->look, d);
	jw_kreal(w, "classifier_score", r->classifier_score);
	jw_kreal(w, "unsure_share", r->unsure_share);
	jw_kreal(w, "precision", r->prdc.precision);
	jw_kreal(w, "recall", r->prdc.recall);
	jw_kreal(w, "density", r->prdc.density);
	jw_kreal(w, "coverage", r->prdc.coverage);
	jw_kreal(w, "duplicate_share", r->prdc.duplicates);
}
