"""What a load run measured: how long requests took, by kind, and what went wrong."""

import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Seconds of every request by kind, and counts of what happened besides."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    """What was refused or broke off, by what was said."""
    reopened: int = 0
    """Connections opened again because the server had closed them while nobody used them."""
    crossed: int = 0
    """Requests that crossed such a closing on their way, and were sent again as browsers do."""
    begun: float = field(default_factory=time.perf_counter)

    @property
    def slowest(self) -> float:
        """The highest p99 of a kind, in seconds."""
        return max((_p99(each) for each in self.seconds.values()), default=0.0)

    def lines(self) -> list[str]:
        """A table: requests, then median, p90, p99 and the longest in milliseconds."""
        took = time.perf_counter() - self.begun
        every = [one for each in self.seconds.values() for one in each]
        head = f"{'':<12}{'requests':>9}{'median':>9}{'p90':>9}{'p99':>9}{'longest':>9}   (ms)"
        rows = [_row(kind, each) for kind, each in self.seconds.items()]
        rate = f"{len(every) / took:.0f} requests/s over {took:.0f} s"
        opened = f"{self.reopened} connections opened again, {self.crossed} requests sent again on a new one"
        return [head, *rows, _row("all", every), rate, opened]


def _row(kind: str, each: list[float]) -> str:
    quantiles = (statistics.median(each), _p90(each), _p99(each), max(each))
    return f"{kind:<12}{len(each):>9}" + "".join(f"{1000 * one:>9.1f}" for one in quantiles)


def _p90(each: list[float]) -> float:
    return _quantile(each, 90)


def _p99(each: list[float]) -> float:
    return _quantile(each, 99)


def _quantile(each: list[float], percent: int) -> float:
    """Of few, the longest: one is never told to be quicker than what was seen."""
    return statistics.quantiles(each, n=100, method="inclusive")[percent - 1] if len(each) > 1 else max(each)
