"""Statements that describe a thing: roles, memberships and closed lists.

"Mara is the head of the Lab", "Rex is a wug", "The members of the Club are Ana and Ben".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from augmlx.english.logic.phrases import noun, thing
from augmlx.english.logic.statement import Form, Kind, Term, closed
from augmlx.english.nouns import singular

_ARTICLE = re.compile(r"(not )?an? (.+)")
_OF = re.compile(r"[Tt]he (only )?([^A-Z]+?) of (.+)")
_OWNED = re.compile(r"(.+)'s? (only )?([^A-Z']+)")
_BOTH = re.compile(r"both (.+) and (.+)")
_ITEMS = re.compile(r",? and |, ")


class _Description(NamedTuple):
    """ "the only head of the Lab", "the Lab's head"."""

    is_only: bool
    role: str
    owner: str


def _described(side: str) -> _Description | None:
    """What one side of "is" or "are" describes, or None where it is no description."""
    if found := _OF.fullmatch(side):
        return _Description(bool(found[1]), role=found[2], owner=found[3])
    if found := _OWNED.fullmatch(side):
        return _Description(bool(found[2]), role=found[3], owner=found[1])
    return None


def equation(x: str, y: str) -> Form | None:
    """A membership ("Rex is a wug"), a role, or a list of one.

    Args:
        x: what stands before "is".
        y: what stands behind it.
    """
    if found := _ARTICLE.fullmatch(y):
        return _membership(thing(x), found[2], denied=bool(found[1]))
    of_x, of_y = _described(x), _described(y)
    if of_x and of_y:
        return None
    if of_x:
        return _role(of_x, filler=y)
    if of_y:
        return _role(of_y, filler=x)
    return None


def _role(description: _Description, filler: str) -> Form | None:
    """ "The head of the Lab is Mara", "the only head of the Lab is Mara"."""
    role = noun(description.role)
    if description.is_only:
        kind, owners = _owners(description.owner)
        return closed_list(kind, owners, role, filler)
    whole = thing(description.owner)
    one = thing(filler)
    if role is None or whole is None or one is None or whole.key == one.key:
        return None
    return Form("role", (whole, one), role.key, word=role.text)


def _membership(one: Term | None, y: str, *, denied: bool) -> Form | None:
    """ "Rex is (not) a wug", "Ana is a member of the Club"."""
    named, has_owner, owner = y.partition(" of ")
    kind = noun(named)
    if one is None or kind is None:
        return None
    if not has_owner:
        # "The whale is a mammal" speaks of all whales, or of one.
        is_generic = one.text.startswith("the ") and one.text.islower()
        if is_generic:
            return None
        return Form("is", (one, -kind if denied else kind))
    whole = thing(owner)
    if whole is None or denied or kind.negated or whole.key == one.key:
        return None
    return Form("member", (one, whole), kind.key, word=kind.text)


def described_list(x: str, y: str) -> Form | None:
    """ "The members of the Club are y", "x are the members of the Club".

    Args:
        x: what stands before "are".
        y: what stands behind it.
    """
    for side, items in ((x, y), (y, x)):
        if description := _described(side):
            if description.is_only:
                return None
            kind, owners = _owners(description.owner)
            return closed_list(kind, owners, noun(description.role, plural=True), items)
    return None


def _owners(owner: str) -> tuple[Kind, list[str]]:
    """Whose list it is, and the kind of list: "both A and B", "A or B", "A"."""
    if both := _BOTH.fullmatch(owner):
        return "common", [both[1], both[2]]
    either = owner.split(" or ")
    if len(either) == 2:
        return "union", either
    return "list", either


def closed_list(kind: Kind, owners: Sequence[str], role: Term | None, told: str) -> Form | None:
    """A closed list. The things on it all differ, and "and" stands before the last of several.

    Args:
        owners: whose list it is.
        told: the items, as the sentence tells them.
    """
    if role is None or role.negated:
        return None
    each_item = _ITEMS.split(told)
    if len(each_item) > 1 and " and " not in told:
        return None
    wholes, items = _things(owners), _things(each_item)
    if wholes is None or items is None:
        return None
    # Of two lists the owner of one may be on the other: "the friends of Ana or Ben are Ana, Ben
    # and Cleo".
    groups = (wholes, items) if kind == "union" else ([*wholes, *items],)
    if not all(map(_all_differ, groups)):
        return None
    word = singular(role.text) if role.plural else role.text
    return closed(kind, wholes, role.key, items, word)


def nothing_in_common(x: str, named: str) -> Form | None:
    """ "A and B have no members in common".

    Args:
        x: the two, with "and" between them.
        named: the plural of what they have not.
    """
    role = noun(named, plural=True)
    wholes = _things(x.split(" and "))
    if role is None or wholes is None:
        return None
    if len(wholes) != 2 or not _all_differ(wholes):
        return None
    return closed("common", wholes, role.key, (), singular(role.text))


def _all_differ(things: Sequence[Term]) -> bool:
    keys = {thing.key for thing in things}
    return len(keys) == len(things)


def _things(texts: Sequence[str]) -> list[Term] | None:
    """Each text as a thing; None where one of them is none."""
    things = []
    for text in texts:
        term = thing(text)
        if term is None:
            return None
        things.append(term)
    return things
