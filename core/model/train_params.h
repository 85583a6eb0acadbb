/* train_params.h: the hyper-parameters every trained kind shares, and their rows.
 *
 * Use: a family's params struct begins with `struct train_params train;` and its table with TRAIN_PARAM_ROWS(struct x_params).
 * Adding one: a field here, a row below, its use. Defaults that differ by family are overrides of its presets.
 */
#ifndef LATENTD_CORE_MODEL_TRAIN_PARAMS_H
#define LATENTD_CORE_MODEL_TRAIN_PARAMS_H

#include "core/base/param.h"
#include "core/data/augment.h"

#include <stdbool.h>

/* Ends a run that no longer gets better. */
struct early_stopping_params {
	bool on;
	int monitor; /* enum monitor_kind */
	int64_t patience;
	double min_delta;
	bool restore_best;
};

/* order = choices of `monitor` */
enum monitor_kind { MONITOR_VAL_LOSS, MONITOR_TRAIN_LOSS };

/* Takes the smallest weights out, for good. */
struct prune_params {
	bool on;
	int method; /* enum prune_method */
	double amount;
	int64_t start_epoch, every, end_epoch;
	int schedule; /* enum prune_schedule */
};

/* order = choices of `method` and `schedule` */
enum prune_method { PRUNE_L1, PRUNE_L1_GLOBAL };
enum prune_schedule { PRUNE_REPEAT, PRUNE_CUBIC };

/* Which numbered checkpoints stay, of those that are not needed. */
struct retention_params {
	bool on;
	int64_t keep_last, keep_best, every;
};

struct train_params {
	int64_t epochs, batch_size;
	double lr;
	int optimizer; /* enum optim_kind */
	double beta1, beta2, momentum, weight_decay, grad_clip, grad_clip_value;
	bool nesterov;
	int schedule; /* enum schedule_kind */
	double warmup_epochs;
	int64_t lr_step_epochs, lr_patience;
	double lr_gamma;
	double ema;
	struct early_stopping_params early_stopping;
	struct prune_params prune;
	double val_fraction;
	int64_t val_seed, train_limit;
	unsigned augment; /* set of enum augment */
	int64_t checkpoint_every_epochs, preview_every_epochs;
	struct retention_params retention;
};

extern const struct param early_stopping_params[], prune_params[], retention_params[];

/* What no single row can say: ERR_INVALID with the pointer of the field at fault. */
int train_params_check(const struct train_params *p, struct err *err);

