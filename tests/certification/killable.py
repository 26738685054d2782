"""Servers that come up fast and die at once: children of a process that has imported everything already.

Each line on the standard input asks for a server; its process id is the answer. At the end of the input the last server
dies, and so does the parent.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.load.server import wait_until_up


@dataclass
class Killable:
    """A server that comes back on the same port after each kill."""

    port: int
    environment: Mapping[str, str]
    parent: subprocess.Popen[str] | None = None
    child: int = 0

    def begin(self) -> None:
        command = [sys.executable, "-m", "tests.certification.killable", str(self.port)]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"} | dict(self.environment)
        pipe = subprocess.PIPE
        self.parent = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def up(self) -> None:
        assert self.parent is not None
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.write("up\n")
        self.parent.stdin.flush()
        self.child = int(self.parent.stdout.readline())
        running: Any = self.parent
        wait_until_up(running, self.port, "/v1/health")

    def kill(self) -> None:
        os.kill(self.child, signal.SIGKILL)

    def end(self) -> None:
        assert self.parent is not None
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.close()
        self.parent.stdout.close()
        self.parent.wait(timeout=30)


def serve(port: int) -> None:
    """Fork a server for each line of the standard input, which has lost the one before."""
    import uvicorn

    from api.app import from_environment
    from itembank.files import shipped_bank

    shipped_bank()  # kept in memory for the children, which come up the faster
    child = 0
    for _ in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            os.close(0)
            uvicorn.run(from_environment, factory=True, port=port, log_level="warning", access_log=False)
            os._exit(0)
        print(child, flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
