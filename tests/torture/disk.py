"""Disks that lie, are full, are taken away: nothing false is told, nothing is half, and it goes on once the disk is well."""
import errno
import os
import resource
import shutil
import subprocess
import time

import jobs
from parts import LANES, dice, in_lanes, many, part
from victim import TERMINAL, Broken, Refused, SCRATCH, Victim, check_worth, expect, files_of, folder

TINY = {"epochs": 3, "preview_every_epochs": 1}
EXIT_IO = 74
OPTIONS = ("--workers", "1", "--threads", "1")


def body():
    return jobs.spec("ae", name="tiny", **TINY)


def told_checkpoints(v, job):
    return [event["epoch"] for event in v.events(job) if event["event"] == "checkpoint"]


def check_told(v, job, what):
    """Each checkpoint that was told of is whole on disk, and has the bytes of the undisturbed run; so has each other file."""
    calm, files = jobs.undisturbed(body())["files"], files_of(v.data, job)
    for epoch in told_checkpoints(v, job):
        expect(f"checkpoints/epoch-{epoch:06d}.safetensors" in files, f"{what}: epoch {epoch} was told saved, and is not")
    for name, total in files.items():
        if name.startswith("checkpoints/epoch-") and not name.endswith(".tmp"):
            expect(total == calm.get(name), f"{what}: {name} has other bytes")
    return files


def goes_on(v, job, what):
    """The daemon is started anew, without the fault: the job ends, has ended, or is retried, with the bits of the undisturbed run."""
    v.page.clear()
    v.start()
    seen = v.settle(job)
    if seen["status"] == "failed":
        check_told(v, job, what)
        seen = retry(v, job)
    if seen and seen["status"] == "succeeded":
        check_worth(v.worth(job), jobs.undisturbed(body()), what, extras=False)
        return
    expect(seen is None, f"{what}: after it, {seen}")


def retry(v, job):
    """None where this daemon has no such command."""
    try:
        v.post(f"/v1/jobs/{job}/retry", {})
    except Refused as refusal:
        if refusal.status in (404, 405):
            return None
        raise
    return v.settle(job)


# --- syncs that fail ---

def state_of(v, job):
    """None if the daemon has ended, or is about to."""
    try:
        return v.get(f"/v1/jobs/{job}") if job else v.get("/v1/jobs?limit=1")["data"][0]
    except OSError:
        v.process.wait(10)
        return None


def sync_round(n, times, findings):
    what = f"sync {n} fails {'once' if times == 1 else 'for ever'}"
    with jobs.victim("sync", *OPTIONS) as v:
        v.page["revert"] = 1
        v.start()
        v.page.arm(("sync",), at=n, times=times, act="fail", error=errno.EIO)
        job, known = None, False
        try:
            job = v.submit(body())
            known = True
            v.settle(job)
        except Refused as refusal:
            expect(refusal.status >= 500, f"{what}: {refusal.status} {refusal}")
        except (OSError, ValueError):
            v.process.wait(10)
        if not v.page["struck"]:  # threads take turns as they like: there were fewer this time
            return
        expect(v.page["retried"] == 0, f"{what}: a descriptor was synced again after its sync had failed")
        seen = state_of(v, job)
        if seen is None:
            code = v.end()
            expect(code == EXIT_IO, f"{what}: it ended with {code}")
            findings.count("the daemon ended with 74")
        else:
            if seen["status"] == "failed":
                expect(seen["error"]["code"] == "io_error", f"{what}: {seen['error']}")
                findings.count("the job failed: io_error")
            elif seen["status"] == "succeeded":
                findings.count("the run went on")
            check_told(v, job, what)
            v.kill()
        v.page.clear()
        v.start()
        listed = [found["id"] for found in v.get("/v1/jobs?limit=10")["data"] if found["name"] != jobs.PARENT]
        if known:
            expect(listed == [job], f"{what}: acknowledged, and gone: {listed}")
        v.kill()
        for job in listed:
            goes_on(v, job, what)
    shutil.rmtree(v.folder)


def syncs_of_a_job():
    with jobs.victim("sync", *OPTIONS) as v:
        v.start()
        v.page.arm(("sync",))
        v.settle(v.submit(body()))
        n = v.page["count"]
    shutil.rmtree(v.folder)
    return n


