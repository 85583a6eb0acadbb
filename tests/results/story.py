"""What the page and web/docs/results.md say: text with the measured values put in, from the structure of collect.py alone."""
import maps
import plan
import tuner
from lookup import mean, stat, why
from verdicts import window
from words import NONE, UNITS, number, percent, plural, seconds, signed, spread, statistics_of

def verdict(value, words):
    return (NONE, None) if value is None else (words[0] if value else words[1], bool(value))


# --- sections ------------------------------------------------------------------------------------------------------------


def acceptance(results):
    rows = []
    for row in results["acceptance"]:
        form = UNITS[row["unit"]]
        sign = {"<=": "≤", ">=": "≥", None: ""}[row["sign"]]
        goal = NONE if row["reach"] is None else f"{sign} {form(row['reach'])}" if row["unit"] != "yes" else "yes"
        if row["stretch"] is not None:
            goal += f" ({form(row['stretch'])})"
        if row["ours"] is None:
            rows.append([row["quantity"], row["reference"], goal, NONE, NONE, (f"none: {row.get('why', '')}", None)])
            continue
        met = verdict(row["met"], ("met" + (", and the stretch" if row["stretch_met"] else ""), "not met"))
        rows.append([row["quantity"], row["reference"], goal, form(row["ours"]), plural(row["n"], "seed"),
                     met if row["met"] is not None else ("reported", None)])
    return [
        ("heading", "What was to be reached"),
        ("text", "Test split, mean over seeds. Rows that reproduce the report or PyTorch train on all 60,000 images "
                 "(`val_fraction` 0), the others keep the defaults. In brackets: the stretch goal. "
                 f"The best autoencoder of 8 units is chosen by its held-out images: preset {best_preset(results)}. Where it has "
                 "fewer seeds than what stands on it, its first one serves all. "
                 f"{generalised(results)}"),
        ("table", ["quantity", "reference", "to reach", "latentd", "mean of", "verdict"], rows),
    ]


def generalised(results):
    """What our preset of class2 does otherwise than the report's."""
    job = results["jobs"].get("class2-ours/1")
    q = job["params"].get("gce_q") if job else None
    return (f"`class2` of our preset minimises generalised cross entropy (`gce_q` {number(q, 1)}: planes that need not bother about "
            "images beyond them); with plain Adam cross entropy, as in PyTorch." if q else "")


def best_preset(results):
    return f"`{results['rows'][results['best']]['preset']}`" if results["best"] else NONE


def claims(results):
    rows = []
    for row in results["claims"]:
        shown = row["ours"] or f"none: {row.get('why', '')}"
        rows.append([row["claim"], shown, row["rule"], verdict(row["confirmed"], ("confirmed", "not confirmed"))])
    return [("heading", "The report's claims"), ("table", ["the report says", "we measure", "rule", "verdict"], rows)]


REGULARISERS = (("ae-8", "none (base)"), ("early-stopping", "early stopping"), ("prune-50", "pruning, 50 %"),
                ("prune-90", "pruning, 90 %"), ("dropout", "dropout"))


def strength(results, group):
    params = results["rows"][group]["params"]
    told = []
    for name in ("early_stopping", "prune", "dropout"):
        value = params.get(name)
        if isinstance(value, dict):
            told += [f"{key} {item}" for key, item in value.items()]
        elif value is not None:
            told.append(f"p {value}")
    return ", ".join(told) or NONE


