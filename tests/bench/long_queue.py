#!/usr/bin/env python3
"""A queue of 100,000 jobs and a curve of 1,000,000 points: what they cost whoever asks.

Usage: tests/bench/long_queue.py [--jobs N] [--points N] [--latentd FILE]

Prints percentiles of one client's submissions while the queue is long, beside those of an fsync on the same disk in the same
minutes; of a page of the list, for each filter and order; the time until a killed daemon answers again; its memory; and of a thinned
curve. Nothing trains meanwhile: one job that computes as little as it can holds the only worker.
"""
import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS, NAMES = ["ae", "vae", "gan"], ["", "shoes", "bags", "only-one"]


def percentile(times, p):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * p))] * 1e3


def row(what, times, goal=None):
    print(f"{what:<58} p50 {percentile(times, .5):8.2f}  p99 {percentile(times, .99):8.2f}  max {max(times) * 1e3:8.2f} ms"
          + (f"   goal {goal}" if goal else ""), flush=True)


class Daemon:
    def __init__(self, program, folder):
        self.program, self.folder, self.process = program, folder, None

    def start(self):
        """Seconds until it is ready."""
        begin, port_file = time.monotonic(), os.path.join(self.folder, "port")
        if os.path.exists(port_file):
            os.remove(port_file)
        self.process = subprocess.Popen([self.program, "--data-dir", os.path.join(self.folder, "data"), "--listen", "127.0.0.1:0",
                                         "--port-file", port_file, "--workers", "1", "--threads", "1"],
                                        stderr=open(os.path.join(self.folder, "log"), "a"), stdout=subprocess.DEVNULL)
        while True:
            if self.process.poll() is not None:
                sys.exit(f"the daemon ended: see {self.folder}/log")
            try:
                with open(port_file) as f:
                    self.port = int(f.read())
                if self.ask(http.client.HTTPConnection("127.0.0.1", self.port), "GET", "/readyz")[0] == 200:
                    return time.monotonic() - begin
            except (OSError, ValueError):
                pass
            time.sleep(.002)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()

    def memory_mib(self, what="VmHWM"):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(what)) / 1024

    @staticmethod
    def ask(connection, method, path, body=None):
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"} if body else {})
        reply = connection.getresponse()
        return reply.status, reply.read()


def submit(port, first, n, times=None):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for i in range(first, first + n):
        spec = {"kind": KINDS[i % 3], "priority": i % 5 - 9, "params": {"epochs": 1 + i % 50}}
        if NAMES[i % 3]:
            spec["name"] = NAMES[i % 3]
        begin = time.monotonic()
        status, body = Daemon.ask(connection, "POST", "/v1/jobs", spec)
        if times is not None:
            times.append(time.monotonic() - begin)
        if status != 201:
            sys.exit(f"{status} {body}")


def fsyncs(folder, times, stop):
    """As a commit does it: some pages at the end of a file, then fdatasync."""
    with open(os.path.join(folder, "fsync"), "wb", buffering=0) as f:
        while not stop.is_set():
            f.write(b"x" * 16384)
            begin = time.monotonic()
            os.fdatasync(f.fileno())
            times.append(time.monotonic() - begin)
            time.sleep(.01)


def measure_submit(daemon, first, n):
    times, disk, stop = [], [], threading.Event()
    thread = threading.Thread(target=fsyncs, args=(daemon.folder, disk, stop))
    thread.start()
    submit(daemon.port, first, n, times)
    stop.set()
    thread.join()
    row(f"submit, one client, {first} jobs waiting", times, "p99 < 20")
    row("fdatasync of the same disk meanwhile", disk)


