#!/usr/bin/env bash
# The script behind `make report`: every job that it plans is one the daemon takes, and a run over a handful of images leaves
# the page, the figures and the named models; a second run takes what the first has trained.
. "$(dirname "$0")/lib.sh"
if [ -n "$SLOW" ] || ! [ -x /usr/bin/python3 ]; then
  ok "the report is made with the release build and python3"
  finish
fi
report() { PYTHONDONTWRITEBYTECODE=1 FULL='' SEEDS='' /usr/bin/python3 tests/results/report.py "$@" > "$T/out" 2>&1; }

# Its cases are counted here as one.
check "verdicts and words" env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/results/selftest.py

check "the daemon takes every job of the quick plan" report --plan
grep refused "$T/out" | sed 's/^/# /'
FULL=1 PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/results/report.py --plan > "$T/plan" 2>&1
is "$?" 0 "and of the full one"

check "a run over a handful of images" report --smoke --no-twins --out "$T/report"
grep -a ' none: ' "$T/out" | sed 's/^/# /'
if /usr/bin/python3 -c 'import numpy, matplotlib' 2> /dev/null; then
  check "every figure is there" grep -q ', 0 pictures missing' "$T/out"
fi
page=$T/report/index.html
for figure in 1 2 3 4 5 6 7 8 9 10; do
  check "the page has figure $figure" grep -q "Figure $figure:" "$page"
done
check "originals over reconstructions, as PNG and SVG" test -s "$T/report/figures/reconstructions.png" -a -s "$T/report/figures/reconstructions.svg"
check "figures for machines" jq -e '.claims and .acceptance and (.jobs | length > 20)' "$T/report/results.json"
is "$(jq -r '[(.judged | length), (.judged | map(.fcd > .fcd_floor) | all), (.measure_trouble | length)] | join(" ")' "$T/report/results.json")" \
  "11 true 0" "samples of every kind are judged"
check "and for people" grep -q '^## The report' "$T/report/results.md"
before=$(jq -c '[.jobs[].id]' "$T/report/results.json")
check "again" report --smoke --no-twins --out "$T/report"
is "$(jq -c '[.jobs[].id]' "$T/report/results.json")" "$before" "nothing is trained twice"
is "$(jq -r '[.jobs[].name] | map(select(test("^(ae-8|ae-2|class1|class2|vae-5|vae-2|gan|gan-default)$"))) | sort | join(" ")' "$T/report/results.json")" \
  "ae-2 ae-8 class1 class2 gan gan-default vae-2 vae-5" "models by the names that people look for"
finish
