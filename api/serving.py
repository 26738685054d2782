"""``jalon serve``: the server on a port of this machine."""

import os
import socket
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from api.app import prepare
from api.oauth.clients import local_client
from api.settings import chosen

APP: Final = "api.app:from_environment"
LOCAL: Final = ("127.0.0.1", "localhost", "::1")
KEEP_ALIVE: Final = 75
"""Seconds for which an idle connection stays open: longer than a learner thinks about a question."""
BACKLOG: Final = 2048
"""Connections that may wait: what uvicorn lets wait too."""


def listen_and_serve(
    host: str, port: int, database: str, bank: Path | None, workers: int, self_service: bool | None
) -> None:
    """Serve until told to stop.

    Parameters
    ----------
    host, port
        Address to listen on.
    database : str
        URL; the database is created when it does not exist.
    bank : Path, optional
        Folder of a bank; the one that ships when left out.
    workers : int
        Processes.
    self_service : bool, optional
        Whether visitors may start a run without a code; on this machine's own address only when left out.
    """
    settings = chosen(database=database, bank=bank)
    local = host in LOCAL and not settings.https
    settings = chosen(database=database, bank=bank, self_service=local if self_service is None else self_service)
    name = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    address = f"http://{name}:{port}"
    public = settings.public_url if "public_url" in settings.model_fields_set else address
    with _listening(host, port) as listening:
        prepare(settings)
        os.environ |= {"JALON_DATABASE": settings.database, "JALON_SELF_SERVICE": str(settings.self_service)}
        os.environ["JALON_PUBLIC_URL"] = public
        if settings.bank is not None:
            os.environ["JALON_BANK"] = str(settings.bank)
        print(f"Jalon is ready: open {address} in a browser (API documentation: {address}/docs).", flush=True)
        if public == address and not local:
            print(
                f"Certificates will send people to {address}: before the first one is published, set JALON_PUBLIC_URL "
                "to the address by which the world reaches this server.",
                flush=True,
            )
        if local:
            identity, secret = local_client(settings.database)
            print(f"Local client for the API: client_id {identity} client_secret {secret}", flush=True)
        config = uvicorn.Config(
            APP,
            factory=True,
            workers=workers,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        if workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    """Open the port before anything is said to be ready; who comes at once waits until the server has started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(f"Port {port} of {host} cannot be used ({error.strerror}); choose another with --port.") from None
    return listening
