"""The class report on paper: what a group sent, for a meeting of its teachers."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fpdf import FPDF
from starlette.concurrency import run_in_threadpool

from api.campaigns.results.exports import begin_export
from api.campaigns.results.group import group_results
from api.certification.paper import ACCENT, FAINT, INK, new_paper, readable, write
from api.context import Context
from api.organisations.callers import Staff
from api.organisations.registrations.names import compared
from itembank.framework import Framework, title

_COLOURS: Final = (
    (233, 217, 194),
    (220, 195, 154),
    (201, 211, 176),
    (163, 198, 173),
    (119, 179, 165),
    (78, 156, 152),
    (48, 128, 138),
    (31, 97, 119),
    (22, 63, 92),
)
"""Of the levels, those of the pages; the last one for any beyond."""
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


async def class_report(
    context: Context, caller: Staff, campaign_id: str, division: str | None = None
) -> tuple[str, bytes]:
    """Print what a group sent.

    Returns
    -------
    (str, bytes)
        A name for the file, and the PDF.

    Raises
    ------
    Problem
        404 unknown campaign.
    """
    campaign = await begin_export(context, caller, campaign_id, "report")
    told = await group_results(context, caller, campaign_id, division)
    at = context.clock()
    zone = ZoneInfo(context.settings.campaign_zone)
    content = await run_in_threadpool(report_pdf, context.served.framework, campaign.title, told, at.astimezone(zone))
    letters = re.sub(r"[^A-Za-z0-9]+", "-", compared(division or "")).strip("-")
    return f"campagne-{f'{letters}-' if letters else ''}{at.astimezone(zone):%Y-%m-%d}.pdf", content


def report_pdf(framework: Framework, name: str, told: Mapping[str, Any], at: datetime) -> bytes:
    """Print a report in French, on A4."""
    paper = new_paper(f"{name} · bilan", "fr", at)
    division = told["division"]
    write(paper, 17, bold=True, ink=ACCENT)
    _text(paper, name, 8)
    write(paper, 10, ink=FAINT)
    group = f"Classe {division}" if division else "Toutes les classes"
    day = f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    _text(paper, f"{group} · {_counted(told['learners'], 'élève a envoyé', 'élèves ont envoyé')} · le {day}", 6)
    paper.ln(2)
    _needs(paper, framework, told)
    _competences(paper, framework, told)
    _topics(paper, framework, told)
    if paper.will_page_break(18):  # its lines stay together
        paper.add_page()
    write(paper, 8, ink=FAINT)
    paper.ln(3)
    _text(
        paper,
        "Chaque élève compte avec les probabilités de tous ses niveaux. L'intervalle contient la vraie part neuf fois "
        "sur dix. Un besoin est le nombre de niveaux qui manquent en moyenne à chaque élève pour atteindre le niveau "
        "visé : part des élèves au-dessous, multipliée par les niveaux qui leur manquent.",
        4,
    )
    return bytes(paper.output())


def _needs(paper: FPDF, framework: Framework, told: Mapping[str, Any]) -> None:
    _heading(paper, "Besoins, du plus grand au plus petit")
    entries = {entry["competence"]: entry for entry in told["competences"]}
    if not told["needs"]:
        _text(paper, "Aucun besoin : pas de niveau visé, ou il est atteint.", 5)
    for place, code in enumerate(told["needs"], 1):
        need, target = entries[code]["need"], entries[code]["target"]
        write(paper, 10, bold=True)
        _text(paper, f"{place}. {code} {_title(framework, code)}", 5)
        write(paper, 9)
        _text(
            paper,
            f"Niveau visé {target}. {_percent(need['share_below'])} des élèves sont au-dessous, "
            f"de {_number(need['missing_when_below'])} niveau en moyenne : besoin {_number(need['score'])}.",
            4.5,
        )
    paper.ln(2)


def _competences(paper: FPDF, framework: Framework, told: Mapping[str, Any]) -> None:
    _heading(paper, "Niveaux dans chaque compétence")
    for entry in told["competences"]:
        if paper.will_page_break(22):
            paper.add_page()
        write(paper, 10, bold=True)
        _text(paper, f"{entry['competence']} {_title(framework, entry['competence'])}", 5)
        total = sum(entry["levels"])
        if not total:
            write(paper, 9, ink=FAINT)
            _text(paper, "Rien n'est connu.", 5)
            continue
        _bar(paper, entry["levels"], total)
        write(paper, 8.5)
        levels = " · ".join(
            f"niveau {level} : {_number(count)}" for level, count in enumerate(entry["levels"]) if count >= 0.05
        )
        share, words = entry["share"], ""
        if share is not None:
            words = (
                f"Au niveau {entry['target']} ou plus : {_percent(share['estimate'])} "
                f"(entre {_percent(share['lower'])} et {_percent(share['upper'])}). "
            )
        unknown = f" · inconnus : {entry['unknown']}" if entry["unknown"] else ""
        _text(paper, f"{words}{levels}{unknown}", 4.2)
        paper.ln(1.5)


def _bar(paper: FPDF, levels: list[float], total: float) -> None:
    x, y = paper.l_margin + paper.c_margin, paper.get_y() + 0.8
    whole = paper.epw - 2 * paper.c_margin
    for level, count in enumerate(levels):
        width = whole * count / total
        paper.set_fill_color(*_COLOURS[min(level, len(_COLOURS) - 1)])
        paper.rect(x, y, width, 5, style="F")
        if width > 5:
            write(paper, 8, bold=True, ink=INK if level < 4 else (255, 255, 255))
            paper.text(x + width / 2 - 1, y + 3.6, str(level))
        x += width
    paper.set_y(y + 6)


def _topics(paper: FPDF, framework: Framework, told: Mapping[str, Any]) -> None:
    if not told["topics"]:
        return
    _heading(paper, "Sujets moins réussis que ne le laisse attendre le niveau")
    for topic in told["topics"]:
        write(paper, 9)
        competence = framework.competences[framework.index(topic["competence"])]
        name = title(competence.topic(topic["topic"]).title, "fr")
        points = f"{_number(topic['obtained'])} points sur {topic['asked']}, {_number(topic['expected'])} attendus"
        _text(paper, f"{topic['competence']} {name} : {points}", 4.6)


def _heading(paper: FPDF, words: str) -> None:
    if paper.will_page_break(25):
        paper.add_page()
    paper.ln(2)
    write(paper, 12, bold=True, ink=ACCENT)
    _text(paper, words, 7)
    write(paper)


def _text(paper: FPDF, words: str, height: float) -> None:
    paper.multi_cell(0, height, readable(paper, words), new_x="LMARGIN", new_y="NEXT")


def _title(framework: Framework, code: str) -> str:
    return title(framework.competences[framework.index(code)].title, "fr")


def _percent(share: float) -> str:
    return f"{round(100 * share)}\u00a0%"


def _number(value: float) -> str:
    return f"{round(value, 1):g}".replace(".", ",")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count < 2 else many}"
