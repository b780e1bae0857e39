"""What the user made of the kept texts by hand: read off an edited augmented.csv, kept in
edited.jsonl, and done again whenever the run is augmented.

An edit names a text by its facts, its operator and its words, and not by its id: it holds as long
as that text is written, by whichever sample, model or round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from augmlx.augment.premises import Premises
from augmlx.core.errors import BadInput
from augmlx.core.example_id import BY_HAND, ExampleId
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import Example, Fact, Json, Origin, Rejected, fingerprint, to_json
from augmlx.english.text import normalise

USER = (
    "user"  # an origin's engine where the user has written the text, and who rejects what is struck
)
EDITED = "edited"  # where a model has written it and the user has changed it
STRUCK = "struck out by hand"
CHANGED_BEFORE = "changed by hand in an earlier round"
Key = tuple[tuple[str, ...], str, str]  # facts, operator, words


@dataclass(frozen=True, slots=True)
class Edit:
    """One text that was struck out, changed or added.

    Args:
        fact_ids: what it is drawn from.
        operator: the kind of text that it is.
        was: what the model wrote; None where the user has added the text.
        text: what the user has made of it; None where it is struck out.
        row: of a question, prompt and completion.
    """

    fact_ids: tuple[str, ...]
    operator: str
    was: str | None = None
    text: str | None = None
    row: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        if self.text is None:
            return "struck out"
        return "added" if self.was is None else "changed"

    @property
    def key_before(self) -> Key:
        return self.fact_ids, self.operator, normalise(self.was or "")

    @property
    def key_after(self) -> Key:
        return self.fact_ids, self.operator, normalise(self.text or "")


def key_of(example: Example) -> Key:
    """What an edit knows a text by."""
    return example.origin.fact_ids, example.origin.operator, normalise(example.text)


# The file


@dataclass(frozen=True, slots=True)
class Edits:
    """All edits of a run; `file` is the sha256 of the file that they were read off."""

    edits: tuple[Edit, ...] = ()
    file: str = ""

    @property
    def mark(self) -> str:
        """What the stage that does them depends on; "" where there are none."""
        return fingerprint([to_json(edit) for edit in self.edits]) if self.edits else ""

    def __str__(self) -> str:
        """How many there are: "2 struck out, 1 added"."""
        kinds = [edit.kind for edit in self.edits]
        counts = {kind: kinds.count(kind) for kind in ("struck out", "changed", "added")}
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def read(path: Path) -> Edits:
    """The edits of an edited.jsonl; none where there is no such file. Raises BadInput."""
    if not path.exists():
        return Edits()
    head, *rows = [*read_jsonl(path)] or [{}]
    try:
        return Edits(tuple(map(_edit_from_json, rows)), head["file"])
    except (KeyError, TypeError) as error:
        hint = "it is not to be changed by hand; take all edits back: --edited none"
        raise BadInput(f"{path}: not the edits of a run", hint=hint) from error


def write(path: Path, edits: Edits) -> None:
    """The edits -> edited.jsonl; no file where there are none."""
    if edits.edits:
        write_jsonl(path, [{"file": edits.file}, *map(to_json, edits.edits)])
    else:
        path.unlink(missing_ok=True)


def _edit_from_json(row: Json) -> Edit:
    return Edit(**{**row, "fact_ids": tuple(row["fact_ids"])})


# Done to the kept texts


class Editor:
    """Does the edits to the kept texts, one after the other, and then adds what is left.

    Args:
        edits: all of them; those on facts that are gone do nothing.
        facts: of the run.

    Attributes:
        counts: how many texts were struck out, changed and added, and how many edits are on facts
            that are gone.
    """

    def __init__(self, edits: Sequence[Edit], facts: Iterable[Fact]) -> None:
        self._facts = {fact.id: fact for fact in facts}
        self._edits = [edit for edit in edits if set(edit.fact_ids) <= set(self._facts)]
        self._standing: set[Key] = set()  # what the user has written and is there
        self._waiting: dict[Key, list[Edit]] = {}
        for edit in self._edits:
            if edit.was is not None:
                self._waiting.setdefault(edit.key_before, []).append(edit)
        gone = len(edits) - len(self._edits)
        self.counts = {"struck": 0, "changed": 0, "added": 0, "gone": gone}

    def edit(self, example: Example) -> Example | Rejected:
        """A kept text as the user wants it."""
        if example.origin.engine in (USER, EDITED):  # done in an earlier round
            self._standing.add(key_of(example))
            return example
        waiting = self._waiting.get(key_of(example))
        if not waiting:
            return example
        edit = waiting.pop(0)
        if edit.text is None or edit.key_after in self._standing:
            self.counts["struck"] += 1
            return _struck(example, edit)
        self.counts["changed"] += 1
        self._standing.add(edit.key_after)
        origin = replace(example.origin, engine=EDITED)
        return replace(
            example, text=edit.text, origin=origin, row=edit.row, agreement=None, known=None
        )

    def added(self) -> Iterator[Example]:
        """What the user has written and does not stand yet, in the place of no text of a model."""
        numbers: dict[str, int] = {}
        for edit in self._edits:
            if edit.text is None or edit.key_after in self._standing:
                continue
            self._standing.add(edit.key_after)
            self.counts["added"] += 1
            of = Premises(tuple(self._facts[fact_id] for fact_id in edit.fact_ids)).id
            number = numbers[of] = numbers.get(of, -1) + 1
            yield Example(
                id=str(ExampleId(of, BY_HAND, number)),
                text=edit.text,
                origin=Origin(edit.fact_ids, edit.operator, USER, "", 0, number, ""),
                row=edit.row,
            )


def _struck(example: Example, edit: Edit) -> Rejected:
    why = STRUCK if edit.text is None else CHANGED_BEFORE
    return Rejected(example.id, example.text, USER, why, example.origin)
