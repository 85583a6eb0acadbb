"""What is held against what of generated images: rows of the acceptance table and claims, in the forms of verdicts.py."""
import math

import plan
from lookup import Target, mean, need, why
from words import number, percent, plural, seconds

GUESSING = {"d_loss": 2 * math.log(2), "g_loss": math.log(2)}  # where the discriminator can tell nothing
EPOCHS, TWIN_EPOCH = (1, 5, 8, 11), 8
PARITY, SETTLED, WORSE = 0.20, 0.10, 2.0
SHARES = 0.05, 0.16
SOONER, FASTER = 3, 2

# --- figures -------------------------------------------------------------------------------------------------------------


def runs(results, group):
    """Keys of the finished jobs of a group."""
    keys = [key for key in results["jobs"] if key.split("/")[0] == group]
    if not keys:
        raise LookupError(f"{group}: {why(results, group)}")
    return keys


def score(results, group, distribution):
    return need(results, "judged", f"{group}/1 {distribution}")


def scores(results, group):
    """Of each seed, of a kind that has one distribution."""
    return [need(results, "judged", f"{key} normal") for key in runs(results, group)]


def fcd_after(results, key, epoch):
    curve = need(results, "fcd", key)
    if epoch not in curve["epoch"]:
        raise LookupError(f"{key} has no epoch {epoch}")
    return curve["value"][curve["epoch"].index(epoch)]


def twin(results):
    if "gan" not in results["twins"]:
        raise LookupError(f"PyTorch: {results['twins_trouble'].get('gan', 'not run')}")
    return results["twins"]["gan"]["history"]


def twin_after(results, epoch):
    history = twin(results)
    if len(history) < epoch:
        raise LookupError(f"PyTorch's run has no epoch {epoch}")
    return history[epoch - 1]


def twin_at_images(results, images):
    """A short batch at the end of an epoch is left out on our side."""
    near = [told for told in twin(results) if abs(told["images"] / images - 1) < 0.01]
    if not near:
        raise LookupError(f"PyTorch's run has no epoch that ends with {images} images")
    return near[0]


def seconds_to(results, key, level):
    """Seconds until the first epoch whose samples are as near; None where none is."""
    curve = need(results, "fcd", key)
    return next((t for t, v in zip(curve["seconds"], curve["value"]) if v <= level), None)


def average(values):
    return math.fsum(values) / len(values)


# --- acceptance ----------------------------------------------------------------------------------------------------------


def parity(epoch):
    def reference(results):
        theirs = twin_after(results, epoch)["fcd"]
        return f"PyTorch, same judge: {number(theirs)}", theirs * (1 + PARITY)

    return Target(f"GAN report: FCD after epoch {epoch} (parity: within {percent(PARITY, 0)})", reference, "fcd",
                  lambda r: fcd_after(r, "gan/1", epoch), lambda r: 1, "<=", None)


def images_of_default(results):
    return need(results, "fcd", "gan-default/1")["images"][-1]


def half_of_twin(results):
    told = twin_at_images(results, images_of_default(results))
    return f"PyTorch's report GAN, as many images: {number(told['fcd'])}", told["fcd"] / 2


def final_fcd(results):
    return average([need(results, "fcd", key)["value"][-1] for key in runs(results, "gan-default")])


def sooner(results):
    told = twin_after(results, TWIN_EPOCH)
    return (f"PyTorch's report GAN after epoch {TWIN_EPOCH}: {number(told['fcd'])} in {seconds(told['seconds'])}",
            told["seconds"] / SOONER)


def default_to_twin(results):
    level = twin_after(results, TWIN_EPOCH)["fcd"]
    found = [seconds_to(results, key, level) for key in runs(results, "gan-default")]
    if None in found:
        raise LookupError(f"a run does not come to {number(level)}")
    return average(found)


def epoch_of_twin(results):
    each = twin(results)[-1]["seconds"] / len(twin(results))
    return f"PyTorch: {seconds(each)}", each / FASTER


def epoch_of_report(results):
    return mean(results, "gan", "train_s") / mean(results, "gan", "epochs")


def by(above, below):
    """FCD of one row of samples by that of another."""
    return lambda r: score(r, *above)["fcd"] / score(r, *below)["fcd"]


def disagreement(results):
    other = results["judged_in_pytorch"]
    if not other:
        raise LookupError(f"PyTorch: {results['twins_trouble'].get('judge', 'not run')}")
    return abs(other["fcd"] / score(results, plan.JUDGED_TWICE, "normal")["fcd"] - 1)


def seeds_of(group):
    return lambda r: len(runs(r, group))


def of_default(metric):
    return lambda r: average([told[metric] for told in scores(r, "gan-default")])


def extreme(pick):
    return lambda r: pick(share for told in scores(r, "gan-default") for share in told["class_shares"].values())


def targets():
    one, all_seeds = (lambda r: 1), seeds_of("gan-default")
    return [
        *map(parity, EPOCHS),
        Target("GAN default: FCD at the end", half_of_twin, "fcd", final_fcd, all_seeds, "<=", None),
        Target("GAN default: smallest share of a class, any seed", "-", "percent", extreme(min), all_seeds, ">=", SHARES[0]),
        Target("GAN default: largest share of a class, any seed", "-", "percent", extreme(max), all_seeds, "<=", SHARES[1]),
        Target("GAN default: precision", "-", "percent", of_default("precision"), all_seeds, ">=", 0.70),
        Target("GAN default: coverage", "-", "percent", of_default("coverage"), all_seeds, ">=", 0.80),
        *(Target(f"AE report, {units} units: FCD of the mixture's samples by that of uniform ones", "-", "ratio",
                 by((f"ae-{units}", "gmm"), (f"ae-{units}", "uniform")), one, "<=", 0.5) for units in (8, 2)),
        *(Target(f"FCD of uniform samples, VAE with {v} units by AE with {a}", "-", "ratio",
                 by((f"vae-{v}", "uniform"), (f"ae-{a}", "uniform")), one, "<=", 1.0) for v, a in ((2, 2), (5, 8))),
        Target("GAN default: seconds to PyTorch's FCD, judging included", sooner, "seconds", default_to_twin, all_seeds,
               "<=", None),
        Target("GAN report: an epoch, judging included", epoch_of_twin, "seconds", epoch_of_report, one, "<=", None),
        Target("the judge and its copy in PyTorch: difference of the FCD of the same samples", "-", "percent", disagreement, one,
               "<=", 0.001),
    ]


