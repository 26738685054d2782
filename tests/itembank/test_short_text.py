import pytest
from hypothesis import given
from hypothesis import strategies as st

from itembank.short_text import accepts, normalise

ANY = st.text(max_size=60)


@given(ANY)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ANY, st.integers(0, 2))
def test_a_text_accepts_itself_in_any_case(text: str, typos: int) -> None:
    assert accepts([text], text, typos)
    assert accepts([text], text.casefold(), typos)


@given(st.text("abcdefghij éàç-'", max_size=30), st.integers(0, 2))
def test_spaces_and_case_are_free(text: str, typos: int) -> None:
    assert normalise(f"  {text.upper()} ") == normalise(text) or not normalise(text).isalnum()
    assert accepts([text], f" {text} .", typos) or not normalise(text).isalnum()


@given(st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=20), ANY)
def test_more_typos_never_refuse_what_fewer_accept(key: str, answer: str) -> None:
    verdicts = [accepts([key], answer, typos) for typos in (0, 1, 2)]
    assert verdicts == sorted(verdicts)


@pytest.mark.parametrize(
    ("key", "answer", "typos"),
    [
        ("œuvre", "OEUVRE", 0),
        ("Élève", "eleve", 0),
        ("l’adresse", "l'adresse", 0),
        ("mot de passe", "mot-de-passe", 0),
        ("mot de passe", "motdepasse", 0),
        ("pièce jointe", "Piece  jointe.", 0),
        ("3,14", "3.14", 0),
        ("1 000", "1000", 0),
        ("192.168.1.1", "192,168,1,1", 0),
        (".pdf", "PDF", 0),
        ("navigateur", "navigatuer", 1),
        ("navigateur", "navgateurs", 2),
        ("#", " # ", 0),
        ("ﬁchier", "fichier", 0),
    ],
)
def test_forgiven(key: str, answer: str, typos: int) -> None:
    assert accepts([key], answer, typos)


@pytest.mark.parametrize(
    ("key", "answer", "typos"),
    [
        ("3,14", "314", 2),
        ("port 80", "port 81", 2),
        ("port 80", "port 8", 2),
        ("2024", "2023", 2),
        ("wifi", "wi", 2),
        ("web", "wed", 2),
        ("octet", "octave", 1),
        ("navigateur", "moteur", 2),
        ("#", "@", 2),
        ("C++", "C", 2),
        ("a", "", 2),
    ],
)
def test_not_forgiven(key: str, answer: str, typos: int) -> None:
    assert not accepts([key], answer, typos)
