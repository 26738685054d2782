"""The framework: domains, competences, topics, levels and their cuts.

A framework is data. The one that ships is the CRCN (5 domains, 16 competences, 8 levels in four bands); another one is
another YAML file. Competences are numbered 0..C-1 in the order of the file: that index is the row of everything that
the engine computes.
"""

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, model_validator

from engine.errors import BankError
from engine.latent import MAX_LOADING, LatentTree
from itembank.strict import Code, Count, Flag, Record, Text, Titles, read

Loading = Annotated[float, Field(ge=0, le=MAX_LOADING)]
Number = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9]{1,8}(\.[A-Za-z0-9]{1,8})?$")]


class Topic(Record):
    """A narrow subject inside a competence; a test asks few items of one topic."""

    code: Code
    title: Titles


class Competence(Record):
    """What one ability is about.

    Parameters
    ----------
    code : str
        Official number, e.g. ``"1.1"``.
    title : mapping of locale to text
    loading : float
        Correlation of this ability with that of its domain, in [0, MAX_LOADING].
    cuts : (L,) float
        Ability at which each level begins, strictly increasing.
    topics : tuple of Topic
    """

    code: Number
    title: Titles
    loading: Loading
    cuts: tuple[float, ...]
    topics: tuple[Topic, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Competence":
        if any(low >= high for low, high in pairwise(self.cuts)):
            raise ValueError(f"has cuts that do not increase strictly ({self.code}); put them in order")
        codes = [topic.code for topic in self.topics]
        if len(set(codes)) < len(codes):
            raise ValueError(f"has two topics of the same code ({self.code}); rename one")
        return self

    def topic(self, code: str) -> Topic:
        """Topic of that code."""
        for topic in self.topics:
            if topic.code == code:
                return topic
        raise BankError(f"Competence {self.code} has no topic {code!r}; add it to the topics of the competence.")


class Domain(Record):
    """A group of competences; ``loading`` is the correlation of its ability with the general one."""

    code: Number
    title: Titles
    loading: Loading
    competences: tuple[Competence, ...] = Field(min_length=1)


class Band(Record):
    """A few consecutive levels under one name, e.g. novice for levels 1 and 2, with what it means for a learner."""

    code: Code
    title: Titles
    meaning: Titles
    levels: tuple[Count, ...] = Field(min_length=1)


class Framework(Record):
    """Everything that a bank, a test and a profile refer to.

    Parameters
    ----------
    code : str
    title : mapping of locale to text
    provisional : bool
        True as long as cuts and loadings are expert judgement, not estimates.
    bands : tuple of Band
    domains : tuple of Domain
    """

    code: Code
    title: Titles
    provisional: Flag
    bands: tuple[Band, ...] = Field(min_length=1)
    domains: tuple[Domain, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _coherent(self) -> "Framework":
        for what, codes in (
            ("domains", [domain.code for domain in self.domains]),
            ("competences", [competence.code for domain in self.domains for competence in domain.competences]),
            ("bands", [band.code for band in self.bands]),
        ):
            if len(set(codes)) < len(codes):
                raise ValueError(f"has two {what} of the same code; rename one")
        levels = [level for band in self.bands for level in band.levels]
        if levels != list(range(1, len(levels) + 1)):
            raise ValueError("has bands whose levels are not 1, 2, 3 ... in order; correct them")
        for competence in (competence for domain in self.domains for competence in domain.competences):
            if len(competence.cuts) != len(levels):
                raise ValueError(
                    f"has {len(levels)} levels but {len(competence.cuts)} cuts for competence {competence.code}; "
                    "give one cut for each level"
                )
        return self

    @cached_property
    def competences(self) -> tuple[Competence, ...]:
        """The C competences, flat, in order."""
        return tuple(competence for domain in self.domains for competence in domain.competences)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the C competences, in order."""
        return tuple(competence.code for competence in self.competences)

    @property
    def levels(self) -> int:
        """Number of levels, L; level 0 is below the first cut."""
        return sum(len(band.levels) for band in self.bands)

    @property
    def cuts(self) -> tuple[tuple[float, ...], ...]:
        """Cuts of every competence, (C, L)."""
        return tuple(competence.cuts for competence in self.competences)

    def index(self, code: str) -> int:
        """Row of a competence, 0..C-1."""
        if code not in self.codes:
            raise BankError(f"There is no competence {code!r} in {self.code}; use one of {', '.join(self.codes)}.")
        return self.codes.index(code)

    def competence(self, code: str) -> Competence:
        """Competence of that code."""
        return self.competences[self.index(code)]

    def domain_of(self, code: str) -> Domain:
        """Domain that holds a competence."""
        competence = self.competence(code)
        return next(domain for domain in self.domains if competence in domain.competences)

    def band(self, level: int) -> Band | None:
        """Band of a level, None for level 0."""
        if not 0 <= level <= self.levels:
            raise BankError(f"There is no level {level} in {self.code}; levels go from 0 to {self.levels}.")
        return next((band for band in self.bands if level in band.levels), None)

    def tree(self) -> LatentTree:
        """Latent tree of the abilities: which domain each competence belongs to, and the loadings."""
        return LatentTree(
            domain_of=tuple(row for row, domain in enumerate(self.domains) for _ in domain.competences),
            domain_loadings=tuple(domain.loading for domain in self.domains),
            competence_loadings=tuple(competence.loading for competence in self.competences),
        )

    def with_topics(self, topics: Mapping[str, Mapping[str, Titles]], where: str = "the topics") -> "Framework":
        """Framework with these topics.

        Parameters
        ----------
        topics : mapping of competence code to mapping of topic code to titles
            Competences that are not named keep their topics.
        where : str
            How to name the topics in an error.
        """
        plain = self.model_dump()
        for code in topics:
            self.index(code)
        for domain in plain["domains"]:
            for competence in domain["competences"]:
                named = topics.get(competence["code"])
                if named is not None:
                    competence["topics"] = [{"code": code, "title": titles} for code, titles in named.items()]
        return framework_from(plain, where)

    def with_loadings(
        self, domains: Mapping[str, float], competences: Mapping[str, float], where: str = "the loadings"
    ) -> "Framework":
        """Framework with these loadings of the latent tree, by code; the others stay as they are.

        It stays provisional when it was: that word is also about the cuts, which no calibration estimates.
        """
        plain = self.model_dump()
        for code in competences:
            self.index(code)
        for code in domains:
            if code not in {domain.code for domain in self.domains}:
                raise BankError(f"There is no domain {code!r} in {self.code}; correct the code.")
        for domain in plain["domains"]:
            domain["loading"] = domains.get(domain["code"], domain["loading"])
            for competence in domain["competences"]:
                competence["loading"] = competences.get(competence["code"], competence["loading"])
        return framework_from(plain, where)


FRAMEWORK: Final = TypeAdapter(Framework)


def framework_from(data: Any, where: str = "the framework") -> Framework:
    """Framework of plain data, or a BankError with a sentence."""
    return read(FRAMEWORK, data, where)


def title(titles: Mapping[str, Text], locale: str) -> str:
    """Text in ``locale``, else in the first locale that there is.

    Examples
    --------
    >>> title({"fr": "Interagir", "en": "Interacting"}, "en")
    'Interacting'
    >>> title({"fr": "Interagir"}, "en")
    'Interagir'
    """
    return titles[locale] if locale in titles else next(iter(titles.values()))
