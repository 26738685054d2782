from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itembank.numerals import read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        (" 42 ", "42"),
        ("42,5", "42.5"),
        ("42.5", "42.5"),
        ("-3", "-3"),
        ("\u22123,5", "-3.5"),
        ("- 3", "-3"),
        ("+7", "7"),
        (",5", "0.5"),
        ("5,", "5"),
        ("1 234", "1234"),
        ("1\u202f234\u00a0567,8", "1234567.8"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1,234", "1.234"),
        ("１２", "12"),
    ],
)
def test_read(text: str, value: str) -> None:
    assert read_number(text) == Decimal(value)


NOT_NUMBERS = ("", "douze", "1 2", "1.2.3", "1,2,3", "12 345 6", "--1", "1e3", "1/2", "0x10", "inf", "nan", "1_000")


@pytest.mark.parametrize("text", [*NOT_NUMBERS, "9" * 41])
def test_not_read(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize("text", ["12 Mo", "12mo", "12 MO", "12"])
def test_the_unit_may_follow(text: str) -> None:
    assert read_number(text, unit="Mo") == 12


@pytest.mark.parametrize(("text", "unit"), [("1 jour", "jours"), ("2 jours", "jour"), ("15h", "h"), ("8 %", "%")])
def test_the_unit_may_be_singular_or_plural(text: str, unit: str) -> None:
    assert read_number(text, unit) == int(text.rstrip(" %hjours"))


def test_another_unit_is_not_a_number() -> None:
    assert read_number("12 Go", unit="Mo") is None


@given(st.decimals(-(10**9), 10**9, places=3))
def test_every_way_of_writing_a_number_reads_the_same(value: Decimal) -> None:
    french = f"{value:,}".replace(",", "\u202f").replace(".", ",")
    assert read_number(str(value)) == read_number(str(value).replace(".", ",")) == read_number(french) == value
