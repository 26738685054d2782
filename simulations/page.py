"""A report: one page that needs nothing else, for a person to read. No script, nothing fetched from anywhere."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from simulations.drawing import svg
from simulations.readings import Reading


class Picture(NamedTuple):
    """A plot with its heading and caption."""

    heading: str
    svg: Markup
    caption: str


class Grid(NamedTuple):
    """A table of texts."""

    heading: str
    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def pictured(found: Iterable[tuple[str, Figure, str]]) -> list[Picture]:
    """Pictures of headings, figures and captions."""
    return [
        Picture(heading, svg(figure, f"figure{place}", caption), caption)
        for place, (heading, figure, caption) in enumerate(found, 1)
    ]


def page(
    *,
    title: str,
    opening: str,
    notes: Sequence[str],
    figures: Sequence[Reading],
    pictures: Sequence[Picture],
    tables: Sequence[Grid],
    particulars: Sequence[tuple[str, str]],
) -> str:
    """HTML of a report."""
    environment = Environment(
        loader=PackageLoader("simulations"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        title=title,
        opening=opening,
        notes=notes,
        figures=figures,
        pictures=pictures,
        tables=tables,
        particulars=particulars,
    )
