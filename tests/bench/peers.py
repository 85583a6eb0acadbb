#!/usr/bin/env python3
"""latentd's core against PyTorch on this machine, workload by workload (`make bench-peers`; see tests/bench/README.md).

Both sides are separate programs that print JSON; they take turns (ours, PyTorch tuned, PyTorch as it comes, ours, ...),
so that a neighbour on the machine disturbs all alike. Compared are medians over the rounds, with PyTorch at its best.
Settings, by environment:

  BENCH    our program (build/release/bench)             THREADS  threads of both sides (all processors)
  LATENTD  our daemon (build/release/latentd)            ROUNDS   turns of each workload (5; with QUICK 3)
  QUICK=1  fewer images: to see that it works            ONLY     the rows to run: "ae gan decode"
  LONG=1   also the time to a given quality              PYTHON   an interpreter with PyTorch (/usr/bin/python3)

Prints a table, writes peers.json, peers.md and peers.svg into build/bench/, and ends with 1 when a row could not be run
or missed its required ratio.
"""
import glob
import html
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
OUT = os.path.join(TOP, "build", "bench")
TORCH = os.path.join(TOP, "tests", "bench", "torch_workloads.py")
BENCH = os.path.abspath(os.environ.get("BENCH") or os.path.join(TOP, "build", "release", "bench"))
LATENTD = os.path.abspath(os.environ.get("LATENTD") or os.path.join(TOP, "build", "release", "latentd"))
PYTHON = os.environ.get("PYTHON") or "/usr/bin/python3"
THREADS = int(os.environ.get("THREADS") or len(os.sched_getaffinity(0)))
QUICK = os.environ.get("QUICK", "") not in ("", "0")
LONG = os.environ.get("LONG", "") not in ("", "0")
ROUNDS = int(os.environ.get("ROUNDS") or (3 if QUICK else 5))
ONLY = os.environ.get("ONLY", "").split()

BATCH = 128
IMAGES, EPOCHS = (12800, 1) if QUICK else (60000, 2)
GAN_IMAGES = (12 if QUICK else 40) * BATCH  # steps enough for a mean; the epoch is scaled from them
API_EPOCHS = 2 if QUICK else 10
LONG_MSE, LONG_EPOCHS_MAX, LONG_RECIPE_EPOCHS = 0.0150, 64, 50
TIMEOUT_S = 1800

# What the machine's owner may have exported for OpenBLAS; the best setting is found by a probe (torch_environment).
BLAS_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GOTO_NUM_THREADS")

# key, title, what both sides are asked to do, the ratio that is required (None: no requirement), the level that both
# are held to.
ROWS = (
    ("ae", "AE, latent 8: epoch", ["train", "ae"], 4.5, None),
    ("vae", "VAE, latent 5: epoch", ["train", "vae"], 4.5, None),
    ("cnn", "CNN classifier: epoch", ["train", "cnn"], 4.5, None),
    ("gan", "DCGAN: epoch", ["train", "gan"], 2.0, None),
    ("class1", "class1 on cached codes: epoch", ["train", "class1"], 6.0, None),
    ("class2", "class2 on cached codes: epoch", ["train", "class2"], 6.0, None),
    ("ae-avx2", "AE on AVX2: epoch", ["train", "ae"], 4.0, "avx2"),
    ("decode", "decode 10,000", ["infer", "decode"], 4.0, None),
    ("encode", "encode 10,000", ["infer", "encode"], 2.5, None),
    ("decode1", "decode one vector (p50)", ["infer", "decode1"], None, None),
)
TORCH_SIDES = ("tuned", "tuned, 1 thread", "plain")
API_ROW = ("api", "AE through the API: epoch")
LONG_ROW = ("long", f"AE to test MSE {LONG_MSE:.4f}")


class Failed(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def wanted(key):
    return not ONLY or key in ONLY


def run(command, env=None):
    """The last line of JSON that a program prints."""
    shown = " ".join(os.path.relpath(word, TOP) if word.startswith(TOP) else word for word in command)
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=TOP)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{shown}: {error}") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        tail = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise Failed(f"{shown}: ended with {done.returncode}: {tail}")
    try:
        return json.loads(lines[-1])
    except ValueError:
        raise Failed(f"{shown}: not JSON: {lines[-1][:200]}") from None


