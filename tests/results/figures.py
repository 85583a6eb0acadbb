"""The figures: one row each, in the report's order, with its numbers and captions. A new figure is a row here and, where
it is of a new sort, a function that draws it.

`draw(context, path, group)` leaves path.png and path.svg for each of a figure's parts; one that leaves several returns what it
added to the path for each.
"""
import os
from collections import namedtuple

import charts
import plan
import samples
from daemon import Refused
from lookup import need

# number: the report's; R1, R2, … are ours. parts: (job group, words under the part).
Figure = namedtuple("Figure", "number slug caption draw parts note", defaults=("",))
Context = namedtuple("Context", "api runner results folder")

SHOWN_SCALE, PNG_SCALE = 2, 4


def job_of(context, group):
    jobs = context.runner.group(group)
    if not jobs:
        raise LookupError(f"{group}: {context.runner.why(group)}")
    return jobs[0]


def picture(context, path, url, title, body=None):
    """A picture of the daemon's: large as PNG, its own pixels in the SVG."""
    mark = "&" if "?" in url else "?"
    charts.picture_svg(path + ".svg", context.api.raw(f"{url}{mark}scale=1", body, "image/png"), title, SHOWN_SCALE)
    save(path + ".png", context.api.raw(f"{url}{mark}scale={PNG_SCALE}", body, "image/png"))


def save(path, png):
    with open(path, "wb") as file:
        file.write(png)


def reconstructions(context, path, group):
    url = f"/v1/jobs/{job_of(context, group)['id']}/reconstructions.png"
    picture(context, path, url, "originals above, reconstructions beneath")


SHOWN = list(range(64))


def originals(context, path, _):
    indices = ",".join(map(str, SHOWN))
    picture(context, path, f"/v1/datasets/fashion-mnist/images.png?split=test&indices={indices}&cols=8", "originals")


def rebuilt(context, path, group):
    body = {"dataset": "fashion-mnist", "split": "test", "indices": SHOWN, "cols": 8}
    picture(context, path, f"/v1/models/{job_of(context, group)['id']}/reconstruct.png", "reconstructions", body)


def uniform_samples(context, path, group):
    url = f"/v1/models/{job_of(context, group)['id']}/samples.png?distribution=uniform&count=100&seed=1&cols=10"
    picture(context, path, url, "decoded uniform draws")


def losses(context, path, group):
    series = need(context.results, "curves", group)
    lines = [(words, series[name]["epoch"], series[name]["value"])
             for name, words in (("train_loss", "train"), ("val_loss", "validation")) if name in series]
    charts.curves(path, [("", "epoch", "loss", False, lines)])


def game(context, path, group):
    """Both losses within the epochs, over what they are where the discriminator can only guess."""
    lines = [(words, curve["epoch"], curve["value"]) for name, words in (("d_loss", "discriminator"), ("g_loss", "generator"))
             for curve in (need(context.results, "games", group)[name],)]
    levels = [("2 ln 2", samples.GUESSING["d_loss"]), ("ln 2", samples.GUESSING["g_loss"])]
    charts.curves(path, [("", "epoch", "loss", False, lines, levels)])


def generated(context, path, group):
    row = next(row for row in plan.SAMPLES if row.group == group)
    url = f"/v1/models/{job_of(context, group)['id']}@{row.checkpoint}/samples.png?count=64&seed={plan.DRAW}&cols=8"
    picture(context, path, url, "images painted from noise")


def sheet(context, path, group):
    row = next(row for row in plan.SAMPLES if row.group == group)
    url = f"/v1/models/{job_of(context, group)['id']}@{row.checkpoint}/classes.png?count=1000&seed={plan.DRAW}"
    charts.picture_svg(path + ".svg", context.api.raw(f"{url}&scale={SHOWN_SCALE}", None, "image/png"), "samples of each class", 1)
    save(path + ".png", context.api.raw(f"{url}&scale={SHOWN_SCALE}", None, "image/png"))


