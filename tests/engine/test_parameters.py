import numpy as np
import pytest

from engine.errors import JalonError, ParameterError
from engine.parameters import ItemParameters, Model


def test_a_model_has_one_name_in_files_and_in_code() -> None:
    for model in Model:
        assert Model.named(model.label) is model
    assert Model.named(" 3pl ") is Model.THREE_PL


def test_an_unknown_model_is_refused_with_the_list_of_models() -> None:
    with pytest.raises(ParameterError, match="no response model '5PL'; use one of 1PL, 2PL, 3PL, 4PL, GRM, GPCM"):
        Model.named("5PL")


def test_what_a_model_does_not_use_may_be_left_out() -> None:
    bank = ItemParameters.of(
        ["1PL", "3PL", "4PL", "GPCM"],
        [1.0, 1.1, 1.2, 0.8],
        [0.5, -0.5, 0.0, None],
        [np.nan, 0.2, 0.1, np.nan],
        [np.nan, np.nan, 0.95, np.nan],
        [None, None, None, (1.0, -1.0, 0.6)],
    )
    assert bank.guessing.tolist() == [0.0, 0.2, 0.1, 0.0]
    assert bank.slipping.tolist() == [1.0, 1.0, 0.95, 1.0]
    assert bank.categories.tolist() == [2, 2, 2, 4]
    assert bank.difficulty[3] == pytest.approx(0.2)


def test_take_keeps_order_and_repeats() -> None:
    bank = ItemParameters.of("2PL", [1.0, 2.0, 3.0], [-1.0, 0.0, 1.0])
    assert bank.take([2, 0, 2]).discrimination.tolist() == [3.0, 1.0, 3.0]
    assert bank.take(bank.difficulty >= 0).difficulty.tolist() == [0.0, 1.0]
    assert len(bank.take(np.array([], dtype=np.int64))) == 0


def test_the_arrays_are_read_only() -> None:
    bank = ItemParameters.of("2PL", [1.0], [0.0])
    with pytest.raises(ValueError, match="read-only"):
        bank.difficulty[0] = 3.0


@pytest.mark.parametrize(
    ("models", "values", "words"),
    [
        ("2PL", {"discrimination": [1.0, 0.0], "difficulty": [0.0, 0.0]}, "Item number 2 has a discrimination outside"),
        ("2PL", {"discrimination": [1.0, 51.0], "difficulty": [0.0, 0.0]}, "Item number 2 has a discrimination"),
        ("2PL", {"discrimination": [np.nan], "difficulty": [0.0]}, "Item number 1 has a discrimination"),
        ("2PL", {"discrimination": [1.0]}, "no finite difficulty"),
        ("2PL", {"discrimination": [1.0], "difficulty": [np.inf]}, "no finite difficulty"),
        ("2PL", {"discrimination": [1.0], "difficulty": [0.0], "guessing": [0.2]}, "a guessing, unlike its model"),
        ("3PL", {"discrimination": [1.0], "difficulty": [0.0], "slipping": [0.9]}, "a slipping, unlike its model"),
        (
            "4PL",
            {"discrimination": [1.0], "difficulty": [0.0], "guessing": [0.6], "slipping": [0.5]},
            "not 0 <= guessing < slipping <= 1",
        ),
        ("3PL", {"discrimination": [1.0], "difficulty": [0.0], "guessing": [-0.1]}, "not 0 <= guessing"),
        ("GRM", {"discrimination": [1.0]}, "no thresholds, which its model needs"),
        ("GRM", {"discrimination": [1.0], "thresholds": [(0.0, 0.0)]}, "thresholds that do not increase"),
        ("GRM", {"discrimination": [1.0], "thresholds": [(0.0, np.nan, 1.0)]}, "thresholds with a hole"),
        ("GPCM", {"discrimination": [1.0], "thresholds": [(0.0, np.inf)]}, "an infinite value"),
        ("1PL", {"discrimination": [1.0], "difficulty": [0.0], "thresholds": [(0.0,)]}, "thresholds, which its model"),
        ("2PL", {"discrimination": [1.0, 1.0], "difficulty": [0.0]}, "2 models and 1 values of difficulty"),
        (["2PL"], {"discrimination": [1.0, 1.0], "difficulty": [0.0, 1.0]}, "2 discriminations, 1 models"),
    ],
)
def test_impossible_parameters_are_refused_by_a_sentence(models: object, values: dict, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ItemParameters.of(models, **values)


def test_one_exception_catches_everything_of_ours() -> None:
    assert issubclass(ParameterError, JalonError)
    assert issubclass(ParameterError, ValueError)
