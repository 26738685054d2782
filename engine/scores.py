"""How useful is each item? A score gives every item a number, the larger the better.

A score is a frozen dataclass with ``__call__(situation) -> (*batch, I)``.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from engine.arrays import Bools, Floats
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.ranking import Ranking, masked, quantised
from engine.shortlist import shortlisted
from engine.situation import Situation

Weighting = Literal["likelihood", "posterior"]
_TINY = 1e-12
"""A response less likely than this counts for nothing: what is left of its moments is rounding error."""


class Score(Protocol):
    """What every score offers."""

    @property
    def shortlisted(self) -> bool:
        """Whether the score is Fisher information at the mean, for which a shortlist of the bank exists."""

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""


@dataclass(frozen=True)
class InformationAtMean:
    """Fisher information at the posterior mean of the item's competence.

    Ref: Lord (1977); with the posterior mean as the estimate, Wainer (2000).
    """

    shortlisted = True

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""
        table, mean = situation.table, situation.mean
        ability = mean.reshape(-1, mean.shape[-1])
        scores = np.empty((ability.shape[0], len(table.parameters)))
        for competence in np.unique(table.competence):
            rows = np.flatnonzero(table.competence == competence)
            scores[:, rows] = table.information_at(ability[:, competence], rows).T
        return scores.reshape(*mean.shape[:-1], -1)


@dataclass(frozen=True)
class WeightedInformation:
    """Fisher information averaged over ability, sum over the grid of I(node) w(node).

    With ``weighting="likelihood"`` the weights are the likelihood of the item's competence scaled to a maximum of 1
    (Veerkamp and Berger 1997); with ``"posterior"`` the posterior probabilities (van der Linden 1998).
    """

    weighting: Weighting = "posterior"
    shortlisted = False

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""
        table = situation.table
        weights = _weights(situation, self.weighting)
        flat = weights.reshape(-1, *weights.shape[-2:])
        scores: Floats = np.einsum("nig,ig->ni", flat[:, table.competence], table.information)
        return scores.reshape(*weights.shape[:-2], -1)


@dataclass(frozen=True)
class VarianceReduction:
    """Expected reduction of the posterior variance of the item's competence, times the weight of the competence.

    Var(theta) - E[Var(theta | answer)] = sum over k of P_k (m_k - m)^2, m_k being the mean after category k. For one
    competence it ranks items as the (negated) expected posterior variance does.

    Parameters
    ----------
    weights : tuple of C float
        Importance of each competence; all equal when empty.

    References
    ----------
    van der Linden and Pashley (2009).
    """

    weights: tuple[float, ...] = ()
    shortlisted = False

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""
        probability, moment, mean = situation.predictive
        shift = probability * mean[:, :, None]
        np.subtract(moment, shift, out=shift)
        if len(probability) == 1:
            reduction = _two_categories(probability[0], shift[0])
        else:
            rest, left = 1.0 - probability.sum(axis=0), shift.sum(axis=0)
            reduction = (shift * shift / np.maximum(probability, _TINY)).sum(axis=0)
            reduction += left * left / np.maximum(rest, _TINY)
        if self.weights:
            reduction *= np.array(self.weights)[:, None, None]
        return situation.by_item(reduction)


@dataclass(frozen=True)
class KullbackLeibler:
    """Mean Kullback-Leibler distance between the responses expected at the mean and elsewhere.

    KL_i = sum over the grid of w(node) sum over k of P_k(mean) log(P_k(mean) / P_k(node)), w as in
    :class:`WeightedInformation`.

    Ref: Chang and Ying (1996).
    """

    weighting: Weighting = "posterior"
    shortlisted = False

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""
        table, mean = situation.table, situation.mean
        weights = _weights(situation, self.weighting)
        flat, ability = weights.reshape(-1, *weights.shape[-2:]), mean.reshape(-1, mean.shape[-1])
        log_p = table.log_evidence[:, : table.categories]
        scores = np.empty((ability.shape[0], len(table.parameters)))
        for competence in np.unique(table.competence):
            rows = np.flatnonzero(table.competence == competence)
            at_mean = table.log_probability_at(ability[:, competence], rows)
            scores[:, rows] = _divergence(at_mean, log_p[rows], flat[:, competence])
        return scores.reshape(*mean.shape[:-1], -1)


def divergence(parameters: ItemParameters, log_p: Floats, ability: Floats, weights: Floats) -> Floats:
    """Sum over the grid of w(node) sum over k of P_k(ability) log(P_k(ability) / P_k(node)).

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    log_p : (I, K, G) float
        Their log probabilities at the nodes.
    ability : (n,) float
    weights : (n, G) float
        w, which need not sum to 1.

    Returns
    -------
    (n, I) float
    """
    return _divergence(log_probability(parameters, ability), log_p, weights)


def _divergence(at_ability: Floats, log_p: Floats, weights: Floats) -> Floats:
    """Do the same from log probabilities at the abilities, (I, K, n)."""
    p, size = np.exp(at_ability), at_ability.shape[1]
    entropy = np.sum(p * np.nan_to_num(at_ability, neginf=0.0), axis=1)
    elsewhere = np.nan_to_num(log_p[:, :size], neginf=0.0)
    cross = np.einsum("ikn,ikg,ng->in", p, elsewhere, weights, optimize=True)
    return np.asarray((entropy * weights.sum(axis=1) - cross).T)


def _two_categories(p: Floats, shift: Floats) -> Floats:
    """Sum over two categories of shift^2 / P, the shifts being opposite: shift^2 / (P (1 - P)), in place."""
    shift *= shift
    spread = 1.0 - p
    spread *= p
    shift /= np.maximum(spread, _TINY, out=spread)
    return shift


def rank(situation: Situation, available: Bools, depth: int | None) -> Ranking:
    """Rank the available items for a pick that needs the best ``depth`` of them (None: all).

    Parameters
    ----------
    situation : Situation
    available : (*batch, I) bool
    depth : int or None

    Returns
    -------
    Ranking
        Over the whole bank, or over a shortlist proved to hold the best.
    """
    shortlist = situation.table.shortlist
    if shortlist is None or depth is None or not situation.score.shortlisted:
        return masked(situation.scores, available)
    batch = situation.mean.shape[:-1]
    ability, flat = situation.mean.reshape(-1), available.reshape(-1, available.shape[-1])
    ranking, proved = shortlisted(shortlist, ability, flat, depth)
    rows, scores = ranking
    assert rows is not None
    if not proved.all():
        left = np.flatnonzero(~proved)
        whole = situation.table.information_at(ability[left]).T
        exact = masked(quantised(whole), flat[left])
        order = np.argsort(-exact.scores, axis=1, kind="stable")[:, : rows.shape[1]]
        rows[left, : order.shape[1]] = order
        scores[left] = -np.inf
        scores[left, : order.shape[1]] = np.take_along_axis(exact.scores, order, axis=1)
    return Ranking(rows.reshape(*batch, -1), scores.reshape(*batch, -1))


def _weights(situation: Situation, weighting: Weighting) -> Floats:
    if weighting == "posterior":
        return situation.posterior
    log_likelihood = situation.state.log_likelihood
    weights: Floats = np.exp(log_likelihood - log_likelihood.max(axis=-1, keepdims=True))
    return weights
