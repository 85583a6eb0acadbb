#!/usr/bin/env python3
"""TAP: the verdicts of the report on made-up figures, and the words that figures become."""
import copy

import maps
import plan
import render
import samples
import story
import verdicts
import words
from words import statistics_of

failed = count = 0


def same(got, wanted, what):
    global failed, count
    count += 1
    good = got == wanted
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}" + ("" if good else f"\n# got {got!r}, wanted {wanted!r}"))


def made_up():
    """Every figure as the report and the targets would have it."""
    groups = {row.group: {"loss": 0.0152, "train_s": 10.0, "epochs": 50, "accuracy": 0.95}
              for row in plan.rows(plan.MODES["full"])}
    groups["prune-50"]["train_s"] = 10.2
    groups["dropout"]["loss"] = groups["prune-90"]["loss"] = 0.02
    groups["class2-report"]["accuracy"] = 0.77
    groups["gan"].update(train_s=440.0, epochs=11)
    curve = {"epoch": [1, 50], "seconds": [1.0, 10.0], "value": [0.5, 0.4]}
    job = {"train_s": 10.0, "lineage_train_s": 30.0}
    space = {"jump": 2.0, "spread": 5.0, "filled": 0.5}
    return {
        "groups": {g: {m: statistics_of([v, v]) for m, v in figures.items()} for g, figures in groups.items()},
        "trouble": {}, "measure_trouble": {}, "twins_trouble": {}, "best": "ae-mlp-8",
        "pca": {"test_mse": {"2": 0.0461, "4": 0.0366, "5": 0.033, "8": 0.0266, "14": 0.0215}},
        "curves": {"ae-8": {"val_loss": {"epoch": [1, 50], "seconds": [1, 9], "value": [0.05, 0.0152]}},
                   "class1": {"val_loss": curve}, "scratch": {"val_loss": curve}},
        **of_gans(),
        "jobs": {"class1/1": job, "scratch/1": {**job, "lineage_train_s": 10.0}, "gan/1": job, "gan-default/1": job,
                 "gan-default/2": job},
        "reconstruction": {"vae-5": 0.02, "ae-8": 0.0152},
        "maps": of_maps(),
        "tuner": {"best": {"best": {"value": 0.02}, "baseline": {"value": 0.018}, "improvement": -0.002, "relative_improvement": -0.11}},
        "smoothness": {"ae-2": space, "vae-2": {"jump": 1.5, "spread": 1.0, "filled": 0.9}},
    }


def of_maps():
    """t-SNE's map is better than PCA's, and maps of more units are fuller."""
    def told(accuracy, filled):
        return {"points": 10000, "trustworthiness": accuracy + 0.1, "recall": 0.5, "accuracy": accuracy, "kl": 1.4, "filled": filled,
                "own": 0.5}

    return {"map-pca": told(0.5, 0.5), "map-tsne": told(0.8, 0.5),
            **{f"map-{n}": told(0.8, 0.3 + n / 50) for n in plan.MAPPED}}


def of_gans():
    """The report's GAN collapses in the end, its default keeps its classes; PyTorch is slow, and ours not three times as fast."""
    epochs = list(range(1, 12))
    fcds = [9.0, 7.0, 6.0, 5.5, 5.0, 4.5, 4.2, 4.0, 3.9, 3.8, 8.1]
    images = [60000 * epoch for epoch in epochs]
    flat = {"epoch": [i / 10 for i in range(30)], "value": [1.1 + 0.001 * (i % 2) for i in range(30)]}
    even = {str(i): 0.1 for i in range(10)}
    lost = {**even, "0": 0.03, "1": 0.17}

    def score(fcd, shares, coverage):
        return {"fcd": fcd, "kid": fcd / 100, "coverage": coverage, "precision": 0.8, "class_shares": shares}

    default = {"epoch": epochs[:10], "seconds": [50.0 * e for e in epochs[:10]], "images": images[:10], "value": fcds[:9] + [1.9]}
    return {
        "games": {"gan": {"d_loss": flat, "g_loss": flat}},
        "fcd": {"gan/1": {"epoch": epochs, "seconds": [40.0 * e for e in epochs], "images": images, "value": fcds},
                "gan-default/1": default, "gan-default/2": default},
        "twins": {"gan": {"history": [{"images": n, "seconds": 80.0 * e, "fcd": v} for e, n, v in zip(epochs, images, fcds)]}},
        "judged": {**{f"{row.group}/1 {row.distribution}": score(20.0, even, 0.3) for row in plan.SAMPLES},
                   "ae-8/1 gmm": score(10.0, even, 0.4), "ae-2/1 gmm": score(10.1, even, 0.4),
                   "gan/1 normal": score(8.1, lost, 0.5),
                   **{f"gan-default/{seed} normal": score(1.9, even, 0.9) for seed in (1, 2)}},
        "judged_in_pytorch": {"fcd": 8.11, "count": 10000},
    }


