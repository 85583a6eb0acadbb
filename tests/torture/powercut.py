"""The power goes: what was not synced is lost, torn, or there in another order. The daemon is started on each such state of the disk.

The shim records the calls of a daemon that change its files (record.c), in order; a state is what a disk may hold after the first k of
them. The model is harsher than ext4's (whose journal commits names in order, and with any fsync all of them): of what is not synced each
write to a file and each change of a name may be there or not, whatever came after it, and a write may be there in part, by sectors of
512 bytes. A file's fsync makes its bytes and its length durable, not its name; a folder's fsync makes its names durable.
"""
import os
import shutil
import stat
import struct
import time

import jobs
from parts import LANES, SHORT, dice, in_lanes, many, part
from points import ENDLESS, OPTIONS, TINY
from victim import Broken, Victim, check_events, check_worth, expect, files_of, folder

HEAD = struct.Struct("=QQqIIII")
SECTOR, ALL_SUBSETS = 512, 8
LIVE = {"queued", "running"}
UNTRACKED = ("latentd.db-shm",)  # memory that SQLite shares: made anew


# --- what was recorded ---

class File:
    def __init__(self, base=b""):
        self.base, self.ops, self.told = base, [], None  # told: the bytes that it had when it got its name

    def holds(self, applied, torn=None):
        data = bytearray(self.base)
        for seq, what, at, payload in self.ops:
            if seq in applied:
                apply(data, what, at, cut(payload, torn[1]) if torn and torn[0] == seq else payload)
        return bytes(data)


def apply(data, what, at, payload):
    if what == "w":
        for start, piece in payload if isinstance(payload, list) else [(0, payload)]:
            begin = at + start
            if len(data) < begin:
                data.extend(bytes(begin - len(data)))
            data[begin:begin + len(piece)] = piece
    elif what == "a":
        data.extend(bytes(max(0, at - len(data))))
    elif at < len(data):
        del data[at:]
    else:
        data.extend(bytes(at - len(data)))


