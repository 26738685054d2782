from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.clock import Standstill, between, deadline, used
from engine.errors import SettingError

START = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 in Paris, in the night in which its clocks go back
PARIS = ZoneInfo("Europe/Paris")
SECONDS = st.integers(-40, 200)


def moment(second: int) -> datetime:
    return START + timedelta(seconds=second)


def standstill(pair: tuple[int, int | None]) -> Standstill:
    begin, end = pair
    return Standstill(moment(begin), None if end is None else moment(end))


STANDSTILLS = st.lists(st.tuples(SECONDS, st.none() | SECONDS).map(standstill), max_size=6)


def running_seconds(standstills: list[Standstill], at: datetime, started: datetime = START) -> int:
    """Slow and obvious: second by second, does the clock run?"""
    seconds = int((at - started).total_seconds())
    return sum(
        not any(s.begin <= now and (s.end is None or now < s.end) for s in standstills)
        for now in (started + timedelta(seconds=second) for second in range(seconds))
    )


@given(STANDSTILLS, SECONDS)
def test_time_is_used_second_by_second_while_the_clock_runs(standstills: list[Standstill], second: int) -> None:
    at = moment(second)
    assert used(START, standstills, at) == timedelta(seconds=running_seconds(standstills, at))


@given(STANDSTILLS, SECONDS, st.randoms())
def test_order_and_repetition_of_standstills_do_not_matter(standstills: list[Standstill], second: int, random) -> None:
    again = [*standstills, *standstills]
    random.shuffle(again)
    assert used(START, again, moment(second)) == used(START, standstills, moment(second))
    limit = timedelta(seconds=abs(second))
    assert deadline(START, limit, again) == deadline(START, limit, standstills)


@given(STANDSTILLS, st.integers(0, 200), st.lists(SECONDS, min_size=1, max_size=8))
def test_the_deadline_is_the_first_moment_at_which_the_limit_is_used(
    standstills: list[Standstill], limit: int, seconds: list[int]
) -> None:
    allowed = timedelta(seconds=limit)
    end = deadline(START, allowed, standstills)
    if end is not None:
        assert used(START, standstills, end) == allowed
    for second in seconds:
        at = moment(second)
        assume(at >= START)
        assert (used(START, standstills, at) >= allowed) == (end is not None and at >= end)


@given(STANDSTILLS, st.integers(0, 200))
def test_without_a_deadline_the_limit_is_never_used_up(standstills: list[Standstill], limit: int) -> None:
    end = deadline(START, timedelta(seconds=limit), standstills)
    far = used(START, standstills, START + timedelta(days=365))
    assert (end is None) == (far < timedelta(seconds=limit))
    if end is None:
        assert any(s.end is None for s in standstills)


@given(STANDSTILLS, SECONDS, SECONDS, SECONDS)
def test_the_times_of_answers_add_up(standstills: list[Standstill], a: int, b: int, c: int) -> None:
    first, second, third = (moment(value) for value in sorted((a, b, c)))
    whole = between(first, third, standstills)
    assert whole == between(first, second, standstills) + between(second, third, standstills)
    assert between(third, first, standstills) == timedelta()


@given(STANDSTILLS, SECONDS, st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Tokyo"]))
def test_time_zones_change_nothing(standstills: list[Standstill], second: int, name: str) -> None:
    zone = ZoneInfo(name)
    there = [Standstill(s.begin.astimezone(zone), s.end and s.end.astimezone(zone)) for s in standstills]
    at, limit = moment(second), timedelta(seconds=90)
    assert used(START.astimezone(zone), there, at.astimezone(zone)) == used(START, standstills, at)
    assert deadline(START.astimezone(zone), limit, there) == deadline(START, limit, standstills)


def test_an_hour_is_an_hour_when_the_clocks_go_back() -> None:
    """02:00 to 03:00 happens twice on 25 October 2026; subtracting the wall clocks of Paris would lose an hour."""
    start, at = datetime(2026, 10, 25, 1, 30, tzinfo=PARIS), datetime(2026, 10, 25, 3, 30, tzinfo=PARIS)
    assert at - start == timedelta(hours=2)
    assert used(start, [], at) == timedelta(hours=3)
    twice = Standstill(datetime(2026, 10, 25, 2, 0, tzinfo=PARIS), datetime(2026, 10, 25, 2, 0, tzinfo=PARIS, fold=1))
    assert used(start, [twice], at) == timedelta(hours=2)
    assert deadline(start, timedelta(hours=2), [twice]) == at


def test_an_hour_is_an_hour_when_the_clocks_go_forward() -> None:
    start = datetime(2027, 3, 28, 1, 30, tzinfo=PARIS)
    end = deadline(start, timedelta(hours=2), [])
    assert end == datetime(2027, 3, 28, 4, 30, tzinfo=PARIS)


def test_a_test_may_run_past_midnight_and_new_year() -> None:
    start = datetime(2026, 12, 31, 23, 0, tzinfo=PARIS)
    pause = Standstill(datetime(2026, 12, 31, 23, 50, tzinfo=PARIS), datetime(2027, 1, 1, 0, 10, tzinfo=PARIS))
    assert deadline(start, timedelta(hours=2), [pause]) == datetime(2027, 1, 1, 1, 20, tzinfo=PARIS)
    assert used(start, [pause], datetime(2027, 1, 1, 0, 0, tzinfo=PARIS)) == timedelta(minutes=50)


def test_microseconds_count() -> None:
    tick = timedelta(microseconds=1)
    pause = Standstill(START + tick, START + 3 * tick)
    assert used(START, [pause], START + 4 * tick) == 2 * tick
    assert deadline(START, timedelta(hours=2), [pause]) == START + timedelta(hours=2) + 2 * tick


def test_a_limit_used_up_as_a_standstill_begins_is_used_up() -> None:
    minute = timedelta(minutes=1)
    assert deadline(START, minute, [Standstill(START + minute)]) == START + minute
    assert deadline(START, minute, [Standstill(START + minute / 2)]) is None
    assert deadline(START, timedelta(), [Standstill(START)]) == START


@pytest.mark.parametrize("naive", [0, 1, 2, 3])
def test_a_moment_without_a_time_zone_is_refused_with_a_sentence(naive: int) -> None:
    moments = [START, moment(10), moment(20), moment(30)]
    moments[naive] = moments[naive].replace(tzinfo=None)
    with pytest.raises(SettingError, match="has no time zone; give it one"):
        used(moments[0], [Standstill(moments[1], moments[2])], moments[3])