def distances(context, path, _):
    """FCD against images seen: the report's recipe, ours, PyTorch's."""
    lines = [(words, [n / 1000 for n in curve["images"]], curve["value"])
             for words, key in (("the report's", "gan/1"), ("our default", "gan-default/1"))
             if (curve := context.results["fcd"].get(key))]
    told = context.results["twins"].get("gan")
    if told:
        lines.append(("the report's in PyTorch", [at["images"] / 1000 for at in told["history"]],
                      [at["fcd"] for at in told["history"]]))
    if not lines:
        raise LookupError(f"gan: {context.runner.why('gan')}")
    charts.curves(path, [("", "thousands of images seen", "FCD", True, lines)])


def confusion(context, path, group):
    job = job_of(context, group)
    found = need(context.results, "confusion", group)
    save(path + ".png", context.api.raw(f"/v1/jobs/{job['id']}/confusion.png"))
    charts.counts_svg(path + ".svg", found["labels"], found["matrix"])


CONTENDERS = (("class1", "class1"), ("class2", "class2"), ("unfrozen", "class1, encoder trained on"),
              ("scratch", "from scratch"))


def times(context, path, _):
    """Loss and accuracy against seconds, alone and with the encoder's."""
    panels = []
    for series, y_label in (("val_loss", "validation loss"), ("val_accuracy", "validation accuracy")):
        for with_encoder in (False, True):
            lines = []
            for group, words in CONTENDERS:
                curve = context.results["curves"].get(group, {}).get(series)
                if curve:
                    job = job_of(context, group)
                    shift = job["lineage_train_s"] - job["train_s"] if with_encoder else 0
                    lines.append((words, [t + shift for t in curve["seconds"]], curve["value"]))
            title = "with the encoder's time" if with_encoder else "without the encoder's time"
            panels.append((title, "seconds", y_label, False, lines))
    if not any(lines for *_, lines in panels):
        raise LookupError("none of class1, class2, unfrozen and scratch has finished")
    charts.curves(path + "-loss", panels[:2])
    charts.curves(path + "-accuracy", panels[2:])
    return "-loss", "-accuracy"


def map_picture(context, path, group):
    """Large enough as it is."""
    png = context.api.raw(f"/v1/jobs/{job_of(context, group)['id']}/projection.png", None, "image/png")
    charts.picture_svg(path + ".svg", png, "a map of codes", 1, pixelated=False)
    save(path + ".png", png)


def line_between(context, path, group):
    """Decoded codes on straight lines between test images of a class each."""
    job = job_of(context, group)
    url = f"/v1/models/{job['id']}"
    images = {"dataset": "fashion-mnist", "split": "test", "indices": [0, 1, 2, 3, 4, 5, 6, 8]}
    z = context.api.post(f"{url}/encode", images)["z"]
    steps = 15
    points = [[a + (b - a) * t / (steps - 1) for a, b in zip(start, end)]
              for start, end in zip(z[::2], z[1::2]) for t in range(steps)]
    picture(context, path, f"{url}/decode.png", "straight lines between codes", {"z": points, "cols": steps})


