"""What stands in a cell or on a line where a statement should be, and says nothing."""

from __future__ import annotations

import re

from augmlx.english.lexicon import rows

_ADDRESS = re.compile(r"(https?://|www\.)\S+|[\w.+-]+@[\w-]+\.\w[\w.]*")
# What spreadsheets write where a formula fails: #REF!, #N/A, #VALUE!, #WERT!, Err:502.
_SHEET_ERROR = re.compile(r"#[A-ZÄÖÜ/0-9]{2,12}[!?]?|Err:\d{3}")

_PLACEHOLDERS = frozenset(rows("placeholders"))
_AROUND = "<>[](){}.!?:- "


def why_no_statement(text: str) -> str | None:
    """Why a text is no statement, its noun first; None where it may be one."""
    bare = text.strip().strip("\"'")
    if not bare or not any(map(str.isalnum, bare)):
        # Letters of other kinds, such as an emoji, may say something.
        return "mark without a word" if bare.isascii() else None
    if " " not in bare:
        if _ADDRESS.fullmatch(bare):
            return "bare link"
        if is_sheet_error(bare):
            return "error of a spreadsheet"
    return "placeholder" if bare.casefold().strip(_AROUND) in _PLACEHOLDERS else None


def is_sheet_error(text: str) -> bool:
    """Whether a text is what a spreadsheet shows where a formula fails."""
    return bool(_SHEET_ERROR.fullmatch(text))
