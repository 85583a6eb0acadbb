#!/usr/bin/env python3
"""The report again: trains its nets with latentd, draws its figures, measures what it claims, and PyTorch beside it.

  report.py            a few minutes: few epochs, one seed                     → build/report/index.html
  FULL=1 report.py     50 epochs, three seeds (SEEDS=1: one; SEEDS="1 vae-2=3":
                       three of the row vae-2 only)                             → also web/docs/results.md
  HEAVY=1 …            also the rows that take longer than all others together (plan.py); can be added by a later run
  TUNER=1 report.py    also the tuner against the manual net, which a full run has anyway
  report.py --plan     what would be run, each asked of the daemon; 1 if it refuses one
  report.py --smoke    a handful of images, to see that every part works; --no-twins leaves out
                       PyTorch and principal components

Run by `make report`; ends with 1 when something could not be run: the page says what and why, and has the rest. What a run
has finished the next one takes as it is, so an interrupted one is started again; the jobs stay in build/report/MODE/data.
`--out FOLDER` is another place than build/report, $LATENTD another binary.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time

import collect
import figures
import peers
import plan
import render
import story
import tuner
import verdicts
import words
from daemon import Daemon, Refused
from runner import Progress, Runner, clock

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TITLE = "The report's figures and claims, by latentd"


def estimates(mode, seeds, heavy, with_twins, tuned):
    """Seconds by key, roughly, in the order in which they are run."""
    planned, rows = {}, [row for row in plan.rows(mode) if heavy or not row.heavy]
    for row in rows:
        for seed in seeds.of(row):
            planned[f"{row.group}/{seed}"] = plan.seconds_of((row.kind, row.preset), row.params.get("epochs", 1),
                                                                   row.params.get("train_limit", 0))
    if with_twins:
        epochs = {row.group: row.params.get("epochs") for row in rows}
        limits = {row.group: row.params.get("train_limit", 0) for row in rows}
        for twin in plan.twins():
            if plan.runs(twin, mode, heavy):
                planned[f"pytorch {twin.group}"] = 4 + plan.seconds_of(twin.workload, epochs[twin.group], limits[twin.group])
        planned["principal components"], planned["pytorch judge"] = 10, 8
    if tuned:
        planned[tuner.KEY] = tuner.seconds_of(mode)
    return planned


def show_plan(api, mode, seeds):
    """Lists the jobs and asks the daemon about each; the number it refuses."""
    runner, refused = Runner(api, mode, seeds, True, None), 0
    for key in runner.keys():
        row = runner.rows[key.split("/")[0]]
        try:
            told = runner.validate(key)
        except (Refused, LookupError) as error:
            refused, told = refused + 1, f"refused: {error}"
        print(f"{key:22}{row.kind:11}{row.preset:15}{told}")
    try:
        told = f"ok, {api.post('/v1/jobs?validate_only=true', tuner.body_of(mode))['estimate']['steps']} jobs"
    except Refused as error:
        refused, told = refused + 1, f"refused: {error}"
    print(f"{tuner.KEY:22}{'study':11}{'report-ae':15}{told}")
    for twin in plan.twins():
        print(f"{'pytorch ' + twin.group:22}{twin.workload}")
    return refused


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


def publish(out, results, drawn):
    write(os.path.join(out, "results.json"), json.dumps(results, indent=1) + "\n")
    write(os.path.join(out, "index.html"), render.to_html(TITLE, story.banner(results), story.page(results, drawn)))
    texts = {folder: render.to_markdown(TITLE, story.banner(results), story.document(results, drawn), folder)
             for folder in ("figures/", "")}
    write(os.path.join(out, "results.md"), texts["figures/"])
    if results["mode"] != "full":
        return
    docs = os.path.join(ROOT, "web", "docs")
    os.makedirs(docs, exist_ok=True)
    write(os.path.join(docs, "results.md"), texts[""])
    shown = [slug for slugs in story.SHOWN.values() for slug in slugs]
    for part in (part for figure in drawn if figure["slug"] in shown for part in figure["parts"]):
        for file in part["files"]:
            shutil.copy(os.path.join(out, f"{file}.svg"), docs)


def split_twins(arguments, mode):
    """(those that are run with the rest, those that take so long that the figures do not wait for them)"""
    twins = [] if arguments.no_twins else plan.twins()
    late = [twin for twin in twins if twin.heavy and plan.runs(twin, mode, arguments.heavy)]
    return [twin for twin in twins if twin not in late], late


def run_all(arguments, api, folder, mode, seeds):
    with_twins = not arguments.no_twins
    tuned = tuner.runs(mode, arguments.tuner)
    planned = estimates(mode, seeds, arguments.heavy, with_twins, tuned)
    print(f"report: {mode.name}, {words.plural(seeds.most(), 'seed')}, {len(planned)} steps; about {clock(sum(planned.values()))} min "
          "from scratch on two free processors", flush=True)
    progress = Progress(planned)
    runner = Runner(api, mode, seeds, arguments.heavy, progress)
    runner.run_all()
    other = peers.Peers(folder, runner.info["threads"], progress)
    for twin in split_twins(arguments, mode)[0]:
        if twin.heavy:
            other.trouble[twin.group] = plan.HEAVY_TWIN
        else:
            other.run(twin, runner)
    if with_twins:
        other.run_pca()
        other.run_judge(runner, mode.scores)
    if tuned:
        runner.run_study(tuner.KEY, tuner.body_of(mode))
    else:
        runner.trouble[tuner.KEY] = tuner.LEFT_OUT
    return runner, other


def tell(api, out, mode, runner, other):
    """Measures, draws and publishes what there is; the results and the figures."""
    pictures = os.path.join(out, "figures")
    os.makedirs(pictures, exist_ok=True)
    print("measuring and drawing …", flush=True)
    results = collect.collect(api, mode, runner, other)
    tuner.collect(api, runner, results)
    results["acceptance"], results["claims"] = verdicts.acceptance(results), verdicts.claims(results)
    drawn = figures.draw_all(figures.Context(api, runner, results, pictures))
    results["figures"] = drawn
    publish(out, results, drawn)
    return results, drawn


def make(arguments, out, folder, mode, seeds):
    began, late = time.monotonic(), split_twins(arguments, mode)[1]
    with Daemon(arguments.binary, folder) as api:
        runner, other = run_all(arguments, api, folder, mode, seeds)
        results, drawn = tell(api, out, mode, runner, other)
        for twin in late:
            other.run(twin, runner)
            results, drawn = tell(api, out, mode, runner, other)
    lost = [part["why"] for figure in drawn for part in figure["parts"] if part["why"]]
    missed = sum(text not in (plan.HEAVY, plan.HEAVY_TWIN, tuner.LEFT_OUT) for text in (*runner.trouble.values(), *other.trouble.values()))
    print(f"{clock(time.monotonic() - began)} min, {len(results['jobs'])} jobs, {missed} not run, "
          f"{len(lost)} pictures missing\n"
          f"Page       {os.path.relpath(out)}/index.html\n"
          f"Figures    {os.path.relpath(out)}/results.json, results.md"
          f"{', web/docs/results.md' if mode.name == 'full' else ''}\n"
          f"Look at the models (ae-8, ae-2, class1, class2, vae-5, vae-2, gan, gan-default):\n"
          f"           {os.path.relpath(arguments.binary)} --data-dir {os.path.relpath(folder)}/data")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--no-twins", action="store_true")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "report"))
    parser.add_argument("--binary", default=os.environ.get("LATENTD") or os.path.join(ROOT, "build/release/latentd"))
    arguments = parser.parse_args()
    full, arguments.heavy, arguments.tuner = (os.environ.get(name, "0") not in ("", "0") for name in ("FULL", "HEAVY", "TUNER"))
    mode = plan.MODES["smoke" if arguments.smoke else "full" if full else "quick"]
    try:
        seeds = plan.Seeds(os.environ.get("SEEDS", ""), mode)
    except ValueError as error:
        parser.error(str(error))
    if arguments.plan:
        with tempfile.TemporaryDirectory() as folder, Daemon(arguments.binary, folder) as api:
            sys.exit(1 if show_plan(api, mode, seeds) else 0)
    folder = os.path.join(arguments.out, mode.name)
    os.makedirs(folder, exist_ok=True)
    try:
        sys.exit(make(arguments, arguments.out, folder, mode, seeds))
    except KeyboardInterrupt:
        sys.exit("\nreport: interrupted; the next run goes on from here")


if __name__ == "__main__":
    main()
