/* study.c: kind study: jobs that submit jobs: tuning, sweeps, repeats. It trains no net; its children do. */
#include "core/lab/study.h"

/* clang-format off */
static const struct param objective[] = {
	{"metric", PARAM_JSON, offsetof(struct study_objective, metric), "null", 0, STUDY_WORD, "string|null", "study", NULL,
		"A series of the base kind; null: the one by which its best epoch is chosen.", 0},
	{"direction", PARAM_ENUM, offsetof(struct study_objective, direction), "minimize", 0, 0, "minimize|maximize", "study", NULL,
		"Whether the least or the greatest value is the best.", 0},
	{0},
};

static const struct param retrain[] = {
	{"top_k", PARAM_INT, offsetof(struct study_retrain, top_k), "3", 1, 100, NULL, "study", "trials",
		"So many of the best trials, with different parameters, are trained again; the baseline (trial 0, where one is enqueued) always.", 0},
	{"seeds", PARAM_INTS, offsetof(struct study_retrain, seeds), "1,2,3", 0, 9007199254740991.0, NULL, "study", NULL,
		"On each of these seeds; the best mean wins.", 1},
	{"params", PARAM_JSON, offsetof(struct study_retrain, params), "{}", 0, STUDY_TEXT, "object", "study", NULL,
		"Parameters of the base kind that differ from the trial's: the full budget, as {\"epochs\":50}.", 0},
	{0},
};

static const struct param params[] = {
	{"base", PARAM_JSON, offsetof(struct study_params, base), "{}", 0, STUDY_TEXT, "object", "study", NULL,
		"What a trial is where the space says nothing: a job's kind, preset, params, dataset, from, seed, time_limit_s and max_retries.", 0},
	{"space", PARAM_JSON, offsetof(struct study_params, space), "{}", 0, STUDY_TEXT, "object", "study", NULL,
		"What trials differ in, by name: a parameter of the base kind (lr), an entry of a list (channels.0), a member (prune.amount), "
		"or seed. {\"low\",\"high\"} with log or step, or {\"values\":[…]}; a bound may be {\"of\":\"kernel.0\",\"factor\":0.5}; "
		"\"when\":{\"n_conv\":[3,4]} is the condition under which it is there. A name that is no parameter is a helper: others "
		"refer to it, or its {\"variants\":{\"name\":{parameters}}} set several at once.", 0},
	{"sampler", PARAM_ENUM, offsetof(struct study_params, sampler), "tpe", 0, 0, "tpe|random|grid", "study", NULL,
		"Who chooses a trial's parameters: tpe learns from the trials before (Bergstra et al. 2011, as Optuna 3.1), random draws, grid takes "
		"every combination.", 0},
	{"multivariate", PARAM_BOOL, offsetof(struct study_params, multivariate), "false", 0, 0, NULL, "study", NULL,
		"tpe: parameters are chosen together, not each by itself.", 0},
	{"startup_trials", PARAM_INT, offsetof(struct study_params, startup_trials), "10", 1, STUDY_TRIALS_MAX, NULL, "study", "trials",
		"tpe: so many trials must have ended before it learns; those before are drawn.", 0},
	{"trials", PARAM_INT, offsetof(struct study_params, trials), "0", 0, STUDY_TRIALS_MAX, NULL, "study", "trials",
		"Trials that are trained, enqueued ones among them; those that cannot be built cost nothing and are not counted (at most ten times "
		"as many in all). 0: 20; of a grid, all of it.", 0},
	{"objective", PARAM_OBJECT, offsetof(struct study_params, objective), "null", 0, 0, NULL, "study", NULL,
		"What is to be as small, or as great, as can be; null: the base kind's own monitor, minimized.", 0, objective},
	{"pruner", PARAM_ENUM, offsetof(struct study_params, pruner), "none", 0, 0, "none|median|asha", "study", NULL,
		"Ends trials that look bad on the way: median, below the median of those before at the same epoch; asha, not among the best "
		"quarter at epochs 1, 4, 16, ….", 0},
	{"parallel", PARAM_INT, offsetof(struct study_params, parallel), "1", 1, STUDY_PARALLEL_MAX, NULL, "study", "trials",
		"Trials that may wait or run at once. Trial k is chosen when trials 0 to k - parallel have ended, so that the outcome does not hang "
		"on which of the others is faster.", 0},
	{"enqueue", PARAM_JSON, offsetof(struct study_params, enqueue), "null", 0, STUDY_TEXT, "array|null", "study", NULL,
		"Trials that come first, as {name: value}; what one leaves out is the base's. null: [{}], the base itself as baseline, but for a grid "
		"none.", 0},
	{"after", PARAM_JSON, offsetof(struct study_params, after), "[]", 0, STUDY_TEXT, "array", "study", NULL,
		"Jobs that follow each complete trial, with its model as their from.", 0},
	{"retrain", PARAM_OBJECT, offsetof(struct study_params, retrain), "null", 0, 0, NULL, "study", NULL,
		"After the trials: the best of them and the baseline anew, at full budget and on several seeds; null: the best trial wins.", 0, retrain},
	{0},
};