# --- claims --------------------------------------------------------------------------------------------------------------


def line(xs, ys):
    """Change along the least squares line from the first x to the last, by the mean; the mean."""
    if len(xs) < 3:
        raise LookupError("the run is too short")
    x, y = average(xs), average(ys)
    slope = math.fsum((a - x) * (b - y) for a, b in zip(xs, ys)) / math.fsum((a - x) ** 2 for a in xs)
    return slope * (xs[-1] - xs[0]) / y, y


def settle(results):
    told, calm = [], True
    for name, curve in need(results, "games", "gan").items():
        part = len(curve["epoch"]) * 2 // 3
        change, level = line(curve["epoch"][part:], curve["value"][part:])
        told.append(f"{name} {number(level)} (guessing: {number(GUESSING[name])}), {100 * change:+.1f} %")
        calm = calm and abs(change) <= SETTLED
    return "; ".join(told), calm


def converge(results):
    told = {key: (curve := need(results, "fcd", key)["value"])[-1] / min(curve)
            for group in ("gan", "gan-default") for key in runs(results, group)}
    default = [ratio for key, ratio in told.items() if not key.startswith("gan/")]
    return (f"FCD at the end by the lowest: the report's {number(told['gan/1'])}, our default's at most {number(max(default))} "
            f"({plural(len(default), 'seed')})", told["gan/1"] > WORSE)


def collapse(results):
    def span(told):
        shares = [share for one in told for share in one["class_shares"].values()]
        return min(shares), max(shares)

    report, default = span(scores(results, "gan")), span(scores(results, "gan-default"))
    words = ["{} to {}".format(*(percent(share) for share in found)) for found in (report, default)]
    return (f"shares of the classes: the report's {words[0]}, our default's {words[1]} "
            f"({plural(len(runs(results, 'gan-default')), 'seed')})", report[0] < SHARES[0] or report[1] > SHARES[1])


def slow(results):
    told = twin_after(results, TWIN_EPOCH)
    words = [f"PyTorch {seconds(told['seconds'])}"]
    for name, group in (("the report's in latentd", "gan"), ("our default", "gan-default")):
        found = [seconds_to(results, key, told["fcd"]) for key in runs(results, group)]
        took = None if None in found else average(found)
        words.append(f"{name} {'not in every run' if took is None else seconds(took)}")
    return f"to an FCD of {number(told['fcd'])}: {', '.join(words)}", took is None or took * SOONER > told["seconds"]


# metric, words, whether more is better, how it is written
FIGURES = (("fcd", "FCD", False, number), ("kid", "KID", False, number), ("coverage", "coverage", True, percent))


def best(results):
    own = score(results, "gan", "normal")
    others = [(row.words, score(results, row.group, row.distribution)) for row in plan.SAMPLES if not row.group.startswith("gan")]
    told, won = [], True
    for metric, words, more, form in FIGURES:
        who, rival = (max if more else min)(others, key=lambda other: other[1][metric])
        told.append(f"{words} {form(own[metric])}, next {form(rival[metric])} ({who})")
        won = won and (own[metric] > rival[metric] if more else own[metric] < rival[metric])
    return "; ".join(told), won


def slowest(results):
    gan, ae, vae = (mean(results, group, "train_s") for group in ("gan", "ae-8", "vae-5"))
    level = min(score(results, row.group, row.distribution)["fcd"] for row in plan.SAMPLES if not row.group.startswith("gan"))
    early = {words: seconds_to(results, key, level) for words, key in (("the GAN", "gan/1"), ("our default", "gan-default/1"))}
    reached = ", ".join(f"{words} {'not in this run' if t is None else 'after ' + seconds(t)}" for words, t in early.items())
    return (f"GAN {seconds(gan)}, AE {seconds(ae)}, VAE {seconds(vae)}; at the best FCD of AE and VAE ({number(level)}): "
            f"{reached}", gan > ae and gan > vae)


CLAIMS = [
    ("After an initial transient both losses of the GAN reach an equilibrium.",
     f"last third of the run: straight lines through d_loss and g_loss change by at most {percent(SETTLED, 0)}", settle),
    ("The GAN's main problem is non-convergence …",
     f"confirmed if the report's recipe ends with an FCD more than {number(WORSE, 1)} times its lowest", converge),
    ("… then mode collapse: the generator produces limited examples …",
     f"confirmed if the report's recipe gives a class less than {percent(SHARES[0], 0)} or more than {percent(SHARES[1], 0)} "
     "of the samples", collapse),
    ("… and slow training.",
     "confirmed if our default takes more than a third of PyTorch's time to the FCD that the report's recipe has there after "
     f"epoch {TWIN_EPOCH}", slow),
    ("The GAN's images are the best ones, compared with the others.",
     "FCD and KID of the report's GAN lower, coverage higher than those of every other row of samples", best),
    ("The GAN's main drawback is that it requires a lot of time to be trained.",
     "whole runs: the report's GAN takes longer than its AE and its VAE", slowest),
]
