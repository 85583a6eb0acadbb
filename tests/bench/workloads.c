#include "tests/bench/workloads.h"


#include <stdlib.h>
#include <string.h>

/* Where gradients are held against differences, in double, an eighth of the channels shows the same. */
#define SLIM "channels=16,8,4 discriminator_channels=8,16"
#define GAN                                                                                                              \
	"optimizer=adam lr=2e-4 beta1=0.5 beta2=0.999 lr_d=0 lr_g=0 ema=0 discriminator_norm=batch spectral_norm=false r1=0"

static const struct workload workloads[] = {
	{"ae", &family_ae, "optimizer=adam lr=1e-3 schedule=constant warmup_epochs=0", false},
	{"vae", &family_vae, "optimizer=adam lr=1e-3 schedule=constant warmup_epochs=0 beta_warmup=0", false},
	{"nll", &family_vae,
		"channels=- hidden=30 activation=glu likelihood=bernoulli binarize=true free_bits=0.011 optimizer=adam lr=1e-3 "
		"schedule=constant warmup_epochs=0 beta_warmup=0",
		false},
	{"cnn", &family_classifier,
		"channels=8,16,32 convs=1 stride=2 padding=1,1,0 norm=none pool=none global_pool=false hidden=64 dropout=0 label_smoothing=0",
		false},
	{"small", &family_classifier, "activation=silu pool=avg dropout=0 label_smoothing=0.1", false},
	{"class1", &family_finetune, "", true},
	{"class2", &family_finetune, "head=-", true},
	{"sngan", &family_gan,
		"channels=32,16,8 discriminator_channels=16,32 optimizer=adam lr=2e-4 beta1=0.5 beta2=0.999 lr_d=0 lr_g=0 r1=1 r1_every=1",
		false},
	{"gan", &family_gan, sizeof(real) == sizeof(double) ? GAN " " SLIM : GAN, false},
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads };

const struct workload *workload_at(int i)
{
	return i < WORKLOADS ? &workloads[i] : NULL;
}

const struct workload *workload_find(const char *name)
{
	for (int i = 0; i < WORKLOADS; i++)
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	return NULL;
}

/* Heads stand on the encoder of the report's autoencoder. */
static int plan_family(struct model *ret, const struct workload *w, const void *params, struct err *err)
{
	const struct map image = {1, 28, 28, 0};
	if (!w->codes)
		return model_plan(ret, w->family, params, image, 10, err);
	struct model_base base = {&family_ae, family_params(&family_ae, preset_find(&family_ae, "report"))};
	int code = base.params ? model_plan_on(ret, w->family, params, &base, image, 10, err)
						   : err_set(err, ERR_NO_MEMORY, "out of memory");
	free(base.params);
	return code;
}

int workload_plan(struct model *ret, const struct workload *w, const char *more, struct err *err)
{
	void *params = calloc(1, w->family->params_size);
	if (!params)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	param_defaults(w->family->params, params);
	int code = param_set_all(w->family->params, params, "val_fraction=0", err);
	if (!code)
		code = param_set_all(w->family->params, params, w->overrides, err);
	if (!code)
		code = param_set_all(w->family->params, params, more, err);
	if (!code)
		code = plan_family(ret, w, params, err);
	free(params);
	return code;
}