def cut(payload, seed):
    """Some of its sectors; of a write within one sector the first half."""
    if len(payload) <= SECTOR:
        return [(0, payload[:len(payload) // 2])]
    random = dice("torn", seed)
    starts = [at for at in range(0, len(payload), SECTOR) if random.random() < 0.5]
    return [(at, payload[at:at + SECTOR]) for at in starts]


class Folder:
    def __init__(self):
        self.base, self.ops, self.live = {}, [], {}

    def change(self, seq, changes):
        self.ops.append((seq, changes))
        for name, node in changes.items():
            if node is None:
                self.live.pop(name, None)
            else:
                self.live[name] = node

    def holds(self, applied):
        names = dict(self.base)
        for seq, changes in self.ops:
            if seq in applied:
                names.update(changes)
        return {name: node for name, node in names.items() if node is not None}


class Disk:
    """The files as they were at first, all of them synced, and what was done to them."""

    def __init__(self, root):
        self.inodes, self.durable, self.n = {}, {}, 0
        self.root = self.take(root)

    def take(self, path):
        info = os.lstat(path)
        if stat.S_ISDIR(info.st_mode):
            node = Folder()
            node.base = {name: self.take(os.path.join(path, name)) for name in os.listdir(path) if name not in UNTRACKED}
            node.live = dict(node.base)
        else:
            with open(path, "rb") as file:
                node = File(file.read())
        self.inodes[info.st_ino] = node
        return node

    def at(self, path):
        """(its folder, its name)"""
        node, *rest = self.root, *path.split("/")
        for name in rest[:-1]:
            node = node.live[name]
        return node, rest[-1]

    def play(self, log):
        with open(log, "rb") as file:
            data = file.read()
        at = 0
        while at < len(data):
            what, inode, where, n, n_from, n_to, _ = HEAD.unpack_from(data, at)
            at += HEAD.size
            payload, source, to = data[at:at + n], data[at + n:at + n + n_from].decode(), data[at + n + n_from:at + n + n_from + n_to].decode()
            at += n + n_from + n_to
            if not source.endswith(UNTRACKED):
                self.step(chr(what), inode, where, payload, source, to)
            self.n += 1

    def step(self, what, inode, where, payload, source, to):
        seq, node = self.n, self.inodes.get(inode)
        if what in "wta" and node:
            node.ops.append((seq, what, where, payload))
        elif what == "z":
            node.ops.append((seq, "t", 0, b""))
        elif what == "s" and node:
            for done, *_ in node.ops:
                self.durable.setdefault(done, seq)
        elif what in "cmrudl":
            self.name(what, inode, source, to)

    def name(self, what, inode, source, to):
        place, name = self.at(source)
        if what in "cm":
            node = File() if what == "c" else Folder()
            self.inodes[inode] = node
            place.change(self.n, {name: node})
        elif what in "ud":
            place.change(self.n, {name: None})
        else:
            other, new = self.at(to)
            node = place.live[name]
            if what == "r":
                expect(other is place, f"{source} is renamed into another folder")
                place.change(self.n, {name: None, new: node})
                if isinstance(node, File):
                    node.told = node.holds(range(self.n))
            else:
                other.change(self.n, {new: node})

    def changes(self):
        """Numbers of all that changed something."""
        found, look, seen = set(), [self.root], set()
        everything = list(self.inodes.values())
        for node in everything + look:
            if id(node) not in seen:
                seen.add(id(node))
                found.update(op[0] for op in node.ops)
                if isinstance(node, Folder):
                    for _, changed in node.ops:
                        everything += [n for n in changed.values() if n is not None]
        return found

    def write(self, to, applied, torn, node=None):
        """The state as files; a name that is there for good has the bytes that it was given, or Broken."""
        os.makedirs(to, mode=0o700)
        for name, child in (node or self.root).holds(applied).items():
            path = os.path.join(to, name)
            if isinstance(child, Folder):
                self.write(path, applied, torn, child)
                continue
            bytes_of = child.holds(applied, torn)
            if child.told is not None and not name.endswith(".tmp"):
                expect(bytes_of == child.told, f"{name} is a mix: {len(bytes_of)} bytes, written were {len(child.told)}")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(bytes_of)


# --- what a client knew, and when ---

class Told:
    """What each job may be from the n-th call on: said when something is asked (it may be so already), and when it is answered."""

    def __init__(self, page):
        self.page, self.entries, self.bodies = page, [], {}

    def may_be(self, job, *states):
        self.entries.append((self.page["recorded"], job, set(states)))

    def at(self, k):
        known = {}
        for n, job, states in self.entries:
            if n <= k:
                known[job] = states
        return known


def submit(v, told, spec):
    job = v.submit(spec)
    told.bodies[job] = spec
    told.may_be(job, *LIVE, "succeeded")
    return job


def run_to_its_end(v, told, job):
    ended = v.settle(job)
    expect(ended["status"] == "succeeded", f"undisturbed, and {ended['status']}: {ended['error']}")
    told.may_be(job, "succeeded")


def begin_endless(v, told, name):
    job = submit(v, told, jobs.spec("ae", name=name, **ENDLESS))
    wait_until_running(v, job, 1)
    told.may_be(job, *LIVE)
    return job


def wait_until_running(v, job, step=0):
    while True:
        seen = v.get(f"/v1/jobs/{job}")
        if seen["status"] == "running" and seen["progress"]["step"] >= step:
            return
        expect(seen["status"] in LIVE, f"undisturbed, and {seen['status']}: {seen['error']}")
        time.sleep(0.002)


def ask(v, told, job, verb, before, then):
    told.may_be(job, *before, *then)
    v.post(f"/v1/jobs/{job}/{verb}", {})
    told.may_be(job, *then)


def remove(v, told, job):
    told.may_be(job, "succeeded", "gone")
    v.delete(f"/v1/jobs/{job}")
    told.may_be(job, "gone")


def tiny(name):
    return jobs.spec("ae", name=name, **TINY)


def drive(v, told):
    first = submit(v, told, tiny("first"))
    run_to_its_end(v, told, first)
    if SHORT:
        return
    job = begin_endless(v, told, "held")
    ask(v, told, job, "pause", LIVE, ("paused",))
    ask(v, told, job, "resume", ("paused",), LIVE)
    wait_until_running(v, job)
    ask(v, told, job, "checkpoint", LIVE, LIVE)
    ask(v, told, job, "cancel", LIVE, ("cancelled",))
    ask(v, told, job, "retry", ("cancelled",), LIVE)
    wait_until_running(v, job)
    ask(v, told, job, "stop", LIVE, ("succeeded",))
    fork = v.post(f"/v1/jobs/{first}/fork", {"checkpoint": "1", "name": "fork"})["id"]
    told.bodies[fork] = tiny("fork")
    told.may_be(fork, *LIVE, "succeeded")
    run_to_its_end(v, told, fork)
    remove(v, told, first)
    begin_endless(v, told, "drained")
    v.process.send_signal(15)
    v.process.wait(20)


def record():
    """(the disk, what was told)"""
    place = folder("powercut")
    log = os.path.join(place, "calls")
    shutil.copytree(jobs.template(), os.path.join(place, "data"))
    with Victim(place, *OPTIONS, environment={"KF_RECORD": log}) as v:
        v.start()
        v.page["record"] = 1
        disk, told = Disk(v.data), Told(v.page)
        expect(v.page["recorded"] == 0, "the daemon writes while it has nothing to do")
        drive(v, told)
        v.page["record"] = 0
    disk.play(log)
    shutil.rmtree(place)
    return disk, told


# --- states ---

def subsets(pending, random, most):
    """Of what was not synced: all that there are, or, of more than ALL_SUBSETS calls, none, all, each prefix, each without one, and some.
    Calls as bits."""
    if len(pending) <= ALL_SUBSETS:
        for bits in range(1 << len(pending)):
            yield sum(1 << seq for i, seq in enumerate(pending) if bits >> i & 1)
        return
    whole, prefix = sum(1 << seq for seq in pending), 0
    for seq in pending:
        yield prefix
        yield whole & ~(1 << seq)
        prefix |= 1 << seq
    yield whole
    for _ in range(most):
        yield whole & random.getrandbits(pending[-1] + 1)


class Applied:
    """Numbers of calls, as bits."""

    def __init__(self, bits):
        self.bits = bits

    def __contains__(self, seq):
        return self.bits >> seq & 1 == 1


def states_of(disk, most):
    """(k, bits of the calls that are there, torn one or None): each state once, with the last k at which it may be."""
    random, seen = dice("powercut"), set()
    changes = sorted(disk.changes())
    writes = sum(1 << seq for node in disk.inodes.values() if isinstance(node, File) for seq, what, _, _ in node.ops if what == "w")
    for k in range(disk.n, -1, -1):
        known = [(seq, disk.durable.get(seq, disk.n)) for seq in changes if seq < k]
        durable, pending = sum(1 << seq for seq, at in known if at < k), [seq for seq, at in known if at >= k]
        for kept in subsets(pending, random, most):
            torn = [seq for seq in pending if (kept & writes) >> seq & 1]
            for tear in [None] + ([(random.choice(torn), random.random())] if torn else []):
                key = hash((durable | kept, tear and tear[0]))
                if key not in seen:
                    seen.add(key)
                    yield k, durable | kept, tear


def start_on(disk, told, state, number, findings):
    k, bits, torn = state
    applied = Applied(bits)
    what = f"state {number}, after call {k}" + (f", call {torn[0]} torn" if torn else "")
    place = folder("state")
    disk.write(os.path.join(place, "data"), applied, torn)
    with Victim(place, *OPTIONS, shim=False) as v:
        try:
            v.start()
        except Broken as broken:
            raise Broken(f"{what}: {broken}") from None
        check(v, told, k, what, number % 20 == 0)
    shutil.rmtree(place)
    findings.count("with a call torn" if torn else "whole calls")


def check(v, told, k, what, to_the_end):
    listed = {job["id"]: job for job in v.get("/v1/jobs?limit=100")["data"] if job["name"] != jobs.PARENT}
    for job, states in told.at(k).items():
        now = listed[job]["status"] if job in listed else "gone"
        also = {"succeeded"} if states & LIVE and "epochs" in told.bodies[job]["params"] and told.bodies[job]["params"]["epochs"] == 2 else set()
        expect(now in states | also, f"{what}: {told.bodies[job]['name']} is {now}, was told {sorted(states)}")
        if states == {"gone"}:
            expect(not os.path.exists(os.path.join(v.data, "jobs", job)), f"{what}: files of a deleted job")
    for job, seen in listed.items():
        events = v.events(job)
        check_events(events, what)
        expect(not any("damaged" in str(event) for event in events), f"{what}: {seen['name']} has a damaged checkpoint")
        if seen["name"] in ("first", "fork"):
            calm, files = jobs.undisturbed(tiny("first"))["files"], files_of(v.data, job)
            for name in [f"checkpoints/epoch-{event['epoch']:06d}.safetensors" for event in events
                         if event["event"] == "checkpoint" and event.get("epoch")]:
                expect(files.get(name) == calm[name], f"{what}: {name} of {seen['name']} was told, and is {files.get(name)}")
        if to_the_end and seen["name"] in ("first", "fork"):
            ended = v.settle(job)
            expect(ended["status"] == "succeeded", f"{what}: {seen['name']} {ended['status']} {ended['error']}")
            calm, got = jobs.undisturbed(tiny("first")), v.worth(job)
            check_worth({**got, "told": calm["told"]} if seen["name"] == "fork" else got, calm, what)
    folders, known = set(os.listdir(os.path.join(v.data, "jobs"))), {job["id"] for job in v.get("/v1/jobs?limit=100")["data"]}
    expect(folders <= known, f"{what}: folders without a job: {sorted(folders - known)}")


@part("powercut", catches=("file not synced", "folder not synced", "commit not synced"))
def powercut(findings):
    """what was not synced is lost, torn or reordered, at each moment of jobs, commands, a fork, a DELETE and a drain"""
    jobs.undisturbed(tiny("first"))
    disk, told = record()
    states = list(states_of(disk, 4 if SHORT else 60))
    findings.say("calls recorded", disk.n)
    findings.say("states there are", len(states))
    wanted = many("STATES", 60, 3000)
    if len(states) > wanted:
        states = sorted(dice("states").sample(states, wanted), key=lambda state: state[0])
    findings.total = len(states)

    def one(item):
        number, state = item
        findings.attempt("powercut", start_on, disk, told, state, number, findings)
    in_lanes(one, list(enumerate(states)), LANES)
