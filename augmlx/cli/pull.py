"""augmlx pull: bring a model into the store."""

from __future__ import annotations

import rich_click as click

from augmlx.cli.common import echo_json, json_option
from augmlx.core.progress import Silent


class _Messages(Silent):
    """What is going on, one line each, on stderr."""

    def say(self, text: str) -> None:
        click.echo(text, err=True)


@click.command()
@click.argument("model")
@click.option(
    "--quantize",
    type=click.Choice(["4", "8"]),
    help="Bits per weight; adds -4bit or -8bit to the name.",
)
@json_option
def pull(model: str, quantize: str | None, as_json: bool) -> None:
    """Bring MODEL into the local store. No other command uses the network without --server.

    MODEL is a name (smollm2-135m), the path of a .gguf file, or a Hugging Face id
    (org/name). A model that is in the store already is left as it is.

    \b
    Examples:
      augmlx pull smollm2-135m
      augmlx pull ./my-model.Q4_K_M.gguf
      augmlx pull Qwen/Qwen3-0.6B --quantize 4
    """
    from augmlx.models.store import folder as store
    from augmlx.models.store.pull import pull as pull_model

    stored = pull_model(
        model, quantize=None if quantize is None else int(quantize), progress=_Messages()
    )
    if as_json:
        echo_json(store.to_json(stored))
    else:
        click.echo(stored.name)
