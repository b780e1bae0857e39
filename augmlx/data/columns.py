"""Names of columns found in a table -> those that are read, for facts and for questions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.core.errors import BadInput
from augmlx.data.forms import FOREIGN, forms_of
from augmlx.data.row import bad_input, folded

_ABOUT_A_FACT = ("id", "group", "left_out")
_QUESTION_FIELDS = ("prompt", "answer", "kind", "choices", "aliases", "facts", "id")
_EDITED_FIELDS = ("fact", "type", "id", "sources")
_SHOWN = 12  # names of columns in a message
# Without a header line the first row stands there: only what looks like a name may be repeated.
_NAME_LIKE = re.compile(r"(?=.{1,30}$)\w+([ _-]\w+)?")


def fact_columns(place: str, names: Sequence[str], *, column: str | None) -> dict[str, str]:
    """The columns of a file of facts that are read: id and group, and those of one form.

    Args:
        place: of the names, for messages.
        names: as they were found.
        column: the one that holds the facts, where the user has named it.

    Returns:
        our field -> name of its column.

    Raises:
        BadInput: there is no form that is read, or more than one.
    """
    if column is not None:
        return _chosen_column(place, names, column)
    columns = {folded(name): name for name in _once_each(place, names)}
    if "fact" in columns and "text" in columns:
        fault = "both a 'fact' and a 'text' column, which is unclear"
        raise bad_input(place, fault, "rename the one that is no fact")
    forms = forms_of(columns)
    if len(forms) > 1:
        abouts = " and of ".join(form.about for form in forms)
        fault = f"the columns of {abouts}, which is unclear"
        hint = "leave only one of them, or say which column holds the facts: --column NAME"
        raise bad_input(place, fault, hint)
    if not forms:
        raise _no_form(place, names)
    (form,) = forms
    about = {name: columns[name] for name in _ABOUT_A_FACT if name in columns}
    own = {field: columns[name] for name, field in form.names.items() if name in columns}
    return {**about, **own}


def _no_form(place: str, names: Sequence[str]) -> BadInput:
    fields = set(map(folded, names))
    known = next((hint for foreign, hint in FOREIGN.items() if set(foreign) <= fields), None)
    if known is None:
        return _no_column(place, names, "fact")
    fault = f"no column 'fact'; columns found: {listed(names)}"
    return bad_input(place, fault, known)


def _chosen_column(place: str, names: Sequence[str], column: str) -> dict[str, str]:
    wanted = folded(column)
    columns = {folded(name): name for name in _once_each(place, names)}
    if wanted not in columns:
        raise _no_column(place, names, column)
    about = {field: columns[field] for field in _ABOUT_A_FACT if field in columns}
    return {**about, "fact": columns[wanted]}


def question_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    """The columns of a file of questions that are read, as field -> name of its column.

    Raises:
        BadInput: there is no prompt or no answer.
    """
    columns = _chosen(place, names, _QUESTION_FIELDS)
    for field in ("prompt", "answer"):
        if field not in columns:
            raise _no_column(place, names, field)
    return columns


def edited_columns(place: str, names: Sequence[str]) -> dict[str, str]:
    """The columns of an augmented.csv that was edited, as field -> name of its column.

    Raises:
        BadInput: one of them is missing.
    """
    columns = _chosen(place, names, _EDITED_FIELDS)
    for field in _EDITED_FIELDS:
        if field not in columns:
            fault = f"no column '{field}'; columns found: {listed(names)}"
            fields = ", ".join(_EDITED_FIELDS)
            raise bad_input(place, fault, f"edit the augmented.csv of the run; it has {fields}")
    return columns


def _chosen(place: str, names: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    columns = {folded(name): name for name in _once_each(place, names)}
    return {field: columns[field] for field in columns if field in fields}


def _once_each(place: str, names: Sequence[str]) -> Sequence[str]:
    """The names, each once. Raises BadInput."""
    seen: set[str] = set()
    for name in names:
        if folded(name) in seen:
            raise bad_input(place, f"two columns are named '{folded(name)}'", "rename one of them")
        seen.add(folded(name))
    return names


def _no_column(place: str, names: Sequence[str], wanted: str) -> BadInput:
    fault = f"no column '{wanted}'; columns found: {listed(names)}"
    separator = re.search("[;\t,|]", names[0]) if len(names) == 1 else None
    if separator:
        hint = f"the columns seem to be separated by {separator[0]!r}: "
        return bad_input(place, fault, f"{hint}.csv takes commas, .tsv takes tabs")
    first_line = "in CSV and TSV the first line holds the names"
    if wanted != "fact":
        return bad_input(place, fault, f"name the column '{wanted}'; {first_line}")
    hint = f"name the column '{wanted}' (or say which one it is: --column NAME); {first_line}"
    return bad_input(place, fault, f"{hint}; a training set has prompt and completion, or messages")


def listed(names: Sequence[str]) -> str:
    """Names of columns in a message."""
    shown = [_shown(name) for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(shown) or 'none'}{more}"


def _shown(name: str) -> str:
    return f"'{name}'" if _NAME_LIKE.fullmatch(name) else f"({len(name)} characters)"