def measure_list(daemon):
    connection, slowest = http.client.HTTPConnection("127.0.0.1", daemon.port), []
    for status, kind, name, order in itertools.product(["", "queued", "running", "queued,running,failed"], [""] + KINDS, NAMES,
                                                       ["asc", "desc"]):
        query = "&".join(f"{k}={v}" for k, v in (("status", status), ("kind", kind), ("name", name), ("order", order)) if v)
        times = []
        for _ in range(3):
            begin = time.monotonic()
            code, body = Daemon.ask(connection, "GET", f"/v1/jobs?limit=100&{query}")
            times.append(time.monotonic() - begin)
            if code != 200:
                sys.exit(f"{code} {body}")
        slowest.append((min(times), query, len(json.loads(body)["data"])))
    row(f"a page of 100, {len(slowest)} filters and orders", [t for t, _, _ in slowest], "< 20")
    t, query, n = max(slowest)
    print(f"  the slowest: ?{query}: {n} jobs, {t * 1e3:.2f} ms")
    begin = time.monotonic()
    after, seen = "", 0
    while True:
        page = json.loads(Daemon.ask(connection, "GET", f"/v1/jobs?limit=100&status=queued{after}")[1])
        seen += len(page["data"])
        if not page["has_more"]:
            break
        after = f"&after={page['last_id']}"
    print(f"  all {seen} waiting jobs, page by page: {time.monotonic() - begin:.1f} s")


def measure_restart(daemon, what, how):
    daemon.end(how)
    took = daemon.start()
    print(f"{what:<58} ready after {took:8.3f} s     goal < 3", flush=True)


def measure_curve(daemon, points):
    data = os.path.join(daemon.folder, "data")
    subprocess.run([os.path.join(ROOT, "build/release/tests/server/store/blocks")], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "POINTS": str(points), "KEEP": data})
    daemon.start()
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port)
    for what in ["metrics?points=1000&names=train_loss", f"metrics?points=1000&names=train_loss&from_step={points // 3}",
                 "curves.svg?names=train_loss", "metrics?by=epoch&names=train_loss"]:
        times = []
        for _ in range(50 if "by=" not in what else 3):
            begin = time.monotonic()
            code, body = Daemon.ask(connection, "GET", f"/v1/jobs/long/{what}")
            times.append(time.monotonic() - begin)
            if code != 200:
                sys.exit(f"{code} {body}")
        row(f"{points} points: {what.split('&names')[0]}", times, None if "by=" in what else "< 10")
    daemon.end(signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=99000)
    parser.add_argument("--points", type=int, default=1000000)
    parser.add_argument("--latentd", default=os.path.join(ROOT, "build/release/latentd"))
    parser.add_argument("--dir", help="where the data goes (the disk that is measured)")
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="latentd-queue.", dir=args.dir)
    daemon = Daemon(args.latentd, folder)
    try:
        daemon.start()
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port)
        Daemon.ask(connection, "POST", "/v1/jobs", {"kind": "ae", "name": "only-one", "priority": 1000, "params": {
            "epochs": 100000, "latent_dim": 1, "channels": [1], "batch_size": 1, "preview_every_epochs": 0}})
        begin = time.monotonic()
        clients = [multiprocessing.Process(target=submit, args=(daemon.port, k * (args.jobs // 4), args.jobs // 4)) for k in range(4)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        took = time.monotonic() - begin
        print(f"{args.jobs} jobs by 4 clients: {took:.1f} s, {args.jobs / took:.0f} a second", flush=True)
        measure_submit(daemon, args.jobs, 900)
        measure_list(daemon)
        print(f"{'memory, at most':<58} {daemon.memory_mib():.0f} MiB            goal < 300")
        measure_restart(daemon, "kill -9, start", signal.SIGKILL)
        measure_restart(daemon, "stop, start", signal.SIGTERM)
        print(f"{'memory after a start':<58} {daemon.memory_mib():.0f} MiB")
        size = os.path.getsize(os.path.join(folder, "data/latentd.db")) / 2**20
        print(f"{'database':<58} {size:.0f} MiB")
        daemon.end(signal.SIGTERM)
        shutil.rmtree(os.path.join(folder, "data"))
        measure_curve(daemon, args.points)
    finally:
        if daemon.process and daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
