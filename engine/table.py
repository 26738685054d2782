"""Items as the adaptive loop sees them: everything that depends on the bank and the design, computed once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.belief import powers
from engine.errors import DesignError, ParameterError
from engine.latent import Links
from engine.models import dichotomous, information, log_probability
from engine.parameters import ItemParameters
from engine.responses import SILENCES
from engine.shortlist import Dense, Shortlist, build_dense, build_shortlist
from engine.timing import TIME_DISCRIMINATION, TYPICAL_SECONDS
from engine.uncertain import checked_covariance, expected_curves, information_of

if TYPE_CHECKING:
    from engine.adaptive import Design


class Table(NamedTuple):
    """I items of C competences on G nodes with at most K categories. Read-only and shared."""

    parameters: ItemParameters
    nodes: Floats  # (G,)
    links: Links
    log_evidence: Floats  # (I, K + 3, G) log-likelihood of each category, then of a skip, a time-out and not reached
    information: Floats  # (I, G)
    competence: Ints  # (I,) 0 .. C - 1
    categories_of: Ints  # (I,) number of categories of each item
    topic: Ints  # (I,) 0 .. T - 1, unique over the competences
    hostile: Ints  # (H,) items that have enemies
    enemies: Ints  # (H, E) their enemies; an item with fewer of them repeats one
    timed: Bools  # (I,) items with a time limit of their own
    time_intensity: Floats  # (I,) log seconds
    time_discrimination: Floats  # (I,)
    cuts: Floats  # (C, L)
    powers: Floats  # (G, 3)
    slot: Ints | None  # (I,) competence * M + place in the competence, M being the largest count; None: 0, 1, 2, ...
    predictive: Floats  # (2 (K - 1), C, G, M) P_k for k = 1 .. K - 1, then node * P_k, of the items of each competence
    shortlist: Shortlist | None
    dense: Dense | None = None  # expected curves between the nodes, where parameters are uncertain

    @property
    def categories(self) -> int:
        """Return K, the largest number of categories."""
        return int(self.log_evidence.shape[1]) - SILENCES

    def information_at(self, ability: Floats, rows: Ints | None = None) -> Floats:
        """Information of the items ``rows`` (R,), all when left out, at abilities (n,): (R, n)."""
        if self.dense is not None:
            return self.dense.at(self.dense.information, ability, rows).T
        return information(self.parameters if rows is None else self.parameters.take(rows), ability)

    def log_probability_at(self, ability: Floats, rows: Ints | None = None) -> Floats:
        """Log probability of each category of the items ``rows`` (R,), all when left out, at abilities (n,): (R, K, n).

        K is the largest number of categories of the bank, or at least of these items.
        """
        if self.dense is not None:
            with np.errstate(divide="ignore"):
                return np.log(self.dense.at(self.dense.probability, ability, rows)).transpose(1, 2, 0)
        return log_probability(self.parameters if rows is None else self.parameters.take(rows), ability)


def build_table(
    parameters: ItemParameters,
    design: "Design",
    *,
    competence: ArrayLike | None = None,
    topic: ArrayLike | None = None,
    enemies: Sequence[tuple[int, int]] = (),
    timed: ArrayLike | None = None,
    time_intensity: ArrayLike | None = None,
    time_discrimination: ArrayLike | None = None,
    cuts: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
) -> Table:
    """Prepare items for a design.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    design : Design
        Gives the grid, the latent structure, the policies for skips and time-outs, and whether the parameters are to be
        taken as known.
    competence, topic : (I,) int, optional
        Group codes; all items measure competence 0 and have topics of their own when left out.
    enemies : pairs of rows
        Items that must not both be asked in one run.
    timed : (I,) bool, optional
        Items with a time limit of their own.
    time_intensity, time_discrimination : (I,) float, optional
        Log-normal response-time parameters, in log seconds and in 1 / log seconds; those of a typical item of
        :mod:`engine.timing` when left out.
    cuts : (C, L) float, optional
        Ability at which each level begins, for each competence.
    covariance : (I, P, P) float, optional
        Covariances of the working parameters (:func:`engine.uncertain.expected_curves`). Evidence, information and
        predictions come from the expected curves where the design takes the parameters as uncertain; a design that
        takes them as known does not look at them.

    Returns
    -------
    Table

    Raises
    ------
    ParameterError, DesignError
        When the arrays do not fit each other or the design.
    """
    count = len(parameters)
    if count == 0:
        raise ParameterError("A test needs at least one item.")
    groups = _codes(competence, np.zeros(count, dtype=np.int64), "competence")
    topics = _codes(topic, np.arange(count), "topic")
    competences = design.latent.competences
    if groups.max() >= competences:
        raise DesignError(
            f"The items measure {int(groups.max()) + 1} competences and the design knows {competences}; "
            "use a latent structure for all of them."
        )
    levels = np.zeros((competences, 0)) if cuts is None else np.array(cuts, dtype=np.float64)
    if levels.ndim != 2 or levels.shape[0] != competences or not (np.diff(levels, axis=1) > 0).all():
        raise DesignError("Cuts need one strictly increasing row for each competence.")
    pairs = np.array(list(enemies), dtype=np.int64).reshape(-1, 2)
    if ((pairs < 0) | (pairs >= count)).any():
        raise ParameterError(f"Enemies are pairs of rows between 0 and {count - 1}; correct the pairs.")
    hostile, hated = _enemies(pairs)
    nodes = design.grid.nodes
    doubt = _doubt(parameters, design, covariance)
    if doubt is None:
        log_p, informs, dense = log_probability(parameters, nodes), information(parameters, nodes), None
    else:
        whole = expected_curves(parameters, doubt, nodes)
        log_p, informs, dense = whole.log_p, information_of(whole), build_dense(whole, design.grid)
    slot, predictive = _predictive(log_p, nodes, groups, competences)
    table = Table(
        parameters=parameters,
        nodes=nodes,
        links=design.latent.links(design.grid),
        log_evidence=_evidence(parameters, doubt, log_p, nodes, (design.skip, design.time_out)),
        information=informs,
        competence=groups,
        categories_of=parameters.categories,
        topic=np.unique(topics, return_inverse=True)[1].astype(np.int64),
        hostile=hostile,
        enemies=hated,
        timed=np.zeros(count, dtype=bool) if timed is None else np.array(timed, dtype=bool),
        time_intensity=_per_item(time_intensity, np.log(TYPICAL_SECONDS), count, "time intensities"),
        time_discrimination=_per_item(time_discrimination, TIME_DISCRIMINATION, count, "time discriminations"),
        cuts=levels,
        powers=powers(nodes),
        slot=slot,
        predictive=predictive,
        shortlist=_shortlist(parameters, design, competences, dense),
        dense=dense,
    )
    for array in (*table, *(dense or ())):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return table


def _doubt(parameters: ItemParameters, design: "Design", covariance: ArrayLike | None) -> Floats | None:
    """Covariances, or None where the parameters are taken as known or are."""
    if design.parameters == "known":
        return None
    if covariance is None:
        raise DesignError(
            "The design takes the item parameters as uncertain, and the items come without covariances; calibrate them "
            'with standard errors, or use a design with parameters "known".'
        )
    doubt = checked_covariance(parameters, covariance)
    return doubt if doubt.any() else None


def _shortlist(parameters: ItemParameters, design: "Design", competences: int, dense: Dense | None) -> Shortlist | None:
    """Make the shortlist where the score has one."""
    if not design.score.shortlisted or competences > 1:
        return None
    exact = dense is not None or bool(dichotomous(parameters).all())
    return build_shortlist(parameters, design.grid, dense) if exact else None


def _codes(given: ArrayLike | None, default: Ints, name: str) -> Ints:
    codes = default if given is None else np.array(given, dtype=np.int64)
    if codes.shape != default.shape or (codes < 0).any():
        raise ParameterError(f"Give one {name} code of 0 or more for each of the {default.size} items.")
    return codes


def _enemies(pairs: Ints) -> tuple[Ints, Ints]:
    """Items that have enemies (H,), and these, padded by repetition (H, E)."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    hostile = np.unique(both[:, 0])
    hated = [both[both[:, 0] == row, 1] for row in hostile]
    width = max((rows.size for rows in hated), default=0)
    padded = [np.pad(rows, (0, width - rows.size), mode="edge") for rows in hated]
    return hostile, np.array(padded, dtype=np.int64).reshape(hostile.size, width)


