"""What a recognised sentence says, in one shape for all its wordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal[
    "all",
    "some",
    "is",
    "more",
    "before",
    "in",
    "part",
    "if",
    "role",
    "member",
    "list",
    "union",
    "common",
]


# Kinds of statements that are about no single thing: nobody asks who "all wugs" are.
GENERAL = frozenset({"all", "some", "list", "if"})


@dataclass(frozen=True, slots=True)
class Term:
    """A kind, a thing or a clause.

    `key` and `negated` ("non-wugs", "the lamp is not on") are
    compared; `text`, as it stood, its article and negation aside, and its number are for saying it.
    """

    key: str
    text: str = field(compare=False)
    plural: bool = field(default=False, compare=False)
    negated: bool = False

    def __neg__(self) -> Term:
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, slots=True)
class Form:
    """A statement. Two wordings of one statement are equal; so are their hashes.

    | kind   | terms            | says                                                    |
    |--------|------------------|---------------------------------------------------------|
    | all    | kind, kind       | all are; with the second negated: none are              |
    | some   | kind, kind       | some are; with the second negated: some are not         |
    | is     | thing, kind      | is a, or is not a                                       |
    | more   | thing, thing     | the first is further along the scale `relation`         |
    | before | thing, thing     | the first came before the second                        |
    | in     | thing, thing     | the first is inside the second                          |
    | part   | thing, thing     | the first is part of the second                         |
    | if     | clause, clause   | if the first, then the second                           |
    | role   | thing, filler    | the `relation` of the thing is the filler, and only it  |
    | member | member, whole    | the first is a `relation` of the second                 |
    | list   | whole            | its `relation`s are the `items`, and no others          |
    | union  | whole, whole     | the `relation`s of either are the `items`               |
    | common | whole, whole     | the `relation`s of both are the `items`, maybe none     |

    `word` and `turned` are for saying it: the verb or the noun of the relation ("is younger than",
    "member"), and whether the terms were said the other way round than they are compared. Use the
    functions below to make a form of two kinds or a list: they keep the content canonical.
    """

    kind: Kind
    terms: tuple[Term, ...]
    relation: str = ""
    items: tuple[Term, ...] = ()
    word: str = field(default="", compare=False)
    turned: bool = field(default=False, compare=False)

    @property
    def said(self) -> tuple[Term, ...]:
        """The terms in the order, and with the negations, in which they were said.

        A form keeps them in the order in which they are compared.
        """
        if not self.turned:
            return self.terms
        first, second = self.terms
        return (-second, -first) if self.kind == "all" else (second, first)


def universal(subject: Term, predicate: Term) -> Form:
    """All of the subject are of the predicate; with that negated, none are.

    "No A are B" is "no B are A"; the contrapositive of "all A are B" is a statement of its own.
    """
    turned = subject.negated != predicate.negated and subject.key > predicate.key
    terms = (-predicate, -subject) if turned else (subject, predicate)
    return Form("all", terms, turned=turned)


def particular(subject: Term, predicate: Term) -> Form:
    """Some of the subject are of the predicate; with that negated, some are not.

    "Some A are B" is "some B are A"; of "some A are not B" the terms keep their places.
    """
    turned = (subject.negated, subject.key) > (predicate.negated, predicate.key)
    terms = (predicate, subject) if turned else (subject, predicate)
    return Form("some", terms, turned=turned)


def closed(
    kind: Kind, wholes: Sequence[Term], relation: str, items: Sequence[Term], word: str
) -> Form:
    """A closed list. The order in which a list is told says nothing.

    Args:
        kind: "list", "union" or "common".
        wholes: whose list it is; two of a union or of what two have in common.
        relation: the key of what the items are to the wholes.
        word: the noun of the relation, as a singular.
    """
    by_key = {item.key: item for item in items}
    sorted_items = tuple(by_key[key] for key in sorted(by_key))
    sorted_wholes = tuple(sorted(wholes, key=lambda term: term.key))
    return Form(kind, sorted_wholes, relation, sorted_items, word)


def terms(form: Form) -> tuple[str, ...]:
    """Index keys of what a form speaks about, in order and each once.

    Two facts from which something follows share one.
    """
    everything = (*form.terms, *form.items)
    return tuple(dict.fromkeys(term.key for term in everything))