def judge(change=None):
    results = made_up()
    if change:
        change(results)
    met = {row["quantity"]: row["met"] for row in verdicts.acceptance(results)}
    confirmed = {row["claim"]: row["confirmed"] for row in verdicts.claims(results)}
    return met, confirmed


def test_verdicts():
    met, confirmed = judge()
    same([claim for claim, value in confirmed.items() if value is not True], [], "figures as the report has them confirm it")
    same((met["AE report, latent 8, test MSE"], met["AE default, latent 8, test MSE"]), (True, False), "0.0152 is met and not met")
    same(met["class2 on the report's encoder, plain Adam"], True, "an accuracy is met from below")
    same(met["the same falls from 2 to 4, 8 and 14 units"], False, "equal errors do not fall")
    same(met["90 % pruned: change of its test MSE"], None, "what is only reported has no verdict")

    def worse(results):
        results["groups"]["prune-50"]["loss"] = statistics_of([0.0152 * 1.06])
        results["groups"]["dropout"]["loss"] = statistics_of([0.0151])
        results["groups"]["class2-report"]["accuracy"] = statistics_of([0.96])
        results["smoothness"]["vae-2"]["jump"] = 2.1
        results["tuner"]["best"].update(improvement=0.0, relative_improvement=0.0)
        results["curves"]["ae-8"]["val_loss"]["value"][0] = 0.02

    met, confirmed = judge(worse)
    same([claim for claim, value in confirmed.items() if value is False],
         ["Only after 50 epochs is the AE able to reconstruct the images in a coherent way.",
          "Pruning has a very scarce effect …", "With dropout the loss stays above the basic case's.",
          "class1 is better than class2.", "Automatic tuning comes out worse than the manual net.",
          "The VAE's space is smoother …"], "figures against a claim do not confirm it")
    same(met["50 % of the report's AE pruned: change of its test MSE"], False, "6 % is more than 3 %")

    def lost(results):
        del results["groups"]["dropout"], results["curves"]["class1"]
        results["trouble"]["dropout/2"] = "no space left"

    results = made_up()
    lost(results)
    rows = {row["claim"]: row for row in verdicts.claims(results)}
    row = rows["With dropout the loss stays above the basic case's."]
    same((row["ours"], row["confirmed"], row["why"]), (None, None, "dropout: no space left"), "what is missing says why")


def test_gans():
    met, _ = judge()
    same((met["GAN report: FCD after epoch 8 (parity: within 20 %)"], met["GAN default: FCD at the end"],
          met["GAN default: seconds to PyTorch's FCD, judging included"]), (True, True, False),
         "parity; 1.9 is at most half of 3.8 at as many images; 400 s are no third of 640")
    same([met[f"AE report, {units} units: FCD of the mixture's samples by that of uniform ones"] for units in (8, 2)],
         [True, False], "half is met, more is not")
    same(met["the judge and its copy in PyTorch: difference of the FCD of the same samples"], False, "two judges must agree")

    def worse(results):
        results["judged"]["gan-default/2 normal"]["class_shares"]["3"] = 0.049
        results["judged"]["vae-5/1 normal"]["coverage"] = 0.51
        results["games"]["gan"]["g_loss"] = {"epoch": list(range(30)), "value": [1 + i / 30 for i in range(30)]}
        results["fcd"]["gan/1"]["value"][10] = 3.8
        for key in ("gan-default/1", "gan-default/2"):
            results["fcd"][key] = {**results["fcd"][key], "value": [3.9] + [3.0] * 9}
        results["judged"]["gan/1 normal"]["class_shares"] = {str(i): 0.1 for i in range(10)}
        results["groups"]["gan"]["train_s"] = statistics_of([9.0])

    met, confirmed = judge(worse)
    same((met["GAN default: smallest share of a class, any seed"], met["GAN default: FCD at the end"],
          met["GAN default: seconds to PyTorch's FCD, judging included"]), (False, False, True), "one seed's rare class counts")
    same([claim for claim, value in confirmed.items() if not value],
         [claim for claim, *_ in samples.CLAIMS], "figures against each claim about GANs do not confirm it")

    def alone(results):
        results["twins"], results["twins_trouble"] = {}, {"gan": "left out"}

    results = made_up()
    alone(results)
    row = next(row for row in verdicts.acceptance(results) if row["quantity"].startswith("GAN default: FCD"))
    same((row["ours"], row["reference"], row["reach"], row["met"]), (1.9, "none: PyTorch: left out", None, None),
         "without PyTorch beside there is a figure and no verdict")