def regularisers(results):
    base, rows, names = stat(results, "ae-8", "loss"), [], ("loss_before_prune", "loss_after_prune", "val_loss")
    for group, words in REGULARISERS:
        loss = stat(results, group, "loss")
        if not loss:
            rows.append([words, strength(results, group), *[NONE] * 5, f"none: {why(results, group)}"])
            continue
        extra = mean(results, group, "train_s") - mean(results, "ae-8", "train_s") if base else None
        rows.append([words, strength(results, group), spread(loss, UNITS["mse"]), signed(loss["mean"] / base["mean"] - 1)
                     if base else NONE, *gap_of(results, group), seconds(extra, "+"),
                     f"{plural(loss['n'], 'seed')}, {mean(results, group, 'epochs'):.1f} epochs"])
    pruned = [[words, percent(c["sparsity"]["value"][-1]), *(UNITS["mse"](c[name]["value"][-1]) for name in names)]
              for group, words in REGULARISERS
              if all(name in (c := results["curves"].get(group, {})) for name in ("sparsity", *names))]
    return [
        ("heading", "Regularisation of the autoencoder"),
        ("text", "The report's net with 8 units, a tenth of the images held out. The generalisation gap is the served weights' "
                 "loss on held-out images less that on training images; where it is a few percent, no regulariser can win more."),
        ("table", ["regulariser", "setting", "test MSE", "against base", "gap", "relative", "extra time", "mean of"], rows),
        *([("text", "What pruning did at the moment it was done (seed 1), and what training made of it afterwards:"),
           ("table", ["", "weights gone", "loss before", "right after", "held-out loss at the end"], pruned)] if pruned else []),
    ]


def gap_of(results, group):
    gap, relative = (stat(results, group, name) for name in ("gap", "relative_gap"))
    return f"{gap['mean']:+.5f}" if gap else NONE, signed(relative["mean"]) if relative else NONE


CONTENDERS = (("class1", "class1, encoder frozen"), ("class2", "class2, encoder frozen"),
              ("unfrozen", "class1, encoder trains on"), ("scratch", "the same encoder net with 10 outputs, from scratch"))


def first_at(curve, level):
    return next((t for t, v in zip(curve["seconds"], curve["value"]) if v >= level), None)


def times(results):
    have = [(group, words) for group, words in CONTENDERS if "val_accuracy" in results["curves"].get(group, {})]
    if not have:
        reasons = "; ".join(f"{group}: {why(results, group)}" for group, _ in CONTENDERS)
        return [("heading", "Training time"), ("text", f"None: {reasons}")]
    level = min(max(results["curves"][group]["val_accuracy"]["value"]) for group, _ in have)
    rows = []
    for group, words in have:
        job, curves = results["jobs"][f"{group}/1"], results["curves"][group]
        encoder = job["lineage_train_s"] - job["train_s"]
        reached = first_at(curves["val_accuracy"], level)
        rows.append([words, str(curves["val_loss"]["epoch"][-1]), seconds(job["train_s"]), seconds(job["lineage_train_s"]),
                     number(curves["val_loss"]["value"][-1]), percent(curves["val_accuracy"]["value"][-1]),
                     percent(job["test"].get("accuracy")), seconds(reached),
                     seconds(None if reached is None else reached + encoder)])
    head = ["classifier", "epochs", "training", "with the encoder's", "validation loss", "validation accuracy", "test accuracy",
            f"to {percent(level)}", "the same, with the encoder's"]
    return [("heading", "Training time"),
            ("text", "One seed, one job at a time on this machine. An epoch is drawn where it ended; the last two columns say how "
                     "long it took to the validation accuracy that all of them reach."),
            ("table", head, rows), *common_window(results)]


def common_window(results):
    try:
        job = results["jobs"]["class1/1"]
        encoder = job["lineage_train_s"] - job["train_s"]
        end, one, scratch = window(results, 0)
        told = f"In the first {end:.1f} s, class1 comes to a validation loss of {one:.3f}, training from scratch to {scratch:.3f}."
        try:
            end, one, scratch = window(results, encoder)
            told += (f" Counting the encoder's {encoder:.1f} s, after {end:.1f} s: {one:.3f} and {scratch:.3f}.")
        except LookupError:
            told += f" Counting the encoder's {encoder:.1f} s, training from scratch has ended before class1 begins."
        return [("text", told)]
    except LookupError:
        return []


