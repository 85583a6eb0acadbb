"""Random commands, alone and several at once, on jobs that wait, run and have ended, with kills now and then, against model.py."""
import http.client
import json
import os
import threading
import time
from urllib.parse import urlsplit

import jobs
import model
from parts import SHORT, dice, many, part
from victim import Broken, check_events, check_worth, differences, expect, files_of, rows

WORKERS, JOBS, KEPT = 2, 6, 14
# How often each is sent.
WEIGHTS = {"pause": 8, "resume": 9, "stop": 2, "cancel": 4, "force": 2, "retry": 5, "checkpoint": 4, "patch": 3, "edit": 1, "delete": 3}
SPECS = ("ae", "vae", "stateful", "gan", "finetune", "diverges")


def body_of(kind):
    if kind == "diverges":
        return jobs.spec("ae", "sgd", name=kind, lr=10, weight_decay=1, epochs=300)
    return jobs.spec(kind, name=kind, epochs={"gan": 16, "stateful": 60}.get(kind, 160))


def request_of(command, random):
    if command == "patch":
        return "PATCH", "", {"priority": random.randint(-5, 5), "metadata": {"n": random.randint(0, 9)}}
    if command == "edit":
        return "PATCH", "", {"params": {"lr": random.choice((0.001, 0.003))}}
    if command == "delete":
        return "DELETE", "", None
    return "POST", "/cancel" if command == "force" else "/" + command, {"force": True} if command == "force" else None


class Job:
    """One of them: what is known of it, and what is on its way to it."""

    def __init__(self, job, kind):
        self.id, self.kind, self.edited = job, kind, False
        self.states = {model.new(kind == "diverges")}
        self.sent = dict.fromkeys(WEIGHTS, 0)
        self.burst, self.answers, self.threads, self.since = [], [], [], time.monotonic()

    def gone(self):
        return all(s.status == "deleted" for s in self.states)

    def ended(self):
        return all(s.status in model.TERMINAL for s in self.states)

    def busy(self):
        return any(thread.is_alive() for thread in self.threads)


