"""The errors of formulas in a spreadsheet (#REF!, #N/A), which its reader gives as empty cells, or
as 0: read off the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile, is_zipfile

from augmlx.english.junk import is_sheet_error

Element = ElementTree.Element
# (row, column), both from 0 -> the error that is shown there
Errors = dict[tuple[int, int], str]

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE, _TEXT = f"{{{_OFFICE}:table:1.0}}", f"{{{_OFFICE}:text:1.0}}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")


def sheet_errors(path: Path, sheet: str) -> Errors:
    """The errors in a sheet of an .xlsx, .xlsm or .ods file; of others (.xls) none are known."""
    if not is_zipfile(path):
        return {}
    try:
        with ZipFile(path) as archive:
            if "content.xml" in archive.namelist():
                with archive.open("content.xml") as content:
                    return dict(_of_opendocument(content, sheet))
            with archive.open(_part_of(archive, sheet)) as content:
                return dict(_of_excel(content))
    except (BadZipFile, KeyError, ElementTree.ParseError):
        return {}  # what the spreadsheet's reader took, and is not as it should be


def cell_name(row: int, column: int) -> str:
    """A place as a spreadsheet names it: "B3" is row 2, column 1."""
    letters = ""
    number = column + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


# Excel


def _part_of(archive: ZipFile, sheet: str) -> str:
    """The part of an .xlsx that holds a sheet. Raises KeyError."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if _name(element) == "sheet" and element.get("name") == sheet:
            ids = (value for key, value in element.items() if key.endswith("}id"))
            target = targets[next(ids, None)]
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet)


def _of_excel(content: IO[bytes]) -> Iterator[tuple[tuple[int, int], str]]:
    row, column = -1, -1
    for event, element in ElementTree.iterparse(content, events=("start", "end")):
        name = _name(element)
        if event == "start" and name == "row":
            row, column = int(element.get("r", row + 2)) - 1, -1
        elif event == "end" and name == "c":
            place = _REFERENCE.fullmatch(element.get("r", ""))
            column = _column(place[1]) if place else column + 1
            if element.get("t") == "e":
                shown = next((each.text for each in element if _name(each) == "v"), None)
                yield (row, column), shown or "#ERROR!"
        elif event == "end" and name == "row":
            element.clear()


def _name(element: Element) -> str:
    """The name of an element without its namespace, of which Excel writes two."""
    return element.tag.rpartition("}")[2]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


# OpenDocument


def _of_opendocument(content: IO[bytes], sheet: str) -> Iterator[tuple[tuple[int, int], str]]:
    row = 0
    is_meant = False
    for event, element in ElementTree.iterparse(content, events=("start", "end")):
        if element.tag == f"{_TABLE}table" and event == "start":
            row, is_meant = 0, element.get(f"{_TABLE}name") == sheet
        elif element.tag == f"{_TABLE}table-row" and event == "end":
            repeated = int(element.get(f"{_TABLE}number-rows-repeated", 1))
            for column, shown in _errors_of_row(element) if is_meant else ():
                yield from (((row + again, column), shown) for again in range(repeated))
            row += repeated
            element.clear()


def _errors_of_row(row: Element) -> Iterator[tuple[int, str]]:
    """(column, error) of the cells of a row: of formulas, for a text may be anything."""
    column = 0
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        repeated = int(cell.get(f"{_TABLE}number-columns-repeated", 1))
        shown = "".join(text for part in cell.iter(f"{_TEXT}p") for text in part.itertext())
        if cell.get(f"{_TABLE}formula") and is_sheet_error(shown):
            yield from ((column + again, shown) for again in range(repeated))
        column += repeated