def _per_item(given: ArrayLike | None, default: float, count: int, name: str) -> Floats:
    values = np.full(count, default) if given is None else np.array(given, dtype=np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ParameterError(f"Give {count} finite {name}, one for each item.")
    return values


def _evidence(
    parameters: ItemParameters, doubt: Floats | None, log_p: Floats, nodes: Floats, policies: tuple[str, str]
) -> Floats:
    """Categories, then skips, time-outs and items not reached, (I, K + 3, G)."""
    silent = np.zeros((len(parameters), SILENCES, nodes.size))
    for place, policy in enumerate(policies):
        if policy == "incorrect":
            silent[:, place] = log_p[:, 0]
        elif policy == "unknown":
            silent[:, place] = _unlucky(parameters, doubt, log_p, nodes)
    return np.concatenate([log_p, silent], axis=1)


def _unlucky(parameters: ItemParameters, doubt: Floats | None, log_p: Floats, nodes: Floats) -> Floats:
    """Log probability of the lowest category where no guess is lucky, (I, G)."""
    if doubt is None:
        return np.asarray(log_probability(parameters.without_guessing(), nodes)[:, 0])
    lowest = log_p[:, 0].copy()
    guessed = np.flatnonzero(parameters.guessing > 0)
    lowest[guessed] = expected_curves(parameters.take(guessed), doubt[guessed], nodes, guessing=False).log_p[:, 0]
    return lowest


def _predictive(log_p: Floats, nodes: Floats, groups: Ints, competences: int) -> tuple[Ints | None, Floats]:
    """Lay the items out by competence, so that one product with the posteriors predicts all responses."""
    items, categories, size = log_p.shape
    sizes = np.bincount(groups, minlength=competences)
    largest = int(sizes.max())
    order = np.argsort(groups, kind="stable")
    place = np.empty(items, dtype=np.int64)
    place[order] = np.arange(items) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    p = np.exp(log_p[:, 1:]).transpose(1, 0, 2)
    both = np.concatenate([p, p * nodes])
    layout = np.zeros((2 * (categories - 1), competences, size, largest))
    layout[:, groups, :, place] = both.transpose(1, 0, 2)
    slot = groups * largest + place
    return None if np.array_equal(slot, np.arange(competences * largest)) else slot, layout
