"""Do two candidates of a session have more answers alike than two who worked alone?"""

from typing import NamedTuple

from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.table import Table


class Copies(NamedTuple):
    """The most suspicious pair of each candidate, each (*batch, N)."""

    p: Floats  # smallest p, corrected for the number of pairs
    partner: Ints  # place of the other candidate, NONE where no item is shared with anybody
    shared: Ints  # items that both answered
    alike: Ints  # answers alike among them


def copied(
    table: Table, item: Ints, response: Ints, answer: Ints, posterior: Floats, alike: ArrayLike = 0.5
) -> Copies:
    raise NotImplementedError
