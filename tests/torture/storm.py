"""kill -9 at any moment, many times over, with several jobs running: nothing is lost, nothing twice, the same bits."""
import http.client
import shutil
import threading
import time

import jobs
from parts import LANES, dice, in_lanes, many, part
from victim import SHIMMED, TERMINAL, Broken, check_events, check_worth, expect, rows

WORKERS = 3
# In a round each kind is there, its optimiser is another in each.
PLAN = ("ae", "vae", "gan", "finetune", "stateful")


class Tally:
    """Kills that counted, and where they fell."""

    def __init__(self, findings, wanted):
        self.findings, self.wanted, self.lock = findings, wanted, threading.Lock()
        self.kills, self.idle, self.inside, self.stepped, self.where = 0, 0, 0, 0, {}

    def enough(self):
        return self.kills >= self.wanted

    def add(self, inside, running):
        """running: (epoch, epochs, step) of each job that ran."""
        with self.lock:
            if not running:
                self.idle += 1
                return
            self.kills += 1
            self.inside += inside
            stepped = any(step for _, step, _ in running)
            self.stepped += stepped
            place = "inside a checkpoint" if inside else place_of(running)
            self.where[place] = self.where.get(place, 0) + 1
        self.findings.passed()

    def needs_inside(self):
        return self.inside < 0.14 * (self.kills + 1)


def place_of(running):
    """By the job that is least far: how much of its steps the disk knew of."""
    share = min(step / steps if steps else 0 for _, step, steps in running)
    if share == 0:
        return "before a first step"
    if share >= 1:
        return "after a last step"
    return f"in quarter {int(share * 4) + 1} of the steps"


def running_jobs(data):
    return rows(data, "SELECT j.id, coalesce((SELECT max(last_step) FROM series s WHERE s.job=j.number),0), j.steps FROM jobs j"
                      " WHERE status IN ('running','cancelling','pausing')")


def wait_for_end(v):
    """Until the shim has killed it, or there are no jobs left whose checkpoints it could be killed in."""
    end = time.monotonic() + 60
    while v.process.poll() is None:
        expect(time.monotonic() < end, "neither killed nor at the end of its jobs after 60 s")
        try:
            if not v.get("/v1/jobs?status=queued,running&limit=1")["data"]:
                return
        except (OSError, ValueError, http.client.HTTPException):
            pass  # it has just been killed
        time.sleep(0.02)


def strike(v, random, tally):
    """Lets the daemon go on for a while, then kills it. Returns the events that a client had seen: {job: newest}."""
    seen = {}
    if v.shimmed and tally.needs_inside():
        v.page.arm(v.page.FILES, at=random.randint(1, 60), act=random.choice(("kill", "torn")), path=".safetensors.tmp")
        wait_for_end(v)
    else:
        time.sleep(random.choice((random.uniform(0, 0.03), random.uniform(0, 0.4), random.uniform(0, 0.4))))
        for job in v.get("/v1/jobs?limit=3")["data"]:
            newest = v.get(f"/v1/jobs/{job['id']}/events?limit=1&order=desc")["data"]
            seen[job["id"]] = newest[0] if newest else None
    inside = v.page["inside"] > 0
    v.kill()
    return inside, seen


def check_round(v, submitted, seen, number):
    listed = v.get("/v1/jobs?limit=100")["data"]
    ours = sorted(job["id"] for job in listed if job["name"] != jobs.PARENT)
    expect(ours == sorted(submitted), f"round {number}: jobs {sorted(submitted)} became {ours}")
    for job, body in submitted.items():
        what = f"round {number}, {body['name']}"
        ended = v.settle(job)
        expect(ended["status"] == "succeeded", f"{what}: {ended['status']} {ended['error']}")
        events = v.events(job)
        check_events(events, what)
        for event in seen.get(job, []):
            expect(event in events, f"{what}: event {event['seq']} was taken back")
        check_worth(v.worth(job), jobs.undisturbed(body), what)


def all_done(v, submitted):
    return all(v.get(f"/v1/jobs/{job}")["status"] in TERMINAL for job in submitted)


def play(number, tally):
    """One data directory, its jobs, and kills until they have all ended."""
    random = dice("storm", number)
    with jobs.victim("storm", "--workers", str(WORKERS)) as v:
        v.start()
        bodies = [jobs.spec(kind, jobs.OPTIMIZERS[(number + i) % 3]) for i, kind in enumerate(PLAN)]
        random.shuffle(bodies)
        submitted, seen = {v.submit(body): body for body in bodies}, {}
        while not all_done(v, submitted) and not tally.enough():
            try:
                inside, newest = strike(v, random, tally)
            except TimeoutError:
                raise Broken("no checkpoint for a minute") from None
            for job, event in newest.items():
                seen.setdefault(job, []).append(event)
            tally.add(inside, running_jobs(v.data))
            v.page.clear()
            if random.random() < 0.15:  # on its way up, too
                v.launch()
                time.sleep(random.uniform(0, 0.05))
                v.kill()
                tally.add(v.page["inside"] > 0, running_jobs(v.data))
            v.start()
        check_round(v, submitted, seen, number)
    shutil.rmtree(v.folder)


@part("storm", catches=("points repeated", "momentum forgotten", "log lost"))
def storm(findings):
    tally = Tally(findings, many("KILLS", 24, 500))
    findings.total = tally.wanted
    stop = threading.Event()

    def rounds():
        number = 0
        while not tally.enough() and not stop.is_set():
            number += 1
            yield number

    def one(number):
        try:
            play(number, tally)
            findings.count("rounds")
        except Exception as error:  # whatever it is, it is told, and the others go on
            findings.failed(f"{type(error).__name__}: {error}")
            if len(findings.failures) >= 10:
                stop.set()
    in_lanes(one, rounds(), LANES)
    findings.say("kills", tally.kills)
    findings.say("without a running job", tally.idle)
    findings.say("after a first step", tally.stepped)
    findings.say("inside a checkpoint", tally.inside)
    for place, n in sorted(tally.where.items()):
        findings.say(f"  {place}", n)
    if tally.stepped * 2 < tally.kills or (SHIMMED and tally.inside * 10 < tally.kills):
        findings.failed("the kills did not fall as they must: half after a first step, a tenth inside a checkpoint")
