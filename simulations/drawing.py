"""Figures for pages: one style, and SVG that stands inside a page."""

import io
import re
from typing import Any, Final

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#595959"
"""Colours that colour-blind readers tell apart (Okabe and Ito 2008)."""

STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jalon",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.0,
    "legend.frameon": False,
}


def panels(rows: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Open a figure of so many inches with its panels, row by row."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def svg(figure: Figure, name: str, alternative: str) -> Markup:
    """SVG of a figure for a page.

    Parameters
    ----------
    figure : Figure
    name : str
        Goes in front of the ids in the figure, so that the figures of a page do not share any.
    alternative : str
        What the picture shows, for those who cannot see it.
    """
    text = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Creator": None, "Date": None, "Format": None, "Type": None})
    body = text.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    opening = Markup('<svg role="img" aria-label="{}" ').format(escape(alternative))
    return opening + Markup(body.removeprefix("<svg "))
