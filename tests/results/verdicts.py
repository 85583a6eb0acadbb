"""What is held against what: the acceptance table and the report's claims, each a row with its rule.

Both take the structure of collect.py and give plain rows, which go into results.json, too. A row whose figures are missing
has ours None and says why.
"""
import maps
import samples
import tuner
from lookup import Target, linear_error, mean, need, stat, test_of
from words import percent, signed

# --- acceptance ----------------------------------------------------------------------------------------------------------


def best_group(results, units):
    if not results["best"]:
        raise LookupError("no finished autoencoder to choose from")
    return results["best"] if units == 8 else f"ae-mlp-{units}"


def by_pca(units):
    return lambda r: mean(r, best_group(r, units), "loss") / linear_error(r, units)


def monotone(results):
    errors = [mean(results, best_group(results, units), "loss") for units in (2, 4, 8, 14)]
    return float(all(a > b for a, b in zip(errors, errors[1:])))


def pruned(group):
    return lambda r: mean(r, group, "loss") / mean(r, "ae-8", "loss") - 1


def seeds_of(group):
    return lambda r: stat(r, group(r) if callable(group) else group, "loss")["n"]


def targets():
    mse, share, nats, change = "mse", "percent", "per_image", "change"
    latent = "{} AE preset, latent {}: test MSE by that of as many principal components"
    return [
        test_of("ae-report-8", "loss", quantity="AE report, latent 8, test MSE", unit=mse, sign="<=", reach=0.0153,
                reference="PyTorch, two seeds: 0.0153 / 0.0144"),
        test_of("ae-default-8", "loss", quantity="AE default, latent 8, test MSE", unit=mse, sign="<=", reach=0.0138,
                stretch=0.0132, reference="PyTorch, same net, AdamW with warm-up and cosine: 0.0136 / 0.0135"),
        Target("best AE preset, latent 8, test MSE", "public notebooks, linear layers: 0.0126", mse,
               lambda r: mean(r, best_group(r, 8), "loss"), seeds_of(lambda r: r["best"]), "<=", 0.0120, 0.0108),
        *(Target(latent.format("best" if units == 8 else "mlp", units), "-", "ratio", by_pca(units),
                 seeds_of(lambda r, u=units: best_group(r, u)), "<=", 0.55) for units in (2, 4, 8, 14)),
        Target("the same falls from 2 to 4, 8 and 14 units", "-", "yes", monotone, lambda r: 1, ">=", 1.0),
        test_of("class1-report", "accuracy", quantity="class1 on the report's encoder, plain Adam",
                unit=share, sign=">=", reach=0.833, reference="report about 80 %; PyTorch 83.6 %"),
        test_of("class2-report", "accuracy", quantity="class2 on the report's encoder, plain Adam",
                unit=share, sign=">=", reach=0.763, reference="report about 70 %; PyTorch 76.6 %"),
        test_of("class1-ours", "accuracy", quantity="class1 on the report's encoder, our preset",
                unit=share, sign=">=", reach=0.833, reference="-"),
        test_of("class2-ours", "accuracy", quantity="class2 on the report's encoder, our preset",
                unit=share, sign=">=", reach=0.763, reference="-"),
        test_of("class1-best", "accuracy", quantity="class1 on the best encoder of latent 8", unit=share, sign=">=",
                reach=0.855, stretch=0.87, reference="-"),
        test_of("class2-best", "accuracy", quantity="class2 on the best encoder of latent 8", unit=share, sign=">=",
                reach=0.79, stretch=0.82, reference="-"),
        test_of("finetuned", "accuracy", quantity="the same encoder fine-tuned, images augmented", unit=share, sign=">=",
                reach=0.92, reference="report about 90 % (supervised)"),
        test_of("small", "accuracy", quantity="from scratch, at most 100k parameters", unit=share, sign=">=", reach=0.925,
                reference="public, 2 convolutions: 92.5 %"),
        test_of("medium", "accuracy", quantity="from scratch, at most 500k parameters", unit=share, sign=">=", reach=0.938,
                stretch=0.945, reference="public, 2 convolutions and 3 linear layers: 93.4 %"),
        test_of("vae-5", "loss", quantity="VAE report, latent 5, squared error + KL per image", unit=nats, sign="<=",
                reach=25.5, reference="PyTorch 25.22"),
        test_of("vae-2", "loss", quantity="VAE report, latent 2, squared error + KL per image", unit=nats, sign="<=",
                reach=29.4, reference="PyTorch 29.13"),
        test_of("vae-default-5", "loss", quantity="VAE default, latent 5, squared error + KL per image", unit=nats, sign="<=",
                reach=25.0, reference="PyTorch with warm-up and cosine: 24.8"),
        Target("50 % of the report's AE pruned: change of its test MSE", "-", change, pruned("prune-50"),
               seeds_of("prune-50"), "<=", 0.03),
        Target("90 % pruned: change of its test MSE", "-", change, pruned("prune-90"), seeds_of("prune-90"), None, None),
        *samples.targets(),
    ]


