"""A fake engine that is real code behind the protocol: a function writes the completions. For tests
and dry runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from augmlx.core.records import fingerprint
from augmlx.engines.protocol import Completion, Prompting, Request, Score, TokenCount


class ScriptedEngine:
    """Completes with `write(request)`; scores a continuation with `weigh(prompt, continuation)`, in
    nats.

    What it writes ends at the request's stop, as an engine's does; a Completion is taken as it is
    ("length", "error").
    """

    name = "scripted"
    can_score = True
    window = 4096
    prompting: Prompting = "raw"

    def __init__(
        self,
        write: Callable[[Request], str | Completion],
        *,
        weigh: Callable[[str, str], float] = lambda _prompt, continuation: (
            -float(len(continuation))
        ),
        model: str = "script",
    ) -> None:
        self.model = model
        self.fingerprint = fingerprint(["scripted", model])
        self.tokens = TokenCount()
        self.generated = 0  # how many completions were written, for tests of resume
        self._write, self._weigh = write, weigh

    def fault_of(self, prompting: Prompting) -> str | None:
        return None

    def count(self, text: str) -> int:
        return len(text.split())

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.generated += 1
            written = self._write(request)
            if isinstance(written, Completion):
                yield written
                continue
            text = written.split(request.stop)[0] if request.stop else written
            self.tokens.generated += self.count(text)
            yield Completion(request.key, text, "stop", self.count(text))

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        return [
            Score(self._weigh(prompt, continuation), max(1, len(continuation.split())))
            for prompt, continuation in zip(prompts, continuations, strict=True)
        ]
