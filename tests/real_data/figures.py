"""Figures of docs/real-data.md: ``python -m tests.real_data.figures SET ...`` prints those of some data sets.

The tests of this folder assert what the quick ones give; ``timss`` and ``timss_held_out`` take minutes.
"""

import sys
from functools import cache

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.fit.overall import m2
from engine.calibration.fit.reliability import reliability
from engine.calibration.fit.residuals import q3
from engine.calibration.linking.link import drift, link
from engine.calibration.priors import USUAL_PRIORS, Beta, Priors
from engine.calibration.result import Calibration, ItemStatus
from engine.latent import Independent
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import SKIPPED, SkipPolicy
from itembank.responses import read_responses
from tests.real_data.sets import COMMON, both_forms, pirls, published, timss, with_omissions
from tests.real_data.trees import (
    FAMILIES,
    G_TREE,
    Figures,
    ability_held_out,
    loadings_of,
    scores,
    timss_fits,
    timss_held_out,
    timss_with_parts,
    told,
)
from tests.reference.data import real_data

GUESSING = Priors(guessing=Beta(5.0, 17.0))


def near(one: Floats, other: Floats) -> Figures:
    """Agreement of two sets of estimates."""
    gap = one - other
    return {"r": float(np.corrcoef(one, other)[0, 1]), "rmse": float(np.sqrt(np.mean(gap**2))), "bias": gap.mean()}


def curve_gap(one: ItemParameters, other: ItemParameters) -> Floats:
    """Root mean square difference of P(1) over N(0, 1), (I,)."""
    nodes = np.linspace(-4.0, 4.0, 81)
    weights = np.exp(-0.5 * nodes**2)
    gap = np.exp(log_probability(one, nodes)[:, 1]) - np.exp(log_probability(other, nodes)[:, 1])
    return np.asarray(np.sqrt(gap**2 @ weights / weights.sum()))


@cache
def form(name: str) -> Calibration:
    """Calibrate one of Kolen and Brennan's forms by itself."""
    return calibrate(read_responses(real_data(f"kb36_form{name.lower()}")).responses, "3PL", priors=USUAL_PRIORS)


def kb36() -> Figures:
    """Compare with the published estimates, and link, concurrent and fixed calibration with each other."""
    figures: Figures = {}
    for name in "XY":
        found, book = form(name).parameters, published(name)
        figures[name] = told(form(name)) | {
            "a": near(found.discrimination, book.discrimination),
            "b": near(found.difficulty, book.difficulty),
            "c": near(found.guessing, book.guessing),
            "largest curve gap": float(curve_gap(found, book).max()),
        }
    old, new = form("Y").parameters.take(COMMON), form("X").parameters.take(COMMON)
    for method in ("mean-mean", "mean-sigma", "haebara", "stocking-lord"):
        by = link(old, new, method)
        figures[method] = {"sd": by.slope, "mean": by.intercept}
    figures["drift"] = drift(old, new, by)
    given, group = both_forms()
    together = calibrate(given, "3PL", group=group, priors=USUAL_PRIORS)
    figures["concurrent"] = told(together) | {
        "mean": together.population.mean[1, 0],
        "mean error": together.population_errors.mean[1, 0],
        "sd": together.population.sd[1, 0],
        "sd error": together.population_errors.sd[1, 0],
        "b of form X, against linked": near(
            together.parameters.difficulty[36:], np.delete(by.apply(form("X").parameters).difficulty, COMMON)
        ),
    }
    held = calibrate(
        read_responses(real_data("kb36_formx")).responses, "3PL", fixed=Fixed(COMMON, old), priors=USUAL_PRIORS
    )
    figures["fixed"] = told(held) | {"mean": held.population.mean[0, 0], "sd": held.population.sd[0, 0]}
    return figures


