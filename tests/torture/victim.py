"""A daemon to be ill-treated: started, killed and started again, under the shim; what its jobs come to, file by file."""
import ctypes
import hashlib
import mmap
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "results"))
from daemon import Api, Refused, PR_SET_PDEATHSIG  # noqa: E402

LATENTD = os.path.join(ROOT, os.environ.get("LATENTD") or "build/release/latentd")
SHIM = os.path.join(ROOT, "build", "release", "kf.so")
# A sanitizer wants to be the first to be loaded; its builds are killed without aim.
SHIMMED = "san" not in os.path.basename(os.path.dirname(LATENTD))
TERMINAL = ("succeeded", "failed", "cancelled")
READY_S, END_S = 60, 120


class Broken(Exception):
    """What must hold does not: the text says what was found."""


def expect(holds, text):
    if not holds:
        raise Broken(text)


# --- the shim's page ---

class Page:
    """The numbers of kf.h by name: page["at"] = 3."""
    with open(os.path.join(ROOT, "tests", "torture", "kf.h")) as header:
        words = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.S).split("#define ")
    lists = {word.split("(")[0]: re.findall(r"X\((\w+)\)", word) for word in words}
    FIELDS, CALLS, ACTS = lists["KF_FIELDS"], lists["KF_CALLS"], lists["KF_ACTS"]
    PATH_MAX = 256
    FILES = [call for call in CALLS if call not in ("malloc", "thread")]

    def __init__(self, file):
        self.file, self.size = file, 8 * len(self.FIELDS) + self.PATH_MAX
        with open(file, "wb") as f:
            f.write(bytes(self.size))
        with open(file, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), self.size)

    def __getitem__(self, name):
        return struct.unpack_from("q", self.map, 8 * self.FIELDS.index(name))[0]

    def __setitem__(self, name, value):
        struct.pack_into("q", self.map, 8 * self.FIELDS.index(name), value)

    def clear(self):
        self.map[:] = bytes(self.size)

    def arm(self, calls, at=0, act="none", times=1, error=0, path=""):
        """Counts `calls` from now on; the at-th is struck."""
        self["armed"] = 0
        self["calls"] = sum(1 << self.CALLS.index(call) for call in calls)
        self["count"], self["struck"], self["at"], self["times"] = 0, 0, at, times
        self["act"], self["error"] = self.ACTS.index(act), error
        text = path.encode()
        self.map[-self.PATH_MAX:] = text + bytes(self.PATH_MAX - len(text))
        self["armed"] = 1

    def disarm(self):
        self["armed"] = 0

    def last(self):
        return self.CALLS[self["last"]]


# --- the daemon ---