@part("sync", catches=("sync error ignored", "database sync error ignored"))
def sync(findings):
    """each fsync fails, once and for ever, and the file goes back to what was synced before"""
    total, every = syncs_of_a_job(), many("EVERY", 8, 1)
    jobs.undisturbed(body())
    rounds = [(n, times) for n in range(1, total + 1, every) for times in (1, 1 << 40)]
    findings.total = len(rounds)
    findings.say("syncs of a job", total)
    in_lanes(lambda r: findings.attempt(f"sync {r}", sync_round, r[0], r[1], findings), rounds, LANES)


# --- disks that are full ---

class Volume:
    """A tmpfs of so many KiB; None where this user may mount none."""

    def __init__(self, kib):
        self.place = folder("volume")
        self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", self.place],
                                      stderr=subprocess.DEVNULL, check=False).returncode == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.place], check=False)
        shutil.rmtree(self.place, ignore_errors=True)

    def free(self):
        s = os.statvfs(self.place)
        return s.f_bavail * s.f_bsize

    def fill(self, leave):
        """All but `leave` bytes."""
        with open(os.path.join(self.place, "ballast"), "ab", buffering=0) as file:
            while self.free() > leave:
                try:
                    file.write(bytes(min(65536, self.free() - leave)))
                except OSError:
                    break

    def empty(self):
        os.remove(os.path.join(self.place, "ballast"))

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.place], check=True)


def on_volume(volume, **how):
    os.makedirs(os.path.join(volume.place, "v"))
    shutil.copytree(jobs.template(), os.path.join(volume.place, "v", "data"))
    v = Victim(os.path.join(volume.place, "v"), *OPTIONS, **how)
    v.log = os.path.join(SCRATCH, os.path.basename(volume.place) + ".log")
    return v


def wait_until(condition, within_s):
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def back_in_service(v, what):
    """A submission is taken within five seconds."""
    def taken():
        try:
            return v.submit(jobs.spec("ae", name="afterwards", **TINY))
        except Refused as refusal:
            expect(refusal.status >= 500, f"{what}: {refusal.status} {refusal}")
            return None
    begin = time.monotonic()
    expect(wait_until(taken, 5), f"{what}: not back in service after 5 s")
    return time.monotonic() - begin


def is_refused(v, what, statuses):
    try:
        v.submit(jobs.spec("ae", name="too much", **TINY))
        return False
    except Refused as refusal:
        expect(refusal.status in statuses, f"{what}: {refusal.status} {refusal}")
        return True


def space_round(number, findings):
    random, what = dice("space", number), f"full disk {number}"
    with Volume(8192) as volume:
        if not volume.mounted:
            raise Broken("no tmpfs could be mounted (that takes root)")
        with on_volume(volume) as v:
            v.start()
            job = v.submit(body())
            time.sleep(random.uniform(0, 0.03))
            volume.fill(random.choice((0, random.randint(0, 60000))))
            wait_until(lambda: v.get(f"/v1/jobs/{job}")["status"] in TERMINAL, 1.0)
            volume.fill(0)
            expect(v.alive(), f"{what}: the daemon died")
            if is_refused(v, what, (507,)):
                findings.count("submissions refused with 507")
            expect(v.get("/v1/jobs?limit=10")["data"], f"{what}: reads do not work")
            volume.empty()
            back_in_service(v, what)
            seen = v.settle(job, 10)
            findings.count(f"the job {seen['status']}")
            if seen["status"] == "failed":
                expect(seen["error"]["code"] == "no_space", f"{what}: {seen['error']}")
            check_told(v, job, what)
            v.kill()
            goes_on(v, job, what)
            for other in v.get("/v1/jobs?limit=100")["data"]:  # what showed that it is back writes files, too
                v.settle(other["id"])
            left = [name for _, _, names in os.walk(v.data) for name in names if name.endswith(".tmp")]
            expect(not left, f"{what}: left behind: {left}")


@part("space", catches=("half a file kept",))
def space(findings):
    """a volume that fills up at any moment: 507, no half file, and back in service within 5 s of room"""
    findings.total = many("FILLED", 4, 100)
    jobs.undisturbed(body())
    in_lanes(lambda n: findings.attempt(f"full disk {n}", space_round, n, findings), range(findings.total), LANES)


# --- disks that refuse ---

