"""Many participations that were sent, with made-up snapshots, put straight into the database."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from api.campaigns.tables import participations
from api.identifiers import fingerprint, new_id
from api.storage import insert_rows
from api.tables import learners
from engine.arrays import Floats
from itembank.framework import Framework
from tests.campaigns.classroom import Classroom


@dataclass(frozen=True)
class Sender:
    """Who sends: an account, a name and a class."""

    learner_id: str
    first_name: str
    last_name: str
    division: str | None


def senders(classroom: Classroom, count: int, divisions: int = 4) -> list[Sender]:
    """Make accounts."""
    at = classroom.world.context.clock()
    made = [
        Sender(new_id(), f"Prénom{number}", f"Nom{number}", f"2{chr(65 + number % divisions)}")
        for number in range(count)
    ]
    rows = [
        {"id": one.learner_id, "client_id": classroom.world.client_id, "external_id": None, "created_at": at}
        for one in made
    ]
    with classroom.world.context.database.writing() as connection:
        insert_rows(connection, learners, rows)
    return made


def send_made_up(
    classroom: Classroom,
    campaign: Any,
    people: list[Sender],
    abilities: Floats,
    sd: float = 0.6,
    days: float = 0.0,
    attempt: int = 1,
) -> list[str]:
    """Send for each of n people (n,) made-up results whose abilities (n, C) are known up to ``sd``; their ids."""
    framework = classroom.world.context.served.framework
    at = classroom.world.context.clock() + timedelta(days=days)
    ids = [new_id() for _ in people]
    rows = [
        {
            "id": ids[place],
            "campaign_id": campaign["id"],
            "learner_id": one.learner_id,
            "registration_id": None,
            "attempt": attempt,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "division": one.division,
            "external_id": None,
            "run_id": None,
            "token_hash": fingerprint(ids[place]),
            "created_at": at,
            "sent_at": at,
            "snapshot": snapshot(framework, campaign["competences"], abilities[place], sd),
        }
        for place, one in enumerate(people)
    ]
    with classroom.world.context.database.writing() as connection:
        insert_rows(connection, participations, rows)
    return ids


def snapshot(framework: Framework, codes: list[str], ability: Floats, sd: float) -> dict[str, Any]:
    """What somebody sends whose posterior is normal in the competences asked, and who is unknown in the others."""
    from scipy.special import ndtr

    entries, own = [], []
    for code in framework.codes:
        if code not in codes:
            entries.append({"competence": code, "state": "unknown", **dict.fromkeys(_NAMES)})
            own.append({"competence": code, "mean": None, "sd": None})
            continue
        mean = float(ability[codes.index(code)])
        edges = ndtr((np.array(framework.cuts[framework.index(code)]) - mean) / sd)
        each = np.diff(np.concatenate([[0.0], edges, [1.0]]))
        level = int(np.flatnonzero(np.cumsum(each[::-1])[::-1] >= 0.5)[-1])
        told = {"level": level, "probability": round(float(each[level]), 6), "mean": round(mean, 6), "sd": sd}
        told |= {"probabilities": each.round(6).tolist(), "measured_at": "2026-09-21T08:00:00.000000Z"}
        entries.append({"competence": code, "state": "measured", **told})
        own.append({"competence": code, "mean": round(mean, 6), "sd": sd})
    return {
        "kind": "assessment",
        "run_id": None,
        "finished_at": None,
        "competences": entries,
        "own": own,
        "topics": [
            {"competence": code, "topic": framework.competences[framework.index(code)].topics[0].code, **_SHORT}
            for code in codes
        ],
        "asked": 12,
        "answered": 10,
        "skipped": 2,
    }


_SHORT = {"asked": 4, "obtained": 1.0, "expected": 2.5, "variance": 0.9, "skipped": 1}
_NAMES = ("level", "probability", "probabilities", "mean", "sd", "measured_at")