def credential() -> Figures:
    """Calibrate the licensure exam, its pilot items missing by design."""
    given = read_responses(real_data("credential_resp")).responses
    figures = {}
    cases = {"2PL": Priors(), "2PL, priors": USUAL_PRIORS, "3PL, priors": USUAL_PRIORS}
    for name, priors in cases.items():
        model = name[:3]
        found = calibrate(given, model, priors=priors)
        stuck = found.rows[found.status[found.rows] == ItemStatus.AT_BOUND]
        figures[name] = told(found) | {
            "a": np.quantile(found.parameters.discrimination, [0.0, 0.5, 1.0]),
            "b": np.quantile(found.parameters.difficulty, [0.0, 0.5, 1.0]),
            "at a bound": [(int(item) + 1, float(np.mean(given[given[:, item] >= 0, item]))) for item in stuck],
        }
    return figures


def omissions() -> Figures:
    """Calibrate reading in four countries under each reading of an omission."""
    table = pirls()
    given = with_omissions(table.responses)
    written = np.array([not item.endswith("M") for item in table.items])
    skipped = given == SKIPPED
    figures: Figures = {
        "omitted": skipped.mean(),
        "not reached": np.mean((given < 0) & ~skipped),
        "omitted, to be written and to be chosen": (skipped[:, written].mean(), skipped[:, ~written].mean()),
        "omitted by country": {name: float(skipped[table.group == q].mean()) for q, name in enumerate(table.groups)},
    }
    policies: tuple[SkipPolicy, ...] = ("ignored", "incorrect", "unknown")
    found = {policy: calibrate(given, "2PL", group=table.group, skip=policy) for policy in policies}
    for policy, one in found.items():
        figures[policy] = told(one) | {
            "means": dict(zip(table.groups, one.population.mean[:, 0].tolist(), strict=True)),
            "mean errors": one.population_errors.mean[1:, 0],
            "sds": one.population.sd[:, 0],
        }
    shift = found["incorrect"].parameters.difficulty - found["ignored"].parameters.difficulty
    figures["b, incorrect less ignored"] = {
        "mean": shift.mean(),
        "to be written": shift[written].mean(),
        "to be chosen": shift[~written].mean(),
        "largest": shift.max(),
        "r of b": np.corrcoef(found["incorrect"].parameters.difficulty, found["ignored"].parameters.difficulty)[0, 1],
        "r with the share omitted": np.corrcoef(shift, skipped.mean(axis=0))[0, 1],
    }
    figures["rest score by answer"] = _rest_scores(given)
    return figures


def guessing() -> Figures:
    """Calibrate reading with guessing of the items with options, under each reading of an omission."""
    table = pirls()
    given = with_omissions(table.responses)
    options = np.array([item.endswith("M") for item in table.items])
    models = ["3PL" if item.endswith("M") else "2PL" for item in table.items]
    policies: tuple[SkipPolicy, ...] = ("ignored", "incorrect", "unknown")
    figures = {}
    for policy in policies:
        found = calibrate(given, models, group=table.group, skip=policy, priors=GUESSING)
        figures[policy] = told(found) | {
            "mean c": found.parameters.guessing[options].mean(),
            "mean b": found.parameters.difficulty[options].mean(),
            "means": found.population.mean[:, 0],
        }
    return figures


def _rest_scores(given: Ints) -> Figures:
    """Mean number of other items right among those who were right, wrong, or silent, over items."""
    total = (given == 1).sum(axis=1)
    often = np.flatnonzero((given == SKIPPED).sum(axis=0) >= 30)
    return {
        name: float(np.mean([np.mean((total - (given[:, j] == 1))[given[:, j] == code]) for j in often]))
        for name, code in (("right", 1), ("wrong", 0), ("silent", SKIPPED))
    }


def skips() -> Figures:
    """Calibrate the exam with negative marking under both readings of a skip."""
    table = read_responses(real_data("mathexam14w"), ignored=("group", "gender", "tests"))
    given = np.where(table.responses < 0, SKIPPED, table.responses)
    silent = (given == SKIPPED).mean(axis=0)
    figures: Figures = {"skipped": silent.mean(), "by item": dict(zip(table.items, silent.tolist(), strict=True))}
    policies: tuple[SkipPolicy, ...] = ("ignored", "incorrect")
    found = {policy: calibrate(given, "2PL", skip=policy) for policy in policies}
    for policy, one in found.items():
        figures[policy] = told(one) | {
            "a": one.parameters.discrimination,
            "b": one.parameters.difficulty,
            "reliability": float(reliability(one.parameters, given, one.check.grid, skip=policy).empirical[0]),
        }
    ignored, wrong = found["ignored"].parameters, found["incorrect"].parameters
    figures["r of b"] = np.corrcoef(ignored.difficulty, wrong.difficulty)[0, 1]
    figures["rest score by answer"] = _rest_scores(given)
    return figures


