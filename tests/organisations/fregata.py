"""Files as the ministry of agriculture exports them, with invented learners."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from random import Random
from typing import Any, BinaryIO, Final

HEADERS: Final = (
    "Identifiant unique*",
    "Premier prénom*",
    "Deuxième prénom",
    "Troisième prénom",
    "Nom de famille*",
    "Nom d'usage",
    "Code sexe*",
    "Date de naissance (jj/mm/aaaa)*",
    "Code commune naissance**",
    "Libellé commune naissance**",
    "Code département naissance*",
    "Code pays naissance*",
    "Statut*",
    "Code MEF*",
    "Division*",
)
_GIRLS: Final = (
    "Zoé Chloé Inès Léa Maëlle Noémie Anaïs Hélène Océane Eloïse Françoise Agnès Camille Jade Louise Manon Sarah "
    "Fatou Aïcha Lou-Anne Marie-Ève"
).split()
_BOYS: Final = (
    "Théo Léo Jérémy Noël Loïc Rémi Gaël Raphaël Mickaël Étienne Clément Mathéo Hugo Lucas Enzo Tom Baptiste Yanis "
    "Mamadou Jean-Noël François"
).split()
_FAMILIES: Final = (
    "Lefèvre Bérenger Müller Françon Noël Crépin D'Hérouville Dupré Le·Goff Saint-Exupéry Bœuf Château Hébert Gérard "
    "Traoré Nguyen Da·Silva Martin Durand Garçon Îlot Pérès Benoît Guérin Leclère Lemaître Maçon Rénier Thévenin Vallée"
).split()
_MEFS: Final = {
    "27610000310": "3E",
    "27621000410": "2NDE GT",
    "27633000521": "1RE STAV",
    "27633000531": "TLE STAV",
    "27640000611": "CAPA 1",
    "27650000712": "TLE BAC PRO CGEA",
    "27660000812": "BTSA 2 GEMEAU",
}
_COMMUNES: Final = (("37261", "Tours", "37"), ("75056", "Paris", "75"), ("2A004", "Ajaccio", "2A"))
_OVERSEAS: Final = ("97411", "Saint-Denis", "974")
_ABROAD: Final = (("99351", "Tunis"), ("99109", "Köln"), ("99134", "Málaga"))


@dataclass(frozen=True)
class Learner:
    """A learner as the file tells of them, header by header."""

    cells: dict[str, str]

    @property
    def ine(self) -> str:
        return self.cells["Identifiant unique*"]


def learners(rows: int, seed: int = 0, without_accents_of: str = "mac-roman") -> Iterator[Learner]:
    """Invent learners, each with an INE of their own; the first of a seed are the same for any number of rows."""
    del without_accents_of
    draw = Random(seed)
    for number in range(rows):
        yield Learner(_cells(draw, number))
