"""The documents say what the code does: links lead somewhere, and every rule and command is named."""

import re
from pathlib import Path

import pytest
import typer.main

import jalon
from api.settings import Settings
from engine.designs import RULES
from simulations.studies.__main__ import STUDIES

ROOT = Path(jalon.__file__).parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
STRUCTURE = {"Design", "Grid", "Independent", "LatentTree"}


def places(document: Path) -> list[str]:
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text(encoding="utf-8"))


def headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for place in places(document):
        path, _, heading = place.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), place
        assert not heading or heading in headings(target), place


def test_there_are_links_to_follow() -> None:
    assert "engine/adaptive.py" in places(ROOT / "README.md")


def test_every_rule_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "guides" / "psychometricians.md").read_text(encoding="utf-8")
    assert {name for name in RULES if f"`{name}`" not in guide} == STRUCTURE


def test_every_command_is_in_the_readme() -> None:
    told = "\n".join(re.findall(r"^\| `.*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    tool = typer.main.get_command(jalon.app)
    for name, command in tool.commands.items():  # type: ignore[attr-defined]
        assert f"`jalon {name}" in told, name
        for inner in getattr(command, "commands", {}):
            assert re.search(rf"jalon {name}[^|]*\b{inner}\b", told), f"{name} {inner}"


def test_every_study_is_in_the_documents_about_precision_and_calibration() -> None:
    told = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("precision.md", "calibration.md"))
    assert [name for name in STUDIES if name not in told] == []


def test_every_setting_is_documented() -> None:
    guide = (ROOT / "docs" / "guides" / "operators.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in guide] == []