def space(results):
    found = {name: results["smoothness"].get(name) for name in ("ae-2", "vae-2")}
    have = next((f for f in found.values() if f), None)
    if not have:
        reasons = "; ".join(f"{name}: {results['measure_trouble'].get(name) or why(results, name)}" for name in found)
        return [("heading", "The spaces of the AE and the VAE"), ("text", f"None: {reasons}")]
    rows = [[f"`{name}`", *(number(f[key]) for key in ("jump", "spread")), percent(f["filled"], 0)]
            for name, f in found.items() if f]
    return [
        ("heading", "The spaces of the AE and the VAE"),
        ("text", f"Two units each. **Jump**: {have['pairs']} straight lines between the codes of pairs of test images, decoded at "
                 f"{have['steps'] + 1} points; the largest change from one picture to the next (root mean squared pixel "
                 "difference) by the line's mean change; 1 is perfectly even. **Spread**: standard deviation of the codes. "
                 f"**Filled**: share of {have['cells']} x {have['cells']} cells of the codes' 1 to 99 % box in which a test image "
                 "lies."),
        ("table", ["model", "jump", "spread", "filled"], rows),
    ]


MAPPED = (("map-pca", "PCA of 8 units"), ("map-tsne", "t-SNE of 8 units"),
          *((f"map-{n}", f"t-SNE of {n} units") for n in plan.MAPPED))


def mapped(results):
    have = next((told for told in results["maps"].values()), None)
    reasons = {group: results["measure_trouble"].get(group) or why(results, group) for group, _ in MAPPED}
    if not have:
        return [("heading", "Maps of the codes"), ("text", "None: " + "; ".join(sorted(set(reasons.values()))))]
    rows = []
    for group, words in MAPPED:
        told = results["maps"].get(group)
        rows.append([words, number(told["kl"]), number(told["trustworthiness"], 4), percent(told["recall"]), percent(told["accuracy"]),
                     percent(told["filled"], 0), percent(told["own"], 0)] if told else [words, f"none: {reasons[group]}", *[NONE] * 5])
    return [
        ("heading", "Maps of the codes"),
        ("text", f"Jobs of kind `projection` on the report's autoencoders, one seed; {have['points']} codes of the test split. "
                 f"**Trustworthiness** at {maps.NEIGHBOURS} neighbours and **recall** of the 10 nearest say whether the map has neighbours "
                 "right, **10-NN** how many images have the class of most of their 10 nearest others in the map. **Filled**: share of "
                 f"{maps.CELLS} x {maps.CELLS} cells of the square around the map in which a point lies. **Own spread**: a class's "
                 "standard distance from its middle by that of all points from theirs, mean over the classes."),
        ("table", ["map", "KL", "trustworthiness", "recall", "10-NN", "filled", "own spread"], rows),
    ]


SCORES = (("fcd", "FCD", number), ("kid", "KID", number), ("precision", "precision", percent), ("recall", "recall", percent),
          ("coverage", "coverage", percent), ("duplicate_share", "duplicates", percent))