def test_maps():
    def worse(results):
        results["maps"]["map-pca"]["trustworthiness"] = 0.95
        results["maps"]["map-4"]["filled"] = 0.9

    _, confirmed = judge(worse)
    same([claim for claim, value in confirmed.items() if not value], [claim for claim, *_ in maps.CLAIMS],
         "figures against each claim about maps do not confirm it")
    same([maps.rank_correlation(v) for v in ([1, 2, 3, 5], [4, 3, 2, 1], [1, 1, 1])], [1.0, -1.0, 0.0], "rank correlations")
    same(round(maps.rank_correlation([1, 3, 2, 3]), 6), 0.632456, "equal values share their ranks")
    results = made_up()
    del results["maps"]["map-6"]
    results["trouble"]["map-6/1"] = "no space left"
    rows = {row["claim"]: row for row in verdicts.claims(results)}
    same(rows[maps.CLAIMS[1][0]]["why"], "map-6: no space left", "a map that is missing says why")
    same(story.mapped(results)[2][2][4][:2], ["t-SNE of 6 units", "none: no space left"], "in the table, too")


def test_words():
    same([words.number(v) for v in (0.000123456, 0.0266, 1.5, 12.345, 1234.5, 0, None)],
         ["0.000123", "0.0266", "1.50", "12.3", "1234", "0", "–"], "as many digits as are of use")
    same((words.percent(0.8364), words.signed(-0.031), words.plural(1, "seed")), ("83.6 %", "-3.1 %", "1 seed"), "shares")
    found = statistics_of([1.0, 3.0, None])
    same((found["mean"], round(found["sd"], 6), found["n"]), (2.0, 1.414214, 2), "mean and standard deviation of what there is")
    same(render.html_table(["a"], [[("<b>`x|y`", False)]]).split("<tbody>\n")[1].split("\n")[0],
         '<tr><td class="bad">&lt;b&gt;<code>x|y</code></td></tr>', "cells of the page are escaped")
    same(render.md_table(["a"], [["`x|y`"]]).split("\n")[-1], "| `x\\|y` |", "cells of the Markdown, too")
    row = story.verdict(None, ("met", "not met"))
    same(row, ("–", None), "no verdict without a figure")


    blocks = [("heading", "Training time"), ("text", "as it is"), ("figure", {"number": "1", "caption": "Losses"})]
    same(story.labelled({"mode": "full"}, blocks), blocks, "a full run is not labelled")
    same(story.labelled({"mode": "quick"}, blocks),
         [("heading", "Training time (quick)"), blocks[1], ("figure", {"number": "1", "caption": "Losses (quick)"})],
         "headings and figures of a quick one are")


def test_plan():
    for mode in plan.MODES.values():
        rows = plan.rows(mode)
        groups = [row.group for row in rows]
        same(len(set(groups)), len(groups), f"{mode.name}: one row a group")
        late = [row.group for i, row in enumerate(rows) if row.parent and row.parent not in ("best", *groups[:i])]
        same(late, [], f"{mode.name}: encoders come before their heads")
        same([t.group for t in plan.twins() if t.group not in groups], [], f"{mode.name}: every twin has our side")
    base = copy.deepcopy(plan.rows(plan.MODES["full"]))
    same(all(row.params["val_fraction"] == 0 for row in base if row.group.endswith("-report")), True, "reproductions hold nothing out")


def test_story():
    results = made_up()
    same(story.generalised(results), "", "what no job tells is not told")
    results["jobs"]["class2-ours/1"] = {"params": {"gce_q": 0.7}}
    same("(`gce_q` 0.7:" in story.generalised(results), True, "q is the job's")


def test_seeds():
    mode = plan.MODES["full"]
    by_group = {row.group: row for row in plan.rows(mode)}

    def counts(text):
        seeds = plan.Seeds(text, mode)
        return [len(seeds.of(by_group[group])) for group in ("vae-2", "ae-8", "small")], seeds.most()

    same(counts(""), ([3, 3, 1], 3), "as many seeds as the mode has, of one row one")
    same(counts("2"), ([2, 2, 1], 2), "as many as are asked for")
    same(counts("1 vae-2=3 small=2"), ([3, 1, 2], 3), "of single rows, too")
    try:
        plan.Seeds("1 vae=3", mode)
        told = None
    except ValueError as error:
        told = str(error)
    same(told, "SEEDS names no row of the plan: vae", "a row that is not there is no silent slip")


test_verdicts()
test_gans()
test_maps()
test_words()
test_seeds()
test_story()
test_plan()
print(f"1..{count}")
raise SystemExit(1 if failed else 0)
