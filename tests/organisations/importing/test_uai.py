import pytest

from api.organisations.importing.uai import is_uai, uai_of


@pytest.mark.parametrize(
    ("name", "uai"),
    [
        ("FREGATA_0750655E.csv", "0750655E"),
        ("export-0750655e-2026.csv", "0750655E"),
        ("0750655E (0750655E).csv", "0750655E"),
        ("0750655E_0750654D.csv", None),
        ("0750655F.csv", None),
        ("10750655E.csv", None),
        ("0750655E2.csv", None),
        ("20261124.csv", None),
        ("", None),
    ],
)
def test_the_name_of_a_file_may_tell_its_school(name: str, uai: str | None) -> None:
    assert uai_of(name) == uai


def test_one_letter_of_twenty_three_is_right() -> None:
    assert [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if is_uai(f"0750655{letter}")] == ["E"]
    assert not is_uai("0750655e")
