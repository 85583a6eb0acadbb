"""Faults that are planted in a copy of the sources, one at a time: the part that is to find it must fail (PLANT=1)."""
import os
import re
import shutil
import subprocess
import sys

from victim import ROOT

# name (as a part's `catches` has it), then file, text, what it becomes; without a file: a lie of the disk's (victim.py)
PLANTS = {
    "points repeated": ("server/store/points.c", "op->step <= p->last_step", "op->step < 0"),
    "momentum forgotten": ("core/model/train.c", "\t\tt->features = NULL; /* of other weights */\n\treturn code;",
                           "\t\tt->features = NULL;\n\tfor (int i = 0; i < t->moments; i++)\n"
                           "\t\tmemset(t->moment[i], 0, t->m->params * sizeof *t->moment[i]);\n\treturn code;"),
    "log lost": None,
    "checksum unread": ("api/safetensors.c", "if (memcmp(digest, sum->data, sizeof digest))",
                        "if (memcmp(digest, sum->data, sizeof digest) > 1000)",
                        "server/blob.c", 'snprintf(temporary, sizeof temporary, "%s%s", path, temporary_end);',
                        'snprintf(temporary, sizeof temporary, "%s%.0s", path, temporary_end);'),
    "sync error ignored": ("server/blob.c", "if (!error && fsync(fd)) /* final", "if (fsync(fd) > 0) /* final"),
    "file not synced": ("server/blob.c", "if (!error && fsync(fd)) /* final", "if (error && fsync(fd)) /* final"),
    "folder not synced": ("server/blob.c", "int error = fsync(fd) ? errno : 0;", "int error = fd < -1 ? errno : 0;"),
    "commit not synced": ("server/store/sql.c", "PRAGMA synchronous=FULL;", "PRAGMA synchronous=NORMAL;"),
    "database sync error ignored": ("server/store/write.c", "if (!sql_sync_failed(c))", "if (c)"),
    "half a file kept": ("server/blob.c", "\tif (error) {\n\t\tunlink(temporary);\n", "\tif (error) {\n"),
    "removal unseen": ("server/store/write.c", "\tend_if_removed(t->store);\n", "\t(void)end_if_removed;\n"),
    "allocation unchecked": ("core/base/buf.c", "\t\tif (!data) {\n\t\t\tb->failed = true;\n\t\t\treturn NULL;\n\t\t}\n", ""),
    "start that aborts": ("server/main.c", "\t\tclose_all(&p);\n\t\treturn fail(exit_code, &err);\n", "\t\tabort();\n"),
    "job that aborts": ("server/worker_settle.c", "\tif (try_again(r, why))", "\tif (why->code == ERR_NO_MEMORY)\n\t\tabort();\n"
                        "\tif (try_again(r, why))"),
    "crashes not counted": ("server/crash.h", "CRASHES_MAX = 3", "CRASHES_MAX = 1000"),
    "every end counted": ("server/crash.c", "bool raised_here = info->si_code > 0 || ", "bool raised_here = info->si_code <= 0 || "),
    "lock not taken": ("server/store/store.c", "if (flock(fd, LOCK_EX | LOCK_NB))", "if (flock(fd, LOCK_SH | LOCK_NB))"),
    "wall clock used": ("server/clock.c", "return read_us(CLOCK_MONOTONIC) / 1000;", "return read_us(CLOCK_REALTIME) / 1000;"),
    "no descriptors kept": ("server/http.c", "enum { SPARE = 48,", "enum { SPARE = 0,"),
    "held ignored": ("server/store/internal.h", '#define JOB_READY "held=0 AND', '#define JOB_READY "held>=0 AND'),
    "stopped without saving": ("server/worker_hooks.c", "[RUN_DRAIN] = LOOP_SAVE | LOOP_STOP", "[RUN_DRAIN] = LOOP_STOP"),
}
COPIED = ("Makefile", "api", "core", "deploy", "server", "tests", "web")


def copy_tree(to):
    """Sources and what is built of them, with their times, so that little is built again."""
    os.makedirs(os.path.join(to, "build"), exist_ok=True)
    for name in COPIED + ("build/release",):
        subprocess.run(["cp", "-a", os.path.join(ROOT, name),
                        os.path.dirname(os.path.join(to, name)) + "/"], check=True)


def edit(root, plant):
    """Changes the sources; returns what undoes it."""
    before = {}
    for i in range(0, len(plant), 3):
        path = os.path.join(root, plant[i])
        with open(path) as file:
            text = file.read()
        before.setdefault(path, text)
        if text.count(plant[i + 1]) != 1:
            raise ValueError(f"{plant[i]} has {plant[i + 1]!r} {text.count(plant[i + 1])} times: the plant is out of date")
        with open(path, "w") as file:
            file.write(text.replace(plant[i + 1], plant[i + 2]))
    return before


def is_caught(name, plant, part_name, root):
    """(caught, what was said)"""
    environment = {**os.environ, "ONLY": f"^{re.escape(part_name)}$", "SHORT": "1", "PLANT": ""}
    before = {}
    try:
        if plant:
            before = edit(root, plant)
            made = subprocess.run(["make", "-j2", "build/release/latentd", "MODE=release"], cwd=root, capture_output=True, text=True,
                                  check=False)
            if made.returncode:
                return False, "it does not compile: " + made.stderr[-300:]
            environment["LATENTD"] = os.path.join(root, "build", "release", "latentd")
        else:
            environment["TORTURE_PLANT"] = name
        done = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "torture", "torture.py")], env=environment,
                              capture_output=True, text=True, check=False)
        said = [line.strip() for line in done.stdout.splitlines() if "FAILED" in line]
        return done.returncode == 1 and bool(said), said[0] if said else done.stdout[-200:] + done.stderr[-200:]
    finally:
        for path, text in before.items():
            with open(path, "w") as file:
                file.write(text)


def plant_all(parts, findings):
    """Each fault that a part is to catch, where it is to."""
    root = os.path.join(ROOT, "build", "torture", "plant")
    shutil.rmtree(root, ignore_errors=True)
    copy_tree(root)
    for part_name, function in parts.items():
        for name in function.catches:
            try:
                caught, said = is_caught(name, PLANTS[name], part_name, root)
            except ValueError as error:
                caught, said = False, str(error)
            print(f"    {'caught    ' if caught else 'NOT CAUGHT'} {name!r} by {part_name}: {said[:150]}", flush=True)
            if caught:
                findings.passed()
            else:
                findings.failed(f"{name!r} is not found by {part_name}: {said}")
    shutil.rmtree(root)