def reached(value, sign, goal):
    if sign is None or goal is None:
        return None
    return value <= goal if sign == "<=" else value >= goal


def measured_beside(row, results):
    """The reference of a row that stands beside a figure of the same run, and what follows from it."""
    try:
        return row.reference(results)
    except LookupError as error:
        return f"none: {error}", None


def acceptance(results):
    table = []
    for row in targets():
        entry = {"quantity": row.quantity, "reference": row.reference, "unit": row.unit, "sign": row.sign,
                 "reach": row.reach, "stretch": row.stretch, "ours": None, "n": None, "met": None, "stretch_met": None}
        if callable(row.reference):
            entry["reference"], entry["reach"] = measured_beside(row, results)
        try:
            value = row.ours(results)
            entry.update(ours=value, n=row.n(results), met=reached(value, row.sign, entry["reach"]),
                         stretch_met=reached(value, row.sign, row.stretch))
        except (LookupError, TypeError) as error:
            entry["why"] = str(error)
        table.append(entry)
    return table


# --- the report's claims -------------------------------------------------------------------------------------------------
LITTLE, LONGER, CLOSE, SIMILAR = 0.05, 0.01, 1.5, 0.10


def ratio(results, group, metric="loss"):
    return mean(results, group, metric) / mean(results, "ae-8", metric)


def late(results):
    curve, linear = need(results, "curves", "ae-8")["val_loss"], linear_error(results, 8)
    first = next((e for e, v in zip(curve["epoch"], curve["value"]) if v < linear), None)
    last = curve["epoch"][-1]
    when = f"below {linear:.4f} from epoch {first} on" if first else f"never below {linear:.4f}"
    return f"held-out MSE {curve['value'][-1]:.4f} after {last} epochs; {when}", first is not None and first > last / 2


def early(results):
    change, seconds = ratio(results, "early-stopping") - 1, mean(results, "early-stopping", "train_s")
    epochs = mean(results, "early-stopping", "epochs")
    return (f"MSE {signed(change)}, {epochs:.1f} epochs in the mean, {seconds - mean(results, 'ae-8', 'train_s'):+.1f} s",
            abs(change) <= LITTLE)


def prune_effect(results):
    change = ratio(results, "prune-50") - 1
    return f"MSE {signed(change)}", abs(change) <= LITTLE


def prune_effort(results):
    extra = mean(results, "prune-50", "train_s") / mean(results, "ae-8", "train_s") - 1
    return f"training time {signed(extra)}", extra > LONGER


def dropout(results):
    change = ratio(results, "dropout") - 1
    return f"MSE {signed(change)} with dropout", change > 0


def heads(results):
    one, two = (mean(results, f"{name}-report", "accuracy") for name in ("class1", "class2"))
    return f"{percent(one, 1)} against {percent(two, 1)}", one > two


def head_levels(results):
    one, two = (mean(results, f"{name}-report", "accuracy") for name in ("class1", "class2"))
    return f"{percent(one, 1)} and {percent(two, 1)}", one >= 0.8 and two >= 0.7


def supervised(results):
    one, scratch = mean(results, "class1-report", "accuracy"), mean(results, "scratch", "accuracy")
    return f"class1 {percent(one, 1)}; the same net trained as a whole {percent(scratch, 1)}", scratch - one <= SIMILAR


def at_time(curve, seconds):
    """The value of the last epoch that ended by then."""
    found = [v for t, v in zip(curve["seconds"], curve["value"]) if t <= seconds]
    if not found:
        raise LookupError(f"no epoch ended within {seconds:.1f} s")
    return found[-1]


