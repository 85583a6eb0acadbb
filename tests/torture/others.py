"""Two daemons on one directory, clocks that jump, descriptors that run out, clients that submit into kills, stops under load."""
import http.client
import os
import re
import resource
import shutil
import socket
import threading
import time
from urllib.parse import urlparse

import jobs
from memory import ask
from parts import LANES, dice, in_lanes, many, part
from victim import Broken, Victim, check_events, check_worth, expect, folder, rows

EXIT_DIR_IN_USE = 73


def endless(priority=0):
    body = jobs.spec("ae", name="endless", epochs=100000, checkpoint_every_epochs=100000, preview_every_epochs=0)
    return {**body, "priority": priority}


# --- two daemons ---

def pairs_lane(lane, n, findings):
    random, place = dice("pairs", lane), folder("pairs")
    for number in range(n):
        what = f"pair {lane}.{number}"
        a, b = (Victim(place, "--workers", "1") for _ in range(2))
        b.port_file += ".b"
        begin = time.monotonic()
        a.launch()
        time.sleep(random.choice((0, 0, random.uniform(0, 0.02))))
        b.launch()
        try:
            up = [v for v in (a, b) if v.ready(10)]
            took = time.monotonic() - begin
            expect(len(up) == 1, f"{what}: {len(up)} of them hold the directory")
            loser = b if up[0] is a else a
            expect(loser.end(5) == EXIT_DIR_IN_USE, f"{what}: the other one did not end with 73")
            expect(took < 5, f"{what}: took {took:.1f} s")
            expect(f"pid {up[0].process.pid}" in up[0].tail(12), f"{what}: the holder is not named: {up[0].tail(12)}")
            findings.passed()
        except Broken as broken:
            findings.failed(str(broken))
        finally:
            a.kill()  # a lock that a kill leaves is no obstacle
            b.kill()
    shutil.rmtree(place)


@part("two daemons", catches=("lock not taken",))
def two_daemons(findings):
    """started at once on one directory, again and again after kill -9: exactly one has it"""
    n = many("DUELS", 12, 500)
    findings.total = n
    in_lanes(lambda lane: pairs_lane(lane, n // LANES, findings), range(LANES), LANES)


# --- the wall clock ---

JUMPS_MS = [day * 86400000 for day in (1, -1, 3652, -3652, -20000, 4500)]


def clock_round(number, findings):
    random, what = dice("clock", number), f"clock {number}"
    with jobs.victim("clock", "--workers", "2") as v:
        v.start()
        stop = threading.Event()

        def jump():
            while not stop.wait(random.uniform(0.01, 0.1)):
                v.page["clock_ms"] = random.choice(JUMPS_MS + [0])
                findings.count("jumps")
        jumper = threading.Thread(target=jump)
        jumper.start()
        try:
            bodies = [jobs.spec(kind) for kind in ("ae", "vae", "gan", "finetune")]
            ids = [v.submit(body) for body in bodies]
            head = v.submit(endless())
            tail = [v.submit({**endless(), "name": f"behind {i}"}) for i in range(3)]
            for job, body in zip(ids, bodies):
                expect(v.settle(job)["status"] == "succeeded", f"{what}: {body['name']}")
                check_worth(v.worth(job), jobs.undisturbed(body), f"{what}: {body['name']}")
                check_events(v.events(job), f"{what}: {body['name']}")
            for wait_s in (1, 2):
                begin = time.monotonic()
                v.get(f"/v1/jobs/{head}?wait_s={wait_s}")
                took = time.monotonic() - begin
                expect(wait_s - 0.05 < took < wait_s + 2, f"{what}: waited {took:.2f} s of {wait_s}")
            listed = [job["id"] for job in v.get("/v1/jobs?limit=100&order=asc")["data"]]
            expect(listed[1:] == ids + [head] + tail, f"{what}: another order of jobs")
        finally:
            stop.set()
            jumper.join()
        v.page["clock_ms"] = random.choice(JUMPS_MS)
        v.kill()
        v.start()
        expect(v.get(f"/v1/jobs/{ids[0]}")["status"] == "succeeded", f"{what}: after a restart in another year")
    shutil.rmtree(v.folder)
    findings.passed()


@part("clock", catches=("wall clock used",))
def clock(findings):
    """the wall clock jumps by days and decades: no early timeout, the order is kept, the same bits"""
    def one(number):
        try:
            clock_round(number, findings)
        except Exception as error:
            findings.failed(f"{type(error).__name__}: {error}")
    in_lanes(one, range(many("CLOCKS", 1, 20)), LANES)


# --- descriptors ---

def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def crowd(v, n):
    """Connections that ask once and stay."""
    port, held = urlparse(v.url).port, []
    for _ in range(n):
        s = socket.socket()
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", port))
            s.send(b"GET /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        except OSError:
            pass
        held.append(s)
    return held


def descriptors_round(number, findings):
    what = f"descriptors {number}"
    with jobs.victim("files", "--workers", "2",
                     before_exec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))) as v:
        v.start()
        bodies = [jobs.spec("ae"), jobs.spec("finetune")]
        ids = [v.submit(body) for body in bodies]
        held = crowd(v, 200)
        calm = time.monotonic() + 60
        while time.monotonic() < calm and any(row[0] in ("running", "queued") for row in
                                              rows(v.data, "SELECT status FROM jobs")):
            time.sleep(0.1)
        expect(v.alive(), f"{what}: the daemon died: {v.tail()}")
        spent, begin, accepts = cpu_s(v.process.pid), time.monotonic(), v.page["accepts"]
        time.sleep(1.5)
        share = (cpu_s(v.process.pid) - spent) / (time.monotonic() - begin)
        findings.say("CPU of an idle daemon with all descriptors taken, %", round(100 * share, 1))
        expect(share < 0.05, f"{what}: the idle daemon takes {100 * share:.0f} % of a processor")
        expect(v.page["accepts"] - accepts < 200, f"{what}: {v.page['accepts'] - accepts} calls of accept in 1.5 s")
        for s in held:
            s.close()
        end = time.monotonic() + 10
        while ask(v, "GET", "/v1/jobs")[0] != 200 and time.monotonic() < end:
            time.sleep(0.1)
        for job, body in zip(ids, bodies):
            expect(v.settle(job)["status"] == "succeeded", f"{what}: {v.get('/v1/jobs/' + job)['error']}")
            check_worth(v.worth(job), jobs.undisturbed(body), f"{what}: {body['name']}")
    shutil.rmtree(v.folder)


@part("descriptors", catches=("no descriptors kept",))
def descriptors(findings):
    """64 descriptors and 200 clients: jobs save all the same, nothing spins, and it serves again"""
    for number in range(many("CROWDS", 1, 10)):
        findings.attempt("descriptors", descriptors_round, number, findings)


# --- acknowledged is on disk ---

def client(v, name, acknowledged, stop):
    number = 0
    while not stop.is_set():
        number += 1
        body = {**endless(), "name": f"{name}.{number}"}
        try:
            status, reply = ask(v, "POST", "/v1/jobs", body, timeout=5)
        except (TypeError, ValueError, AttributeError):
            status = 0  # no address, as between two lives
        if status == 201:
            acknowledged.append((re.search(rb'"id": ?"(job_\w+)"', reply).group(1).decode(), body["name"]))
        elif status == 0:
            time.sleep(0.005)


@part("acknowledged", catches=("log lost",))
def acknowledged_part(findings):
    """eight clients submit while the daemon is killed: each 201 is there after the restart, and nothing twice"""
    kills, random = many("ACK_KILLS", 6, 150), dice("acknowledged")
    findings.total = kills
    with jobs.victim("acknowledged", "--workers", "1") as v:
        v.start()
        v.submit(endless(priority=1000))
        acknowledged, stop = [], threading.Event()
        clients = [threading.Thread(target=client, args=(v, f"client {i}", acknowledged, stop)) for i in range(8)]
        for thread in clients:
            thread.start()
        for number in range(kills):
            time.sleep(random.uniform(0.02, 0.3))
            v.kill()
            told = list(acknowledged)
            there = rows(v.data, "SELECT id, name FROM jobs WHERE name LIKE 'client %'")
            missing = set(told) - set(there)
            names = [name for _, name in there]
            try:
                expect(not missing, f"kill {number}: {len(missing)} of {len(told)} acknowledged jobs are gone: {sorted(missing)[:2]}")
                expect(len(names) == len(set(names)), f"kill {number}: a job is there twice")
                findings.passed()
            except Broken as broken:
                findings.failed(str(broken))
            v.start()
        stop.set()
        for thread in clients:
            thread.join()
        findings.say("acknowledged submissions", len(acknowledged))
        there = rows(v.data, "SELECT id, name FROM jobs WHERE name LIKE 'client %'")
        findings.attempt("at the end", lambda: expect(not set(acknowledged) - set(there), "acknowledged jobs are gone"))
    shutil.rmtree(v.folder)


# --- SIGTERM ---

def load(v, stop):
    while not stop.is_set():
        try:
            connection = http.client.HTTPConnection(urlparse(v.url).netloc, timeout=5)
            connection.request("GET", "/v1/jobs")
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException, TypeError, AttributeError, ValueError):
            time.sleep(0.01)


