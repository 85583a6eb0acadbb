"""What the campaign consists of: each part registers itself, says what it found as Findings, and is run by torture.py."""
import os
import random
import threading
import time
import zlib

PARTS = {}
SEED = int(os.environ.get("SEED") or 1)
LANES = int(os.environ.get("LANES") or max(2, os.cpu_count() or 1))
# The short form of `make check`: a few of everything.
SHORT = bool(os.environ.get("SHORT"))


def part(name, catches=()):
    """Registers a function of Findings. `catches`: the planted faults (plants.py) that must make it fail."""
    def register(function):
        PARTS[name] = function
        function.catches = catches
        return function
    return register


def many(name, short, full):
    """How many of something: KILLS=500 make torture, or what the form has."""
    return int(os.environ.get(name) or (short if SHORT else full))


def dice(*what):
    """Random numbers that depend on SEED and on what they are for."""
    return random.Random(zlib.crc32(repr((SEED, *what)).encode()))


class Findings:
    """What one part has seen: how many were tried, what failed, and figures for the summary."""

    def __init__(self, name, total=0, quiet=False):
        self.name, self.total, self.quiet = name, total, quiet
        self.tried, self.failures, self.figures = 0, [], {}
        self.lock, self.begin, self.told = threading.Lock(), time.monotonic(), time.monotonic()

    def passed(self, n=1):
        with self.lock:
            self.tried += n
            self.progress()

    def failed(self, text):
        with self.lock:
            self.tried += 1
            self.failures.append(text)
            if not self.quiet:
                print(f"    FAILED {self.name}: {text}", flush=True)

    def count(self, figure, n=1):
        with self.lock:
            self.figures[figure] = self.figures.get(figure, 0) + n

    def say(self, figure, value):
        with self.lock:
            self.figures[figure] = value

    def attempt(self, what, function, *arguments):
        """Runs it; what goes wrong is a failure of `what`, and the campaign goes on."""
        try:
            function(*arguments)
        except Exception as error:  # whatever it is, it is told
            self.failed(f"{what}: {type(error).__name__}: {error}")
        else:
            self.passed()

    def progress(self):
        now = time.monotonic()
        if self.quiet or now - self.told < 5 or not self.total:
            return
        self.told = now
        left = (now - self.begin) / max(self.tried, 1) * max(self.total - self.tried, 0)
        print(f"    {self.name}: {self.tried} of {self.total}, {len(self.failures)} failed, eta {left:.0f} s", flush=True)


def in_lanes(work, items, lanes=None):
    """Each item by work(item), several at a time."""
    waiting, lock = iter(items), threading.Lock()

    def lane():
        while True:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            work(item)
    threads = [threading.Thread(target=lane, daemon=True) for _ in range(lanes or LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
