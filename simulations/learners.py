"""Simulees: simulated learners, each known by a seed from which everything about them follows.

The same simulee is the same alone, in any chunk and in any process: nothing is drawn from a generator, everything is a
hash of the simulee's seed, of a stream (what the number is for) and of a position.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.latent import Independent, Latent
from engine.uniform import derive, uniform


class Stream(IntEnum):
    """What a random number is for. Decisions have no stream: they use the simulee's seed itself, as the API does."""

    ABILITIES = 2**40 + 1
    RESPONSES = 2**40 + 2
    SKIPS = 2**40 + 3
    SLIPS = 2**40 + 4
    GUESSES = 2**40 + 5
    TIMES = 2**40 + 6
    TRAITS = 2**40 + 7


_SMALLEST: Final = 2.0**-54
"""Half the step between two uniform numbers: where 0 is moved to, so that its normal quantile is finite."""


@dataclass(frozen=True, eq=False)
class Learners:
    """Simulees.

    Parameters
    ----------
    seeds : (n,) int
    abilities : (n, C) float
        True abilities, in each competence.

    Examples
    --------
    >>> draw(Independent(2), 3, seed=1).abilities.shape
    (3, 2)
    """

    seeds: Ints
    abilities: Floats

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.abilities.ndim != 2 or self.seeds.shape != self.abilities.shape[:1] or self.seeds.size == 0:
            raise DesignError("Simulees need one seed and one row of abilities each, and at least one simulee.")
        if not np.isfinite(self.abilities).all():
            raise DesignError("The abilities of simulees must be finite numbers.")

    def __len__(self) -> int:
        """Return the number of simulees."""
        return int(self.seeds.size)

    def part(self, start: int, stop: int) -> "Learners":
        """Simulees ``start`` to ``stop - 1``."""
        return Learners(self.seeds[start:stop], self.abilities[start:stop])


def draw(latent: Latent, count: int, seed: int) -> Learners:
    """Simulees whose abilities follow a latent structure.

    Parameters
    ----------
    latent : Independent or LatentTree
    count : int
        How many.
    seed : int
        Of the study. Simulee i is the same whatever the count.

    Returns
    -------
    Learners
    """
    if count < 1:
        raise DesignError(f"There cannot be {count} simulees; ask for at least 1.")
    seeds = derive(seed, np.arange(count))
    if isinstance(latent, Independent):
        return Learners(seeds, normal(seeds[:, None], Stream.ABILITIES, np.arange(latent.competences)))
    domain_of = np.array(latent.domain_of)
    gamma, loading = np.array(latent.domain_loadings), np.array(latent.competence_loadings)
    z = normal(seeds[:, None], Stream.ABILITIES, np.arange(1 + gamma.size + loading.size))
    root, domain, competence = z[:, :1], z[:, 1 : 1 + gamma.size], z[:, 1 + gamma.size :]
    domains = gamma * root + np.sqrt(1.0 - gamma**2) * domain
    return Learners(seeds, loading * domains[:, domain_of] + np.sqrt(1.0 - loading**2) * competence)


def given(abilities: ArrayLike, seed: int) -> Learners:
    """Simulees of given abilities, (n,) or (n, C)."""
    values = np.array(abilities, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    return Learners(derive(seed, np.arange(values.shape[0])), values)


def number(seed: ArrayLike, stream: Stream, position: ArrayLike) -> Floats:
    """Draw a uniform number of each simulee in a stream; seeds and positions broadcast."""
    return uniform(derive(seed, int(stream)), position)


def normal(seed: ArrayLike, stream: Stream, position: ArrayLike) -> Floats:
    """Draw a standard normal number of each simulee in a stream; seeds and positions broadcast."""
    return np.asarray(ndtri(np.maximum(number(seed, stream, position), _SMALLEST)))