FIGURES = [
    Figure("1", "reconstructions", "Original image and reconstructions", reconstructions, [("ae-8", "")],
           "Test images above, what the autoencoder with 8 units makes of them beneath."),
    Figure("2", "ae-loss", "Reconstruction loss", losses, [("ae-8", "")],
           "Mean squared error per pixel: of training images, and of images held out."),
    Figure("3", "ae-samples", "Generated samples from latent space (AE)", uniform_samples, [("ae-2", "")],
           "Latent dimension 2; codes drawn uniformly from the box of the training codes' 1 to 99 % in each unit."),
    Figure("4", "vae-samples", "Generated samples from latent space (VAE)", uniform_samples, [("vae-2", "")],
           "The same for the variational autoencoder with latent dimension 2."),
    Figure("5", "gan-losses", "GAN losses", game, [("gan", "")],
           "The report's recipe. Dotted: what the losses are where the discriminator can only guess."),
    Figure("A", "appendix", "Autoencoder: more reconstructions", None,
           [("ae-8", "(a) Original images", originals), ("ae-8", "(b) AE reconstructions", rebuilt)]),
    Figure("A'", "encoded-space", "Encoded space of the autoencoder with 8 units", map_picture,
           [("map-pca", "(a) PCA"), ("map-tsne", "(b) t-SNE")],
           "In the report's appendix A. Codes of the test images, coloured by class; t-SNE with openTSNE's defaults."),
    Figure("6", "latent-sizes", "t-SNE of encoded spaces of 2 to 14 units", map_picture,
           [(f"map-{n}", f"({'abcdefg'[i]}) Latent space dimension: {n}") for i, n in enumerate(plan.MAPPED)],
           "The report's autoencoder with so many units each; the report leaves 8 to the figure before."),
    Figure("7", "confusion", "Confusion matrices of the two classifiers", confusion,
           [("class1", "(a) class1"), ("class2", "(b) class2")], "Test split; rows are true classes."),
    Figure("8", "class1-loss", "Loss trend of the first classifier implemented", losses, [("class1", "")],
           "Cross entropy of class1 on the frozen encoder of ae-8, training and validation."),
    Figure("9", "vae-reconstructions", "VAE reconstructions", reconstructions, [("vae-5", "")],
           "Latent dimension 5; test images above, reconstructions (at the means) beneath."),
    Figure("10", "gan-samples", "GAN reconstructions", generated,
           [("gan", "(a) the report's recipe"), ("gan-default", "(b) our default")],
           "Called so in the report; a GAN reconstructs nothing: these are images painted from noise, none of them chosen."),
    Figure("R1", "training-time", "Loss and accuracy against wall-clock time", times, [("", "")],
           "Not in the report as a figure. On the right, classifiers that stand on the autoencoder begin when it has ended."),
    Figure("R2", "lines", "Straight lines between codes of test images", line_between,
           [("ae-2", "(a) AE, latent dimension 2"), ("vae-2", "(b) VAE, latent dimension 2")],
           "Not in the report as a figure. Each row goes from one test image's code to another's in equal steps."),
    Figure("R3", "gan-fcd", "Distance of the GAN's images from real ones, as training goes on", distances, [("", "")],
           "Not in the report. Fréchet distance by latentd's judge after each epoch, the same noise each time; less is better."),
    Figure("R4", "gan-classes", "The GAN's images by class", sheet,
           [("gan", "(a) the report's recipe"), ("gan-default", "(b) our default")],
           "Not in the report. Of 1,000 images, those that the judge is most certain of; in percent, the classes' shares."),
]


def draw_all(context):
    """[{number, slug, caption, note, parts: [{words, files: [path without its ending], why}]}]"""
    for old in os.listdir(context.folder):
        os.remove(os.path.join(context.folder, old))
    told = []
    for figure in FIGURES:
        parts = []
        for i, (group, words, *own) in enumerate(figure.parts):
            name = figure.slug + (f"-{'abcdefg'[i]}" if len(figure.parts) > 1 else "")
            part = {"words": words, "files": [], "why": None}
            try:
                ends = (own[0] if own else figure.draw)(context, os.path.join(context.folder, name), group) or ("",)
                part["files"] = [f"{os.path.basename(context.folder)}/{name}{end}" for end in ends]
            except ImportError:
                part["why"] = "needs python3-matplotlib (deploy/setup.sh --report)"
            except (Refused, LookupError, OSError, ValueError) as error:
                part["why"] = str(error)
            parts.append(part)
        told.append({"number": figure.number, "slug": figure.slug, "caption": figure.caption, "note": figure.note,
                     "parts": parts})
    return told
