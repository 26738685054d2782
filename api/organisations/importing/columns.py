"""The export of the ministry of agriculture (FREGATA): its columns, as data."""

from typing import Final

from api.organisations.importing.layout import Column, Layout, Needed
from api.organisations.importing.rules import (
    FRANCE,
    birth_date,
    commune,
    country,
    department,
    one_of,
    one_spaced,
    sex,
    text,
)

_COUNTRY: Final = "Code pays naissance*"
_BORN_IN_FRANCE: Final = Needed(
    lambda cells: cells["birth_country"] == FRANCE, f"who was born in France ({_COUNTRY} is {FRANCE})"
)
_BORN_ABROAD: Final = Needed(
    lambda cells: cells["birth_country"] not in ("", FRANCE), f"who was born abroad ({_COUNTRY} is not {FRANCE})"
)

FREGATA: Final = Layout(
    columns=(
        Column("Identifiant unique*", "ine", text, required=True, expected=True),
        Column("Premier prénom*", "first_name", text, required=True, expected=True),
        Column("Deuxième prénom", "second_name", text),
        Column("Troisième prénom", "third_name", text),
        Column("Nom de famille*", "last_name", text, required=True, expected=True),
        Column("Nom d'usage", "usual_name", text),
        Column("Code sexe*", "sex", sex, required=True, expected=True),
        Column(
            "Date de naissance (jj/mm/aaaa)*",
            "birth_date",
            birth_date(["DD/MM/YYYY", "DD/MM/YY"]),
            required=True,
            expected=True,
        ),
        Column("Code commune naissance**", "birth_city_code", commune, needed=_BORN_IN_FRANCE),
        Column("Libellé commune naissance**", "birth_city", text, needed=_BORN_ABROAD),
        Column("Code département naissance*", "birth_department", department, required=True, expected=True),
        Column(_COUNTRY, "birth_country", country, required=True, expected=True),
        Column("Statut*", "status", one_of("ST", "AP"), required=True, expected=True),
        Column("Code MEF*", "mef", text, required=True, expected=True),
        Column("Division*", "division", one_spaced, required=True, expected=True),
    ),
    check="Premier prénom*",
    closed=True,
)
