"""What the commands share: options, settings, progress."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from augmlx.core.records import Json, fingerprint

if TYPE_CHECKING:
    from augmlx.augment.stage import Writer
    from augmlx.core.settings import Settings
    from augmlx.data.facts import FactTable
    from augmlx.engines.protocol import Engine

F = TypeVar("F", bound=Callable[..., Any])
FilePath = click.Path(path_type=Path)


class Terminated(KeyboardInterrupt):
    """SIGTERM: it ends what it finds in the way of a Ctrl-C, also where that would only stop a
    part.
    """


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout."
)
out_option = click.option(
    "-o", "--out", type=FilePath, required=True, help="The run folder; made if missing."
)
questions_option = click.option(
    "--questions",
    type=FilePath,
    help="CSV or JSONL with prompt, answer, kind (and choices, aliases) to evaluate on.",
)


def settings_options(command: F) -> F:
    """--model, --seed and --set: what can be said over augmlx.toml."""
    options = [
        click.option("--model", help="A model of the store, or a model folder."),
        click.option("--seed", type=int, help="All randomness is derived from it."),
        click.option(
            "-s",
            "--set",
            "pairs",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any setting of augmlx.toml, such as train.epochs=20; may be repeated.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def overrides(model: str | None, seed: int | None, pairs: tuple[str, ...]) -> dict[str, Any]:
    """Flags as dotted keys. A value is read as TOML, and as a plain word where it is no TOML."""
    values: dict[str, Any] = {"model": model, "seed": seed}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"--set {pair!r}: write KEY=VALUE, such as train.epochs=20")
        values[key.strip()] = _value(text)
    return values


def _value(text: str) -> Any:
    try:
        # ".5" is no number in TOML, though people write it.
        return tomllib.loads(f"value = {'0' * text.startswith('.')}{text}")["value"]
    except (ValueError, RecursionError):
        return text


@dataclass(frozen=True, slots=True)
class Served:
    """A server whose model writes in the place of a stored one. It is named on the command line
    alone: where one's data go is nothing to be found in a file.
    """

    url: str
    model: str
    allow_remote: bool

    @property
    def mark(self) -> str:
        return f"http:{fingerprint([self.url, self.model])}"

    def engine(self) -> Engine:
        """Raises BadSettings and ModelError."""
        from augmlx.engines.http import HttpEngine

        key = os.environ.get("AUGMLX_API_KEY") or None
        return HttpEngine(self.url, model=self.model, key=key, allow_remote=self.allow_remote)


@dataclass(frozen=True, slots=True)
class FromFacts:
    """What a command that starts from facts was given."""

    path: Path
    column: str | None
    config: Path | None
    overrides: Mapping[str, Any]  # settings, as dotted keys
    server: Served | None

    @property
    def has_options(self) -> bool:
        """Whether any option besides FACTS was given."""
        options = [self.column, self.config, self.server, *self.overrides.values()]
        return any(value is not None for value in options)

    @property
    def writer(self) -> Writer | None:
        from augmlx.augment.stage import Writer

        return Writer(self.server.mark, self.server.engine) if self.server else None

    def table(self) -> FactTable:
        """The facts. Raises BadInput."""
        from augmlx.data.facts import read_facts

        return read_facts(self.path, column=self.column)

    def settings(self) -> tuple[Settings, Path | None]:
        """The settings, and the folder of the augmlx.toml that they come from, if any."""
        from augmlx.augment.operators import exemplars
        from augmlx.core import settings_file

        places = [Path("augmlx.toml"), self.path.parent / "augmlx.toml"]
        config = self.config or next((place for place in places if place.is_file()), None)
        unread = self.path.parent / exemplars.FILE
        if config is None and unread.is_file():
            click.echo(
                f"{unread}: is not read, for there is no augmlx.toml beside it "
                "(augmlx init DIR writes one)",
                err=True,
            )
        return settings_file.load(config, self.overrides), config and config.parent


def facts_options(command: Callable[..., None]) -> Callable[..., None]:
    """FACTS and the options that go with it, handed to the command as one FromFacts, `given`. A
    command that has an option --explain needs no FACTS with it.
    """

    @wraps(command)
    def wrapper(
        facts: Path | None,
        column: str | None,
        config: Path | None,
        model: str | None,
        seed: int | None,
        pairs: tuple[str, ...],
        server: str | None,
        server_model: str | None,
        allow_remote: bool,
        **rest: Any,
    ) -> None:
        if facts is None and rest.get("explain") is None:
            raise click.UsageError("Missing argument 'FACTS'.")
        if server is None and (allow_remote or server_model):
            raise click.UsageError("--allow-remote and --server-model go with --server URL")
        served = Served(server, server_model or "", allow_remote) if server is not None else None
        given = FromFacts(facts or Path(), column, config, overrides(model, seed, pairs), served)
        command(given=given, **rest)

    options = [
        click.argument("facts", type=FilePath, required=False),
        click.option("--column", help="The column that holds the facts; by default fact or text."),
        click.option(
            "--config",
            type=FilePath,
            help="The settings; by default augmlx.toml here, or beside the facts.",
        ),
        settings_options,
        click.option(
            "--server",
            metavar="URL",
            help="Let the model of an OpenAI-compatible server write, such as "
            "http://127.0.0.1:8080/v1 (mlx_lm.server, LM Studio, Ollama, vLLM). Its key, if it "
            "needs one, is read from AUGMLX_API_KEY.",
        ),
        click.option(
            "--server-model",
            metavar="NAME",
            help="Which of the server's models; by default its only one.",
        ),
        click.option(
            "--allow-remote",
            is_flag=True,
            help="Allow a --server on another machine: your facts go there.",
        ),
    ]
    for option in reversed(options):
        wrapper = option(wrapper)
    return wrapper


def run_settings(run: Path, given: Mapping[str, Any]) -> Settings:
    """Settings for a command on a run folder: the ones it was made with, and what is said over
    them.
    """
    from augmlx.core import settings_file
    from augmlx.core.run_folder import RunFolder

    RunFolder(run).require()
    path = RunFolder(run).settings
    return settings_file.load(path if path.exists() else None, given)


def echo_json(value: Json) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
