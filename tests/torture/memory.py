"""Every n-th allocation fails: of a request, of a job, of the way up. No crash; 503 or 507, or a job that says "out of memory"."""
import errno
import http.client
import json
import os
import re
import shutil
import struct
import time
from urllib.parse import urlparse

import jobs
from parts import LANES, SHORT, dice, in_lanes, many, part
from victim import ROOT, Broken, Refused, Victim, check_worth, expect, folder

FOR_EVER = 1 << 40
OPTIONS = ("--workers", "1", "--threads", "2")
GOOD = (200, 201, 202, 204, 503, 507)


def ask(v, method, path, body=None, timeout=20, media="application/json"):
    """(status, bytes); status 0: no reply, as when the connection itself could not be had."""
    connection = http.client.HTTPConnection(urlparse(v.url).netloc, timeout=timeout)
    try:
        headers = {"Content-Type": media} if body is not None else {}
        connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def picture():
    """One image of "tiny" as npy."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 12, 12), }"
    header += " " * (118 - len(header) - 1) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<144f", *[0.5] * 144)


# method, path ({ae}, {head}: finished jobs), body; whether the same request has the same answer each time
REQUESTS = [
    ("GET", "/v1/jobs", None, True),
    ("GET", "/v1/jobs/{ae}", None, True),
    ("GET", "/v1/jobs/{ae}/metrics?by=step", None, True),
    ("GET", "/v1/jobs/{ae}/metrics.csv", None, True),
    ("GET", "/v1/jobs/{ae}/events", None, True),
    ("GET", "/v1/jobs/{ae}/events.txt", None, True),
    ("GET", "/v1/jobs/{ae}/curves.svg", None, True),
    ("GET", "/v1/jobs/{ae}/curves.png", None, True),
    ("GET", "/v1/jobs/{ae}/previews", None, True),
    ("GET", "/v1/jobs/{ae}/reconstructions.png", None, True),
    ("GET", "/v1/jobs/{ae}/timelapse.png", None, True),
    ("GET", "/v1/jobs/{ae}/bundle.tar", None, True),
    ("GET", "/v1/jobs/{ae}/checkpoints", None, True),
    ("GET", "/v1/jobs/{ae}/checkpoints/last/weights", None, True),
    ("GET", "/v1/jobs/{head}/confusion", None, True),
    ("GET", "/v1/models", None, True),
    ("GET", "/v1/models/{ae}", None, True),
    ("GET", "/v1/models/{ae}/pytorch.py", None, True),
    ("POST", "/v1/models/{ae}/decode", {"z": [[0.1, 0.2, 0.3]]}, True),
    ("POST", "/v1/models/{ae}/sample.png", {"count": 4, "seed": 1}, True),
    ("POST", "/v1/models/{ae}/interpolate", {"from": {"z": [0, 0, 0]}, "to": {"z": [1, 1, 1]}, "steps": 3}, True),
    ("GET", "/v1/models/{ae}/latents?n=4", None, True),
    ("GET", "/v1/models/{ae}/latents/stats", None, True),
    ("POST", "/v1/models/{ae}/nearest", {"index": 1, "k": 3}, True),
    ("GET", "/v1/models/{ae}/manifold?n=3", None, True),
    ("GET", "/v1/models/{ae}/traversals.png?steps=3", None, True),
    ("POST", "/v1/models/{ae}/arithmetic", {"plus": [1, {"seed": 2}], "nearest": 2}, True),
    ("POST", "/v1/models/{ae}/encode", "npy", True),
    ("POST", "/v1/models/{ae}/reconstruct.png", "npy", True),
    ("POST", "/v1/models/{head}/classify", "npy", True),
    ("GET", "/v1/kinds", None, True),
    ("GET", "/v1/kinds/ae", None, True),
    ("GET", "/v1/datasets", None, False),  # a folder that cannot be read for want of memory is listed as that
    ("GET", "/v1/datasets/tiny/images.png", None, True),
    ("GET", "/metrics", None, False),
    ("GET", "/v1/info", None, False),
    ("POST", "/v1/jobs?validate_only=true", "spec", False),
    ("PATCH", "/v1/jobs/{ae}", {"name": "renamed", "metadata": {"a": 1}}, False),
    ("POST", "/v1/jobs", "spec", False),
]


def body_of(what):
    if what == "npy":
        return picture(), "application/x-npy"
    if what == "spec":
        return jobs.spec("ae", name="held", epochs=1, preview_every_epochs=0), "application/json"
    return what, "application/json"


def request_of(row, names):
    method, path, what, _ = row
    body, media = body_of(what)
    return method, path.format(**names), body, media


def first_difference(got, wanted):
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
    return f"{got[max(at - 40, 0):at + 40]} instead of {wanted[max(at - 40, 0):at + 40]} ({len(got)} and {len(wanted)} bytes)"


def one_request(v, row, names, findings, every):
    """All n from 1, until one is not reached any more."""
    method, path, body, media = request_of(row, names)
    random, what = dice("memory", path), f"{method} {path}"
    status, calm = ask(v, method, path, body, media=media)
    expect(status in (200, 201), f"{what}: {status} {calm[:200]}")
    n = 1 + random.randrange(every)
    while True:
        v.page.arm(("malloc",), at=n, act="fail", error=errno.ENOMEM)
        status, reply = ask(v, method, path, body, media=media)
        v.page.disarm()
        if not v.alive():
            raise Broken(f"{what}: the daemon died when allocation {n} failed: {v.tail()}")
        if not v.page["struck"]:
            break
        if status not in GOOD and status != 0:
            findings.failed(f"{what}: allocation {n}: {status} {reply[:200]}")
        elif row[3] and status == 200 and reply != calm:
            findings.failed(f"{what}: allocation {n}: another reply: {first_difference(reply, calm)}")
        else:
            findings.passed()
        findings.count({0: "connections that were closed", 503: "replies 503", 507: "replies 507"}.get(status, "replies 2xx"))
        n += 1 + random.randrange(2 * every - 1) if every > 1 else 1
    again, reply = ask(v, method, path, body, media=media)
    expect(again in (200, 201) and (not row[3] or reply == calm), f"{what}: afterwards {again} {reply[:200]}")


@part("memory of requests", catches=("allocation unchecked",))
def requests(findings):
    """each allocation of each request fails once"""
    requests_of(findings, many("EVERY", 60, 1))


def requests_of(findings, every, **how):
    with jobs.victim("memory", *OPTIONS, **how) as v:
        def fresh():
            v.start()
        fresh()
        parent = v.get("/v1/jobs/parent")["id"]
        names = {"ae": parent, "head": v.settle(v.submit(jobs.spec("finetune", name="head", epochs=1)))["id"]}
        for row in REQUESTS:
            try:
                one_request(v, row, names, findings, every)
            except Broken as broken:
                findings.failed(str(broken))
                v.kill()
                v.page.clear()
                fresh()
        for row in REQUESTS:  # and all of them, for a while
            method, path, body, media = request_of(row, names)
            v.page.arm(("malloc",), at=1, times=FOR_EVER, act="fail", error=errno.ENOMEM)
            status, _ = ask(v, method, path, body, timeout=0.3, media=media)
            v.page.disarm()
            findings.attempt(f"{method} {path} without any memory", check_alive, v, status, f"{method} {path}")
            if not v.alive():
                v.process = None
                fresh()
        findings.attempt("its end", check_end, v)
    shutil.rmtree(v.folder)


def check_alive(v, status, what):
    expect(status in GOOD or status == 0, f"{what}: {status}")
    expect(v.alive(), f"{what}: the daemon died: {v.tail()}")
    expect(ask(v, "GET", "/v1/jobs")[0] == 200, f"{what}: it does not answer any more: {v.tail()}")


def check_end(v):
    """It stops as it should, and a sanitizer that looked on has nothing to say."""
    code = v.kill(15)
    expect(code == 0, f"it ended with {code}: {v.tail()}")
    with open(v.log, errors="replace") as log:
        told = [line for line in log if re.search(r"ERROR: \w+Sanitizer|runtime error:", line)]
    expect(not told, f"{told[:1]}: {v.tail(12)}")


# --- jobs ---

SMALL = {"ae": 2, "vae": 2, "gan": 1, "finetune": 2, "stateful": 2}


def job_body(kind):
    return jobs.spec(kind, name=f"memory-{kind}", epochs=SMALL[kind], preview_every_epochs=1)


def one_job(v, kind, n, times, findings):
    what = f"{kind}: allocation {n} fails{' and all after it' if times > 1 else ''}"
    job = v.submit(job_body(kind))
    # The worker has it already: a few allocations more or less make no difference to "all of them".
    v.page.arm(("malloc",), at=n, times=times, act="fail", error=errno.ENOMEM)
    if times > 1:
        time.sleep(0.2)
        v.page.disarm()
    try:
        try:
            seen = v.settle(job, 30)
        except Refused as refusal:  # it was the question that met it
            expect(refusal.status == 503, f"{what}: {refusal.status} {refusal}")
            seen = v.settle(job, 30)
    except Exception as error:
        raise Broken(f"{what}: {'the daemon died' if not wait_alive(v) else error}: {v.tail()}") from None
    finally:
        v.page.disarm()
    if seen["status"] == "failed":
        expect(seen["error"]["code"] == "out_of_memory", f"{what}: {seen['error']}")
        findings.count("jobs failed: out of memory")
    else:
        expect(seen["status"] == "succeeded", f"{what}: {seen['status']}")
        if v.shimmed:  # of another build: other bits
            check_worth(v.worth(job), jobs.undisturbed(job_body(kind)), what, extras=False)
        findings.count("jobs that ended well")


def wait_alive(v):
    try:
        v.process.wait(2)
        return False
    except Exception:
        return True


def jobs_of_kind(kind, findings, **how):
    random = dice("memory", kind)
    with jobs.victim("memory", *OPTIONS, **how) as v:
        v.start()
        v.page.arm(("malloc",))
        v.settle(v.submit(job_body(kind)))
        total = v.page["count"]
        v.page.disarm()
        findings.say(f"{kind}: allocations", total)
        tries = min(many("ALLOCATIONS", 6, 250), total)
        for number in range(tries):
            n = 1 + (number * total + random.randrange(total)) // tries
            try:
                one_job(v, kind, n, FOR_EVER if number % 5 == 4 else 1, findings)
                findings.passed()
            except Exception as error:
                findings.failed(f"{type(error).__name__}: {error}")
                v.kill()
                v.page.clear()
                v.start()
        findings.attempt(f"{kind}: its end", check_end, v)
    shutil.rmtree(v.folder)


@part("memory of jobs", catches=("job that aborts",))
def memory_of_jobs(findings):
    """allocations of jobs of each kind fail, once, or all for a while"""
    for kind in SMALL:
        jobs.undisturbed(job_body(kind))
    in_lanes(lambda kind: jobs_of_kind(kind, findings), SMALL, LANES)


# --- the way up ---

def one_start(n, times, findings):
    what = f"the way up: allocation {n} fails{' and all after it' if times > 1 else ''}"
    v = Victim(folder("up"), *OPTIONS)
    with v:
        v.page.arm(("malloc",), at=n, times=times, act="fail", error=errno.ENOMEM)
        v.launch()
        try:
            up = v.ready(5)
        except Broken:
            expect(times > 1 and v.alive(), f"{what}: neither ready nor ended: {v.tail()}")
            up = True
        if up:
            v.page.disarm()
            findings.count("started all the same")
            time.sleep(0.05)
            v.ready()
            expect(v.alive(), f"{what}: the daemon died: {v.tail()}")
            job = v.settle(v.submit(jobs.spec("ae", epochs=1, preview_every_epochs=0)))
            expect(job["status"] == "succeeded", f"{what}: {job['status']} {job['error']}")
        else:
            code = v.end()
            expect(code in (1, 74, 78), f"{what}: it ended with {code}: {v.tail()}")
            findings.count("did not start, and said why")
    shutil.rmtree(v.folder)


@part("memory at start", catches=("start that aborts",))
def memory_at_start(findings):
    """allocations of the way up fail, once and all after it"""
    with Victim(folder("up"), *OPTIONS) as v:
        v.page.arm(("malloc",))
        v.start()
        total = v.page["count"]
    findings.say("allocations", total)
    tries = min(many("STARTS", 20, 600), total)
    findings.total = tries
    work = [(1 + number * total // tries, FOR_EVER if number % 4 == 3 else 1) for number in range(tries)]
    in_lanes(lambda w: findings.attempt("the way up", one_start, *w, findings), work, LANES)


# --- under a sanitizer ---

SANITIZED = os.path.join(ROOT, "build", "asan", "latentd-kf")

if not SHORT and os.access(SANITIZED, os.X_OK):
    @part("memory, sanitized")
    def sanitized(findings):
        """each allocation of our own in each request, and of jobs of each kind, fails: AddressSanitizer, LeakSanitizer and UBSan look on"""
        how = {"shim": False, "binary": SANITIZED}
        requests_of(findings, many("EVERY", 1, 1), **how)
        in_lanes(lambda kind: jobs_of_kind(kind, findings, **how), SMALL, LANES)
