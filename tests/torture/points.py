"""A kill at every call that changes what is on disk, while jobs change their state; and at every one of the way up."""
import os
import shutil
import time

import jobs
from parts import LANES, in_lanes, many, part
from victim import Broken, Refused, Victim, check_events, check_worth, expect, folder

LIVE, GONE = "queued or running", "gone"
TINY = {"epochs": 2, "preview_every_epochs": 1}
ENDLESS = {"epochs": 100000, "checkpoint_every_epochs": 100000, "preview_every_epochs": 0}
OPTIONS = ("--workers", "1", "--threads", "1")


class Known:
    """What a client was told before the kill: jobs that exist, states that hold."""

    def __init__(self):
        self.jobs = {}    # acknowledged: id → body
        self.told = {}    # id → state that it was told, LIVE or GONE


def body(name="tiny"):
    return jobs.spec("ae", name=name, **TINY)


def submit(v, known, spec):
    job = v.submit(spec)
    known.jobs[job] = spec
    return job


# --- scenarios: prepare(v, known) without the shim's harm, drive(v, known) under it ---

def drive_job(v, known):
    v.settle(submit(v, known, body()))


def prepare_running(v, known):
    job = submit(v, known, jobs.spec("ae", name="endless", **ENDLESS))
    while v.get(f"/v1/jobs/{job}")["progress"]["step"] == 0:
        time.sleep(0.002)


def prepare_cancelled(v, known):
    prepare_running(v, known)
    job = next(iter(known.jobs))
    v.post(f"/v1/jobs/{job}/cancel", {})
    v.settle(job)


def prepare_ended(v, known):
    v.settle(submit(v, known, body()))


def command(*verbs):
    """Each of them on the job; once one is answered its state is known."""
    def drive(v, known):
        job = next(iter(known.jobs))
        for verb in verbs:
            known.told.pop(job, None)
            state = v.post(f"/v1/jobs/{job}/{verb}", {})["status"]
            known.told[job] = LIVE if state in ("queued", "running") else state
            expect(state not in ("pausing", "cancelling"), f"{verb} was answered with {state}")
    return drive


def drive_fork(v, known):
    """From its first epoch, unchanged: it ends with the parent's bits."""
    job = next(iter(known.jobs))
    fork = v.post(f"/v1/jobs/{job}/fork", {"checkpoint": "1", "name": "fork"})["id"]
    known.jobs[fork] = body("fork")
    v.settle(fork)


def drive_delete(v, known):
    job = next(iter(known.jobs))
    known.jobs.pop(job)  # from now on it may be gone, and may not
    v.delete(f"/v1/jobs/{job}")
    known.told[job] = GONE


def drive_drain(v, known):
    v.process.send_signal(15)
    v.process.wait(20)


def drive_resume(v, known):
    """The way up after a kill in mid-run, until the job has ended."""
    v.launch()
    if v.ready():
        v.settle("latest")


def prepare_killed(v, known):
    """At a call of the second checkpoint: one is on disk, steps are to be repeated."""
    v.page.arm(v.page.FILES, at=7, act="kill", path=".safetensors.tmp")
    try:
        v.settle(submit(v, known, body()))
    except (OSError, Refused, Broken):
        pass
    v.end()
    v.page.clear()


def drive_new(v, known):
    v.launch()
    v.ready()


SCENARIOS = {
    "job": (None, drive_job),
    "cancel": (prepare_running, command("cancel")),
    "pause and resume": (prepare_running, command("pause", "resume")),
    "stop": (prepare_running, command("stop")),
    "retry": (prepare_cancelled, command("retry", "pause")),
    "fork": (prepare_ended, drive_fork),
    "delete": (prepare_ended, drive_delete),
    "drain": (prepare_running, drive_drain),
    "resume": (prepare_killed, drive_resume),
    "new directory": (None, drive_new),
}
UP = ("resume", "new directory")  # they start the daemon by themselves


def begin(scenario):
    """A victim, prepared; what is known."""
    known = Known()
    if scenario == "new directory":
        v = Victim(folder("points"), *OPTIONS)
    else:
        v = jobs.victim("points", *OPTIONS)
    prepare, _ = SCENARIOS[scenario]
    if scenario not in UP or prepare:
        v.start()
    if prepare:
        prepare(v, known)
    v.url = None if scenario in UP else v.url
    return v, known