# --- PyTorch's settings ---------------------------------------------------------------------------------------------


def without(names):
    return {k: v for k, v in os.environ.items() if k not in names}


def jemalloc():
    found = sorted(glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib*/libjemalloc.so.2"))
    return found[0] if found else None


class Torch:
    """How PyTorch is started. `blas`: leave the OPENBLAS_* variables as the machine has them."""

    def __init__(self):
        self.blas = False
        self.notes = []
        self.jemalloc = jemalloc()
        if not self.jemalloc:
            self.notes.append("libjemalloc.so.2 is not installed: PyTorch runs with the C library's malloc")

    def environment(self, config, threads, level):
        env = without(THREAD_VARIABLES + (() if self.blas else BLAS_VARIABLES))
        if config == "tuned":
            env.update(OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1")
            if self.jemalloc:
                env["LD_PRELOAD"] = self.jemalloc
        if level:
            env.update(ONEDNN_MAX_CPU_ISA=level.upper(), DNNL_MAX_CPU_ISA=level.upper(), ATEN_CPU_CAPABILITY=level)
        return env

    def run(self, what, config, threads=THREADS, level=None):
        command = [PYTHON, TORCH, *what, "--config", config]
        if config == "tuned":
            command += ["--threads", str(threads)]
        return run(command, self.environment(config, threads, level))

    def probe(self):
        """That its fast layer is exact, and which OpenBLAS settings suit it: on one thread, the least disturbed."""
        checked = run([PYTHON, TORCH, "check"], self.environment("tuned", THREADS, None))
        if not checked["agrees"]:
            raise Failed(f"PyTorch's fast transposed convolution is {checked['distance']:.1e} away from its plain one")
        exported = {k: os.environ[k] for k in BLAS_VARIABLES if k in os.environ}
        if not exported:
            return
        found = {True: [], False: []}
        for _ in range(3):
            for kept, results in found.items():
                self.blas = kept
                results.append(self.run(["train", "ae", "--images", "6400", "--epochs", "1"], "tuned", 1))
        kept, dropped = (min(r["seconds"] for r in found[key]) for key in (True, False))
        losses = [results[0]["loss"] for results in found.values()]
        if abs(losses[0] / losses[1] - 1) > 1e-3:
            raise Failed(f"PyTorch's loss is {losses[0]} with {', '.join(exported)}, {losses[1]} without")
        self.blas = kept < dropped
        self.notes.append(
            f"{' '.join(f'{k}={v}' for k, v in exported.items())} is exported here: on a probe PyTorch took "
            f"{kept:.2f} s an epoch with it and {dropped:.2f} s without; it runs with{'' if self.blas else 'out'} it")


# --- rows -----------------------------------------------------------------------------------------------------------


def arguments(what):
    if what[0] == "infer":
        return what
    images, epochs = (GAN_IMAGES, 1) if what[1] == "gan" else (IMAGES, EPOCHS)
    return [*what, "--images", str(images), "--epochs", str(epochs), "--batch", str(BATCH)]


def figure(result):
    """What is compared: seconds, or of a single vector the median in seconds."""
    return result["us_p50"] * 1e-6 if "us_p50" in result else result["seconds"]


def measure(torch, what, level, extra=None):
    """{side: [results]}: ROUNDS turns. PyTorch's tuned line runs with all threads and with one, on which small nets are
    faster: all rounds of both, for a single disturbed run must not choose."""
    what = arguments(what)
    ours = [BENCH, *what, "--threads", str(THREADS)] + (["--level", level] if level else [])
    sides = {"ours": lambda: run(ours), "tuned": lambda: torch.run(what, "tuned", THREADS, level)}
    if THREADS > 1:
        sides["tuned, 1 thread"] = lambda: torch.run(what, "tuned", 1, level)
    sides["plain"] = lambda: torch.run(what, "plain", level=level)
    if extra:
        sides[extra[0]] = extra[1]
    results = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, call in sides.items():
            results[side].append(call())
            say(f"    {side}: {shown(figure(results[side][-1]))}")
    return results


def median(results):
    return statistics.median(figure(r) for r in results)


def row_of(key, title, required, results):
    """A line of the table from the results of one workload."""
    best = min((side for side in TORCH_SIDES if side in results), key=lambda side: median(results[side]))
    ours, theirs, plain = (median(results[side]) for side in ("ours", best, "plain"))
    ratio = theirs / ours
    first, their_first = results["ours"][0], results[best][0]
    return {
        "key": key, "title": title, "required": required, "ours": ours, "torch": theirs, "torch_plain": plain,
        "torch_config": their_first["config"], "torch_threads": their_first["threads"],
        "torch_plain_threads": results["plain"][0]["threads"],
        "ratio": ratio, "ratio_plain": plain / ours, "reached": None if required is None else ratio >= required,
        "level": first.get("level"), "peak_gflops": first.get("peak_gflops"), "gflops": first.get("gflops"),
        "peak_share": statistics.median(r["peak_share"] for r in results["ours"]) if first.get("peak_share") else None,
        "bytes": first.get("bytes"), "runs": results,
    }


# --- through the daemon ---------------------------------------------------------------------------------------------


class Daemon:
    """latentd on a free port with a data directory that goes with it."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="latentd-bench.")
        port = os.path.join(self.dir, "port")
        env = {k: v for k, v in os.environ.items() if not k.startswith("LATENTD")}
        with open(os.path.join(self.dir, "log"), "w") as log:
            try:
                self.process = subprocess.Popen(
                    [LATENTD, "--data-dir", os.path.join(self.dir, "data"), "--listen", "127.0.0.1:0",
                     "--port-file", port, "--threads", str(THREADS)], stdout=log, stderr=log, env=env, cwd=TOP)
            except OSError as error:
                shutil.rmtree(self.dir)
                raise Failed(f"{LATENTD}: {error}") from None
        for _ in range(500):
            time.sleep(0.02)
            if self.process.poll() is not None:
                break
            if os.path.exists(port) and os.path.getsize(port):
                with open(port) as file:
                    self.url = f"http://127.0.0.1:{file.read().strip()}"
                return self
        self.__exit__()
        raise Failed(f"{LATENTD} does not start")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            # No proxy between a machine and itself.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as reply:
                return json.load(reply)
        except OSError as error:
            raise Failed(f"{path}: {error}") from None

    def job(self, preset, params):
        """Runs a job to its end and returns what the API says of it."""
        job = self.ask("/v1/jobs", {"kind": "ae", "preset": preset, "params": params})
        until = time.monotonic() + TIMEOUT_S
        while job["status"] in ("queued", "running") and time.monotonic() < until:
            job = self.ask(f"/v1/jobs/{job['id']}?wait_s=30")
        if job["status"] != "succeeded":
            raise Failed(f"the job ended as {job['status']}: {job.get('error')}")
        job["seconds"] = (job["finished_at_ms"] - job["started_at_ms"]) / 1000
        return job


def api_epoch(daemon):
    job = daemon.job("report", {"epochs": API_EPOCHS, "val_fraction": 0})
    return {"workload": "ae", "threads": THREADS, "seconds": job["seconds"] / API_EPOCHS, "epochs": API_EPOCHS,
            "test_loss": job["test"]["loss"]}


def ae_rows(torch):
    """The autoencoder by itself and, where the daemon is wanted too, in the same rounds through the API."""
    key, title, what, required, level = ROWS[0]
    if not wanted("api"):
        return [row_of(key, title, required, measure(torch, what, level))]
    with Daemon() as daemon:
        results = measure(torch, what, level, ("api", lambda: api_epoch(daemon)))
    through = {**results, "ours": results.pop("api")}
    rows = [row_of(key, title, required, results), row_of(*API_ROW, None, through)]
    return rows if wanted("ae") else rows[1:]


def long_row(torch):
    """Seconds until the test figure is reached: our default preset in the fewest epochs that do (its learning rate
    falls to 0 over the run, so that each number of epochs is a run of its own) against PyTorch's 50 epochs of the
    report's recipe, taken from a few measured epochs."""
    with Daemon() as daemon:

        def attempt(epochs):
            job = daemon.job("default", {"epochs": epochs, "val_fraction": 0, "preview_every_epochs": 0})
            say(f"    {epochs} epochs: test MSE {job['test']['loss']:.5f}, {job['seconds']:.1f} s")
            return job

        low, high, reached = 0, 4, None
        while high <= LONG_EPOCHS_MAX:
            job = attempt(high)
            if job["test"]["loss"] <= LONG_MSE:
                reached = high
                break
            low, high = high, high * 2
        if reached is None:
            raise Failed(f"test MSE {LONG_MSE} is not reached in {low} epochs")
        while reached - low > 1:
            middle = (low + reached) // 2
            if attempt(middle)["test"]["loss"] <= LONG_MSE:
                reached = middle
            else:
                low = middle
        what = arguments(["train", "ae"])
        results = {"ours": [], "tuned": [], "plain": []}
        for _ in range(3):
            job = attempt(reached)
            results["ours"].append({"seconds": job["seconds"], "epochs": reached, "test_loss": job["test"]["loss"]})
            for config in ("tuned", "plain"):
                result = torch.run(what, config)
                result["seconds"] *= LONG_RECIPE_EPOCHS
                results[config].append(result)
    title = f"{LONG_ROW[1]}: {reached} epochs of ours, {LONG_RECIPE_EPOCHS} of PyTorch's (scaled)"
    return row_of(LONG_ROW[0], title, None, results)


# --- reports --------------------------------------------------------------------------------------------------------


def shown(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            value = seconds / scale
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"
    return f"{seconds * 1e6:.2f} µs"


HEAD = ("workload", "ours", "PyTorch's best", "ratio", "required", "", "PyTorch as it comes", "ratio", "of peak: ours",
        "PyTorch")


def cells(row):
    share = row["peak_share"]
    # Equal work: PyTorch's share follows from the times.
    theirs = share / row["ratio"] if share else None
    verdict = {None: "", True: "reached", False: "MISSED"}[row["reached"]]
    how = f"{row['torch_config']}, {row['torch_threads']} t"
    return (row["title"], shown(row["ours"]), f"{shown(row['torch'])} ({how})", f"{row['ratio']:.2f}x",
            f"{row['required']:.1f}x" if row["required"] else "-", verdict,
            f"{shown(row['torch_plain'])} ({row['torch_plain_threads']} t)", f"{row['ratio_plain']:.2f}x",
            f"{share:.0%}" if share else "-", f"{theirs:.0%}" if theirs else "-")


def text_table(rows):
    lines = [HEAD] + [cells(row) for row in rows]
    width = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join([line[0].ljust(width[0])] + [c.rjust(w) for c, w in zip(line[1:], width[1:])]) for line in lines)


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    return {"processor": model, "threads": THREADS, "kernel": platform.release()}


def notes_of(rows, torch, about):
    notes = [f"{about['processor']}, {THREADS} threads; medians of {ROUNDS} alternating rounds; training with batches "
             f"of {BATCH}, scaled to 60,000 images ({IMAGES} measured, DCGAN {GAN_IMAGES})"]
    if QUICK:
        notes.append("QUICK=1: too few images for figures to be quoted")
    version = next((r["runs"]["tuned"][0].get("torch") for r in rows), None)
    if version:
        notes.append(f"PyTorch {version}; its best: the least median of tuned with {THREADS} threads, tuned with 1, "
                     "and as it comes (plain); N t: N threads")
    return notes + torch.notes


def markdown(rows, failures, notes):
    lines = ["| " + " | ".join(HEAD) + " |", "|---" + "|---:" * (len(HEAD) - 1) + "|"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    lines += ["", *(f"- {note}" for note in notes), *(f"- not run: {failure}" for failure in failures)]
    return "\n".join(lines) + "\n"


def svg(rows):
    """Bars: how many times faster than PyTorch, at its best and as it comes; a mark where the requirement is."""
    left, right, top, pitch = 300, 70, 56, 46
    width, plot = 860, 860 - left - right
    most = max([1] + [row[key] or 0 for row in rows for key in ("ratio", "ratio_plain", "required")])
    grid = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1e9) if most / step <= 10)
    height = top + pitch * len(rows) + 34
    x = lambda value: left + plot * value / most
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="13">', f'<rect width="{width}" height="{height}" fill="#fff"/>',
           '<text x="16" y="22" font-size="15" font-weight="bold">Times faster than PyTorch</text>',
           '<g font-size="12"><rect x="300" y="32" width="12" height="12" fill="#2563a8"/>'
           '<text x="317" y="43">PyTorch at its best</text><rect x="450" y="32" width="12" height="12" fill="#b9cbe0"/>'
           '<text x="467" y="43">PyTorch as it comes</text><path d="M615 31v14" stroke="#c2410c" stroke-width="3"/>'
           '<text x="624" y="43">required of the best</text></g>']
    value = 0
    while value <= most:
        out.append(f'<path d="M{x(value):.1f} {top}V{height - 28}" stroke="{"#666" if value == 0 else "#ddd"}"/>'
                   f'<text x="{x(value):.1f}" y="{height - 12}" text-anchor="middle" fill="#666" font-size="12">'
                   f'{value:g}x</text>')
        value += grid
    for i, row in enumerate(rows):
        y = top + pitch * i
        name = html.escape(row["title"].split(": ")[0])
        out.append(f'<text x="{left - 10}" y="{y + 20}" text-anchor="end">{name}</text>'
                   f'<text x="{left - 10}" y="{y + 35}" text-anchor="end" fill="#666" font-size="11">'
                   f'{html.escape(shown(row["ours"]))}; PyTorch {html.escape(shown(row["torch"]))}</text>')
        for key, shift, tall, fill in (("ratio", 8, 18, "#2563a8"), ("ratio_plain", 27, 11, "#b9cbe0")):
            end, size = x(row[key]), 11 if tall < 15 else 13
            out.append(f'<rect x="{left}" y="{y + shift}" width="{end - left:.1f}" height="{tall}" fill="{fill}"/>'
                       f'<text x="{end + 5:.1f}" y="{y + shift + tall - 2}" font-size="{size}">{row[key]:.1f}</text>')
        if row["required"]:
            out.append(f'<path d="M{x(row["required"]):.1f} {y + 4}v26" stroke="#c2410c" stroke-width="3"/>')
    return "\n".join(out + ["</svg>"]) + "\n"


