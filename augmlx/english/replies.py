"""What a model says -> the one sentence that was meant: without talk before it, labels, numbering,
quotes, Markdown and what follows it. What the source holds itself is never taken off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from augmlx.english.lexicon import STOPWORDS, either, rows, word_set
from augmlx.english.text import QUESTION_MARKS, lower_words, normalise

_THOUGHT = re.compile(r"\A(?:(?!<think>).)*?</think>|<think>.*?(?:</think>|\Z)", re.DOTALL)
# A line of Markdown that says nothing by itself.
_RULE = re.compile(r"[-*_=~`]{3,}\w*")
_NUMBER = re.compile(r"(?:\(?\d{1,3}[.)]|[-*+•–—])\s+(?=\S)")
_HEADING = re.compile(r"(?:#{1,6}|>+)\s+(?=\S)")
_EMPHASIS = (
    re.compile(r"(\*\*|__|``|`)(?=\S)(.+?)(?<=\S)\1"),
    re.compile(r"(?<!\w)([*_])(?=\S)(.+?)(?<=\S)\1(?!\w)"),
)
_MARK = re.compile(r"\*\*|__|``|[*_`]")  # at the end of a text, where it was opened before it
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "「": "」"}
_LABEL = re.compile(r"([^:\n]{1,80}):\s*(?=\S)")
_ASSENT = re.compile(rf"(?i:{either('assents')})[!.,]\s+(?=[^\W\da-z_]|[\"“*])")
_ANSWERED = re.compile(
    rf"(?<=[.!?\"”])\s+\(?[*_]*(?:{'|'.join(rows('prompt_labels'))})s?[*_]*\s*:.*", re.IGNORECASE
)
_QUESTION = re.compile(r"[^?？؟]*[?？؟]+[\"”’»」*_`)\]]*")


@dataclass(frozen=True, slots=True)
class Reply:
    """What was meant by a reply.

    Attributes:
        text: one line, or "" where there is none.
        removed: what was taken off, each named once, in the order in which it was: "thinking",
            "talk" (before the text), "rest" (what stood behind it), "label", "numbering",
            "markup", "quotes".
    """

    text: str
    removed: tuple[str, ...] = ()


def read_reply(
    text: str, source: str = "", *, labels: Sequence[str] = (), asks: bool = False
) -> Reply:
    """The one sentence that a reply means.

    Args:
        text: the whole reply.
        source: what it is about; markup that stands there is none here.
        labels: of the prompt, such as "Result", besides those that are known.
        asks: whether a question is wanted; of several, and their answers, the first is taken.
    """
    if text.strip() == source.strip() and "\n" not in text.strip():
        return Reply(text.strip())
    reader = _Reader(source, frozenset(label.casefold() for label in labels), asks)
    removed: dict[str, None] = {}
    while True:
        before = text
        names: list[str] = []
        text = reader.read(text, names)
        removed |= dict.fromkeys(names)
        if text == before:
            return Reply(text, tuple(removed))


def read_pair(text: str, source: str = "", *, labels: Sequence[str]) -> tuple[Reply, str]:
    """The first question of a reply, and the answer that stands behind it: what is left of its
    line, or else the next line. "" where there is none.
    """
    text = without_thinking(text)
    asked = _QUESTION.match(text)
    if asked is None:
        return read_reply(text, source, labels=labels, asks=True), ""
    lines = text[asked.end() :].strip().splitlines()
    line = lines[0].strip() if lines else ""
    label = re.match(rf"[*_]*(?i:{'|'.join(map(re.escape, labels))})[*_\s]*[:：][*_\s]*", line)
    if label is not None:
        line = line[label.end() :]
    answer = read_reply(line, source).text
    question = read_reply(asked[0], source, labels=labels, asks=True)
    has_more = any(map(str.strip, lines[1:]))
    removed = (
        *question.removed,
        *(["rest"] if has_more and "rest" not in question.removed else []),
    )
    return Reply(question.text, removed), answer


def without_thinking(text: str) -> str:
    """A reply without what its model thought aloud."""
    return _THOUGHT.sub("", text).lstrip()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes off one layer after the other. What is taken off is added to `names`."""

    source: str
    labels: frozenset[str]
    asks: bool

    def read(self, text: str, names: list[str]) -> str:
        """One pass over a text; each makes it shorter or leaves it as it is."""
        text = text.strip()
        answer = self._answer(text)
        if answer != text:
            names.append("thinking")
        text = self._line(answer, names)
        for name, layer in (
            ("markup", self._unmarked),
            ("numbering", lambda line: self._without(_NUMBER, line)),
            ("label", self._unlabelled),
            ("talk", lambda line: self._without(_ASSENT, line)),
            ("rest", self._ended),
            ("quotes", self._unquoted),
        ):
            inner = layer(text).strip()
            if inner != text:
                names.append(name)
                text = inner
        return text

    # The line that is meant

    def _answer(self, text: str) -> str:
        """A reply without thinking, unless the source speaks of its tags."""
        return text if "think>" in self.source else without_thinking(text).strip()

    def _line(self, text: str, names: list[str]) -> str:
        """The line of a text that is meant."""
        lines = [line.strip() for line in text.splitlines()]
        if len(lines) < 2:
            is_label = text.endswith(":") and self._is_label(text)
            return "" if is_label else text
        said = [number for number, line in enumerate(lines) if self._says_something(line)]
        if not said:
            return ""
        chosen = self._chosen(lines, said)
        if any(lines[:chosen]):
            names.append("talk")
        if any(lines[chosen + 1 :]):
            names.append("rest")
        return lines[chosen]

    def _chosen(self, lines: Sequence[str], said: Sequence[int]) -> int:
        """The first line that asks, where a question is wanted; else the first that speaks of what
        the source does; else the first that says something.
        """
        for number in said:
            if self.asks and any(mark in lines[number] for mark in QUESTION_MARKS):
                return number
        subject = _content_words(self.source)
        for number in said:
            if not self.asks and subject & _content_words(lines[number]):
                return number
        return said[0]

    def _says_something(self, line: str) -> bool:
        """Whether a line is more than a rule, a fence, a label, or talk that leads on to others."""
        if not normalise(line) or _RULE.fullmatch(line):
            return False
        leads_on = line.rstrip("*_").endswith((":", "："))
        return not leads_on and not self._is_label(line)

    # Labels and talk

    def _is_label(self, line: str) -> bool:
        """Whether a line is a label and nothing else."""
        bare = _NUMBER.sub("", _HEADING.sub("", line)).strip("*_ ")
        if bare.endswith((".", *QUESTION_MARKS)) or self._in_source(bare):
            return False
        return self._names_a_text(bare)

    def _unlabelled(self, line: str) -> str:
        """A line without the label, or the talk, that leads on to it."""
        found = _LABEL.match(line)
        if found is None or not self._names_a_text(found[1]):
            return line
        is_kept = self._in_source(found[0].strip())
        return line if is_kept else line[found.end() :]

    def _names_a_text(self, label: str) -> bool:
        """Whether a label is one of the prompt's, or made of words that name a text alone."""
        if label.casefold().strip("*_: ") in self.labels:
            return True
        known = word_set("label_words") | word_set("assents")
        spoken = [word.rstrip("0123456789") for word in lower_words(label)]
        return any(spoken) and all(word in known for word in filter(None, spoken))

    # Marks

    def _unmarked(self, line: str) -> str:
        """A line without the marks of Markdown."""
        line = self._without(_HEADING, line)
        for pattern in _EMPHASIS:
            line = pattern.sub(self._inner, line)
        # What an opening that was the prompt's has left behind.
        for end in (line[-2:], line[-1:]):
            is_alone = _MARK.fullmatch(end) and line.count(end) == 1
            if is_alone and end not in self.source:
                return line.removesuffix(end)
        return line

    def _inner(self, found: re.Match[str]) -> str:
        return found[0] if found[1] in self.source else found[2]

    def _unquoted(self, line: str) -> str:
        """A line without the quotes around it, or the one that an opening of the prompt's left."""
        first, last = line[:1], line[-1:]
        if line in self.source or (self.source[:1], self.source[-1:]) == (first, last):
            return line
        inner = line[1:-1]
        if inner and _QUOTES.get(first) == last and first not in inner and last not in inner:
            return inner
        is_alone = last in ('"', "”") and not set('"“„') & set(line[:-1])
        return line[:-1] if is_alone and last not in self.source else line

    def _ended(self, line: str) -> str:
        """A line without a note or an answer behind its sentence."""
        if self.asks and not any(mark in self.source for mark in QUESTION_MARKS):
            asked = _QUESTION.match(line)
            return asked[0] if asked else line
        found = _ANSWERED.search(line)
        if found is None or self._in_source(found[0].strip()):
            return line
        return line[: found.start()]

    def _without(self, pattern: re.Pattern[str], line: str) -> str:
        """A line without a mark at its beginning that stands in the source nowhere."""
        found = pattern.match(line)
        if found is None or self._in_source(found[0].strip()):
            return line
        return line[found.end() :]

    def _in_source(self, mark: str) -> bool:
        """Whether the source holds a mark, standing by itself."""
        pattern = rf"(?<!\S){re.escape(mark)}(?!\w)"
        return re.search(pattern, self.source, re.IGNORECASE) is not None


def _content_words(text: str) -> set[str]:
    return set(lower_words(text)) - STOPWORDS
