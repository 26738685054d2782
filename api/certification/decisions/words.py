"""What a decision says, in the languages of people: the names of codes are data, and here are their sentences."""

from collections.abc import Mapping
from typing import Final

from itembank.framework import Framework, title

Said = dict[str, str]
"""A text by language."""

LANGUAGES: Final = ("fr", "en")


def status_words(status: str) -> Said:
    """Say what became of a competence.

    >>> status_words("lowered")["en"]
    'certified below the profile'
    """
    return dict(zip(LANGUAGES, _STATUS[status], strict=True))


def outcome_words(outcome: str) -> Said:
    """Say what became of a test."""
    return dict(zip(LANGUAGES, _OUTCOME[outcome], strict=True))


def reason_words(reason: str) -> Said:
    """Say what speaks for or about an outcome."""
    return dict(zip(LANGUAGES, _REASON[reason], strict=True))


def end_words(end: str) -> Said:
    """Say why a test ended."""
    return dict(zip(LANGUAGES, _END[end], strict=True))


def level_words(framework: Framework, level: int) -> Said:
    """Name a level with its band, such as ``niveau 3, indépendant``."""
    band = framework.band(level)
    if band is None:
        return {"fr": "aucun niveau", "en": "no level"}
    names = {locale: title(band.title, locale) for locale in LANGUAGES}
    return {
        "fr": f"niveau {level}, {names['fr'][:1].lower()}{names['fr'][1:]}",
        "en": f"level {level}, {names['en'][:1].lower()}{names['en'][1:]}",
    }


def meaning_words(framework: Framework, level: int) -> Said | None:
    """Say what somebody of a level can do; None for level 0."""
    band = framework.band(level)
    return None if band is None else {locale: title(band.meaning, locale) for locale in LANGUAGES}


def uncertainty_words(probability: float) -> Said:
    """Explain how sure a certified level is; ``probability`` is that from which a level is certified."""
    return {locale: text.format(share=round(100 * probability)) for locale, text in _UNCERTAINTY.items()}


_UNCERTAINTY: Final[Mapping[str, str]] = {
    "fr": "Un test ne voit qu'une partie de ce que sait une personne : un niveau est une estimation. La probabilité "
    "est celle d'une compétence au moins égale au niveau certifié, au vu des réponses à ce test. Un niveau est "
    "certifié à partir de {share} % et ne dépasse jamais celui du positionnement.",
    "en": "A test sees only a part of what a person knows: a level is an estimate. The probability is that of a "
    "competence at or above the certified level, given the answers to this test. A level is certified from {share}% "
    "on, and never exceeds that of the positioning.",
}
_STATUS: Final[Mapping[str, tuple[str, str]]] = {
    "not_examined": ("non évaluée", "not examined"),
    "not_certified": ("non certifiée", "not certified"),
    "lowered": ("certifiée à un niveau inférieur au profil", "certified below the profile"),
    "confirmed": ("niveau du profil confirmé", "level of the profile confirmed"),
}
_OUTCOME: Final[Mapping[str, tuple[str, str]]] = {
    "validated": ("Certification validée.", "The certification is validated."),
    "rejected": ("Certification refusée.", "The certification is rejected."),
    "cancelled": (
        "Certification annulée pour une raison technique : le candidat peut se représenter.",
        "The certification is cancelled for a technical reason: the candidate may sit again.",
    ),
    "to_review": ("Le jury doit examiner ce test.", "The jury has to look at this test."),
}
_REASON: Final[Mapping[str, tuple[str, str]]] = {
    "too_few_answers": ("Trop peu de questions ont reçu une réponse.", "Too few questions were answered."),
    "time": ("Le temps s'est écoulé avant la fin du test.", "Time ran out before the end of the test."),
    "candidate": ("Le candidat a quitté le test de lui-même.", "The candidate left the test by choice."),
    "technical": ("Le test s'est arrêté pour une raison technique.", "The test stopped for a technical reason."),
    "invigilator": ("Le surveillant a mis fin au test.", "The invigilator ended the test."),
    "too_few_certified": ("Trop peu de compétences sont certifiées.", "Too few competences are certified."),
    "person_fit": (
        "Les réussites et les échecs s'accordent mal entre eux : des questions difficiles réussies, des faciles "
        "manquées.",
        "Right and wrong answers do not fit together: hard questions right, easy ones wrong.",
    ),
    "sincerity": (
        "Les réponses sont nettement en dessous de ce que le profil annonçait.",
        "The answers fall well short of what the profile foretold.",
    ),
    "too_fast": (
        "Des réponses sont venues plus vite qu'on ne peut lire la question.",
        "Some answers came faster than the question can be read.",
    ),
    "times": (
        "Les temps de réponse ne ressemblent au rythme de personne.",
        "The response times are like nobody's pace.",
    ),
    "copied": (
        "Les réponses ressemblent trop à celles d'un autre candidat de la session.",
        "The answers are too much like those of another candidate of the session.",
    ),
    "lowered": (
        "Une compétence au moins est certifiée à un niveau inférieur au profil.",
        "At least one competence is certified below the profile.",
    ),
    "unanswered": (
        "Une compétence au moins n'est pas certifiée, faute de réponses à ses questions.",
        "At least one competence is not certified, for lack of answers to its questions.",
    ),
}
_END: Final[Mapping[str, tuple[str, str]]] = {
    "completed": ("test achevé", "test completed"),
    "time": ("temps écoulé", "time ran out"),
    "candidate": ("arrêt voulu par le candidat", "ended by the candidate"),
    "technical": ("raison technique", "technical reason"),
    "invigilator": ("arrêt décidé par le surveillant", "ended by the invigilator"),
}
