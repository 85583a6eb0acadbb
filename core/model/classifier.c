/* classifier.c: a convolutional net from the pixels to one logit per class, trained from scratch: what heads on codes are
 * measured against.
 *
 *   stage    (Conv2d, norm, act) x convs, pool
 *   net      a stage per channel count, global average pool or not, Flatten, (Linear, act) per hidden, Dropout, Linear(classes)
 *   loss     mean over images of cross entropy with label smoothing e: (1 - e) nll + e mean over classes of -log p; e is 0 where
 *            the loss is only told (validation, test)
 */
#include "core/model/classes.h"
#include "core/model/mirror.h"
#include "core/nn/layer.h"

#include <stdio.h>
#include <stdlib.h>

/* order = choices of `pool` */
enum pooling { POOL_NONE, POOL_MAX, POOL_AVG };
enum { CLASSIFIER, STAGES_MAX = PARAM_INTS_MAX, CONVS_MAX = 4, POOL_SIDE = 2 };
/* Per stage CONVS_MAX times three rows and a pool; then pool, flatten, two rows per hidden, dropout, linear. */
enum { ROWS_MAX = STAGES_MAX * (3 * CONVS_MAX + 1) + 2 * PARAM_INTS_MAX + 4 };

struct classifier_params {
	struct train_params train;
	struct param_ints channels, kernel, stride, padding, hidden;
	int64_t convs;
	int norm, activation, pool;
	bool global_pool;
	double dropout;
	struct classes_params classes;
};

/* clang-format off */
static const struct param params[] = {
	{"channels", PARAM_INTS, offsetof(struct classifier_params, channels), "16,32,64", 1, 1024, NULL, "net", NULL,
		"Output channels of each stage of convolutions; empty: none.", 0},
	{"convs", PARAM_INT, offsetof(struct classifier_params, convs), "2", 1, CONVS_MAX, NULL, "net", "layers",
		"Convolutions in each stage; only the first has the stage's stride.", 0},
	{"kernel", PARAM_INTS, offsetof(struct classifier_params, kernel), "3", 1, MIRROR_KERNEL_MAX, NULL, "net", "pixels",
		"Kernel side of the convolutions: one for all stages, or one for each.", 1},
	{"stride", PARAM_INTS, offsetof(struct classifier_params, stride), "1", 1, MIRROR_STRIDE_MAX, NULL, "net", "pixels",
		"Step of each stage's first convolution: one for all stages, or one for each. 2 halves the picture.", 1},
	{"padding", PARAM_INTS, offsetof(struct classifier_params, padding), "1", 0, MIRROR_PADDING_MAX, NULL, "net", "pixels",
		"Zeros around the input of the convolutions: one for all stages, or one for each.", 1},
	{"norm", PARAM_ENUM, offsetof(struct classifier_params, norm), "batch", 0, 0, MIRROR_NORMS, "net", NULL,
		"Normalisation between each convolution and its activation: batch (over the batch), group (8 groups of channels of one "
		"image), or none.", 0},
	{"activation", PARAM_ENUM, offsetof(struct classifier_params, activation), "relu", 0, 0, MIRROR_ACTIVATIONS, "net", NULL,
		"Non-linearity after each layer but the last one.", 0},
	{"pool", PARAM_ENUM, offsetof(struct classifier_params, pool), "max", 0, 0, "none|max|avg", "net", NULL,
		"What halves the picture at the end of each stage.", 0},
	{"global_pool", PARAM_BOOL, offsetof(struct classifier_params, global_pool), "true", 0, 0, NULL, "net", NULL,
		"Average each channel over the picture that the stages leave, in place of one input per pixel for the linear layers.", 0},
	{"hidden", PARAM_INTS, offsetof(struct classifier_params, hidden), "-", 1, 8192, NULL, "net", "units",
		"Widths of linear layers before the one that gives a logit per class; empty: none.", 0},
	{"dropout", PARAM_REAL, offsetof(struct classifier_params, dropout), "0.2", 0, 0.95, NULL, "training", NULL,
		"Share of the inputs of the last linear layer that training leaves out at random; 0 is off.", 0},
	CLASSES_PARAM_ROWS(struct classifier_params, "0.1"),
	TRAIN_PARAM_ROWS(struct classifier_params),
	{0},
};
/* clang-format on */

#define RECIPE                                                                                        \
	"optimizer=sgd momentum=0.9 nesterov=true lr=0.1 schedule=one_cycle weight_decay=5e-4 epochs=40 " \
	"augment=hflip,crop,erase"

static const struct preset presets[] = {
	{"small", "three stages of two convolutions with batch norm, 16 to 64 channels: some 73,000 parameters", RECIPE},
	{"medium", "the same, twice as wide: some 290,000 parameters", RECIPE " channels=32,64,128"},
	{"report", "the encoder of the report's autoencoder with a logit per class, Adam, no tricks",
		"channels=8,16,32 convs=1 stride=2 padding=1,1,0 norm=none pool=none global_pool=false hidden=64 dropout=0 "
		"label_smoothing=0 optimizer=adam lr=1e-3 epochs=40"},
	{0},
};

static const struct series series[] = {CLASSES_SERIES_ROWS, {0}};

/* --- plan --------------------------------------------------------------------------------------------------------------- */