class Play:
    """One data directory, and what is done to it."""

    def __init__(self, v, random, findings, count):
        self.v, self.random, self.findings, self.count = v, random, findings, count
        self.jobs, self.kills, self.sent = [], 0, 0
        self.closed_since = None  # the queue is paused

    # --- asking ---

    def ask(self, method, path, body):
        """(code, body); None if no answer came."""
        try:
            to = http.client.HTTPConnection(urlsplit(self.v.url).netloc, timeout=60)
            to.request(method, path, json.dumps(body) if body is not None else None,
                       {"Content-Type": "application/json"} if body is not None else {})
            reply = to.getresponse()
            text = reply.read()
            return reply.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException):
            return None

    def open_between(self, job):
        """The queue was open at some moment since the job was looked at last."""
        return self.closed_since is None or job.since < self.closed_since

    def send(self, job, commands):
        job.burst, job.answers = commands, [None] * len(commands)

        def one(i, method, path, body):
            job.answers[i] = self.ask(method, f"/v1/jobs/{job.id}{path}", body)
        job.threads = [threading.Thread(target=one, args=(i, *request_of(command, self.random)), daemon=True)
                       for i, command in enumerate(commands)]
        for command in commands:
            job.sent[command] += 1
            job.edited |= command == "edit"
            self.sent += 1
        for thread in job.threads:
            thread.start()

    def reap(self, job):
        """The answers are there: is there an explanation?"""
        for thread in job.threads:
            thread.join()
        burst = list(zip(job.burst, job.answers))
        self.check_answers(job, burst)
        then = model.after(job.states, burst, self.open_between(job))
        if not then:
            told = [(command, answer and (answer[0], {k: (answer[1] or {}).get(k) for k in ("status", "wish", "current", "detail")}))
                    for command, answer in burst]
            raise Broken(f"{job.id} ({job.kind}) was one of {sorted(map(str, job.states))}; nothing explains {told}")
        job.states, job.burst, job.threads = then, [], []
        job.since = time.monotonic()
        for _ in burst:
            self.findings.passed()

    def check_answers(self, job, burst):
        for command, answer in burst:
            if answer is None:
                self.findings.count("unanswered (killed)")
                continue
            code, body = answer
            self.findings.count(f"answered {code}")
            if code in (200, 202) and "status" in body:
                should = model.allowed(body["status"], body["wish"], body["progress"]["step"] > 0)
                expect(set(body["allowed"]) == should, f"{job.id} is {body['status']} and allows {body['allowed']}, not {should}")
            expect(code in (200, 202, 204, 404, 409), f"{command} was answered {code}: {body}")

    def reap_idle(self):
        for job in self.jobs:
            if job.threads and not job.busy():
                self.reap(job)

    # --- what is done ---

    def submit(self):
        kind = self.random.choice(SPECS)
        self.jobs.append(Job(self.v.submit(body_of(kind)), kind))

    def turn_queue(self):
        paused = self.closed_since is None
        code, body = self.ask("POST", "/v1/queue/" + ("pause" if paused else "resume"), None)
        expect(code == 200 and body["paused"] == paused, f"the queue: {code} {body}")
        self.closed_since = time.monotonic() if paused else None
        if not paused:
            for job in self.jobs:  # it was open until now: nothing is known of the meantime
                job.since = 0

    def kill(self):
        """Mostly in the midst of commands."""
        if self.random.random() < 0.8:
            for job in [job for job in self.jobs if not job.threads]:
                self.send(job, [self.random.choice(("pause", "pause", "cancel", "stop", "resume", "retry"))])
        time.sleep(self.random.choice((0, self.random.uniform(0, 0.008), self.random.uniform(0, 0.05))))
        self.v.kill()
        for job in self.jobs:
            self.reap(job)
            job.states = model.after_kill(job.states, self.open_between(job))
            job.since = time.monotonic()
        self.v.start()
        self.kills += 1

    def act(self):
        self.reap_idle()
        self.jobs = [job for job in self.jobs if not job.gone()]
        dice_now = self.random.random()
        if sum(not job.ended() for job in self.jobs) < JOBS and len(self.jobs) < KEPT:
            return self.submit()
        if dice_now < 1 / (50 if SHORT else 100):
            return self.kill()
        if dice_now < (1 / 8 if self.closed_since else 1 / 60):
            return self.turn_queue()
        free = [job for job in self.jobs if not job.threads]
        if not free:
            return time.sleep(0.002)
        job, n = self.random.choice(free), self.random.choice((1, 1, 1, 2, 2, 3))
        weights = WEIGHTS
        if self.random.random() < 0.7:  # what makes sense, for the most part
            weights = {command: w for command, w in WEIGHTS.items() if model.makes_sense(command, job.states)} or WEIGHTS
        self.send(job, self.random.choices(*zip(*weights.items()), k=n))
        time.sleep(self.random.choice((0, 0, 0.005, 0.03)))

    # --- the end ---

    def settle(self):
        if self.closed_since is not None:
            self.turn_queue()
        for job in self.jobs:
            self.reap(job)
        for job in self.jobs:
            while not job.gone() and not job.ended():
                self.send(job, ["resume"])
                self.reap(job)
                ended = self.v.get(f"/v1/jobs/{job.id}?wait_s=5")
                job.states = {s for s in model.after(job.states, [], True) if s.status == ended["status"]}
                expect(job.states, f"{job.id} is {ended['status']}")
        self.jobs = [job for job in self.jobs if not job.gone()]

    def check_history(self, job):
        events = self.v.events(job.id)
        check_events(events, job.id)
        told = [event for event in events if event["event"] in ("status", "end")]
        expect(told[0]["status"] == "queued", f"{job.id} began {told[0]}")
        counts = {}
        for before, then in zip(told, told[1:]):
            pair = f"{before['status']} → {then['status']}"
            if then["event"] == "end":
                legal = before["event"] == "status" and before["status"] == then["status"] in model.TERMINAL
            else:
                legal = then["status"] in model.FOLLOWS[before["status"]] or (then.get("wish") and before["status"] == then["status"])
                expect(before["status"] not in model.TERMINAL or before["event"] == "end", f"{job.id}: no end before {pair}")
            expect(legal, f"{job.id}: {pair}")
            counts[pair] = counts.get(pair, 0) + 1
        asked = {"running → pausing": "pause", "queued → paused": "pause", "pausing → running": ("resume", "stop"),
                 "cancelled → queued": "retry", "failed → queued": "retry", "running → cancelling": "cancel"}
        for pair, commands in asked.items():
            most = sum(job.sent[command] for command in ([commands] if isinstance(commands, str) else commands))
            expect(counts.get(pair, 0) <= most, f"{job.id}: {pair} {counts.get(pair)} times, asked {most} times")
        expect(counts.get("running → queued", 0) <= self.kills, f"{job.id} was queued again without a kill")
        return told[-1]

    def check_curves(self, job, curves, wanted):
        """As far as they go."""
        for name, (steps, _, values) in curves.items():
            points, calm = list(zip(steps, values)), list(zip(wanted[name][0], wanted[name][2]))
            first = next((i for i, point in enumerate(points) if i >= len(calm) or calm[i] != point), None)
            expect(first is None, f"{job.id} ({job.kind}), {name}: point {first} of {len(points)} is {points[first or 0:][:2]}, "
                   f"undisturbed {calm[first or 0:][:2]}")

    def check_files(self, job, row):
        """What is there is what the undisturbed run has; all of it where it ran to its end."""
        if job.kind == "diverges" or job.edited:
            return
        calm, got = jobs.undisturbed(body_of(job.kind)), self.v.worth(job.id)
        self.check_curves(job, got["curves"], calm["curves"])
        if row["stop_reason"] == "completed":
            check_worth({**got, "told": None}, {**calm, "told": None}, f"{job.id} ({job.kind})")
            return
        files = {name: total for name, total in files_of(self.v.data, job.id).items()
                 if name.startswith("checkpoints/epoch-") or (name.startswith("previews/") and "000000-" in name)}
        found = differences(files, {name: calm["files"].get(name) for name in files})
        expect(not found, f"{job.id} ({job.kind}): {found[:2]}")
        if row["stop_reason"] == "user_stop":
            last = self.v.raw(f"/v1/jobs/{job.id}/checkpoints/last/weights")
            expect(len(last) > 100 and (row["test"] or job.kind == "gan"), f"{job.id} ({job.kind}) was stopped and has no model")

    def check(self):
        listed = {row["id"] for row in self.v.pages("/v1/jobs")} - {self.v.get("/v1/jobs/" + jobs.PARENT)["id"]}
        expect(listed == {job.id for job in self.jobs}, f"jobs {sorted(listed)} are not {sorted(job.id for job in self.jobs)}")
        for job in self.jobs:
            row = self.v.get(f"/v1/jobs/{job.id}")
            end = self.check_history(job)
            expect(end["event"] == "end" and end["status"] == row["status"], f"{job.id} is {row['status']}, told {end}")
            expect((row["finished_at_ms"] is not None) and row["train_s"] >= 0 and row["wish"] is None, f"{job.id}: {row}")
            self.check_files(job, row)
            self.findings.count(f"ended as {row['stop_reason']}")
        deadline = time.monotonic() + 10
        while rows(self.v.data, "SELECT id FROM jobs WHERE held") and time.monotonic() < deadline:
            time.sleep(0.05)
        expect(not rows(self.v.data, "SELECT id FROM jobs WHERE held"), "a worker holds a job that has ended")
        folders = {name for name in os.listdir(os.path.join(self.v.data, "jobs"))}
        expect(folders <= listed | {self.v.get("/v1/jobs/" + jobs.PARENT)["id"]}, f"folders without a job: {sorted(folders - listed)}")


@part("commands")
def commands(findings):
    """Random sequences of commands, alone and at once, with kills, against a model of what is legal."""
    count = many("COUNT", 200, 5000)
    findings.total, sent, round_number = count, 0, 0
    while sent < count:
        round_number += 1
        random = dice("commands", round_number)
        with jobs.victim("commands", "--workers", str(WORKERS), shim=False) as v:
            v.start()
            play = Play(v, random, findings, count)
            most = min(count - sent, 700)
            while play.sent < most:
                play.act()
            play.settle()
            play.check()
            sent += play.sent
            findings.count("kills", play.kills)
            findings.count("jobs", len(play.jobs))
