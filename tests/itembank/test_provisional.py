import pytest

from engine.errors import BankError
from itembank.bank import ItemBank
from itembank.parameters import Parameters
from itembank.provisional import band, chance, provisional_parameters, with_provisional
from tests.itembank import examples


def test_difficulties_lie_inside_their_bands_and_never_tie() -> None:
    bank = examples.bank(5)
    difficulties = []
    for item in bank.items:
        low, high = band(bank.framework, item.competence, item.level)
        difficulty = bank.parameters[item.id].location
        assert low < difficulty < high
        difficulties.append(difficulty)
    assert len(set(difficulties)) == len(difficulties)


def test_the_rule_is_deterministic_whatever_the_order() -> None:
    bank = examples.bank()
    assert provisional_parameters(bank.framework, bank.items[::-1]) == bank.parameters


def test_the_last_band_is_as_wide_as_the_one_before() -> None:
    framework = examples.framework()
    assert [band(framework, "1.1", level) for level in (1, 4)] == [(-1.5, -0.5), (1.5, 2.5)]
    with pytest.raises(BankError, match="no level 5"):
        band(framework, "1.1", 5)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("single_choice", 1 / 4),
        ("multiple_choice", 1 / 14),
        ("short_text", 0),
        ("number", 0),
        ("ordering", 1 / 24),
        ("matching", 1 / 24),
    ],
)
def test_guessing_is_the_chance_of_a_blind_answer(kind: str, expected: float) -> None:
    assert chance(examples.item(kind)) == pytest.approx(expected)


def test_an_option_that_serves_twice_makes_guessing_harder() -> None:
    item = examples.item("matching", key={"a": "p", "b": "p", "c": "r"})
    assert chance(item) == pytest.approx(1 / 64)


def test_models_follow_kind_and_credit() -> None:
    framework = examples.framework()

    def model(kind: str, **changes: object) -> Parameters:
        item = examples.item(kind, **changes)
        return provisional_parameters(framework, [item])[item.id]

    assert model("single_choice").model == "3PL"
    assert model("short_text").model == "2PL"
    partial = model("ordering", credit=[0.5, 1])
    assert (partial.model, partial.categories) == ("GPCM", 3)
    assert partial.location == pytest.approx(model("ordering").location)
    assert partial.provisional


def test_estimates_are_never_overwritten() -> None:
    bank = examples.bank()
    estimate = Parameters("2PL", 1.3, 0.2)
    id = bank.items[0].id
    bare = ItemBank(bank.framework, bank.items, {id: estimate})
    filled = with_provisional(bare)
    assert filled.parameters == dict(bank.parameters) | {id: estimate}
