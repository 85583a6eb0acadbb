"""A latentd of our own on a free port, and its public HTTP API by urllib: all that the report knows of the daemon."""
import ctypes
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request


PR_SET_PDEATHSIG = 1


class Refused(Exception):
    """An answer of 4xx or 5xx, in the daemon's own words."""

    def __init__(self, status, problem):
        self.status, self.code = status, problem.get("code", "")
        details = [f"{e['pointer'].removeprefix('#/')}: {e['detail']}" for e in problem.get("errors", ())]
        super().__init__("; ".join(details) or problem.get("detail") or problem.get("title") or f"HTTP {status}")


def problem_of(error):
    try:
        return json.loads(error.read())
    except ValueError:
        return {"detail": f"HTTP {error.code}"}


class Api:
    # No proxy of the environment has a say in talking to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __init__(self, url):
        self.url = url

    def raw(self, path, body=None, accept="*/*", timeout=660):
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        if isinstance(body, bytes):
            request.data = body
            request.add_header("Content-Type", "application/x-npy")
        elif body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=timeout) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, problem_of(error)) from None

    def get(self, path):
        return json.loads(self.raw(path))

    def post(self, path, body):
        return json.loads(self.raw(path, body))

    def pages(self, path):
        """Every item of a list, newest first."""
        after, mark = "", "&" if "?" in path else "?"
        while True:
            page = self.get(f"{path}{mark}limit=100{after}")
            yield from page["data"]
            if not page["has_more"]:
                return
            after = f"&after={page['last_id']}"


def end_with_parent():
    """Between fork and exec: the kernel asks the daemon to stop when this script dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Daemon(Api):
    """`with Daemon(binary, folder) as api:` the data directory is folder/data, the log folder/latentd.log."""

    def __init__(self, binary, folder):
        super().__init__(None)
        self.binary, self.folder = binary, folder
        self.log = os.path.join(folder, "latentd.log")

    def __enter__(self):
        port_file = os.path.join(self.folder, "port")
        if os.path.exists(port_file):
            os.remove(port_file)
        # One job at a time: its seconds are then its own. In a session of its own, so that Ctrl-C reaches this script only.
        command = [self.binary, "--listen", "127.0.0.1:0", "--port-file", port_file, "--workers", "1",
                   "--data-dir", os.path.join(self.folder, "data")]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                            preexec_fn=end_with_parent)
        try:
            self.wait_ready(port_file)
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_ready(self, port_file):
        for _ in range(400):
            if self.process.poll() is not None:
                busy = self.process.returncode == 73
                raise SystemExit("report: another latentd uses this data directory; stop it first" if busy else
                                 f"report: {self.binary} ended with {self.process.returncode}; see {self.log}")
            if os.path.exists(port_file) and os.path.getsize(port_file):
                with open(port_file) as file:
                    self.url = f"http://127.0.0.1:{int(file.read())}"
                try:
                    self.raw("/readyz")
                    return
                except (Refused, OSError):
                    pass
            time.sleep(0.05)
        raise SystemExit(f"report: the daemon was not ready after 20 s; see {self.log}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