def judged(results):
    rows, found = [], None
    for row in plan.SAMPLES:
        told = [score for key in results["jobs"] if key.split("/")[0] == row.group
                if (score := results["judged"].get(f"{key} {row.distribution}"))]
        if not told:
            reason = results["measure_trouble"].get(f"{row.group}/1 {row.distribution}") or why(results, row.group)
            rows.append([row.words, f"none: {reason}", *[NONE] * (len(SCORES) + 1)])
            continue
        found = told[0]
        shares = [share for one in told for share in one["class_shares"].values()]
        rows.append([row.words, *(spread(statistics_of([one[metric] for one in told]), form) for metric, _, form in SCORES),
                     f"{percent(min(shares))} to {percent(max(shares))}", plural(len(told), "seed")])
    if not found:
        return [("heading", "Generated images, judged"), ("text", "None: " + "; ".join(sorted({row[1] for row in rows})))]
    judge = found["evaluator"]
    return [
        ("heading", "Generated images, judged"),
        ("text", f"By a classifier that latentd carries (test accuracy {percent(judge['accuracy'])}, sha256 "
                 f"`{judge['sha256'][:12]}`…), through `POST /v1/models/{{m}}/score`: {found['count']} samples of each model against "
                 f"the test split. As many training images come to an FCD of {number(found['fcd_floor'])}; a coverage of "
                 f"{percent(1 - 2**-5)} is what real images would have. Shares: the rarest and the most frequent of the ten "
                 "classes. The report's GAN is taken as its last epoch left it; ours as it is served, after the epoch with the lowest "
                 "FCD, a choice that has seen the test split; the figures by epoch below are without it. The report drew its "
                 "AE's and VAE's samples uniformly, with two units."),
        ("table", ["samples", *(words for _, words, _ in SCORES), "shares", "mean of"], rows),
        *second_judge(results), *progress(results), *signs(results),
    ]


def second_judge(results):
    other, ours = results["judged_in_pytorch"], results["judged"].get(f"{plan.JUDGED_TWICE}/1 normal")
    if not other or not ours:
        return []
    return [("text", f"The same classifier in PyTorch, and the distance in numpy, say of the same {other['count']} samples of the "
                     f"report's GAN: FCD {number(other['fcd'], 5)}; latentd says {number(ours['fcd'], 5)}.")]


def progress(results):
    """FCD by epoch: of the report's recipe on both sides, of ours."""
    curves = {group: [curve for key, curve in results["fcd"].items() if key.split("/")[0] == group]
              for group in ("gan", "gan-default")}
    history = results["twins"].get("gan", {}).get("history", [])
    epochs = max([len(curve["epoch"]) for found in curves.values() for curve in found] + [len(history)], default=0)

    sides = [*curves.values(), [{"value": [at["fcd"] for at in history], "seconds": [at["seconds"] for at in history]}]]
    forms = ("value", number), ("seconds", seconds)
    rows = [[str(i + 1), *(form(average_at(side, key, i)) for side in sides for key, form in forms)] for i in range(epochs)]
    if not rows:
        return []
    n = len(curves["gan-default"])
    missing = "" if history else f" PyTorch: {results['twins_trouble'].get('gan', 'not run')}."
    head = ["epoch", "the report's recipe", "", f"our default, {plural(n, 'seed')}", "", "the report's in PyTorch", ""]
    return [("text", "FCD after each epoch, of samples from the same noise; seconds since the start (latentd's with the judge's "
                     f"time, which also looks ten times within an epoch; PyTorch's without).{missing}"),
            ("table", head, rows)]


def average_at(curves, key, i):
    values = [curve[key][i] for curve in curves if i < len(curve[key])]
    return sum(values) / len(values) if values else None


def signs(results):
    told = [f"`{key}`: {text}" for key, job in results["jobs"].items() if job["kind"] == "gan" for text in job["warnings"] or ()]
    return [("text", "Signs of collapse that the runs told of:"), ("list", told)] if told else \
        [("text", "None of the GANs' runs showed a sign of collapse.")]


TWIN_ROWS = (("ae-report-8", "AE report, latent 8: test MSE", "loss", UNITS["mse"]),
             ("gan", "GAN report: FCD at the end", "fcd", number),
             ("vae-5", "VAE report, latent 5: squared error + KL per image", "loss", UNITS["per_image"]),
             ("vae-5", "… squared error", "recon", UNITS["per_image"]), ("vae-5", "… KL", "kl", UNITS["per_image"]),
             ("class1-report", "class1: test accuracy", "accuracy", UNITS["percent"]),
             ("class1-report", "class1: test loss", "loss", UNITS["ratio"]),
             ("class2-report", "class2: test accuracy", "accuracy", UNITS["percent"]),
             ("class2-report", "class2: test loss", "loss", UNITS["ratio"]),
             ("cnn-report", "encoder net from scratch: test accuracy", "accuracy", UNITS["percent"]),
             ("cnn-report", "encoder net from scratch: test loss", "loss", UNITS["ratio"]))


