"""A worker that is held up in the midst of a save: nobody else takes its job, and whoever asked something of it is told so in time."""
import json
import shutil
import time

import jobs
from memory import ask
from parts import SHORT, in_lanes, part
from victim import check_worth, expect

COMMAND_S = 10  # LIMIT_COMMAND_S
LONG = {"epochs": 160}


def body():
    return jobs.spec("ae", name="held", **LONG)


def hold(v):
    """Its worker stands in the sync of a checkpoint, until the page is disarmed."""
    job = v.submit(body())
    v.page.arm(("sync",), at=1, act="hold", path=".safetensors.tmp")
    deadline = time.monotonic() + 60
    while not v.page["struck"]:
        expect(time.monotonic() < deadline, "no checkpoint for a minute")
        time.sleep(0.002)
    return job


def goes_on(v, job, what):
    v.page.disarm()
    ended = v.settle(job)
    expect(ended["status"] == "succeeded", f"{what}: {ended['status']} {ended['error']}")
    check_worth({**v.worth(job), "told": None}, {**jobs.undisturbed(body()), "told": None}, what)


def cancelled_by_force(v):
    """Tried again, the job waits for its old worker, though another is free and takes one that came later."""
    job = hold(v)
    seen = v.post(f"/v1/jobs/{job}/cancel", {"force": True})
    expect(seen["status"] == "cancelled", f"cancelled by force: {seen['status']}")
    expect(ask(v, "DELETE", f"/v1/jobs/{job}")[0] == 409, "its files were removed beneath its worker")
    seen = v.post(f"/v1/jobs/{job}/retry", {})
    expect(seen["status"] == "queued", f"tried again: {seen['status']}")
    v.settle(v.submit(jobs.spec("vae", name="later", epochs=3)))
    seen = v.get(f"/v1/jobs/{job}")
    expect((seen["status"], seen["attempt"]) == ("queued", 1),
           f"a second worker took it while the first one held it: {seen['status']}, attempt {seen['attempt']}")
    goes_on(v, job, "tried again")


def asked(command, status):
    def command_while_held(v):
        job, begin = hold(v), time.monotonic()
        code, text = ask(v, "POST", f"/v1/jobs/{job}/{command}", {}, timeout=3 * COMMAND_S)
        took = time.monotonic() - begin
        expect(code == 202, f"{command}: {code} {text[:200]}")
        expect(COMMAND_S - 0.5 < took < COMMAND_S + 5, f"{command}: answered after {took:.1f} s")
        seen = json.loads(text)
        expect(seen["status"] == status, f"{command}: {seen['status']}, not {status}")
        if command == "checkpoint":
            return goes_on(v, job, command)
        v.page.disarm()
        seen = v.get(f"/v1/jobs/{job}?wait_s=10") if command != "pause" else v.post(f"/v1/jobs/{job}/pause", {})
        done = {"pause": "paused", "cancel": "cancelled", "stop": "succeeded"}[command]
        expect(seen["status"] == done, f"{command}: {seen['status']}, not {done}")
        if command == "pause":
            v.post(f"/v1/jobs/{job}/resume", {})
            goes_on(v, job, command)
        return None
    command_while_held.__doc__ = f"{command}: 202 after {COMMAND_S} s"
    return command_while_held


@part("held up", catches=("held ignored",))
def held_up(findings):
    """a worker that stands still in the midst of a save"""
    jobs.undisturbed(body())
    cases = [cancelled_by_force]
    if not SHORT:
        cases += [asked("pause", "pausing"), asked("cancel", "cancelling"), asked("stop", "running"), asked("checkpoint", "running")]

    def one(case):
        with jobs.victim("held", "--workers", "2", "--threads", "1") as v:
            v.start()
            findings.attempt(case.__doc__, case, v)
        shutil.rmtree(v.folder)
    in_lanes(one, cases, len(cases))