def quota_round(n, findings):
    what = f"quota at call {n}"
    with jobs.victim("quota", *OPTIONS) as v:
        v.start()
        v.page.arm(("write", "allocate", "create"), at=n, times=1 << 40, act="fail", error=errno.EDQUOT)
        job = None
        try:
            job = v.submit(body())
            wait_until(lambda: v.get(f"/v1/jobs/{job}")["status"] in TERMINAL, 0.5)
        except Refused as refusal:
            expect(refusal.status == 507, f"{what}: {refusal.status} {refusal}")
        expect(v.alive(), f"{what}: the daemon died: {v.tail()}")
        v.page.disarm()
        back_in_service(v, what)
        if job:
            seen = v.settle(job, 10)
            findings.count(f"quota: the job {seen['status']}")
            if seen["status"] == "failed":
                expect(seen["error"]["code"] == "no_space", f"{what}: {seen['error']}")
            check_told(v, job, what)
            v.kill()
            goes_on(v, job, what)
    shutil.rmtree(v.folder)


def size_limit_round(number):
    """RLIMIT_FSIZE: at some size of a file, of the database's log or of a checkpoint."""
    limit, what = dice("fsize", number).randint(4096, 200000), f"file size limit {number}"
    with jobs.victim("fsize", *OPTIONS,
                     before_exec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))) as v:
        v.launch()
        job = None
        if v.ready():
            try:
                job = v.submit(body())
                wait_until(lambda: v.get(f"/v1/jobs/{job}")["status"] in TERMINAL, 0.7)
            except Refused as refusal:
                expect(refusal.status in (500, 507), f"{what}: {refusal.status} {refusal}")
            expect(v.alive(), f"{what}: the daemon died: {v.tail()}")
            v.kill()
        else:
            code = v.end()
            expect(code == EXIT_IO, f"{what}: it ended with {code}: {v.tail()}")
        v.before_exec = None
        if job:
            goes_on(v, job, what)
        else:
            v.start()
    shutil.rmtree(v.folder)


def read_only_round(number):
    what = f"read-only {number}"
    with Volume(16384) as volume:
        if not volume.mounted:
            raise Broken("no tmpfs could be mounted (that takes root)")
        with on_volume(volume) as v:
            v.start()
            job = v.submit(jobs.spec("ae", name="tiny", **TINY))
            time.sleep(dice("ro", number).uniform(0, 0.05))
            # Who has a file open for writing keeps the volume from becoming read-only: the calls fail as they would.
            v.page.arm([call for call in v.page.FILES if call != "sync"], at=1, times=1 << 40, act="fail", error=errno.EROFS)
            wait_until(lambda: v.get(f"/v1/jobs/{job}")["status"] in TERMINAL, 0.5)
            expect(v.alive(), f"{what}: the daemon died")
            expect(is_refused(v, what, (500, 507)), f"{what}: a submission was taken")
            v.page.disarm()
            back_in_service(v, what)
            v.settle(job, 10)
            v.kill()
            goes_on(v, job, what)
            # And one that is read-only from the beginning.
            v.kill()
            volume.remount("ro")
            v.port_file = os.path.join(SCRATCH, os.path.basename(volume.place) + ".port")
            v.launch()
            expect(not v.ready() and v.end() == EXIT_IO, f"{what}: it starts on a read-only directory")
            expect("latentd: " in v.tail(1), f"{what}: {v.tail(1)}")


def removed_round(number):
    what = f"removed {number}"
    with jobs.victim("removed", *OPTIONS) as v:
        v.start()
        v.submit(jobs.spec("ae", name="endless", epochs=100000, checkpoint_every_epochs=100000, preview_every_epochs=0))
        time.sleep(dice("removed", number).uniform(0, 0.1))
        gone = v.data + ".gone"
        os.rename(v.data, gone)
        shutil.rmtree(gone)
        refused = True
        try:
            refused = is_refused(v, what, (500,))
        except OSError:
            pass
        expect(refused, f"{what}: a submission was taken that is nowhere")
        expect(v.end(10) == EXIT_IO and "removed" in v.tail(), f"{what}: {v.tail()}")
        expect(not os.path.exists(v.data), f"{what}: half of a directory was made again")
    shutil.rmtree(v.folder)


@part("refusals", catches=("removal unseen",))
def refusals(findings):
    """quotas, limits of a file's size, read-only and removed directories: a clear error, nothing half"""
    rounds = many("ROUNDS", 2, 20)
    jobs.undisturbed(body())
    work = [("quota", quota_round, (1 + 7 * n, findings)) for n in range(rounds)]
    work += [("file size limit", size_limit_round, (n,)) for n in range(rounds)]
    work += [("read-only", read_only_round, (n,)) for n in range(rounds)]
    work += [("removed", removed_round, (n,)) for n in range(rounds)]
    findings.total = len(work)
    in_lanes(lambda w: findings.attempt(w[0], w[1], *w[2]), work, LANES)
