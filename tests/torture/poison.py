"""A job that makes the daemon crash is put by after three times, and nothing else is; kills never count."""
import shutil
import time

import jobs
from parts import dice, many, part
from victim import check_worth, expect, rows

LONG = {"epochs": 40}


def crashes(v):
    return dict(rows(v.data, "SELECT name, crashes FROM jobs"))


def poison_round(act, code):
    with jobs.victim("poison", "--workers", "3") as v:
        v.start()
        bodies = [jobs.spec(kind, name=name, **LONG) for kind, name in (("ae", "before"), ("vae", "poison"), ("gan", "after"))]
        ids = {body["name"]: v.submit(body) for body in bodies}
        v.page.arm(("create",), at=1, times=1 << 40, act=act, path=f"jobs/{ids['poison']}/checkpoints/")
        for number in range(3):
            expect(v.end(60) == code, f"{act}: it did not die of crash {number + 1} by signal {-code}")
            v.launch()
        expect(v.ready(), f"{act}: it does not start after three crashes: {v.tail()}")
        ended = v.settle(ids["poison"])
        expect((ended["status"], ended["stop_reason"]) == ("failed", "quarantined"),
               f"{act}: after three crashes the job is {ended['status']}, {ended['stop_reason']}")
        expect("retry" in ended["error"]["detail"], f"{act}: {ended['error']}")
        for body in (bodies[0], bodies[2]):
            expect(v.settle(ids[body["name"]])["status"] == "succeeded", f"{act}: the neighbour {body['name']}")
            check_worth(v.worth(ids[body["name"]]), jobs.undisturbed(body), f"{act}: the neighbour {body['name']}")
        counted = crashes(v)
        expect(counted["poison"] == 3 and counted["before"] == counted["after"] == 0, f"{act}: crashes counted: {counted}")
        v.page.disarm()
    shutil.rmtree(v.folder)


def kills_round(kills):
    random = dice("quarantine")
    body = jobs.spec("ae", name="long", epochs=400)
    with jobs.victim("killed", "--workers", "3") as v:
        v.start()
        job = v.submit(body)
        for number in range(kills):
            if number % 5 == 4:  # somebody else's signal is no crash of ours
                v.kill(random.choice((6, 7, 8, 11)))
            else:
                time.sleep(random.uniform(0, 0.05))
                v.kill()
            v.start()
        ended = v.settle(job)
        expect(ended["status"] == "succeeded", f"after {kills} kills the job is {ended['status']}, {ended['stop_reason']}")
        check_worth(v.worth(job), jobs.undisturbed(body), f"after {kills} kills")
        expect(crashes(v)["long"] == 0, f"kills were counted as crashes: {crashes(v)}")
    shutil.rmtree(v.folder)


@part("quarantine", catches=("crashes not counted", "every end counted"))
def quarantine(findings):
    """three crashes inside the daemon put a job by, its neighbours go on; 50 kills do not"""
    findings.attempt("abort", poison_round, "abort", -6)
    findings.attempt("fault", poison_round, "fault", -11)
    findings.attempt("kills", kills_round, many("KILLED", 8, 50))
