"""An edited augmented.csv beside the run that it was written by -> the user's edits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from augmlx.augment import operators
from augmlx.augment.edits import EDITED, STRUCK, USER, Edit, Key, key_of
from augmlx.augment.operators import Operator
from augmlx.core import example_id
from augmlx.core.example_id import ORIGINAL
from augmlx.core.files import read_jsonl
from augmlx.core.records import Example, Fact, Json, example_from_json
from augmlx.core.run_folder import RunFolder
from augmlx.data.edited import EditedRow, read_edited
from augmlx.data.row import bad_input

_RESULT, _ANSWER = "\x02result\x02", "\x02answer\x02"  # stand in a template for what is read


def edits_of(
    path: Path,
    run: RunFolder,
    facts: Sequence[Fact],
    known_operators: Mapping[str, Operator],
    earlier: Sequence[Edit],
) -> tuple[list[Edit], list[str]]:
    """What the file says otherwise than the run's model did: changed and added texts in the order
    of the file, and then what is struck out.

    Args:
        path: the file.
        run: augmented.
        facts: that it was augmented from.
        known_operators: by name.
        earlier: the edits that are in force.

    Returns:
        The edits that are to be in force, and what the user should know.

    Raises:
        BadInput: with path:line, where a row cannot be what it should be.
    """
    reader = _Reader(path, run, facts, known_operators, earlier)
    for row in read_edited(path):
        reader.take(row)
    return reader.edits(), reader.notes()


class _Reader:
    """The rows that were taken so far, beside what the run holds."""

    def __init__(
        self,
        path: Path,
        run: RunFolder,
        facts: Sequence[Fact],
        known_operators: Mapping[str, Operator],
        earlier: Sequence[Edit],
    ) -> None:
        self._path = path
        self._facts = {fact.id: fact for fact in facts}
        self._operators = known_operators
        self._earlier = {edit.key_after: edit for edit in earlier if edit.text is not None}
        self._idle = list(earlier)
        self._written = {example.id: example for example in _written(run, self._earlier)}
        self._edits: list[Edit] = []
        self._seen: set[str] = set()  # ids of texts of the model
        self._facts_seen: set[str] = set()
        self._unchanged = 0
        self._later_rounds = 0

    def take(self, row: EditedRow) -> None:
        """One row of the file. Raises BadInput."""
        parsed = example_id.parse(row.id)
        if row.is_original:
            self._take_fact(row)
        elif not row.id or parsed.is_by_hand:
            self._edits.append(self._added(row))
        elif row.id in self._written:
            self._take_written(row, self._written[row.id])
        elif parsed.round > 1:
            self._later_rounds += 1
        else:
            fault = "no text of this run has the id of the row"
            hint = "edit the augmented.csv of this run; a row that you add yourself has no id"
            raise bad_input(row.place, fault, hint)

    def edits(self) -> list[Edit]:
        """The edits that are to be in force. Raises BadInput where nothing says that the file is of
        this run.
        """
        if not self._unchanged and not self._facts_seen:
            fault = "no row of it is as this run has written it"
            raise bad_input(self._path, fault, "leave the facts in, or name the run's own file")
        struck = [
            Edit(example.origin.fact_ids, example.origin.operator, example.text)
            for example in self._written.values()
            if example.id not in self._seen
        ]
        struck += self._still_struck()
        struck.sort(key=lambda edit: edit.key_before)
        return [*self._edits, *struck]

    def notes(self) -> list[str]:
        """What the user should know."""
        notes = []
        missing = len(self._facts) - len(self._facts_seen)
        if missing:
            notes.append(
                f"{self._path}: lacks {missing} of the {len(self._facts)} facts; they are trained "
                "on all the same, for facts are changed in their own file"
            )
        if self._later_rounds:
            notes.append(
                f"{self._path}: {self._later_rounds} rows are of later rounds, which are written "
                "anew"
            )
        return notes

    def _take_fact(self, row: EditedRow) -> None:
        parsed = example_id.parse(row.id)
        fact = self._facts.get(parsed.of) if parsed.is_original else None
        if fact is None:
            fault = "a fact that this run is not over"
            raise bad_input(row.place, fault, "add it to the facts' own file, and augment that")
        if row.type not in ("", ORIGINAL) or not row.says(fact.text):
            fault = f"the fact {fact.id} is not as it is in {fact.source}"
            hint = "facts are changed in their own file: put it back here, or name the run's file"
            raise bad_input(row.place, fault, hint)
        self._facts_seen.add(fact.id)

    def _take_written(self, row: EditedRow, example: Example) -> None:
        operator = example.origin.operator
        if row.type not in ("", operator):
            fault = f"the type of this text is {operator}"
            raise bad_input(row.place, fault, "put it back; or empty the id: it is then yours")
        self._seen.add(row.id)
        if row.says(example.text):
            self._unchanged += 1
            return
        text, question = self._read(row, operator, is_question=example.row is not None)
        self._edits.append(Edit(example.origin.fact_ids, operator, example.text, text, question))

    def _added(self, row: EditedRow) -> Edit:
        if row.type not in self._operators:
            fault = "a text of your own needs a 'type' that says what it is"
            raise bad_input(row.place, fault, f"one of {', '.join(sorted(self._operators))}")
        fact_ids = self._sources(row)
        is_question = self._operators[row.type].answer != "none"
        text, question = self._read(row, row.type, is_question=is_question)
        edit = Edit(fact_ids, row.type, None, text, question)
        return self._earlier.get(edit.key_after, edit)

    def _sources(self, row: EditedRow) -> tuple[str, ...]:
        """The facts that a row names; an id may hold spaces itself."""
        named = (row.sources,) if row.sources in self._facts else tuple(row.sources.split())
        if not named or not set(named) <= set(self._facts):
            fault = "'sources' does not name facts of this run"
            hint = "write the id of the fact that the text is about, as other rows have it"
            raise bad_input(row.place, fault, hint)
        return named

    def _read(
        self, row: EditedRow, operator_name: str, *, is_question: bool
    ) -> tuple[str, Json | None]:
        """The text of a row; of a question also its prompt and completion."""
        if not is_question:
            return row.text, None
        operator = self._operators.get(operator_name)
        if operator is None:
            fault = f"the operator {operator_name} is not there any more"
            raise bad_input(row.place, fault, "put its file back, or the text of the row")
        template = operators.output(operator, _RESULT, _ANSWER)
        pattern = re.escape(template)
        for mark, group in ((_RESULT, r"(?P<result>\S.*?)"), (_ANSWER, r"(?P<answer>\S.*?)")):
            pattern = pattern.replace(re.escape(mark), group, 1)
        pattern = re.sub(r"(?:\\?\s)+", r"\\s*", pattern)
        match = re.fullmatch(pattern, row.text, re.DOTALL)
        if match is None:
            shape = operators.output(operator, "...", "...").replace("\n", " / ")
            fault = "a question without its answer, or an answer without its question"
            raise bad_input(row.place, fault, f"write it as the others are: {shape}")
        found = match.groupdict()
        question = {"prompt": found["result"], "completion": found.get("answer", "")}
        return operators.output(operator, question["prompt"], question["completion"]), question

    def _still_struck(self) -> list[Edit]:
        """Earlier edits to texts that the model does not write at present stay."""
        present = {key_of(example) for example in self._written.values()}
        kept = set(map(id, self._edits))
        idle = [
            edit
            for edit in self._idle
            if edit.was is not None and edit.key_before not in present and id(edit) not in kept
        ]
        return [replace(edit, text=None, row=None) for edit in idle]


def _written(run: RunFolder, earlier: Mapping[Key, Edit]) -> Iterable[Example]:
    """The texts of the model that were kept but for the user, as the model wrote them."""
    for example in run.kept_examples():
        if example.origin.engine == EDITED:
            edit = earlier.get(key_of(example))
            yield replace(example, text=edit.was) if edit and edit.was else example
        elif example.origin.engine != USER:
            yield example
    for row in read_jsonl(run.rejected):
        if row["by"] == USER and row["why"] == STRUCK:
            yield example_from_json(row)