def ability() -> Figures:
    """Calibrate the 16 ability items as one, as four, and as four on a tree."""
    given = read_responses(real_data("sapa_ability16")).responses
    one = calibrate(given, "2PL")
    four = calibrate(given, "2PL", competence=FAMILIES, latent=Independent(4))
    tree = calibrate(given, "2PL", competence=FAMILIES, latent=G_TREE, estimate_loadings=True)
    grid = one.check.grid
    trusted, overall = reliability(one.parameters, given, grid), m2(one.parameters, given, grid)
    yen = q3(one.parameters, given, grid)
    pairs = np.triu(np.ones((16, 16), dtype=bool), 1)
    alike = FAMILIES[:, None] == FAMILIES
    return {
        "one": told(one) | {"marginal reliability": trusted.marginal[0], "empirical": trusted.empirical[0]},
        "M2": {"M2": overall.m2, "df": overall.df, "rmsea": overall.rmsea, "srmsr": overall.srmsr, "cfi": overall.cfi},
        "mean Q3 inside and between families": (yen.q3[pairs & alike].mean(), yen.q3[pairs & ~alike].mean()),
        "four": told(four),
        "tree": told(tree) | loadings_of(tree),
    }


def graded() -> Figures:
    """Calibrate verbal aggression in three categories, and in two."""
    given = read_responses(real_data("verbagg_poly")).responses
    figures = {model: told(calibrate(given, model)) for model in ("GRM", "GPCM")}
    rasch = calibrate((given > 0).astype(np.int8), "1PL")
    figures["1PL of two categories"] = told(rasch) | {"variance": rasch.parameters.discrimination[0] ** 2}
    return figures


def countries() -> Figures:
    """Calibrate mathematics in Australia and Japan."""
    table = read_responses(real_data("tam_fims"), group="country", ignored=("SEX",))
    figures: Figures = {}
    for model in ("1PL", "2PL"):
        found = calibrate(table.responses, model, group=table.group)
        figures[model] = told(found) | {
            "mean of Japan": found.population.mean[1, 0],
            "mean error": found.population_errors.mean[1, 0],
            "sd of Japan": found.population.sd[1, 0],
            "sd error": found.population_errors.sd[1, 0],
            "b": found.parameters.difficulty,
            "a": found.parameters.discrimination,
        }
    return figures


def skips_with_guessing() -> Figures:
    """Calibrate the exam with negative marking as 3PL, with a prior on c alone."""
    given = read_responses(real_data("mathexam14w"), ignored=("group", "gender", "tests")).responses
    options = Options(errors=False)
    found = calibrate(np.where(given < 0, SKIPPED, given), "3PL", skip="incorrect", priors=GUESSING, options=options)
    return {"3PL": told(found) | {"steepest": float(found.parameters.discrimination.max())}}


SETS = {
    "kb36": kb36,
    "credential": credential,
    "pirls": omissions,
    "pirls_guessing": guessing,
    "mathexam": skips,
    "ability": ability,
    "ability_held_out": lambda: scores(ability_held_out()),
    "verbagg": graded,
    "fims": countries,
    "timss": timss_fits,
    "mathexam_guessing": skips_with_guessing,
    "timss_with_parts": timss_with_parts,
    "timss_held_out": lambda: scores(timss_held_out(), timss().subject),
    "timss_held_out_without_priors": lambda: scores(timss_held_out(2, Priors()), timss().subject),
}

if __name__ == "__main__":
    np.set_printoptions(precision=3, suppress=True, linewidth=120)
    for chosen in sys.argv[1:] or list(SETS)[:9]:
        for key, value in SETS[chosen]().items():
            print(f"{chosen} | {key}: {value}")
