"""Ollama's Modelfile, its template in Go made of the chat template that the model was trained with
and held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

FILE = "Modelfile"
Messages = Sequence[Mapping[str, str]]
Render = Callable[[Messages], str]  # a conversation, and the beginning of the answer

_SYSTEM, _USER, _ASSISTANT = "\ue001", "\ue002", "\ue003"  # stand for what is said
_ROLES = {"system": _SYSTEM, "user": _USER, "assistant": _ASSISTANT}


@dataclass(frozen=True, slots=True)
class GoTemplate:
    """What stands before and behind each turn, as it is in all conversations.

    Args:
        system: before and behind what the system says; None: it cannot say anything.
        without_system: what begins a conversation where it says nothing.
        opening: what begins the answer.
    """

    system: tuple[str, str] | None
    without_system: str
    user: tuple[str, str]
    assistant: tuple[str, str]
    opening: str

    def render(self, messages: Messages) -> str:
        """What Ollama puts before the model, as `text` says it."""
        said = [message["content"] for message in messages if message["role"] == "system"]
        if said and self.system is not None:
            text = self.system[0] + said[0] + self.system[1]
        else:
            text = self.without_system
        for message in messages:
            if message["role"] != "system":
                before, behind = self.user if message["role"] == "user" else self.assistant
                text += before + message["content"] + behind
        return text + self.opening

    def text(self) -> str:
        """The template in Go's language."""
        user = _literal(self.user[0]) + "{{ .Content }}" + _literal(self.user[1])
        assistant = _literal(self.assistant[0]) + "{{ .Content }}" + _literal(self.assistant[1])
        start = _literal(self.without_system)
        if self.system is not None:
            said = _literal(self.system[0]) + "{{ .System }}" + _literal(self.system[1])
            start = f"{{{{ if .System }}}}{said}{{{{ else }}}}{start}{{{{ end }}}}"
        return (
            f"{start}{{{{ range .Messages }}}}"
            f'{{{{ if eq .Role "user" }}}}{user}'
            f'{{{{ else if eq .Role "assistant" }}}}{assistant}'
            f"{{{{ end }}}}{{{{ end }}}}{_literal(self.opening)}"
        )


def go_template(render: Render, begin: str, stops: Sequence[str]) -> GoTemplate | None:
    """A chat template in Go's language; None where it cannot be said there, as where a turn depends
    on those before it. It is proven on conversations of every shape.

    Args:
        begin: the token that llama.cpp itself puts before a text; it is left out here.
        stops: what ends an answer.
    """

    def rendered(*roles: str) -> str:
        text = render([{"role": role, "content": _ROLES[role]} for role in roles])
        return text.removeprefix(begin) if begin else text

    try:
        one = rendered("user")
        three = rendered("user", "assistant", "user")
    except Exception:  # a template is a program, and may fail as any
        return None
    parts = three.split(_USER)
    if len(parts) != 3 or one.count(_USER) != 1 or parts[1].count(_ASSISTANT) != 1:
        return None
    head, last = one.split(_USER)  # ... and what begins the answer
    before_answer, behind_answer = parts[1].split(_ASSISTANT)
    for cut in _cuts(behind_answer, stops):
        made = _cut(head, last, before_answer, behind_answer, cut)
        if made is None:
            continue
        made = _with_system(made, rendered)
        if _is_proven(made, render, begin):
            return made
    return None


def _cuts(behind_answer: str, stops: Sequence[str]) -> list[int]:
    """Where a turn may end, the likely places first: behind what ends an answer, and its line."""
    behind = [behind_answer.find(stop) + len(stop) for stop in stops if stop in behind_answer]
    lines = [cut + 1 for cut in behind if behind_answer[cut : cut + 1] == "\n"]
    return list(dict.fromkeys([*lines, *behind, *range(len(behind_answer) + 1)]))


def _cut(
    head: str, last: str, before_answer: str, behind_answer: str, cut: int
) -> GoTemplate | None:
    """Where what stands behind an answer ends, and what stands before a question begins, is not
    said by any text: one of the cuts fits.
    """
    user_before = behind_answer[cut:]
    if not head.endswith(user_before):
        return None
    shared = 0
    while shared < min(len(last), len(before_answer)) and last[shared] == before_answer[shared]:
        shared += 1
    # The answer of a history may begin as the one to be given does: all of it is the opening.
    user_behind = last[:shared] if last[shared:] else ""
    opening = last[len(user_behind) :]
    return GoTemplate(
        system=None,
        without_system=head.removesuffix(user_before),
        user=(user_before, user_behind),
        assistant=(before_answer.removeprefix(user_behind), behind_answer[:cut]),
        opening=opening,
    )


def _with_system(made: GoTemplate, rendered: Callable[..., str]) -> GoTemplate:
    try:
        text = rendered("system", "user")
    except Exception:  # there are templates that refuse a system
        return made
    tail = made.user[0] + _USER + made.user[1] + made.opening
    if text.count(_SYSTEM) != 1 or not text.endswith(tail):
        return made
    before, behind = text.removesuffix(tail).split(_SYSTEM)
    return replace(made, system=(before, behind))


def _is_proven(made: GoTemplate, render: Render, begin: str) -> bool:
    said = ("Who?", "Ada.", "And\nwhere?", "Here.", "When?")
    roles = ("user", "assistant", "user", "assistant", "user")
    turns = zip(roles, said, strict=True)
    plain = [{"role": role, "content": content} for role, content in turns]
    conversations = [plain[:1], plain[:3], plain]
    if made.system is not None:
        system = {"role": "system", "content": "Be brief."}
        conversations += [[system, *messages] for messages in conversations]
    for messages in conversations:
        text = render(messages)
        if made.render(messages) != (text.removeprefix(begin) if begin else text):
            return False
    return True


def modelfile(
    source: Sequence[str],
    go: GoTemplate | None,
    stops: Sequence[str],
    *,
    template: str | None,
    note: str = "",
) -> str:
    """The file.

    Args:
        source: its first lines: FROM, and ADAPTER where there is one.
        go: the template in Go; None where there is none that is proven.
        stops: what ends an answer.
        template: the chat template itself; None: the model has none, and texts go in as they are.
    """
    lines = [f"# {note}"] if note else []
    lines += [*source, template_line(go, template)]
    lines += [f'PARAMETER stop "{stop}"' for stop in stops]
    lines.append("PARAMETER temperature 0")
    return "\n".join(lines) + "\n"


def template_line(go: GoTemplate | None, template: str | None) -> str:
    """How a model is asked, of the two as `modelfile` has them; the line may have breaks in it."""
    if go is not None:
        return f'TEMPLATE """{go.text()}"""'
    if template is None:
        return 'TEMPLATE """{{ .Prompt }}"""'
    return "# No TEMPLATE: Ollama goes by the chat template of the GGUF file"


def _literal(text: str) -> str:
    """A text that Go's templates print as it stands."""
    return text.replace("{{", '{{ "{{" }}')
