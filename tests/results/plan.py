"""What is trained: one row a group of jobs (a job for each seed), one row a net in PyTorch.

A row's `seeds` is "all" (as many as the mode has) or "one"; SEEDS says otherwise of the rows it names. One that is `heavy` takes
longer than all the others together and is left out unless HEAVY=1. Rows whose figures stand beside the report's or PyTorch's
hold no image out (REPRODUCE), all others keep the daemon's defaults. The parent "best" is the row of CANDIDATES that does best on
its held-out images; the test split has no say in it.
"""
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Mode:
    name: str
    epochs: int          # of autoencoders, of their heads
    fine_epochs: int     # of encoders that train on with a head, and of the report's classifier from scratch
    scratch_epochs: int  # of the other classifiers
    seeds: int
    limit: int = 0          # training images; 0: all
    scratch_limit: int = 0  # of the other classifiers
    gan_epochs: tuple = (11, 10)  # of the report's GAN (what it is held against was taken there), of ours (600,000 images)
    gan_limit: int = 0
    looks: int = 10000  # samples of a GAN that are judged at each epoch's end
    scores: int = 10000  # samples that finished models are judged by
    map: dict = field(default_factory=dict)  # parameters of maps, beside their presets'


MODES = {
    # To see that every part works, in seconds: no figure of it means anything.
    "smoke": Mode("smoke", 2, 1, 1, 1, 512, 512, (1, 1), 512, 256, 1000, {"n": 500, "iterations": 60}),
    "quick": Mode("quick", 4, 3, 2, 1, 0, 6000, (3, 3), 6000, 2000, 2000),
    "full": Mode("full", 50, 20, 40, 3),
}


@dataclass(frozen=True)
class Row:
    group: str
    kind: str
    preset: str
    params: dict
    seeds: str = "all"
    parent: str = None  # group whose encoder it takes: of the same seed, or of seed 1 where it has no other
    name: str = None    # of the job with seed 1: what people will look for
    heavy: bool = False


class Seeds:
    """How many seeds each row runs on: SEEDS="2" two, SEEDS="1 vae-2=3" one, but vae-2 three; empty: as the mode has it."""

    def __init__(self, text, mode):
        words = text.split()
        plain = [int(word) for word in words if "=" not in word]
        self.default = max(plain[-1] if plain else mode.seeds, 1)
        self.named = {group: max(int(n), 1) for group, n in (word.split("=") for word in words if "=" in word)}
        unknown = [group for group in self.named if group not in {row.group for row in rows(mode)}]
        if unknown:
            raise ValueError(f"SEEDS names no row of the plan: {', '.join(unknown)}")

    def most(self):
        return max(self.default, *self.named.values()) if self.named else self.default

    def of(self, row):
        return range(1, self.named.get(row.group, self.default if row.seeds == "all" else 1) + 1)


@dataclass(frozen=True)
class Twin:
    group: str     # the group whose first job it is, with the same parameters
    workload: str  # of twins.py
    on: str = None  # twin whose encoder it takes
    heavy: bool = False  # in a full run or with HEAVY=1 only


@dataclass(frozen=True)
class Samples:
    """What the judge looks at: models of a group, by a distribution of their codes."""
    group: str
    distribution: str
    words: str
    checkpoint: str = "best"


# The report's GAN is judged when it has been trained, as there; ours as it is served: after the epoch with the lowest fcd.
SAMPLES = (
    Samples("ae-2", "uniform", "AE, 2 units, uniform in the box"),
    Samples("ae-2", "gmm", "AE, 2 units, mixture of normals"),
    Samples("ae-8", "uniform", "AE, 8 units, uniform in the box"),
    Samples("ae-8", "gaussian_fit", "AE, 8 units, one normal"),
    Samples("ae-8", "gmm", "AE, 8 units, mixture of normals"),
    Samples("vae-2", "uniform", "VAE, 2 units, uniform in the box"),
    Samples("vae-2", "normal", "VAE, 2 units, standard normal"),
    Samples("vae-5", "uniform", "VAE, 5 units, uniform in the box"),
    Samples("vae-5", "normal", "VAE, 5 units, standard normal"),
    Samples("gan", "normal", "GAN, the report's", "last"),
    Samples("gan-default", "normal", "GAN, our default"),
)
DRAW = 1  # seed of the samples
JUDGED_TWICE = "gan"  # by the judge's classifier in PyTorch, too

MAPPED = (2, 4, 6, 8, 10, 12, 14)  # units of the report's autoencoders whose codes are mapped

CANDIDATES = ("ae-mlp-8", "ae-conv-small-8")
HEAVY = "left out: it takes long; HEAVY=1 runs it"
HEAVY_TWIN = "left out: PyTorch takes a quarter of an hour for it; FULL=1 or HEAVY=1 runs it"
REPRODUCE = {"val_fraction": 0}
CONV_EPOCHS = 20  # of preset conv-small, each as long as many of the report's net


