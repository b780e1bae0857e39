"""Statements about one or two definite things: comparisons, order, places, roles, memberships,
closed lists.
"""

from __future__ import annotations

import re

from augmlx.english.logic.phrases import generic, noun, thing
from augmlx.english.logic.statement import Form, Kind, Term, closed
from augmlx.english.logic.words import degree, is_comparative, singular
from augmlx.english.text import is_number

_SEASONS = frozenset("spring summer autumn fall winter".split())
_RELATION = re.compile(
    r"""(?P<x>.+?)\ (?P<verb>
      (?:is|are)\ (?:(?P<degree>more|less)\ (?P<adjective>[a-z]+(?:-[a-z]+)*)
                |(?P<er>(?!earlier|later)[a-z]+))\ than
    | (?:is|are|was|were|comes?|came|takes?\ place|took\ place|happens?|happened|occurs?|occurred)
      \ (?:(?P<early>before|earlier\ than)|after|later\ than)
    | (?P<ahead>precedes?|preceded)
    | (?P<follow>follows?|followed)
    | (?:is|are)\ (?:a\ )?(?P<part>part)\ of
    | (?:(?:is|are)(?:\ located|\ situated)?|lies?|stands?)\ (?P<within>in|inside|within)
    | (?P<contains>contains?)
    | (?P<consists>consists?)\ of
    | have\ no\ (?P<none>[a-z]+)\ in\ common
    | (?P<copula>is|are)
    )(?:\ (?P<y>.+))?""",
    re.VERBOSE,
)


def relation(body: str) -> Form | None:
    found = _RELATION.fullmatch(body)
    if found is None:
        return None
    x, y = found["x"], found["y"]
    if found["none"]:
        return None if y else _nothing_in_common(x, found["none"])
    if not y:
        return None
    if found["copula"]:
        return _list(x, y) if found["copula"] == "are" else _equation(x, y)
    if found["consists"]:
        return _members([x], "list", noun("part"), y)
    if found["degree"] or found["er"]:
        return _comparison(found)
    first, second = thing(x), thing(y)
    if first is None or second is None or first.key == second.key:
        return None
    if found["part"]:
        return Form("part", (first, second), word=found["verb"])
    if found["contains"]:
        return Form("in", (second, first), word=found["verb"], turned=True)
    if found["within"]:
        dated = is_number(second.text) or is_number(f"1 {second.text}") or second.key in _SEASONS
        return None if dated else Form("in", (first, second), word=found["verb"])
    if found["early"] or found["ahead"]:
        return Form("before", (first, second), word=found["verb"])
    # A person may follow another anywhere; events have an article and a name.
    if found["follow"] and not all(
        t.text.startswith("the ") and not t.text.islower() for t in (first, second)
    ):
        return None
    return Form("before", (second, first), word=found["verb"], turned=True)


def _comparison(found: re.Match[str]) -> Form | None:
    adjective = found["adjective"] or found["er"]
    if found["er"] and not is_comparative(adjective):
        return None
    first, second = (
        thing(found["x"]) or generic(found["x"]),
        thing(found["y"]) or generic(found["y"]),
    )
    if first is None or second is None or first.key == second.key:
        return None
    if second.text.islower() and second.text[:4] != "the " and " " not in first.text:
        first = Term(
            first.key, first.text[0].lower() + first.text[1:]
        )  # its capital only opened the sentence
    scale, sign = degree(adjective, comparative=bool(found["er"]))
    turned = (sign < 0) != (found["degree"] == "less")
    return Form(
        "more",
        (second, first) if turned else (first, second),
        scale,
        word=found["verb"],
        turned=turned,
    )


_ARTICLE = re.compile(r"(not )?an? (.+)")
_OF = re.compile(r"[Tt]he (only )?([^A-Z]+?) of (.+)")
_OWNED = re.compile(r"(.+)'s? (only )?([^A-Z']+)")
_BOTH = re.compile(r"both (.+) and (.+)")
_ITEMS = re.compile(r",? and |, ")


def _equation(x: str, y: str) -> Form | None:
    """ "x is y": a membership, a role, or a list of one."""
    if found := _ARTICLE.fullmatch(y):
        return _membership(thing(x), found[2], denied=bool(found[1]))
    sides = [(side, other) for side, other in ((_described(x), y), (_described(y), x)) if side]
    if len(sides) != 1:
        return None
    (only, named, owner), filler = sides[0]
    role = noun(named)
    if only:
        return _members(*_wholes(owner), role, filler)
    whole, one = thing(owner), thing(filler)
    if role is None or whole is None or one is None or whole.key == one.key:
        return None
    return Form("role", (whole, one), role.key, word=role.text)


def _described(side: str) -> tuple[bool, str, str] | None:
    """ "the head of the Lab", "the Lab's head": whether it is the only one, the role, and whose."""
    if found := _OF.fullmatch(side):
        return bool(found[1]), found[2], found[3]
    if found := _OWNED.fullmatch(side):
        return bool(found[2]), found[3], found[1]
    return None


def _membership(one: Term | None, y: str, *, denied: bool) -> Form | None:
    """ "Rex is (not) a wug", "Ana is a member of the Club"."""
    named, of, owner = y.partition(" of ")
    kind = noun(named)
    if one is None or kind is None:
        return None
    if not of:
        # "The whale is a mammal" speaks of all whales, or of one.
        generic = one.text.startswith("the ") and one.text.islower()
        return None if generic else Form("is", (one, -kind if denied else kind))
    whole = thing(owner)
    if whole is None or denied or kind.negated or whole.key == one.key:
        return None
    return Form("member", (one, whole), kind.key, word=kind.text)


def _list(x: str, y: str) -> Form | None:
    """ "The members of the Club are y", "x are the members of the Club"."""
    for side, told in ((x, y), (y, x)):
        if found := _described(side):
            only, named, owner = found
            return None if only else _members(*_wholes(owner), noun(named, plural=True), told)
    return None


def _wholes(owner: str) -> tuple[list[str], Kind]:
    if both := _BOTH.fullmatch(owner):
        return [both[1], both[2]], "common"
    either = owner.split(" or ")
    return either, "union" if len(either) == 2 else "list"


def _members(wholes: list[str], kind: Kind, role: Term | None, told: str) -> Form | None:
    """A closed list, of things that all differ; "and" stands before the last of several."""
    each = _ITEMS.split(told)
    owners, items = _things(wholes), _things(each)
    if (
        role is None
        or role.negated
        or owners is None
        or items is None
        or (len(each) > 1 and " and " not in told)
    ):
        return None
    if len({term.key for term in (*owners, *items)}) < len(owners) + len(items):
        return None
    return closed(kind, owners, role.key, items, singular(role.text) if role.plural else role.text)


def _nothing_in_common(x: str, named: str) -> Form | None:
    role, owners = noun(named, plural=True), _things(x.split(" and "))
    if role is None or owners is None or len(owners) != 2 or owners[0] == owners[1]:
        return None
    return closed("common", owners, role.key, (), singular(role.text))


def _things(texts: list[str]) -> list[Term] | None:
    found = [term for text in texts if (term := thing(text))]
    return found if len(found) == len(texts) else None
