"""Names of columns found in a table -> those that are read, for facts and for questions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from augmlx.core.errors import BadInput
from augmlx.data.row import bad_input, folded

_ABOUT_A_FACT = ("id", "group")
_TOOLS = "tools"
_QUESTION_FIELDS = ("prompt", "answer", "kind", "choices", "aliases", "facts", "id")
_EDITED_FIELDS = ("fact", "type", "id", "sources")
_SHOWN = 12  # names of columns in a message
# Without a header line the first row stands there: only what looks like a name may be repeated.
_NAME_LIKE = re.compile(r"(?=.{1,30}$)\w+([ _-]\w+)?")


@dataclass(frozen=True, slots=True)
class FactKind:
    """A kind of rows that hold facts: the fields that tell it, and its name in messages."""

    fields: tuple[str, ...]
    about: str


FACT = FactKind(("fact",), "a fact")
_COMPLETION = FactKind(("prompt", "completion"), "a prompt and a completion")
_CHAT = FactKind(("messages",), "the messages of a chat")
_FACT_KINDS = (FACT, _COMPLETION, _CHAT)
_FACT_FIELDS = {
    *_ABOUT_A_FACT,
    *FACT.fields,
    "text",  # another name for "fact"
    *_COMPLETION.fields,
    *_CHAT.fields,
    _TOOLS,
}


def fact_kind(columns: Mapping[str, str]) -> FactKind:
    """The kind that a row with these fields is of."""
    return next(kind for kind in _FACT_KINDS if set(kind.fields) <= set(columns))


def fact_columns(place: str, names: Sequence[str], *, column: str | None) -> dict[str, str]:
    """The columns of a file of facts that are read: id and group, and those of one kind of fact.

    Args:
        place: of the names, for messages.
        names: as they were found.
        column: the one that holds the facts, where the user has named it.

    Returns:
        our field -> name of its column.

    Raises:
        BadInput: there is no kind of fact, or more than one.
    """
    if column is not None:
        return _chosen_column(place, names, column)
    columns = _known_columns(place, names, _FACT_FIELDS)
    if "fact" in columns and "text" in columns:
        fault = "both a 'fact' and a 'text' column, which is unclear"
        raise bad_input(place, fault, "rename the one that is no fact")
    if "text" in columns:
        columns["fact"] = columns.pop("text")
    kinds = [kind for kind in _FACT_KINDS if set(kind.fields) <= set(columns)]
    if len(kinds) > 1:
        abouts = " and of ".join(kind.about for kind in kinds)
        fault = f"the columns of {abouts}, which is unclear"
        hint = "leave only one of them, or say which column holds the facts: --column NAME"
        raise bad_input(place, fault, hint)
    if not kinds:
        raise _no_column(place, names, "fact")
    (kind,) = kinds
    used = {*_ABOUT_A_FACT, *kind.fields}
    if kind is not FACT:
        used.add(_TOOLS)
    return {field: name for field, name in columns.items() if field in used}


def _chosen_column(place: str, names: Sequence[str], column: str) -> dict[str, str]:
    wanted = folded(column)
    columns = _known_columns(place, names, {wanted, *_ABOUT_A_FACT})
    if wanted not in columns:
        raise _no_column(place, names, column)
    about = {field: columns[field] for field in _ABOUT_A_FACT if field in columns}
    return {**about, "fact": columns[wanted]}


def question_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    """The columns of a file of questions that are read, as field -> name of its column.

    Raises:
        BadInput: there is no prompt or no answer.
    """
    columns = _known_columns(place, names, set(_QUESTION_FIELDS))
    for field in ("prompt", "answer"):
        if field not in columns:
            raise _no_column(place, names, field)
    return columns


def edited_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    """The columns of an augmented.csv that was edited, as field -> name of its column.

    Raises:
        BadInput: one of them is missing.
    """
    columns = _known_columns(place, names, set(_EDITED_FIELDS))
    for field in _EDITED_FIELDS:
        if field not in columns:
            fault = f"no column '{field}'; columns found: {_listed(names)}"
            listed = ", ".join(_EDITED_FIELDS)
            raise bad_input(place, fault, f"edit the augmented.csv of the run; it has {listed}")
    return columns


def _known_columns(place: str, names: Sequence[str], fields: set[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for name in names:
        field = folded(name)
        if field in columns:
            raise bad_input(place, f"two columns are named '{field}'", "rename one of them")
        if field in fields:
            columns[field] = name
    return columns


def _no_column(place: str, names: Sequence[str], wanted: str) -> BadInput:
    fault = f"no column '{wanted}'; columns found: {_listed(names)}"
    separator = re.search("[;\t,|]", names[0]) if len(names) == 1 else None
    if separator:
        hint = f"the columns seem to be separated by {separator[0]!r}: "
        return bad_input(place, fault, f"{hint}.csv takes commas, .tsv takes tabs")
    first_line = "in CSV and TSV the first line holds the names"
    if wanted != "fact":
        return bad_input(place, fault, f"name the column '{wanted}'; {first_line}")
    hint = f"name the column '{wanted}' (or say which one it is: --column NAME); {first_line}"
    return bad_input(place, fault, f"{hint}; a training set has prompt and completion, or messages")


def _listed(names: Sequence[str]) -> str:
    shown = [_shown(name) for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(shown) or 'none'}{more}"


def _shown(name: str) -> str:
    return f"'{name}'" if _NAME_LIKE.fullmatch(name) else f"({len(name)} characters)"