def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Victim(Api):
    """folder/data is its data directory. Options and environment are the caller's."""

    def __init__(self, folder, *options, shim=SHIMMED, binary=None, environment=None, before_exec=None):
        super().__init__(None)
        self.folder, self.options, self.binary = folder, options, binary or LATENTD
        self.data, self.log = os.path.join(folder, "data"), os.path.join(folder, "log")
        self.port_file = os.path.join(folder, "port")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("LATENTD_")}
        self.environment.update(environment or {})
        self.process, self.before_exec, self.shimmed = None, before_exec, shim
        # Not in the folder: what is mapped keeps a volume busy.
        self.page = Page(tempfile.mkstemp(prefix="page-", dir=SCRATCH)[1])
        self.environment["KF_PAGE"] = self.page.file  # also read by what is linked into a sanitizer's build (wrap.c)
        if shim:
            os.makedirs(os.path.join(folder, "shadow"), exist_ok=True)
            self.environment.update(LD_PRELOAD=SHIM, KF_ROOT=self.data, KF_SHADOW=os.path.join(folder, "shadow"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def launch(self):
        if os.path.exists(self.port_file):
            os.remove(self.port_file)
        if os.environ.get("TORTURE_PLANT") == "log lost":
            lose_log(self.data)
        command = [self.binary, "--listen", "127.0.0.1:0", "--port-file", self.port_file, "--data-dir", self.data,
                   "--dataset-dir", data_sets(), "--log-level", "info", *self.options]

        def prepare():
            die_with_parent()
            if self.before_exec:
                self.before_exec()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                            env=self.environment, preexec_fn=prepare)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def ready(self, within_s=READY_S):
        """False if it ended before it was."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if not self.alive():
                return False
            try:
                if self.url is None:
                    with open(self.port_file) as file:
                        self.url = f"http://127.0.0.1:{int(file.read())}"
                self.raw("/readyz", timeout=within_s)
                return True
            except (Refused, OSError, ValueError):
                time.sleep(0.003)
        raise Broken(f"not ready after {within_s} s")

    def start(self):
        self.url = None
        self.launch()
        if not self.ready():
            raise Broken(f"it did not start: exit {self.process.returncode}: {self.tail()}")
        return self

    def kill(self, signal_number=signal.SIGKILL):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.end()

    def end(self, within_s=END_S):
        """Its exit code, or minus the signal that ended it."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken(f"it had not ended after {within_s} s") from None
        self.process, self.url = None, None
        return code

    def tail(self, lines=3):
        with open(self.log, errors="replace") as log:
            return " | ".join(log.read().splitlines()[-lines:])[-600:]

    def delete(self, path):
        request = urllib.request.Request(self.url + path, method="DELETE")
        with self.opener.open(request, timeout=20):
            pass

    # --- jobs ---

    def submit(self, spec):
        return self.post("/v1/jobs", spec)["id"]

    def settle(self, job, within_s=END_S):
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            seen = self.get(f"/v1/jobs/{job}?wait_s=10")
            if seen["status"] in TERMINAL:
                return seen
        raise Broken(f"{job} is {seen['status']} at {seen['progress']} after {within_s} s")

    def events(self, job):
        path, events, after = f"/v1/jobs/{job}/events?limit=100", [], ""
        while True:
            page = self.get(path + after)
            events += page["data"]
            if not page["has_more"]:
                return events
            after = f"&after={events[-1]['seq']}"

    def worth(self, job):
        return worth(self, job)


# --- what a job came to: equal for equal runs ---

def sum_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def files_of(data, job):
    """All of its files but the one that names it, with the sum of their bytes."""
    folder, files = os.path.join(data, "jobs", job), {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name != "job.json":
                files[os.path.relpath(path, folder)] = sum_of(path)
    return files


def curves_of(api, job):
    series = api.get(f"/v1/jobs/{job}/metrics?by=step&points=1000000")["series"]
    return {name: [columns["step"], columns["epoch"], columns["value"]]
            for name, columns in series.items() if name != "samples_per_s"}


def without_times(job):
    kept = {key: job[key] for key in ("status", "stop_reason", "best", "test", "generalisation_gap", "warnings", "error")}
    kept["metrics"] = {name: value for name, value in (job["metrics"] or {}).items() if name != "samples_per_s"}
    kept["progress"] = {key: job["progress"][key] for key in ("epoch", "epochs", "step", "steps")}
    return kept


def worth(api, job):
    told = {"checkpoint": [], "preview": [], "alert": []}
    for event in api.events(job):
        if event["event"] in told:
            told[event["event"]].append((event.get("epoch"), event.get("step"), event.get("code")))
    return {"row": without_times(api.get(f"/v1/jobs/{job}")), "curves": curves_of(api, job), "files": files_of(api.data, job),
            "told": {name: sorted(map(str, rows)) for name, rows in told.items()}}


def differences(got, wanted, where=""):
    """The first places in which two of these differ, in words."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        found = []
        for key in sorted(set(got) | set(wanted)):
            found += differences(got.get(key), wanted.get(key), f"{where}/{key}")
        return found
    if got == wanted:
        return []
    return [f"{where}: {str(got)[:160]} instead of {str(wanted)[:160]}"]


def essence(value):
    """Without what a run does not need to go on: pictures, and the mixture that new codes are drawn from."""
    files = {name: total for name, total in value["files"].items() if not name.startswith(("previews/", "codes/"))}
    return {**value, "files": files, "told": {**value["told"], "preview": []}}


def check_worth(got, wanted, what, extras=True):
    """extras: False where what could not be written may have been told as a warning."""
    found = differences(got, wanted) if extras else differences(essence(got), essence(wanted))
    expect(not found, f"{what}: {'; '.join(found[:3])}")
    for name, (steps, _, _) in got["curves"].items():
        expect(all(a < b for a, b in zip(steps, steps[1:])), f"{what}: {name} has a step twice")
    steps = got["curves"].get("train_loss", got["curves"].get("d_loss", [[]]))[0]
    expect(steps == list(range(1, got["row"]["progress"]["step"] + 1)), f"{what}: the curve has a gap")


def check_events(events, what):
    numbers = [event["seq"] for event in events]
    expect(numbers == list(range(1, len(numbers) + 1)), f"{what}: event ids {numbers[:8]}…")


# --- the database, read behind the daemon's back ---

def rows(data, sql, *arguments):
    """Of a copy: reading the database itself would fold its log into it."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        for name in ("latentd.db", "latentd.db-wal"):
            if os.path.exists(os.path.join(data, name)):
                shutil.copy(os.path.join(data, name), folder)
        connection = sqlite3.connect(os.path.join(folder, "latentd.db"))
        try:
            return connection.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []  # killed before there were any
            raise
        finally:
            connection.close()


# --- a place for all of it, data sets ---

SCRATCH = tempfile.mkdtemp(prefix="latentd-torture-", dir=os.environ.get("TORTURE_DIR") or
                           ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None))


def folder(name):
    return tempfile.mkdtemp(prefix=name + "-", dir=SCRATCH)


def clean_up():
    shutil.rmtree(SCRATCH, ignore_errors=True)


def write_idx(path, magic, shape, data):
    with open(path, "wb") as file:
        file.write(struct.pack(f">{1 + len(shape)}I", magic, *shape) + data)


_making = threading.Lock()


def data_sets():
    """A folder with "tiny": 240 and 60 pictures of 12x12, one bright bar for each of ten classes among some noise."""
    place = os.path.join(SCRATCH, "sets")
    with _making:
        if not os.path.exists(place):
            make_data_sets(place)
    return place


def make_data_sets(place):
    making = place + ".new"
    os.makedirs(os.path.join(making, "tiny"))
    state, side = 12345, 12
    for split, n in (("train", 240), ("t10k", 60)):
        images, labels = bytearray(), bytes(i % 10 for i in range(n))
        for label in labels:
            for at in range(side * side):
                state = (state * 1103515245 + 12345) & 0x7fffffff
                images.append(min(255, (state >> 16) % 80 + (160 if at // side == label + 1 else 0)))
        write_idx(os.path.join(making, "tiny", f"{split}-images-idx3-ubyte"), 0x803, (n, side, side), bytes(images))
        write_idx(os.path.join(making, "tiny", f"{split}-labels-idx1-ubyte"), 0x801, (n,), labels)
    os.rename(making, place)


def lose_log(data):
    """The planted fault "log lost": the database's log was never on disk."""
    log = os.path.join(data, "latentd.db-wal")
    if os.path.exists(log):
        os.truncate(log, 0)
