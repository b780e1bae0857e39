"""augmlx doctor: what this machine can run, and what is missing."""

from __future__ import annotations

import rich_click as click

from augmlx.cli.common import echo_json, json_option


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Show what this machine can run and what is missing, with what to do about it.

    Exits 0 if the main job can run, else 1.

    \b
    Example:
      augmlx doctor
    """
    from augmlx.models.store.doctor import examine

    found, advice = examine()
    ready = not any(item.needed for item in advice)
    if as_json:
        missing = [
            {"fault": item.fault, "remedy": item.remedy, "needed": item.needed} for item in advice
        ]
        echo_json({**found, "missing": missing, "ready": ready})
    else:
        for key, value in found.items():
            click.echo(f"{_LABELS.get(key, key):<13} {_text(key, value)}")
        for item in advice:
            click.echo(
                f"{'missing' if item.needed else 'note'}: {item.fault}\n  hint: {item.remedy}"
            )
        click.echo("ready" if ready else "not ready: the main job cannot run yet")
    context.exit(0 if ready else 1)


_LABELS = {
    "memory_bytes": "memory",
    "free_bytes": "free on disk",
    "blas": "BLAS",
    "gflops": "GFLOP/s",
    "python": "Python",
}


def _text(key: str, value: object) -> str:
    if isinstance(value, int) and key.endswith("_bytes"):
        return f"{value / 1e9:.1f} GB"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "-" if value is None else str(value)