def twins(results):
    rows = []
    for group, words, metric, form in TWIN_ROWS:
        ours, theirs = stat(results, group, metric), results["twins"].get(group)
        train_s = stat(results, group, "train_s")
        their_value = theirs["test"].get(metric) if theirs else None
        faster = f"{theirs['train_s'] / train_s['mean']:.1f}x" if theirs and train_s and train_s["mean"] else NONE
        rows.append([words, spread(ours, form), plural(ours["n"], "seed") if ours else f"none: {why(results, group)}",
                     form(their_value) if their_value is not None else f"none: {results['twins_trouble'].get(group, 'not run')}",
                     seconds(train_s["mean"] if train_s else None), seconds(theirs["train_s"] if theirs else None), faster,
                     str(theirs["epochs"]) if theirs else NONE])
    version = next((t["torch"] for t in results["twins"].values()), None)
    return [
        ("heading", "The same nets in PyTorch"),
        ("text", f"PyTorch {version or '(not run)'} with {results['machine']['threads']} threads in its fastest setting "
                 "(`tests/bench/README.md`), one seed: the same images, epochs, batches, optimiser and constant rate, its own random "
                 "numbers. Seconds are of training alone, on the machine and in the hour of ours. A head's twin stands on the twin of "
                 "the autoencoder, whose codes are computed once and outside the time on PyTorch's side."),
        ("table", ["net", "latentd", "mean of", "PyTorch", "latentd, training", "PyTorch, training", "faster", "epochs"], rows),
    ]


def setting(results, group):
    """How a group was trained, from its resolved parameters."""
    job = results["jobs"].get(f"{group}/1")
    if not job:
        return "not run"
    p = job["params"]
    return (f"{p['optimizer']} at {number(p['lr'], 1)}, {p['schedule']}, batches of {p['batch_size']}, "
            f"{plural(p['epochs'], 'epoch')}")


def unclear(results):
    rows = [
        ["Padding of 1 in all three convolutions of the AE.",
         "1, 1 and 0, so that the maps are 14, 7 and 3 wide and 32 of them make 288 numbers: the width that class1's 64-288-10 "
         "mirrors. Preset `report-literal` takes the text word for word; its test "
         f"MSE is {spread(stat(results, 'ae-literal-8', 'loss'), UNITS['mse'])}, ours with the narrower padding "
         f"{spread(stat(results, 'ae-report-8', 'loss'), UNITS['mse'])}."],
        ["class1 maps to \"64 features, then 288 and in the end 10\".",
         "The decoder's two linear layers and an output of 10, with ReLU between; not said in the report. Codes go in as they are "
         "(`standardize` false)."],
        ["Optimiser, rate and batch size are not stated; \"50 epochs\" is.", f"AE: {setting(results, 'ae-8')}. "
         f"Heads: {setting(results, 'class1')}. VAE: {setting(results, 'vae-5')}."],
        ["The epochs of the classifiers are not stated.",
         "As many as the AE's for the frozen heads; as in the table of times for the others."],
        ["Activations of the AE are not stated.", "ReLU; a sigmoid at the end, since pixels are in [0, 1]."],
        ["Pruning removes weights \"that have the lowest L1 norm value\".",
         "Of single weights the L1 norm is the absolute value: the smallest `|w|` go (as in `torch.nn.utils.prune`), "
         f"of all layers in one ranking, once, and training goes on without them ({strength(results, 'prune-50')})."],
        ["Strengths of early stopping and dropout are not stated.", f"Early stopping: {strength(results, 'early-stopping')}. "
         f"Dropout: {strength(results, 'dropout')}."],
        ["The VAE's loss is \"L2 norm\" plus KL, without their scale.",
         "The squared error summed over pixels and the KL summed over units, both averaged over images, beta 1: a Gaussian with "
         "variance 1/2 per pixel. A mean over pixels beside the same KL would be a beta as large as there are pixels."],
        ["The equation of the VAE's loss has a sign that a loss cannot have (it is the bound to be maximised).",
         "The report's last form: squared error plus KL, minimised."],
        ["The box of the uniform samples is not stated.", "Each unit's 1 to 99 % range of the training codes."],
        ["Which split the accuracies are of is not stated.", "The official test split, asked once, at the end."],
        ["The discriminator's output is \"the tanh with the sigmoid\".",
         "The sigmoid, inside the binary cross entropy; a tanh before it would hold the probability within 0.27 and 0.73."],
        ["\"The class tanh\" manages the GAN.", "A slip of the pen for the class of the GAN."],
    ]
    return [("heading", "Where the report is unclear, and how we read it"), ("table", ["the report", "our reading"], rows)]


