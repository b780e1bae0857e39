"""augmlx publish: an exported folder to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from augmlx.cli import common


@click.command()
@click.argument("folder", metavar="DIR", type=common.FilePath)
@click.argument("repository", metavar="REPO")
@click.option("--public", is_flag=True, help="For everybody to read; asks for the name once more.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@common.json_option
def publish(folder: Path, repository: str, public: bool, dry_run: bool, as_json: bool) -> None:
    """Send the export in DIR to the Hugging Face Hub, as the repository REPO.

    It is private unless --public is said. The files and their sizes are listed first. What is sent
    contains the facts that were trained on. You are who `hf auth login` made you.

    \b
    Examples:
      augmlx publish runs/acme/export/peft me/acme-lora --dry-run
      augmlx publish runs/acme/export/peft me/acme-lora
    """
    from augmlx.exporting.publish import parcel, send

    going = parcel(folder, repository)
    audience = "everybody" if public else "you alone"
    for name, size in going.sizes.items():
        click.echo(f"{size:>15,}  {name}", err=True)
    total = sum(going.sizes.values())
    click.echo(f"{total:>15,}  bytes to {repository}, to be read by {audience}", err=True)
    address = None
    if not dry_run:
        if public:
            _confirm(repository)
        address = send(going, public=public)
    if as_json:
        common.echo_json(
            {
                "repository": repository,
                "private": not public,
                "files": going.sizes,
                "address": address,
            }
        )
    else:
        click.echo(address or "nothing was sent")


def _confirm(repository: str) -> None:
    """Raises UsageError unless the name is typed."""
    click.echo("whoever reads it can ask for the facts that it was trained on", err=True)
    try:
        typed = click.prompt(f"type {repository} to publish it", err=True)
    except click.Abort:
        typed = ""
    if typed.strip() != repository:
        raise click.UsageError("that is not its name; nothing was sent")
