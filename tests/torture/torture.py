#!/usr/bin/python3
"""The proof that nothing acknowledged is lost: daemons that are killed, starved and lied to (make torture).

    ONLY=regexp   these parts only          SEED=1      other moments
    KILLS=500     of the storm              LANES=2     daemons at once
    SHORT=1       the form of make check    TAP=1       results as TAP, for tests/tools/run.sh
    PLANT=1       then plant a fault for each part, which has to be found
A table is printed and written to build/torture/summary.txt; the last line is "N passed, N failed".
"""
import os
import re
import sys
import time

import parts
import commands  # noqa: F401 (each registers its parts)
import disk  # noqa: F401
import held  # noqa: F401
import memory  # noqa: F401
import others  # noqa: F401
import plants
import points  # noqa: F401
import poison  # noqa: F401
import powercut  # noqa: F401
import scripts  # noqa: F401
import storm  # noqa: F401
from victim import LATENTD, ROOT, SHIM, SHIMMED, clean_up


def run(name):
    findings = parts.Findings(name)
    function = parts.PARTS[name]
    print(f"== {name}: {function.__doc__ or ''}".rstrip(": "), flush=True)
    try:
        function(findings)
    except Exception as error:  # one part that breaks keeps no other from running
        findings.failed(f"{type(error).__name__}: {error}")
    findings.seconds = time.monotonic() - findings.begin
    for figure, value in findings.figures.items():
        print(f"    {figure:<44} {value:>8}", flush=True)
    return findings


def plant(names):
    findings = parts.Findings("planted faults")
    print("== planted faults: each part finds its own", flush=True)
    plants.plant_all({name: parts.PARTS[name] for name in names}, findings)
    findings.seconds = time.monotonic() - findings.begin
    return findings


def table(all_findings):
    lines = [f"{'part':<22} {'tried':>8} {'failed':>7} {'seconds':>8}"]
    for f in all_findings:
        lines.append(f"{f.name:<22} {f.tried:>8} {len(f.failures):>7} {f.seconds:>8.1f}")
        lines += [f"    {figure:<44} {value:>8}" for figure, value in f.figures.items()]
        lines += [f"    FAILED {text}" for text in f.failures[:20]]
    return "\n".join(lines)


def main():
    for needed in (LATENTD, SHIM) if SHIMMED else (LATENTD,):
        if not os.access(needed, os.R_OK):
            raise SystemExit(f"torture: no {needed}: run make torture")
    names = [name for name in parts.PARTS if re.search(os.environ.get("ONLY") or ".", name)]
    if not names:
        raise SystemExit(f"torture: ONLY names no part; there are {', '.join(parts.PARTS)}")
    print(f"SEED={parts.SEED}", flush=True)
    all_findings = [run(name) for name in names]
    if os.environ.get("PLANT"):
        all_findings.append(plant(names))
    text = table(all_findings)
    where = os.path.join(ROOT, "build", "torture")
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, "summary.txt"), "w") as file:
        file.write(text + "\n")
    print("\n" + text)
    for number, f in enumerate(all_findings, 1):
        if os.environ.get("TAP"):
            print(f"{'not ok' if f.failures else 'ok'} {number} - {f.name}: {f.tried} tried")
    passed = sum(f.tried - len(f.failures) for f in all_findings)
    failed = sum(len(f.failures) for f in all_findings)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    try:
        code = main()
    finally:
        clean_up()
    sys.exit(code)
