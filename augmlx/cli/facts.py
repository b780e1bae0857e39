"""augmlx facts: what is read of files, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from augmlx.cli import common
from augmlx.cli.progress import progress_here
from augmlx.core.counting import counted

if TYPE_CHECKING:
    from augmlx.data.fact_sheet import SheetRow
    from augmlx.data.facts import FactTable


@click.command()
@click.argument("files", type=common.FilePath, nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    type=common.FilePath,
    help="The table to write, .csv or .jsonl; without it the facts are printed.",
)
@click.option("--column", help="The column that holds the facts; by default fact or text.")
@click.option(
    "--model",
    help="Let this model of the store, or model folder, say each sentence in statements that stand "
    "alone.",
)
@common.json_option
def facts(
    files: tuple[Path, ...],
    out: Path | None,
    column: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Show what is read of FILES before anything is generated: one fact a row, with its source, and
    what was left out, with the reason.

    FILES are tables (CSV, TSV, JSON, Parquet, .xlsx, .ods), training sets, plain text, Markdown,
    Word, HTML or PDF. The table that is written can be looked at, edited and given to augmlx run: a
    row with something in left_out is no fact.

    With --model each English sentence becomes statements that stand alone: its pronouns resolved by
    the sentences before it, one thing said in each. What the model writes is taken only where it
    says the same; else a sentence stays as it is, with a note, or is left out where it says nothing
    without another. What was written is kept in FACTS.csv.journal, so the command may be stopped
    and run again. A table that was edited by hand is never overwritten.

    \b
    Example:
      augmlx facts handbook.docx prices.xlsx -o facts.csv
      augmlx facts handbook.docx -o facts.csv --model smollm2-135m
    """
    from augmlx.augment.alone.saving import save_sheet
    from augmlx.data.fact_sheet import sheet_rows
    from augmlx.data.facts import read_facts

    tables = [read_facts(path, column=column) for path in files]
    made = _made(tables, model, out) if model is not None else None
    rows = sheet_rows(tables, made)
    kept = [row for row in rows if not row.left_out]
    if out is not None:
        save_sheet(out, rows, tables)
    for table in tables:
        for note in table.notes:
            click.echo(note, err=True)
    if as_json:
        left_out = [{"source": row.source, "why": row.left_out} for row in rows if row.left_out]
        shown = [{"fact": row.fact, "source": row.source} for row in kept]
        common.echo_json({"facts": shown, "left_out": left_out, "out": out and str(out)})
        return
    if out is None:
        for row in kept:
            click.echo(f"{row.source}\t{row.fact}")
    click.echo(f"{counted(len(kept), 'fact')}, {len(rows) - len(kept)} left out", err=out is None)
    if out is not None:
        click.echo(f"wrote {out}", err=True)


def _made(tables: list[FactTable], model: str, out: Path | None) -> list[list[SheetRow]]:
    """The rows of each table's facts as a model says them."""
    from augmlx.augment.alone.saving import check_unedited, journal_of
    from augmlx.augment.alone.splitting import split_by_model

    if out is not None:
        check_unedited(out, tables)
    journal = journal_of(out) if out is not None else None
    return split_by_model(tables, model, journal, progress_here())