def stop_round(number, findings, times):
    random, what = dice("stop", number), f"stop {number}"
    with jobs.victim("stop", "--workers", "3") as v:
        v.start()
        bodies = [jobs.spec(kind) for kind in ("ae", "vae", "gan")]
        ids = [v.submit(body) for body in bodies]
        stop = threading.Event()
        clients = [threading.Thread(target=load, args=(v, stop)) for _ in range(4)]
        for thread in clients:
            thread.start()
        try:
            time.sleep(random.uniform(0, 0.4))
            begin = time.monotonic()
            code = v.kill(15)
            took = time.monotonic() - begin
        finally:
            stop.set()
            for thread in clients:
                thread.join()
        times.append(took)
        expect(code == 0 and took < 10, f"{what}: exit {code} after {took:.1f} s")
        told = dict(rows(v.data, "SELECT j.id, max(s.last_step) FROM jobs j JOIN series s ON s.job=j.number"
                                 " WHERE j.status IN ('running','queued') GROUP BY j.id"))
        v.start()
        for job, body in zip(ids, bodies):
            expect(v.settle(job)["status"] == "succeeded", f"{what}: {body['name']}")
            for event in v.events(job):
                again = re.match(r"goes on from step (\d+)", str(event.get("message", "")))
                expect(not again or int(again.group(1)) == (told.get(job) or 0),
                       f"{what}: {body['name']} had told of step {told.get(job) or 0} and {event.get('message')}")
            check_worth(v.worth(job), jobs.undisturbed(body), f"{what}: {body['name']}")
    shutil.rmtree(v.folder)


@part("stop", catches=("stopped without saving",))
def stop_part(findings):
    """SIGTERM under load: exit 0 in time, no step lost, the same bits"""
    times = []
    findings.total = many("STOPS", 4, 200)
    for kind in ("ae", "vae", "gan"):
        jobs.undisturbed(jobs.spec(kind))
    in_lanes(lambda n: findings.attempt(f"stop {n}", stop_round, n, findings, times), range(findings.total), LANES)
    times.sort()
    findings.say("p99 of the time it took, ms", round(1000 * times[int(0.99 * (len(times) - 1))]))
    findings.say("longest, ms", round(1000 * times[-1]))