/* clang-format off */
#define TRAIN_PARAM_ROWS(S) \
	{"epochs", PARAM_INT, offsetof(S, train.epochs), "50", 1, 100000, NULL, "training", "epochs", \
		"Passes over the training images, in total (a resumed or forked job counts on).", 0, .live = PARAM_LIVE}, \
	{"batch_size", PARAM_INT, offsetof(S, train.batch_size), "128", 1, 4096, NULL, "training", "images", \
		"Images per optimiser step; the last, short batch of an epoch is kept.", 0, .fork = PARAM_FORK_FIXED}, \
	{"lr", PARAM_REAL, offsetof(S, train.lr), "1e-3", 0, 10, NULL, "training", NULL, \
		"Learning rate (the highest one, where a schedule moves it).", 0, .live = PARAM_LIVE}, \
	{"optimizer", PARAM_ENUM, offsetof(S, train.optimizer), "adam", 0, 0, "adam|adamw|sgd|rmsprop", "training", NULL, \
		"How gradients become steps; semantics of torch.optim.", 0, .fork = PARAM_FORK_FIXED}, \
	{"beta1", PARAM_REAL, offsetof(S, train.beta1), "0.9", 0, 0.999999, NULL, "training", NULL, \
		"Adam: decay of the gradient's running mean.", 0}, \
	{"beta2", PARAM_REAL, offsetof(S, train.beta2), "0.999", 0, 0.9999999, NULL, "training", NULL, \
		"Adam: decay of the squared gradient's running mean.", 0}, \
	{"momentum", PARAM_REAL, offsetof(S, train.momentum), "0.9", 0, 0.999999, NULL, "training", NULL, \
		"SGD and RMSprop: decay of the velocity; 0: none (PyTorch's default for RMSprop).", 0}, \
	{"nesterov", PARAM_BOOL, offsetof(S, train.nesterov), "false", 0, 0, NULL, "training", NULL, \
		"SGD: look ahead by one momentum step.", 0}, \
	{"weight_decay", PARAM_REAL, offsetof(S, train.weight_decay), "0", 0, 1, NULL, "training", NULL, \
		"Pull of the weights towards 0: coupled (L2) for adam, sgd and rmsprop, decoupled for adamw; 0 is off.", 0}, \
	{"grad_clip", PARAM_REAL, offsetof(S, train.grad_clip), "0", 0, 1e6, NULL, "training", NULL, \
		"Gradients whose norm over all weights is larger are scaled down to it (torch's clip_grad_norm_); 0 is off.", 0}, \
	{"grad_clip_value", PARAM_REAL, offsetof(S, train.grad_clip_value), "0", 0, 1e6, NULL, "training", NULL, \
		"Each number of the gradient is held within plus and minus this (torch's clip_grad_value_), before grad_clip; 0 is off.", \
		0}, \
	{"schedule", PARAM_ENUM, offsetof(S, train.schedule), "constant", 0, 0, "constant|cosine|one_cycle|step|plateau|linear", "training", NULL, \
		"How the learning rate moves from the first step to the last: cosine falls to 0, one_cycle climbs and falls, step falls " \
		"by lr_gamma every lr_step_epochs, linear falls evenly to 0, plateau falls by lr_gamma when the loss has not got better for lr_patience epochs.", 0}, \
	{"warmup_epochs", PARAM_REAL, offsetof(S, train.warmup_epochs), "0", 0, 1000, NULL, "training", "epochs", \
		"The learning rate climbs linearly from 0 for this long; 0 is off.", 0}, \
	{"lr_step_epochs", PARAM_INT, offsetof(S, train.lr_step_epochs), "10", 1, 100000, NULL, "training", "epochs", \
		"Schedule step: the learning rate falls after every so many epochs (torch's StepLR).", 0}, \
	{"lr_patience", PARAM_INT, offsetof(S, train.lr_patience), "10", 0, 100000, NULL, "training", "epochs", \
		"Schedule plateau: epochs without a loss lower by 0.01 % that are borne; one more, and the learning rate falls (torch's " \
		"ReduceLROnPlateau).", 0}, \
	{"lr_gamma", PARAM_REAL, offsetof(S, train.lr_gamma), "0.1", 0, 1, NULL, "training", NULL, \
		"Schedules step and plateau: what the learning rate is multiplied by.", 0}, \
	{"ema", PARAM_REAL, offsetof(S, train.ema), "0", 0, 0.999999, NULL, "training", NULL, \
		"Decay of a running mean of the weights, which is what is validated, served and saved: 0.999 looks back over a thousand " \
		"steps (fewer at the beginning; a fork's begins as the weights there); 0 is off.", 0}, \
	{"early_stopping", PARAM_OBJECT, offsetof(S, train.early_stopping), "null", 0, 0, NULL, "training", NULL, \
		"Ends the run when the loss has not got better for a while. With a schedule that falls to 0 at the end it cuts off the " \
		"useful part; null is off, and the best epoch is served all the same.", 0, early_stopping_params}, \
	{"prune", PARAM_OBJECT, offsetof(S, train.prune), "null", 0, 0, NULL, "training", NULL, \
		"Takes the smallest weights of the linear and convolution layers out, for good (torch.nn.utils.prune); the best epoch is one of those after " \
		"the last time. null is off; in a fork of a pruned run what was taken out then learns again, from 0.", 0, \
		prune_params}, \
	{"val_fraction", PARAM_REAL, offsetof(S, train.val_fraction), "0.1", 0, 0.5, NULL, "data", NULL, \
		"Share of the training images held out for val_loss; 0: none, and no validation pass.", 0, .fork = PARAM_FORK_FIXED}, \
	{"val_seed", PARAM_INT, offsetof(S, train.val_seed), "0", 0, 9007199254740991.0, NULL, "data", NULL, \
		"Chooses which images are held out; jobs with the same value hold out the same ones.", 0, .fork = PARAM_FORK_FIXED}, \
	{"train_limit", PARAM_INT, offsetof(S, train.train_limit), "0", 0, 100000000, NULL, "data", "images", \
		"Use only the first so many training images; 0: all.", 0, .fork = PARAM_FORK_FIXED}, \
	{"augment", PARAM_SET, offsetof(S, train.augment), "-", 0, 0, AUGMENT_CHOICES, "data", NULL, \
		"What may happen to a training image each time it is seen. hflip: mirrored, half of the times (wrong for digits and " \
		"letters); crop: moved by up to 2 pixels each way; erase: a rectangle of 2 to 33 % of it made black, half of the times. " \
		"Validation and test images stay as they are. Empty: nothing.", 0}, \
	{"checkpoint_every_epochs", PARAM_INT, offsetof(S, train.checkpoint_every_epochs), "1", 1, 100000, NULL, "output", "epochs", \
		"A numbered checkpoint after every so many epochs, and always after the last and after a new best one.", 0}, \
	{"preview_every_epochs", PARAM_INT, offsetof(S, train.preview_every_epochs), "1", 0, 100000, NULL, "output", "epochs", \
		"Preview pictures after every so many epochs, and before the first; 0: none.", 0}, \
	{"retention", PARAM_OBJECT, offsetof(S, train.retention), "on", 0, 0, NULL, "output", NULL, \
		"Which numbered checkpoints stay as the run goes on: the newest, the best, and those of every so many epochs; the best one and " \
		"the newest two always. Over 1 GiB a job they are thinned further. null: as by default, all of them.", 0, retention_params}
/* clang-format on */

#endif
