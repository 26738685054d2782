"""A real server on a socket, and banks small enough to see every kind of question."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.clock import Clock
from api.settings import Settings
from itembank.bank import ItemBank
from itembank.files import save_bank, shipped_bank
from itembank.framework import framework_from
from itembank.items import KINDS, Item

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \"'&amp; {{ 7*7 }}"
SECRET = "cle-que-personne-ne-doit-lire"


@dataclass(frozen=True)
class Site:
    """A server that answers."""

    url: str
    app: FastAPI


@contextmanager
def serving(settings: Settings, clock: Clock | None = None) -> Iterator[Site]:
    app = create_app(settings, clock)

    async def fail() -> None:
        raise ArithmeticError("a bug, on purpose")

    app.add_api_route("/fail", fail)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", app)
    finally:
        server.should_exit = True
        thread.join()


def settings(folder: Path, bank: ItemBank | None = None, **chosen: object) -> Settings:
    """Settings for a database of its own in ``folder``."""
    if bank is not None:
        save_bank(bank, folder / "bank")
        chosen["bank"] = folder / "bank"
    values = (
        {"self_service": True, "code_rate": "1000/minute"}
        | dict.fromkeys(("entry_rate", "sign_in_rate"), "1000/minute")
        | chosen
    )
    return Settings(database=f"sqlite:///{folder / 'jalon.db'}", **values)  # type: ignore[arg-type]


def every_kind() -> ItemBank:
    """Bank of one competence with an item of each kind and of each material, a timed one and a hostile one.

    Competences tell nothing of each other in it, so that the others stay unknown.
    """
    shipped = shipped_bank()
    plain = framework_from(_without_loadings(shipped.framework.model_dump(mode="json")))
    topics = [topic.code for topic in plain.competences[0].topics]
    chosen = [_first(shipped, kind=kind) for kind in KINDS]
    chosen += [_first(shipped, material=material) for material in ("document", "table", "code")]
    moved = [
        item.model_copy(update={"competence": "1.1", "topic": topics[place % len(topics)]})
        for place, item in enumerate(chosen)
    ]
    moved[0] = moved[0].model_copy(update={"limit": 900})
    moved[2] = moved[2].model_copy(update={"key": (SECRET,)})
    moved.append(_hostile(moved[-2]))
    source = {item.id: shipped.parameters[item.id] for item in chosen}
    source[moved[-1].id] = shipped.parameters[chosen[0].id]
    return ItemBank(plain, tuple(moved), source)


def _without_loadings(content: dict[str, object]) -> dict[str, object]:
    domains: list[dict[str, object]] = content["domains"]  # type: ignore[assignment]
    for domain in domains:
        domain["loading"] = 0.0
        for competence in domain["competences"]:  # type: ignore[attr-defined]
            competence["loading"] = 0.0
    return content


def _first(bank: ItemBank, kind: str | None = None, material: str | None = None) -> Item:
    """First item of a kind without material, or with a material and of any kind."""
    materials = ("document", "table", "code")
    return next(
        item
        for item in bank.items
        if (item.kind == kind and not any(getattr(item, name) for name in materials))
        or (material is not None and getattr(item, material) is not None)
    )


def _hostile(table_item: Item) -> Item:
    table = table_item.table
    assert table is not None
    cells = {"header": (HOSTILE, *table.header[1:]), "rows": table.rows}
    changed = {
        "id": "hostile",
        "stem": HOSTILE,
        "table": table.model_copy(update=cells),
        "code": HOSTILE,
        "why": SECRET,
    }
    return table_item.model_copy(update=changed)
