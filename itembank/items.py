"""Items: one question with its marking key, as a frozen record of one of six kinds.

==================  =============================================  ================================
kind                key                                            an answer looks like
==================  =============================================  ================================
single_choice       ``"b"``                                        ``"b"``
multiple_choice     ``["a", "c"]``                                 ``["a", "c"]``, in any order
short_text          accepted texts                                 ``"un texte"``
number              ``42``                                         ``42`` or ``"42,5"``
ordering            ``["c", "a", "d", "b"]``, the right order      ``["c", "a", "d", "b"]``
matching            ``{"a": "q", "b": "p"}``                       ``{"a": "q", "b": "p"}``
==================  =============================================  ================================
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, TypeAdapter, model_validator

from itembank.short_text import normalise
from itembank.strict import Code, Count, Flag, Record, Text, read


class Status(StrEnum):
    """Where an item stands in its life; only operational items are served and scored."""

    DRAFT = "draft"
    FIELD_TEST = "field_test"
    OPERATIONAL = "operational"
    RETIRED = "retired"


def _mapping(value: Any) -> Any:
    """Pairs are accepted for a mapping: JSON objects have no order, lists of pairs keep that of the choices."""
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return dict(value)
    return value


def _distinct(choices: Mapping[str, str]) -> Mapping[str, str]:
    if len({text.strip() for text in choices.values()}) < len(choices):
        raise ValueError("has the same text twice; give each its own")
    return choices


Letter = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9]{1,8}$")]
Choices = Annotated[
    Mapping[Letter, Text], BeforeValidator(_mapping), Field(min_length=2, max_length=12), AfterValidator(_distinct)
]
"""Texts to choose from, by their letter, in the order in which they are shown."""


class Document(Record):
    """A mail, a page, a message ... shown above the question."""

    title: Text
    text: Text


class TableMaterial(Record):
    """A small table shown above the question; every cell is a text."""

    header: tuple[Annotated[str, Field(strict=True)], ...] = Field(min_length=1)
    rows: tuple[tuple[Annotated[str, Field(strict=True)], ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.header):
                raise ValueError(f"has {len(row)} cells in row {number} for {len(self.header)} columns; correct it")
        return self


class Accessible(Record):
    """Who can answer the item on equal terms."""

    blind: Flag
    colour_blind: Flag
    deaf: Flag


FLAGS: Final = tuple(Accessible.model_fields)
"""Names of the accessibility flags."""


class BaseItem(Record):
    """What every item has, whatever its kind.

    Parameters
    ----------
    id : str
        Never reused.
    competence, topic : str
        Codes of the framework.
    level : int
        Level that the author had in mind, 1..8.
    stem : str
        The question.
    document, table, code : optional
        Material shown above the question; ``code`` is preformatted text.
    credit : tuple of float
        Shares of the key that earn a category each, increasing to 1. ``(1.0,)``: right or wrong. ``(0.5, 1.0)``: half
        of the key is category 1, all of it category 2.
    time : int
        Expected seconds for a typical learner, reading included.
    limit : int, optional
        Seconds allowed, for a timed item.
    accessible : Accessible
    locale : str
    status : Status
    enemies : tuple of str
        Items that must not be asked in the same test as this one; declared on either side.
    why : str
        Why the key is right; for proofreaders, never served.
    """

    id: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    competence: Annotated[str, Field(strict=True)]
    topic: Code
    level: Annotated[Count, Field(ge=1, le=20)]
    stem: Text
    document: Document | None = None
    table: TableMaterial | None = None
    code: Text | None = None
    credit: tuple[float, ...] = (1.0,)
    time: Annotated[Count, Field(ge=5, le=1800)]
    limit: Annotated[Count, Field(ge=5, le=3600)] | None = None
    accessible: Accessible
    locale: Annotated[str, Field(strict=True, pattern=r"^[a-z]{2}$")] = "fr"
    status: Status = Status.OPERATIONAL
    enemies: tuple[Annotated[str, Field(strict=True)], ...] = ()
    why: str = ""

    @model_validator(mode="after")
    def _credit_and_enemies(self) -> Self:
        shares = (0.0, *self.credit)
        if shares[-1] != 1.0 or any(low >= high for low, high in pairwise(shares)):
            raise ValueError("credit must be shares that increase from above 0 to 1, e.g. [0.5, 1]")
        if self.id in self.enemies:
            raise ValueError("enemies holds the item itself; remove it")
        return self

    @property
    def categories(self) -> int:
        """Number of response categories."""
        return len(self.credit) + 1


def _only_right_or_wrong(credit: tuple[float, ...]) -> tuple[float, ...]:
    if credit != (1.0,):
        raise ValueError("is not for this kind, which is right or wrong; remove it")
    return credit


AllOrNothing = Annotated[tuple[float, ...], AfterValidator(_only_right_or_wrong)]


class SingleChoice(BaseItem):
    """One of several choices is right."""

    kind: Literal["single_choice"]
    choices: Choices
    key: Letter
    credit: AllOrNothing = (1.0,)

    @model_validator(mode="after")
    def _key_is_a_choice(self) -> Self:
        if self.key not in self.choices:
            raise ValueError(f"key {self.key!r} is none of the choices; use one of {', '.join(self.choices)}")
        return self


class MultipleChoice(BaseItem):
    """Some of the choices are right, at least one and never all."""

    kind: Literal["multiple_choice"]
    choices: Choices
    key: tuple[Letter, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _key_is_some_choices(self) -> Self:
        if len(set(self.key)) < len(self.key) or not set(self.key) < set(self.choices):
            raise ValueError("key must name some of the choices, each once, and not all of them")
        return self


class ShortText(BaseItem):
    """A few words; ``typos`` is the edit distance that marking forgives (see itembank.short_text)."""

    kind: Literal["short_text"]
    key: tuple[Text, ...] = Field(min_length=1)
    typos: Annotated[StrictInt, Field(ge=0, le=2)] = 0
    credit: AllOrNothing = (1.0,)

    @model_validator(mode="after")
    def _key_says_something(self) -> Self:
        forms = [normalise(accepted) for accepted in self.key]
        if not all(forms):
            raise ValueError("key has a text of which nothing is left to compare; write letters, digits or symbols")
        return self


class Number(BaseItem):
    """A number, right within ``tolerance`` (absolute); ``unit`` is shown after the field."""

    kind: Literal["number"]
    key: StrictInt | StrictFloat
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    unit: Text | None = None
    credit: AllOrNothing = (1.0,)


class Ordering(BaseItem):
    """Choices to put in order; ``key`` is the one right order."""

    kind: Literal["ordering"]
    choices: Choices
    key: tuple[Letter, ...]

    @model_validator(mode="after")
    def _key_is_a_permutation(self) -> Self:
        if sorted(self.key) != sorted(self.choices):
            raise ValueError("key must name every choice once, in the right order")
        if list(self.key) == list(self.choices):
            raise ValueError("choices are shown in the right order already; shuffle them")
        return self


class Matching(BaseItem):
    """Each choice (left) goes with one option (right); an option may serve for several choices, or for none."""

    kind: Literal["matching"]
    choices: Choices
    options: Choices
    key: Mapping[Letter, Letter]

    @model_validator(mode="after")
    def _key_matches_every_choice(self) -> Self:
        if set(self.key) != set(self.choices) or not set(self.key.values()) <= set(self.options):
            raise ValueError("key must give one of the options for every choice")
        return self


Item = SingleChoice | MultipleChoice | ShortText | Number | Ordering | Matching
KINDS: Final = tuple(str(get_args(kind.model_fields["kind"].annotation)[0]) for kind in get_args(Item))
"""Names of the kinds, in the order of the table above."""
ITEM: Final[TypeAdapter[Item]] = TypeAdapter(Annotated[Item, Field(discriminator="kind")])


def item_from(data: Mapping[str, Any], where: str | None = None) -> Item:
    """Item of plain data, as read from YAML or JSON, or a BankError with a sentence."""
    return read(ITEM, data, where or f"item {data.get('id', 'without an id')}")


def plain(item: Item) -> dict[str, Any]:
    """Plain data of an item without its defaults; ``item_from`` reads it back."""
    return item.model_dump(mode="json", exclude_defaults=True) | {"kind": item.kind}


def public(item: Item) -> dict[str, Any]:
    """Public view of an item: everything that is served, neither the key nor what hints at it.

    Returns
    -------
    dict
        Plain data: ``id, kind, locale, competence, stem``, the material (``document, table, code``), ``choices`` and
        ``options`` as lists of ``{code, text}`` in the order shown, ``unit``, ``limit``; absent fields are left out.
    """
    view: dict[str, Any] = item.model_dump(
        mode="json",
        include={"id", "kind", "locale", "competence", "stem", "document", "table", "code", "unit", "limit"},
        exclude_none=True,
    )
    for name in ("choices", "options"):
        texts: Mapping[str, str] | None = getattr(item, name, None)
        if texts is not None:
            view[name] = [{"code": code, "text": text} for code, text in texts.items()]
    return view
