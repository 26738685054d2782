"""A real server: uvicorn in processes of its own, one unless more are asked for, on a free port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    application: str, port: int, environment: Mapping[str, str], *, factory: bool, workers: int = 1
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--log-level", "warning"]
    command += [
        "--no-access-log",
        "--timeout-keep-alive",
        "75",
        "--workers",
        str(workers),
        *(["--factory"] if factory else []),
    ]
    return subprocess.Popen(command, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"} | dict(environment))


def wait_until_up(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}: read its messages above")
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError("the server did not come up in time")


@contextmanager
def running(
    application: str, path: str, environment: Mapping[str, str], *, factory: bool = False, workers: int = 1
) -> Iterator[int]:
    """Run a server and give its port; ``path`` is what answers 200 once it is up."""
    port = free_port()
    process = start(application, port, environment, factory=factory, workers=workers)
    try:
        wait_until_up(process, port, path)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)