def missing(results):
    trouble = {**results["trouble"], **{f"pytorch {k}": v for k, v in results["twins_trouble"].items()},
               **results["measure_trouble"]}
    if not trouble:
        return []
    return [("heading", "What could not be run"), ("list", [f"`{key}`: {text}" for key, text in trouble.items()])]


def jobs(results):
    rows = [[f"`{key}`", f"`{job['name']}`", job["kind"], job["preset"], str(job["seed"]), seconds(job["train_s"]),
             ", ".join(f"{k} {number(v, 4)}" for k, v in (job["test"] or {}).items() if isinstance(v, (int, float)))]
            for key, job in results["jobs"].items()]
    return [("heading", "Every job"), ("table", ["here", "name", "kind", "preset", "seed", "training", "test split"], rows)]


# --- the whole -----------------------------------------------------------------------------------------------------------


def banner(results):
    machine = results["machine"]
    told = (f"Measured on {results['made']} by `{'FULL=1 ' if results['mode'] == 'full' else ''}make report` with latentd "
            f"{machine['version']} ({machine['commit']}) on {machine['model']}, {machine['level']}, {machine['threads']} threads; "
            f"up to {plural(results['seeds'], 'seed')} a row. Every figure is in `build/report/results.json`.")
    if results["mode"] == "quick":
        told = "**Quick: few epochs, one seed.** It shows that everything works; `FULL=1 make report` gives figures to quote. " + told
    if results["mode"] == "smoke":
        told = "**Smoke: a handful of images.** No figure here means anything. " + told
    return told


SHOWN = {times: ("training-time",), judged: ("gan-losses", "gan-fcd")}  # figures that the document has, too, by their sections
SECTIONS = (acceptance, claims, tuner.section, regularisers, times, space, mapped, judged, twins, unclear)


def labelled(results, blocks):
    """Every heading and figure of a run that is not the full one says so, wherever it is quoted."""
    if results["mode"] == "full":
        return blocks
    mark = f" ({results['mode']})"
    return [(block[0], block[1] + mark) if block[0] == "heading" else
            (block[0], {**block[1], "caption": block[1]["caption"] + mark}) if block[0] == "figure" else block for block in blocks]


def page(results, figures):
    report = [("heading", "The report's figures"), *(("figure", f) for f in figures if not f["number"].startswith("R"))]
    ours = [("figure", f) for f in figures if f["number"].startswith("R")]
    return labelled(results, [
        *report, ("heading", "What the report has only in words"), *ours,
        *(block for section in SECTIONS for block in section(results)), *missing(results), *jobs(results)])


def document(results, figures):
    """For web/docs: the sections, and of the figures only charts."""
    blocks = []
    for section in SECTIONS:
        blocks += section(results)
        blocks += [("figure", f) for f in figures if f["slug"] in SHOWN.get(section, ())]
    return labelled(results, [*blocks, *missing(results)])