def regularisers(mode):
    """The report names them and gives no strength; these are usual ones."""
    # Once, "after some epochs"; one ranking of all layers leaves small ones the weights that matter.
    prune = {"method": "global_l1_unstructured", "start_epoch": max(mode.epochs * 7 // 10, 1)}
    return {
        # The report wants "a constraint to check if an improvement should be considered valid": min_delta.
        "early-stopping": {"early_stopping": {"patience": 3, "min_delta": 1e-4}},
        "prune-50": {"prune": {**prune, "amount": 0.5}},
        "prune-90": {"prune": {**prune, "amount": 0.9}},
        "dropout": {"dropout": 0.1},
    }


def rows(mode):
    base = {"epochs": mode.epochs}
    fine = {"epochs": mode.fine_epochs}
    # At the head's rate, so that it compares with training from scratch.
    unfrozen = {**fine, "freeze": False, "encoder_lr_scale": 1}
    scratch = {"epochs": mode.scratch_epochs, **limited(mode.scratch_limit)}
    # The report's heads, word for word: the codes as they are, cross entropy, Adam at a constant rate, batches like the encoder's.
    literal = {**base, "standardize": False, "gce_q": 0, "schedule": "constant", "lr": 1e-3, "batch_size": 128}
    # Planes cost nothing, and settle late.
    planes = {"epochs": 2 * mode.epochs}
    game = {"judge_samples": mode.looks, **limited(mode.gan_limit)}
    planned = [
        Row("ae-8", "ae", "report", base, name="ae-8"),
        Row("ae-2", "ae", "report", {**base, "latent_dim": 2}, "one", name="ae-2"),
        *(Row(f"ae-{n}", "ae", "report", {**base, "latent_dim": n}, "one") for n in MAPPED if n not in (2, 8)),
        Row("vae-5", "vae", "report", {**base, **REPRODUCE}, name="vae-5"),
        Row("vae-2", "vae", "report", {**base, **REPRODUCE, "latent_dim": 2}, name="vae-2"),
        Row("gan", "gan", "report", {**game, "epochs": mode.gan_epochs[0]}, "one", name="gan"),
        Row("gan-default", "gan", "default", {**game, "epochs": mode.gan_epochs[1]}, name="gan-default"),
        Row("class1", "finetune", "class1", literal, "one", "ae-8", "class1"),
        Row("class2", "finetune", "class2", literal, "one", "ae-8", "class2"),
        Row("unfrozen", "finetune", "class1", unfrozen, "one", "ae-8"),
        Row("scratch", "classifier", "report", fine, "one"),
        Row("ae-report-8", "ae", "report", {**base, **REPRODUCE}),
        Row("class1-report", "finetune", "class1", {**literal, **REPRODUCE}, "all", "ae-report-8"),
        Row("class2-report", "finetune", "class2", {**literal, **REPRODUCE}, "all", "ae-report-8"),
        Row("cnn-report", "classifier", "report", {**fine, **REPRODUCE}, "one"),
        Row("class1-ours", "finetune", "class1", {**fine, **REPRODUCE}, "all", "ae-report-8"),
        Row("class2-ours", "finetune", "class2", {**planes, **REPRODUCE}, "all", "ae-report-8"),
        Row("ae-literal-8", "ae", "report-literal", {**base, **REPRODUCE}, "one"),
        *(Row(name, "ae", "report", {**base, **params}) for name, params in regularisers(mode).items()),
        Row("ae-default-8", "ae", "default", base),
        Row("ae-mlp-8", "ae", "mlp", base),
        Row("ae-conv-small-8", "ae", "conv-small", {"epochs": min(mode.epochs, CONV_EPOCHS)}, "one"),
        *(Row(f"ae-mlp-{n}", "ae", "mlp", {**base, "latent_dim": n}, "one") for n in (2, 4, 14)),
        Row("map-pca", "projection", "pca", mode.map, "one", "ae-8"),
        Row("map-tsne", "projection", "tsne", mode.map, "one", "ae-8"),
        *(Row(f"map-{n}", "projection", "tsne", mode.map, "one", f"ae-{n}") for n in MAPPED),
        Row("class1-best", "finetune", "class1", fine, "all", "best"),
        Row("class2-best", "finetune", "class2", planes, "all", "best"),
        Row("finetuned", "finetune", "full", scratch, "all", "best"),
        Row("vae-default-5", "vae", "default", base),
        Row("small", "classifier", "small", scratch, "one"),
        Row("medium", "classifier", "medium", scratch, "one", heavy=True),
    ]
    return [trained(row, mode) if "epochs" in row.params else row for row in planned]


def trained(row, mode):
    """Pictures of each epoch would be in the times: the last ones are enough, of what people will look for."""
    return replace(row, params={**limited(mode.limit), **row.params, "preview_every_epochs": row.params["epochs"] if row.name else 0})


def limited(images):
    return {"train_limit": images} if images else {}


def twins():
    return [
        Twin("ae-report-8", "ae"),
        Twin("class1-report", "class1", "ae-report-8"),
        Twin("class2-report", "class2", "ae-report-8"),
        Twin("vae-5", "vae"),
        Twin("cnn-report", "cnn"),
        Twin("gan", "gan", heavy=True),
    ]


def runs(twin, mode, heavy):
    return heavy or not twin.heavy or mode.name == "full"


# Seconds of an epoch of 60,000 images on two Zen 4 processors, for the first estimate only: (kind, preset) or workload.
ROUGH = {("ae", "mlp"): 1.25, ("ae", "conv-small"): 7, ("vae", "report"): 0.9, ("vae", "default"): 0.9,
         ("finetune", "class1"): 0.1, ("finetune", "class2"): 0.05, ("finetune", "full"): 3.5,
         ("gan", "report"): 36, ("gan", "default"): 45,
         ("projection", "pca"): 1, ("projection", "tsne"): 4,
         ("classifier", "report"): 0.4, ("classifier", "small"): 12, ("classifier", "medium"): 60,
         "ae": 4.8, "vae": 3, "cnn": 2.4, "gan": 85, "class1": 1.8, "class2": 0.4}


def seconds_of(key, epochs, limit):
    return 1 + ROUGH.get(key, 0.7) * epochs * (limit or 60000) / 60000
