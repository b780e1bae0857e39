"""A table of facts -> its file, never over one that was edited by hand.

The journal beside it, where a model has made one, knows what was written there; without a journal
a file is left as it is unless it holds what would be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from augmlx.augment.journal import open_journal
from augmlx.core.files import atomic
from augmlx.data.fact_sheet import SheetRow, digest, refuse_edited, sheet_content, sheet_rows
from augmlx.data.facts import FactTable


def journal_of(sheet: Path) -> Path:
    """Where what the model wrote for a sheet is kept, so that it is not written again."""
    return sheet.with_name(f"{sheet.name}.journal")


def check_unedited(sheet: Path, tables: Sequence[FactTable]) -> None:
    """Before a model is asked for hours, raises BadSettings where the table cannot be such a file,
    or one is there that is neither as it was written before nor what is read without a model.
    """
    refuse_edited(sheet, _known(sheet, tables))


def save_sheet(sheet: Path, rows: Sequence[SheetRow], tables: Sequence[FactTable]) -> None:
    """Write the table of what was read, and note in its journal, where it has one, what was
    written.

    Raises:
        BadSettings: it cannot be such a file, or one is there that was edited.
        StorageError, RunError: it, or the journal, cannot be written.
    """
    content = sheet_content(sheet, rows)
    if sheet.exists():
        refuse_edited(sheet, {*_known(sheet, tables), digest(content)})
    if journal_of(sheet).exists():
        with open_journal(journal_of(sheet)) as journal:
            journal.add_sheet(digest(content))
    with atomic(sheet) as file:
        file.write(content)


def _known(sheet: Path, tables: Sequence[FactTable]) -> set[str]:
    """The digests of what a sheet holds where nobody has edited it: what its journal says that was
    written, and what is read without a model.
    """
    known = {digest(sheet_content(sheet, sheet_rows(tables)))}
    if journal_of(sheet).exists():
        with open_journal(journal_of(sheet)) as journal:
            known |= journal.sheets()
    return known
