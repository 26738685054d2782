"""The linear program of a test, solved by HiGHS: what it is worth when items may be taken in part."""

from typing import Final, NamedTuple

import highspy
import numpy as np

from engine.arrays import Bools, Floats, Ints

_INFINITE: Final = highspy.kHighsInf


class Programme(NamedTuple):
    """Choose, among N items of T topics and C competences, those of the largest sum of weights."""

    weight: Ints  # (N,) above 0
    unit: int  # of weight
    seconds: Ints  # (N,)
    topic: Ints  # (N,)
    competence: Ints  # (N,)
    enemies: Ints  # (2, P) pairs of items
    topics: Ints  # (T,) most items
    least: Ints  # (C,) items needed
    most: Ints  # (C,)
    room: int  # most items
    left: int  # most seconds
    missing: int  # items needed that no test can hold; the test then holds as many of them as can be


class Relaxation(NamedTuple):
    """Solution of the linear program; prices and costs are in units of weight for one item."""

    bound: float  # in units of weight
    share: Floats  # (N,) of each item taken
    cost: Floats  # (N,) reduced cost: above 0 where an item is taken whole, below 0 where it is left out
    hostile: Bools  # (N,) items that pay a price for their enemies
    topic: Floats  # (T,) price of a place, 0 or more
    competence: Floats  # (C,) of a place where above 0; below 0, of what the minimum costs
    counting: Floats  # (C,) price of counting an item as needed, 0 or more; 0 where nothing is missing
    needed: Floats  # (C,) reduced cost of an item counted as needed; 0 where nothing is missing


def relaxed(programme: Programme) -> Relaxation:
    """Solve the linear program by the dual simplex method, on one thread.

    Its variables are the items, 0 to 1, and, where minima are missed, how many items of each competence count as
    needed: at most those taken, at most those needed, in all as many as a test can hold.

    Raises
    ------
    RuntimeError
        When HiGHS finds no optimum.
    """
    items, topics, competences = programme.weight.size, programme.topics.size, programme.least.size
    pairs = programme.enemies.shape[1]
    extra = competences if programme.missing else 0
    first = np.cumsum([0, topics, competences, 1, 1, pairs])
    every, ones = np.arange(items), np.ones(items)
    rows = [programme.topic, first[1] + programme.competence, np.full(items, first[2]), np.full(items, first[3])]
    columns, values = [every] * 4, [ones, ones, ones, programme.seconds / 1e3]
    rows.append(np.repeat(first[4] + np.arange(pairs), 2))
    columns.append(programme.enemies.T.reshape(-1))
    values.append(np.ones(2 * pairs))
    lower = np.full(first[5], -_INFINITE)
    lower[first[1] : first[2]] = 0 if extra else programme.least
    upper = np.concatenate([programme.topics, programme.most, [programme.room, programme.left / 1e3], np.ones(pairs)])
    if extra:
        count = np.arange(extra)
        rows += [first[5] + programme.competence, first[5] + count, np.full(extra, first[5] + extra)]
        columns += [every, items + count, items + count]
        values += [ones, -np.ones(extra), np.ones(extra)]
        lower = np.concatenate([lower, np.zeros(extra), [programme.least.sum() - programme.missing]])
        upper = np.concatenate([upper, np.full(extra + 1, _INFINITE)])
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = items + extra, lower.size
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.concatenate([programme.weight / programme.unit, np.zeros(extra)])
    program.col_lower_ = np.zeros(items + extra)
    program.col_upper_ = np.concatenate([ones, programme.least[:extra]])
    program.row_lower_, program.row_upper_ = lower, upper
    _fill(program, np.concatenate(rows), np.concatenate(columns), np.concatenate(values))
    solution, bound = _solved(program)
    cost, price = np.array(solution.col_dual), np.array(solution.row_dual)
    none, hostile = np.zeros(competences), np.zeros(items, dtype=bool)
    hostile[programme.enemies[:, price[first[4] : first[5]] > 0]] = True
    return Relaxation(
        bound,
        np.array(solution.col_value)[:items],
        cost[:items],
        hostile,
        np.maximum(price[:topics], 0.0),
        price[first[1] : first[2]],
        np.maximum(-price[first[5] : first[5] + extra], 0.0) if extra else none,
        cost[items:] if extra else none,
    )


class _Silent(highspy.Highs):
    """The solver without its callbacks: nobody listens, and setting them up makes HiGHS print its name."""

    def enableCallbacks(self) -> None:
        """Set up none."""


def _fill(program: highspy.HighsLp, row: Ints, column: Ints, value: Floats) -> None:
    """Hand the matrix over, column by column."""
    order = np.lexsort((row, column))
    starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=program.num_col_))])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = starts.astype(np.int32)
    program.a_matrix_.index_ = row[order].astype(np.int32)
    program.a_matrix_.value_ = value[order]


def _solved(program: highspy.HighsLp) -> tuple[highspy.HighsSolution, float]:
    solver = _Silent()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("solver", "simplex")):
        solver.setOptionValue(option, value)
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS did not solve the relaxation of a test: {solver.getModelStatus()}.")
    return solver.getSolution(), float(solver.getInfo().objective_function_value)