struct rows {
	struct layer_spec row[ROWS_MAX];
	int n;
};

static void add(struct rows *r, struct layer_spec row)
{
	r->row[r->n++] = row;
}

static void add_conv(struct rows *r, const struct classifier_params *p, int stage, bool first)
{
	struct layer_spec conv = CONV((int)param_ints_at(&p->channels, stage), (int)param_ints_at(&p->kernel, stage),
		first ? (int)param_ints_at(&p->stride, stage) : 1, (int)param_ints_at(&p->padding, stage));
	struct layer_spec norm;
	int norms = mirror_norm(p->norm, conv.out, &norm);
	conv.no_bias = norms; /* the norm takes the mean away, and adds a bias of its own */
	add(r, conv);
	if (norms)
		add(r, norm);
	add(r, mirror_activation(p->activation));
}

static void add_stages(struct rows *r, const struct classifier_params *p)
{
	for (int stage = 0; stage < p->channels.n; stage++) {
		for (int i = 0; i < p->convs; i++)
			add_conv(r, p, stage, i == 0);
		if (p->pool == POOL_MAX)
			add(r, MAX_POOL(POOL_SIDE));
		if (p->pool == POOL_AVG)
			add(r, AVG_POOL(POOL_SIDE));
	}
}

static void add_linears(struct rows *r, const struct classifier_params *p, int classes)
{
	add(r, FLATTEN);
	for (int i = 0; i < p->hidden.n; i++) {
		add(r, LINEAR((int)p->hidden.v[i]));
		add(r, mirror_activation(p->activation));
	}
	if (p->dropout > 0)
		add(r, DROPOUT(p->dropout));
	add(r, LINEAR(classes));
}

/* Whatever does not fit an image of this size is the matter of what makes it smaller. */
static int blame_stages(const struct model *m, struct err *err)
{
	if (!err)
		return ERR_INVALID;
	char why[sizeof err->message];
	snprintf(why, sizeof why, "%s", err->message);
	return err_field(err, ERR_INVALID, "#/params/channels",
		"%.200s: images of %dx%d are too small for so many stages; more padding would do, or fewer channels", why,
		m->image.h, m->image.w);
}

/* The map that the stages leave: planned by themselves. */
static int plan_stages(const struct model *m, const struct rows *r, struct map *ret, struct err *err)
{
	struct net *net = malloc(sizeof *net); /* large for a stack */
	if (!net)
		return err_set(err, ERR_NO_MEMORY, "no memory for the plan of a net");
	int code = r->n > NET_LAYERS_MAX ? OK : r->n ? net_plan(net, "classifier", m->image, r->row, r->n, err) : OK;
	if (!code && r->n && r->n <= NET_LAYERS_MAX)
		*ret = net->out;
	free(net);
	return code == ERR_INVALID ? blame_stages(m, err) : code;
}

static int add_global_pool(struct rows *r, const struct map *left, struct err *err)
{
	if (left->h != left->w)
		return err_field(err, ERR_INVALID, "#/params/global_pool",
			"averages square maps only, and the stages leave %dx%d of these images; set it to false", left->h, left->w);
	if (left->h > 1)
		add(r, AVG_POOL(left->h));
	return OK;
}

static int plan(struct model *m, struct err *err)
{
	const struct classifier_params *p = m->family_params;
	struct rows rows = {.n = 0};
	struct map left = m->image;
	int code = classes_check(m, &p->classes, err);
	if (!code)
		code = mirror_check_lists(m, p->channels.n, err);
	if (code)
		return code;
	add_stages(&rows, p);
	code = plan_stages(m, &rows, &left, err);
	if (!code && p->global_pool)
		code = add_global_pool(&rows, &left, err);
	if (code)
		return code;
	add_linears(&rows, p, m->classes);
	return model_add_net(m, "classifier", m->image, rows.row, rows.n, err);
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static void load(const struct model *m, const struct block *b, struct block_result *r)
{
	(void)r;
	b->kern->load_u8(model_input(m, b, CLASSIFIER), &m->net[CLASSIFIER].in, b->images, b->lanes);
}

static void loss(const struct model *m, const struct block *b, struct block_result *r)
{
	const struct classifier_params *p = m->family_params;
	classes_loss(m, b, CLASSIFIER, &p->classes, r);
}

static const struct step_op step[] = {
	OP_CALL_OF(load),
	OP_FORWARD_OF(CLASSIFIER),
	OP_LOSS_OF(loss),
	OP_BACKWARD_OF(CLASSIFIER, 0),
	{.kind = OP_END},
};

static const struct train_phase phases[] = {{step, CLASSIFIER, 1}, {0}};

/* --- use ---------------------------------------------------------------------------------------------------------------- */

static void logits(
	const struct model *m, const struct kern *k, const real *w, real *ws, const float *images, int lanes, float *rows)
{
	model_through(m, CLASSIFIER, k, w, ws, images, lanes, rows);
}

const struct family family_classifier = {
	.name = "classifier",
	.blurb = "Classifier: learns to tell the classes of a data set apart, from the pixels and from scratch.",
	.params = params,
	.params_size = sizeof(struct classifier_params),
	.presets = presets,
	.series = series,
	.monitor = "val_loss",
	.plan = plan,
	.phases = phases,
	.logits = logits,
};