def check_after(v, known, what):
    """After the restart: what was told holds, and every job ends with the bits it would have had."""
    v.page.clear()
    v.start()
    listed = {job["id"]: job for job in v.get("/v1/jobs?limit=100")["data"] if job["name"] != jobs.PARENT}
    for job, state in known.told.items():
        now = listed[job]["status"] if job in listed else GONE
        expect(now == state or (state == LIVE and now in ("queued", "running")), f"{what}: was told {state}, is {now}")
        if state == GONE:
            expect(not os.path.exists(os.path.join(v.data, "jobs", job)), f"{what}: its files are there")
    for job in known.jobs:
        expect(job in listed, f"{what}: {job} was acknowledged and is gone")
    expect(len(listed) <= len(known.jobs) + 1, f"{what}: {len(known.jobs)} submissions became {len(listed)} jobs")
    for job, seen in listed.items():
        if seen["name"] == "endless":
            try:
                v.post(f"/v1/jobs/{job}/cancel", {})
            except Refused as refusal:  # it has ended meanwhile, as it was asked to
                expect(refusal.status == 409, f"{what}: {refusal}")
            v.settle(job)
        else:
            ended = v.settle(job)
            expect(ended["status"] == "succeeded", f"{what}: {ended['status']} {ended['error']}")
            worth, calm = v.worth(job), jobs.undisturbed(body())
            if seen["name"] == "fork":  # what its parent had told it does not tell again
                worth["told"] = calm["told"]
            check_worth(worth, calm, what)
        check_events(v.events(job), what)
    fresh = jobs.spec("ae", name="afterwards", **TINY)
    if listed or "new" in what:
        job = v.submit({**fresh})
        expect(v.settle(job)["status"] == "succeeded", f"{what}: a job afterwards")
    kept = {seen["id"] for seen in v.get("/v1/jobs?limit=100")["data"]}
    folders = set(os.listdir(os.path.join(v.data, "jobs")) if os.path.exists(os.path.join(v.data, "jobs")) else [])
    expect(folders <= kept, f"{what}: folders without a job: {sorted(folders - kept)}")
    left = [name for _, _, names in os.walk(v.data) for name in names if name.endswith((".tmp", ".new"))]
    expect(not left, f"{what}: left behind: {left}")


def strike_at(scenario, n, act):
    """(the call that was struck or None, was it reached)"""
    v, known = begin(scenario)
    what = f"{scenario}, {act} at call {n}"
    with v:
        v.page.arm(v.page.FILES, at=n, act=act)
        try:
            SCENARIOS[scenario][1](v, known)
        except (OSError, Refused, Broken, ValueError):
            pass  # it died under the client
        struck, call = v.page["struck"], v.page.last()
        if not struck:
            return None
        expect(v.process is None or v.end() == -9, f"{what}: it did not die of it")
        try:
            check_after(v, known, f"{what} ({call})")
        except Refused as error:
            raise Broken(f"{what} ({call}): {error}") from None
    shutil.rmtree(v.folder)
    return call


def calls_of(scenario):
    """How many there are when nothing happens."""
    v, known = begin(scenario)
    with v:
        v.page.arm(v.page.FILES)
        SCENARIOS[scenario][1](v, known)
        n = v.page["count"]
    shutil.rmtree(v.folder)
    return n


def one_scenario(findings, scenario, every):
    total = calls_of(scenario)
    jobs.undisturbed(body())

    def one(n):
        for act in ("kill", "torn"):
            try:
                call = strike_at(scenario, n, act)
            except Exception as error:
                findings.failed(f"{type(error).__name__}: {error}")
                return
            if call is None:
                return
            findings.passed()
            findings.count(f"{scenario}: {act} at {call}")
            if call != "write":
                return
    # Threads take turns as they like: a few calls more than were counted may be reached.
    in_lanes(one, range(1, total + 6, every), LANES)
    findings.say(f"{scenario}: calls", total)


@part("points", catches=("points repeated", "checksum unread"))
def points(findings):
    """a kill before every call that changes files, and in the midst of every write"""
    every = many("EVERY", 30, 1)
    for scenario in SCENARIOS:
        one_scenario(findings, scenario, every)


@part("twice")
def twice(findings):
    """kills in pairs within 50 ms: the way up is begun again and again"""
    from parts import dice
    findings.total = many("PAIRS", 6, 200)

    def one(number):
        random, what = dice("twice", number), f"pair {number}"

        def pair():
            with jobs.victim("twice", *OPTIONS) as v:
                v.start()
                known = Known()
                submit(v, known, jobs.spec("ae", name="tiny", **TINY))
                for _ in range(2):
                    time.sleep(random.uniform(0, 0.05))
                    v.kill()
                    v.launch()
                v.kill()
                check_after(v, known, what)
            shutil.rmtree(v.folder)
        findings.attempt(what, pair)
    in_lanes(one, range(findings.total), LANES)


