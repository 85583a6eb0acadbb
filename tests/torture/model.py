"""What may become of a job, written down once more and independently of the daemon: which states it can be in after commands whose
answers, and whose order where they were sent at once, are all that is known. A history that no order explains is illegal."""
from collections import namedtuple

# begun: it has taken a step. fails: sooner or later it diverges.
State = namedtuple("State", "status wish begun fails")
TERMINAL = ("succeeded", "failed", "cancelled", "deleted")
LIVE = ("running", "pausing", "cancelling")

# What a command makes of a job at once; where there is nothing it is refused.
TAKES = {
    "pause": {"queued": "paused", "running": "pausing", "pausing": "pausing", "paused": "paused"},
    "resume": {"paused": "queued", "pausing": "running", "queued": "queued", "running": "running"},
    "stop": {"queued": "queued", "paused": "queued", "running": "running", "pausing": "running", "succeeded": "succeeded"},
    "cancel": {"queued": "cancelled", "paused": "cancelled", "running": "cancelling", "pausing": "cancelling",
               "cancelling": "cancelling", "cancelled": "cancelled"},
    "force": {"queued": "cancelled", "paused": "cancelled", "running": "cancelled", "pausing": "cancelled",
              "cancelling": "cancelled", "cancelled": "cancelled"},
    "retry": {"failed": "queued", "cancelled": "queued", "queued": "queued", "running": "running"},
    "checkpoint": {"running": "running"},
}
# Where it has had its effect; and where that is still to come.
DONE = {"pause": ("paused",), "resume": ("queued", "running"), "stop": ("succeeded",), "cancel": ("cancelled",),
        "force": ("cancelled",), "retry": ("queued", "running"), "checkpoint": ()}

# All that may ever follow a status in a job's events.
FOLLOWS = {
    "queued": {"running", "paused", "cancelled"},
    "running": {"pausing", "cancelling", "cancelled", "succeeded", "failed", "queued"},
    "pausing": {"running", "paused", "cancelling", "cancelled", "succeeded", "failed"},
    "paused": {"queued", "cancelled"},
    "cancelling": {"cancelled", "succeeded", "failed"},
    "succeeded": set(), "failed": {"queued"}, "cancelled": {"queued"},
}
AFTER_KILL = {"running": "queued", "pausing": "paused", "cancelling": "cancelled"}


def allowed(status, wish, begun):
    """The commands that change something."""
    may = {"queued": {"pause", "cancel"}, "running": {"pause", "stop", "cancel", "checkpoint"},
           "pausing": {"resume", "stop", "cancel"}, "paused": {"resume", "cancel"}, "cancelling": {"cancel"},
           "succeeded": set(), "failed": {"retry"}, "cancelled": {"retry"}}[status]
    if status in ("queued", "paused") and begun:
        may.add("stop")
    return may - {"stop"} if wish == "stop" else may


def new(fails):
    return State("queued", None, False, fails)


def by_itself(s, queue_open):
    """What a worker may make of it next."""
    ends = [s._replace(status="succeeded", wish=None), *([s._replace(status="failed", wish=None)] if s.fails else [])]
    if s.status == "queued":
        return [s._replace(status="running")] if queue_open else []
    if s.status == "running":
        return [s._replace(begun=True)] + (ends if s.begun or s.fails else [])
    if s.status == "pausing":
        return [s._replace(begun=True), s._replace(status="paused", wish=None)] + (ends if s.begun or s.fails else [])
    if s.status == "cancelling":
        return [s._replace(begun=True), s._replace(status="cancelled", wish=None)] + (ends if s.begun or s.fails else [])
    return []


def take(command, s):
    """The states after the command was taken, None where it is refused."""
    if command == "delete":
        # one that was cancelled by force may still have its worker
        return [s._replace(status="deleted"), None] if s.status in TERMINAL[:3] else [None]
    if command == "patch":
        return [s if s.status != "deleted" else None]
    if command == "edit":
        # whoever is being cancelled takes only what is nothing new
        return [s, None] if s.status == "cancelling" else [s if s.status not in TERMINAL else None]
    to = TAKES[command].get(s.status)
    if to is None or (command == "stop" and s.status in ("queued", "paused") and not s.begun):
        return [None]
    wish = s.wish
    if command == "stop" and s.status != "succeeded":
        wish = "stop"
    elif to != s.status or command == "force":
        wish = None
    then = s._replace(status=to, wish=wish)
    # by force: how far it came was perhaps not stored
    return [then, then._replace(begun=False)] if command == "force" and s.status in LIVE else [then]


def makes_sense(command, states):
    """It would change something in one of them."""
    return any(then is not None and (then != s or command in ("patch", "edit", "checkpoint"))
               for s in states for then in take(command, s))


def waits(command, s):
    if command == "pause":
        return s.status == "pausing"
    if command == "stop":
        return s.status in ("queued", "running") and s.wish == "stop"
    return s.status == "cancelling" if command == "cancel" else command == "checkpoint" and s.status in LIVE


WAITING, SURE, REFUSED, LATE, OVER = "waiting", "sure", "refused", "late", "over"


def fits(body, s):
    return body["status"] == s.status and body["wish"] == s.wish


def advance(command, answer, phase, s):
    """(phase, state) pairs that may come next of one command in flight. `answer`: (code, body), or None if it was never seen."""
    code, body = answer or (None, None)
    if phase is None:
        for then in take(command, s):
            if then is None:
                yield REFUSED, s
            else:
                at_once = command in ("delete", "patch", "edit") or (command != "checkpoint" and then.status in DONE[command])
                yield (SURE if at_once else WAITING), then
    if code is None:
        yield OVER, s
    elif s.status == "deleted" and code == 404:
        yield OVER, s
    elif phase == REFUSED or phase == LATE:
        if code == 409 and body.get("current", "deleted") == s.status:
            yield OVER, s
    elif phase == SURE:
        if code == 204 if command == "delete" else code == 200 and fits(body, s):
            yield OVER, s
    elif phase == WAITING:
        if command == "checkpoint" and code == 200:
            yield OVER, s
        elif command != "checkpoint" and s.status in DONE[command] and code == 200 and fits(body, s):
            yield OVER, s
        elif waits(command, s) and code == 202 and fits(body, s):
            yield OVER, s
        if not waits(command, s) and s.status not in DONE[command]:
            yield LATE, s


def after(states, burst, queue_open):
    """Possible states once the burst, [(command, answer)], is over. Empty: no order of things explains the answers."""
    begin = [(s, (None,) * len(burst)) for s in states]
    seen, look, ended = set(begin), list(begin), set()
    while look:
        s, phases = look.pop()
        if all(phase == OVER for phase in phases):
            ended.add(s)
        following = [(then, phases) for then in by_itself(s, queue_open)]
        for i, (command, answer) in enumerate(burst):
            if phases[i] != OVER:
                following += [(then, phases[:i] + (phase,) + phases[i + 1:])
                              for phase, then in advance(command, answer, phases[i], s)]
        for node in following:
            if node not in seen:
                seen.add(node)
                look.append(node)
    return ended


def after_kill(states, queue_open):
    """What ran had perhaps not told how far it was."""
    then = set()
    for s in after(states, [], queue_open):
        if s.status in LIVE:
            s = s._replace(status=AFTER_KILL[s.status], wish=s.wish if s.status == "running" else None)
            then.add(s._replace(begun=False))
        then.add(s)
    return then
