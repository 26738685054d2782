"""Files as the ministry of agriculture exports them, with invented learners."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from random import Random
from typing import Final

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
    "Lefèvre Bérenger Müller Françon Noël Crépin D'Hérouville Dupré Le_Goff Saint-Exupéry Bœuf Château Hébert Gérard "
    "Traoré Nguyen Da_Silva Martin Durand Garçon Îlot Pérès Benoît Guérin Leclère Lemaître Maçon Rénier Thévenin Vallée"
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


def fregata_file(rows: int, encoding: str = "utf-8", seed: int = 0, delimiter: str = ";") -> bytes:
    """A file of so many learners; the first learners of a seed are the same in a longer file."""
    return written(fregata_rows(rows, seed), encoding, delimiter)


def written(rows: Iterable[Mapping[str, str]], encoding: str = "utf-8", delimiter: str = ";") -> bytes:
    """Rows, each with a cell per header, as a file."""
    out = StringIO()
    table = csv.writer(out, delimiter=delimiter)
    table.writerow(HEADERS)
    table.writerows([row[header] for header in HEADERS] for row in rows)
    return out.getvalue().encode(encoding)


def fregata_rows(rows: int, seed: int = 0) -> Iterator[dict[str, str]]:
    """Invented learners, each with an INE of their own."""
    draw = Random(seed)
    for number in range(rows):
        yield dict(zip(HEADERS, _cells(draw, f"{seed % 100:02}{number:08}"), strict=True))


def _cells(draw: Random, number: str) -> list[str]:
    girl = draw.random() < 0.5
    names = _GIRLS if girl else _BOYS
    first, second, third = draw.sample(names, 3)
    family, usual = (name.replace("_", " ") for name in draw.sample(_FAMILIES, 2))
    place = draw.random()
    city, label, department, country = _born(draw, place)
    mef, level = draw.choice(list(_MEFS.items()))
    apprentice = draw.random() < 0.2
    return [
        number + draw.choice("ABCDEFGHJK"),
        first,
        second if draw.random() < 0.5 else "",
        third if draw.random() < 0.2 else "",
        family.upper() if draw.random() < 0.5 else family,
        usual if draw.random() < 0.1 else "",
        "Féminin" if girl else "Masculin",
        f"{draw.randint(1, 28):02}/{draw.randint(1, 12):02}/{draw.randint(2004, 2013)}",
        city,
        label,
        department,
        country,
        "AP" if apprentice else "ST",
        mef,
        f"{level} {draw.choice('ABCD')}",
    ]


def _born(draw: Random, place: float) -> tuple[str, str, str, str]:
    if place < 0.07:
        country, label = draw.choice(_ABROAD)
        return "", label, "099", country
    city, label, department = _OVERSEAS if place < 0.1 else draw.choice(_COMMUNES)
    return city, label, department, "99100"
