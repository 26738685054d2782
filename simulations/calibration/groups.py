"""Items that work differently in the groups of a calibration."""

from dataclasses import dataclass

import numpy as np

from engine.arrays import Ints
from engine.calibration.dif.likelihood_ratio import LikelihoodRatioDif, likelihood_ratio_dif
from engine.calibration.dif.mantel_haenszel import MantelHaenszel, mantel_haenszel
from engine.calibration.dif.multiplicity import DifStatus, EtsClass
from engine.calibration.priors import Priors
from engine.responses import SkipPolicy
from itembank.responses import ResponseTable
from simulations.calibration.plan import Plan


@dataclass(frozen=True, eq=False)
class Comparison:
    """DIF of the items of one competence between the first group and another.

    Parameters
    ----------
    competence, focal : str
        Code, and label of the other group.
    items : (J,) int
        Which items of the plan.
    scores : MantelHaenszel
        Of learners matched by what the other items say of them.
    curves : LikelihoodRatioDif
        Anchored on the items that the first found to work alike.
    """

    competence: str
    focal: str
    items: Ints
    scores: MantelHaenszel
    curves: LikelihoodRatioDif


def comparisons(plan: Plan, table: ResponseTable, skip: SkipPolicy, priors: Priors) -> tuple[Comparison, ...]:
    """Compare every group with the first one, competence by competence; nothing where there are no groups."""
    if table.group is None:
        return ()
    found = []
    for place, code in enumerate(plan.competences):
        items = np.flatnonzero(plan.competence == place)
        given, models = table.responses[:, items], [plan.models[item] for item in items.tolist()]
        for focal, label in enumerate(table.groups[1:], 1):
            scores = mantel_haenszel(given, table.group, focal=focal, models=models, skip=skip)
            kept = np.flatnonzero(scores.kept)
            curves = likelihood_ratio_dif(
                given,
                models,
                table.group,
                focal=focal,
                anchors=None if kept.size == items.size else kept,
                priors=priors,
                skip=skip,
            )
            found.append(Comparison(code, label, items, scores, curves))
    return tuple(found)


def letter(ets: int) -> str:
    """Class of ETS, a dash where there is none."""
    return "–" if ets == EtsClass.NONE else EtsClass(ets).name


def figures(plan: Plan, compared: tuple[Comparison, ...]) -> list[dict[str, object]]:
    """DIF of each item in plain values."""
    return [
        {
            "id": plan.ids[item],
            "competence": one.competence,
            "focal": one.focal,
            "mh_chi2": one.scores.chi2[at],
            "mh_p": one.scores.adjusted_p[at],
            "mh_delta": one.scores.delta[at],
            "mh_standardised": one.scores.standardised[at],
            "ets": letter(int(one.scores.ets[at])),
            "mh_flagged": bool(one.scores.flagged[at]),
            "mh_status": DifStatus(int(one.scores.status[at])).name.lower(),
            "lr_chi2": one.curves.chi2[at],
            "lr_df": int(one.curves.df[at]),
            "lr_p": one.curves.adjusted_p[at],
            "lr_signed": one.curves.signed[at],
            "lr_unsigned": one.curves.unsigned[at],
            "lr_flagged": bool(one.curves.flagged[at]),
            "lr_status": DifStatus(int(one.curves.status[at])).name.lower(),
        }
        for one in compared
        for at, item in enumerate(one.items.tolist())
    ]


def worst(one: Comparison) -> Ints:
    """Order of the items: the largest differences between the curves first, (J,)."""
    return np.argsort(-np.nan_to_num(one.curves.share, nan=-1.0), kind="stable")