def window(results, encoder_s):
    """(seconds, class1's loss, the loss from scratch) at the end of the window that both have; class1's begins later by
    the encoder's seconds."""
    one, scratch = (need(results, "curves", name)["val_loss"] for name in ("class1", "scratch"))
    end = min(one["seconds"][-1] + encoder_s, scratch["seconds"][-1])
    return end, at_time(one, end - encoder_s), at_time(scratch, end)


def same_time(results):
    end, one, scratch = window(results, 0)
    return f"after {end:.1f} s: class1 {one:.3f}, from scratch {scratch:.3f}", abs(one / scratch - 1) <= SIMILAR


def encoder_counted(results):
    job, scratch = need(results, "jobs", "class1/1"), need(results, "jobs", "scratch/1")["train_s"]
    encoder = job["lineage_train_s"] - job["train_s"]
    return (f"the encoder took {encoder:.1f} s, class1 {job['train_s']:.1f} s, training from scratch {scratch:.1f} s",
            job["lineage_train_s"] > scratch)


def vae_close(results):
    vae, ae = (need(results, "reconstruction", name) for name in ("vae-5", "ae-8"))
    return f"MSE {vae:.4f} (5 units) against {ae:.4f} (8 units)", vae <= CLOSE * ae


def smoother(results):
    vae, ae = (need(results, "smoothness", name)["jump"] for name in ("vae-2", "ae-2"))
    return f"largest step {vae:.2f} times the mean one; the AE's {ae:.2f} times", vae < ae


def compact(results):
    vae, ae = (need(results, "smoothness", name) for name in ("vae-2", "ae-2"))
    return (f"spread {vae['spread']:.2f} against {ae['spread']:.2f}; {percent(vae['filled'], 0)} of the box filled against "
            f"{percent(ae['filled'], 0)}"), vae["spread"] < ae["spread"] and vae["filled"] > ae["filled"]


CLAIMS = [
    ("Only after 50 epochs is the AE able to reconstruct the images in a coherent way.",
     "confirmed if the held-out MSE falls below that of 8 principal components only in the second half of the epochs", late),
    ("Early stopping does not lead to big turns.", f"the mean test MSE changes by at most {percent(LITTLE, 0)}", early),
    ("Pruning has a very scarce effect …", f"half of the weights: the mean test MSE changes by at most {percent(LITTLE, 0)}",
     prune_effect),
    ("… but needs more computational effort.", f"mean training time longer by more than {percent(LONGER, 0)}", prune_effort),
    ("With dropout the loss stays above the basic case's.", "mean test MSE higher than without", dropout),
    ("class1 reaches about 80 %, class2 about 70 %.", "test accuracies at least as high", head_levels),
    ("class1 is better than class2.", "mean test accuracy higher", heads),
    ("The results are almost comparable with supervised ones (about 90 %).",
     f"test accuracy of class1 within {percent(SIMILAR, 0)} of that of the same encoder net, trained as a whole", supervised),
    ("Automatic tuning comes out worse than the manual net.",
     "confirmed if the tuned net's mean held-out MSE is higher than the manual net's on the same seeds", tuner.worse),
    ("In the same time, losses are similar (without the AE's time).",
     f"held-out losses of class1 and from scratch differ by at most {percent(SIMILAR, 0)} at the end of the shorter run", same_time),
    ("The time for which the AE was trained is not taken into account.",
     "confirmed if it matters: with it, class1 takes longer than training from scratch", encoder_counted),
    ("The VAE's reconstructions come close to the AE's.",
     f"MSE of the VAE with 5 units (at the means) at most {CLOSE} times that of the AE with 8", vae_close),
    ("The VAE's space is smoother …",
     "two units: along straight lines between codes, the largest change of the picture by the mean one is smaller", smoother),
    ("… and more compact than the AE's.",
     "two units: smaller spread of the codes, and more cells of their box filled", compact),
    *maps.CLAIMS,
    *samples.CLAIMS,
]


def claims(results):
    table = []
    for claim, rule, judge in CLAIMS:
        entry = {"claim": claim, "rule": rule, "ours": None, "confirmed": None}
        try:
            entry["ours"], entry["confirmed"] = judge(results)
        except (LookupError, TypeError) as error:
            entry["why"] = str(error)
        table.append(entry)
    return table
