"""Campaigns that are scripts of their own, in their long form. Their short one runs in make check by itself."""
import os
import re
import subprocess

from parts import SEED, SHORT, part
from victim import LATENTD, ROOT, SHIMMED, Broken

# part, what is run, its settings: each can be changed by the variable of that name
SCRIPTS = [
    ("keys", "tests/e2e/21-once.sh", {"COUNT": 1000, "KILLS": 3}),
    ("damage", "build/release/tests/server/store/recover", {"COUNT": 2000}),
    ("cuts", "build/release/tests/core/model/cuts", {"LATENTD_CUTS": "all"}),
    ("disk full", "tests/e2e/24-disk-full.sh", {"RUNS": 100}),
]


def run_script(findings, script, settings):
    environment = {**{name: str(value) for name, value in settings.items()}, **os.environ, "LATENTD": LATENTD, "SEED": str(SEED),
                   "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    done = subprocess.run([os.path.join(ROOT, script)], cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace",
                          check=False)
    for line in done.stdout.splitlines():
        if re.match(r" *ok \d", line):
            findings.passed()
        elif re.match(r" *not ok \d", line):
            findings.failed(line.strip())
    if done.returncode and not findings.failures:
        raise Broken(f"{script} ended with {done.returncode}: {done.stdout[-300:]}")


def register(name, script, settings):
    def run(findings):
        run_script(findings, script, settings)
    run.__doc__ = f"{script} {' '.join(f'{k}={v}' for k, v in settings.items())}"
    part(name)(run)


for row in SCRIPTS:
    if not SHORT and SHIMMED and os.access(os.path.join(ROOT, row[1]), os.X_OK):
        register(*row)