/* Bounds as the report gives them, layers counted from 1; the hidden layers are its linear ones. */
#define LAYER(J, CHANNELS, WHEN) \
	"\"channels." #J "\":{\"low\":4,\"high\":" #CHANNELS WHEN "}," \
	"\"kernel." #J "\":{\"low\":2,\"high\":6" WHEN "}," \
	"\"stride." #J "\":{\"low\":1,\"high\":4" WHEN "}," \
	"\"padding." #J "\":{\"low\":0,\"high\":{\"of\":\"kernel." #J "\",\"factor\":0.5}" WHEN "},"

static const struct preset presets[] = {
	{"custom", "nothing: base and space are yours", ""},
	{"report-ae",
		"the report's search over the autoencoder (10 epochs a trial), the manual net as baseline; the best three anew at 50 epochs on three "
		"seeds",
		"base={\"kind\":\"ae\",\"preset\":\"report\",\"params\":{\"epochs\":10}} trials=20 enqueue=[{}] pruner=median "
		"retrain.params={\"epochs\":50} "
		"space={\"n_conv\":{\"low\":2,\"high\":4},\"n_linear\":{\"low\":1,\"high\":3},"
		LAYER(0, 8, ) LAYER(1, 16, ) LAYER(2, 32, ",\"when\":{\"n_conv\":[3,4]}") LAYER(3, 64, ",\"when\":{\"n_conv\":4}")
		"\"hidden.0\":{\"low\":8,\"high\":256},"
		"\"hidden.1\":{\"low\":8,\"high\":128,\"when\":{\"n_linear\":[2,3]}},"
		"\"hidden.2\":{\"low\":8,\"high\":64,\"when\":{\"n_linear\":3}},"
		"\"latent_dim\":{\"low\":1,\"high\":16},"
		"\"lr\":{\"low\":1e-5,\"high\":0.1,\"log\":true},\"weight_decay\":{\"low\":1e-7,\"high\":0.1,\"log\":true},"
		"\"batch_size\":{\"low\":64,\"high\":512},\"early_stopping.patience\":{\"low\":1,\"high\":10}}"},
	{"latent-sweep", "the report's autoencoder with 2, 4, …, 14 latent units, and maps of their codes",
		"base={\"kind\":\"ae\",\"preset\":\"report\"} sampler=grid space={\"latent_dim\":{\"values\":[2,4,6,8,10,12,14]}} "
		"after=[{\"kind\":\"projection\",\"params\":{\"method\":\"tsne\"}},{\"kind\":\"projection\",\"params\":{\"method\":\"pca\"}}]"},
	{"report-regularisers", "the report's autoencoder as it is, with early stopping, with pruning and with dropout, on three seeds each",
		"base={\"kind\":\"ae\",\"preset\":\"report\"} sampler=grid space={\"regulariser\":{\"variants\":{\"none\":{},"
		"\"early_stopping\":{\"early_stopping\":{\"patience\":3,\"min_delta\":1e-4}},"
		"\"pruning\":{\"prune\":{\"method\":\"global_l1_unstructured\",\"start_epoch\":35,\"amount\":0.5}},"
		"\"dropout\":{\"dropout\":0.1}}},\"seed\":{\"values\":[1,2,3]}}"},
	{0},
};
/* clang-format on */

static const struct series series[] = {{0}};

static const char *const results[] = {"trials", "best", "importance", "history", "sheet", NULL};

const struct family family_study = {
	.name = "study",
	.blurb = "jobs that submit jobs: tunes parameters, sweeps a size, repeats on other seeds; its trials are jobs of their own",
	.conducts = true,
	.params = params,
	.params_size = sizeof(struct study_params),
	.presets = presets,
	.series = series,
	.results = results,
};