def write(name, text):
    with open(os.path.join(OUT, name), "w") as file:
        file.write(text)


def all_rows(torch):
    """(rows, failures): a row that cannot be run does not keep the others from it."""
    rows, failures = [], []

    def attempt(title, rows_of):
        say(f"{title}:")
        try:
            rows.extend(rows_of())
        except (Failed, KeyError) as error:
            reason = f"no {error} in the output" if isinstance(error, KeyError) else error
            say(f"    not run: {reason}")
            failures.append(f"{title}: {reason}")

    if wanted("ae") or wanted("api"):
        attempt(ROWS[0][1], lambda: ae_rows(torch))
    for key, title, what, required, level in ROWS[1:]:
        if wanted(key):
            attempt(title, lambda: [row_of(key, title, required, measure(torch, what, level))])
    if LONG and wanted("long"):
        attempt(LONG_ROW[1], lambda: [long_row(torch)])
    return rows, failures


def main():
    known = {row[0] for row in ROWS} | {API_ROW[0], LONG_ROW[0]}
    if set(ONLY) - known or ROUNDS < 3:
        sys.exit(f"peers: ONLY takes {' '.join(sorted(known))}; ROUNDS at least 3")
    torch = Torch()
    try:
        torch.probe()
    except Failed as error:
        sys.exit(f"peers: {error}")
    for note in torch.notes:
        say(note)
    rows, failures = all_rows(torch)
    about = machine()
    notes = notes_of(rows, torch, about)
    os.makedirs(OUT, exist_ok=True)
    whole = {"machine": about, "quick": QUICK, "rounds": ROUNDS, "notes": notes, "failures": failures, "rows": rows}
    write("peers.json", json.dumps(whole, indent=1) + "\n")
    write("peers.md", markdown(rows, failures, notes))
    write("peers.svg", svg(rows))
    print("\n" + text_table(rows) + "\n\n" + "\n".join(notes + [f"not run: {failure}" for failure in failures]))
    missed = [row["title"] for row in rows if row["reached"] is False]
    if missed:
        print("missed: " + "; ".join(missed))
    print(f"written: {os.path.relpath(OUT, os.getcwd())}/peers.json, peers.md, peers.svg")
    return 1 if missed or failures else 0


if __name__ == "__main__":
    sys.exit(main())
