"""The judge of the exam: whether a text says what its fact says, by the gold of it and some rules.

No model and no filter has a say in it. A statement is right if it differs from its fact, has all
that its gold keeps, matches none of what is wrong, names nothing new, says no name twice, adds no
negation, and in English no word that its gold lacks; a reversal must also begin as its gold says.
A question is right if its answer is one of the gold's, if it has what must be asked and a word
that fits, says nothing more, and does not give the answer away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from augmlx.augment.exam.gold import Asked, Gold
from augmlx.augment.exam.words import LETTER, fold, has, within, words
from augmlx.core.records import Example

REVERSAL, REPHRASE, QUESTION = "reversal", "rephrase", "qa"

_NEGATIONS = frozenset(
    "no not never none nobody neither nor cannot without nicht kein keine nie ohne pas jamais sans"
    " nunca sin 不 没 未".split()
)
_SMALL = frozenset(  # what an answer may have besides: the grammar of five languages
    "the a an of in on at to by for with from and is are was were be it its that which who he she"
    " they per as if when der die das den dem des ein eine einen im am von vom zu zum zur ist um le"
    " la les un une du de d' en au est à il elle el los las una del al es son se"
    " 在 是 的 了 于".split()
)
_ADDED = frozenset(  # what small models like to add, and it changes what is said
    "only last first most best worst former formerly famous popular our your my owner owns owned"
    " belongs perhaps maybe probably possibly might sometimes usually often".split()
)
_NEUTRAL = frozenset(  # what any English sentence may have without saying more or something else
    "a an the this that these those there here it its they them their he him his she her who whom"
    " whose which what where when why how one ones you anyone everyone people person man woman"
    " thing something someone somebody is are was were be been being am do does did has have had"
    " can of in on at to by for with from as into onto about under within during among between per"
    " and but or so then while whereas although though than if because since also too itself such"
    " same very just still already indeed own"
    " get gets got give gives gave given giving make makes made making take takes took taken place"
    " hold holds held holding come comes came find finds found locate located situated see seen"
    " call calls called name names named known know refer refers described describe say says said"
    " state states stated according serve serves served act acts acted work works belong consist"
    " consists include includes included contain contains contained provide provides provided"
    " receive receives received require requires required need needs needed allow allows allowed"
    " permit permitted use uses used using happen happens occur occurs occurred set put bring"
    " brought carry carries carried form forms formed part amount number total fact reason way case"
    " time day year total kind type order go goes went mean means lead leads lie lies happen look"
    " looks related role".split()
)
_NAMES_A_KIND = frozenset("which what how whose".split())
_STEM = 4  # letters that an inflected word shares with the gold's at least
_ASKING = {
    "en": re.compile(r"\b(who|whom|whose|what|which|when|where|why|how)\b|^name\b"),
    "de": re.compile(
        r"\b(we[rnm]|wessen|was|wann|wo\w*|warum|weshalb|wie\w*|welche\w*)\b",
    ),
    "fr": re.compile(r"\b(qu\w*|lequel|où|combien|comment|pourquoi)"),
    "es": re.compile(r"\b(qu[ié]\w*|cu[áa]\w+|d[óo]nde|c[óo]mo)\b"),
    "zh": re.compile("谁|什么|哪|几|多|何|怎|吗"),
}
_PEOPLE = "^(who|whom|whose)$"
_UNFIT = {  # kind of answer -> the words that do not ask for it
    "person": re.compile("^(when|where|why|how|what (is|was|are|were|does|did|do|has|had))$"),
    "org": re.compile("^(when|where|why|how)$"),
    "thing": re.compile(f"{_PEOPLE}|^(when|where|why)$"),
    "place": re.compile(f"{_PEOPLE}|^(when|why|how)$"),
    "time": re.compile(f"{_PEOPLE}|^(where|why)$"),
    "amount": re.compile(f"{_PEOPLE}|^(when|where|why)$"),
    "cause": re.compile(f"{_PEOPLE}|^(when|where)$"),
}
_CHOICE = re.compile(r"\b(or|oder|ou|o)\b|还是")  # a question that names the answers to choose from
_YES_OR_NO = frozenset("no yes nein non 不 是".split())
_ARTICLE = re.compile(
    r"^\W*(the|a|an|der|die|das|den|dem|ein|eine|einen|le|la|les|un|une|el|los|las|una) |^\W*l'"
)
_SMALL_NOUNS = ("en", "fr", "es")  # where a capital inside a sentence makes a name


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a model wrote about one fact; `answer` is empty in a statement."""

    fact_id: str
    operator: str
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one text.

    `form` is "reversal", "rephrase" or "qa"; `broken` the rule that it breaks, "" where it is
    right; `end` the end of the fact that a right question asks for.
    """

    form: str
    broken: str
    end: int | None = None


def written_of(example: Example) -> Written | None:
    """A kept example as the judge reads it; None for one that joins several facts."""
    origin = example.origin
    if len(origin.fact_ids) != 1:
        return None
    text, answer = example.text, ""
    if text.startswith("Question:"):
        text, _, answer = text.removeprefix("Question:").partition("\nAnswer:")
    if example.row is not None and "completion" in example.row:
        text, answer = str(example.row["prompt"]), str(example.row["completion"])
    return Written(origin.fact_ids[0], origin.operator, text.strip(), answer.strip())


def judge(gold: Gold, written: Written) -> Verdict | None:
    """Judge a text against the gold of its fact; None where its operator is not examined."""
    if written.operator.startswith("qa"):
        broken, end = judge_question(gold, written.text, written.answer)
        return Verdict(QUESTION, broken, end)
    if written.operator not in (REVERSAL, REPHRASE):
        return None
    broken = judge_statement(gold, written.text)
    if not broken and written.operator == REVERSAL:
        broken = _not_turned(gold, written.text)
    return Verdict(written.operator, broken)


# Statements


def judge_statement(gold: Gold, text: str) -> str:
    """The rule that a statement breaks; "" where it says what the fact says."""
    plain = fold(text)
    if words(text) == words(gold.fact):
        return "equals its source"
    if lost := _lacking(plain, gold.keep):
        return f"lacks {lost!r}"
    for rule in gold.wrong:
        if rule.search(plain):
            return f"matches {rule.pattern!r}"
    if name := _stranger(gold, text):
        return f"names {name!r}, which is not in the source"
    return _added(gold, text) or _said_twice(gold, plain) or _says_more(gold, text)


def _not_turned(gold: Gold, text: str) -> str:
    if gold.reversal is None:
        return ""
    plain = fold(text).lstrip("\"'")
    starts = (re.escape(fold(start)) + f"(?!{LETTER})" for start in gold.reversal.starts)
    if not any(re.match(start, plain) for start in starts):
        return "is not turned"
    lost = _lacking(fold(text), gold.reversal.contains)
    return f"reversal lacks {lost!r}" if lost else ""


def _lacking(plain: str, parts: tuple[str, ...]) -> str:
    return next((part for part in parts if not has(plain, part)), "")


def _stranger(gold: Gold, text: str) -> str:
    """A number, or where nouns are small a name, that neither the fact nor its gold has."""
    known = set(re.findall(r"\d+|[^\W\d_]+", _plain_numbers(" | ".join(gold.said))))
    for number in re.findall(r"\d+", _plain_numbers(text)):
        if number not in known:
            return str(number)
    if gold.lang not in _SMALL_NOUNS:
        return ""
    return next((name for name in _names(text) if fold(name) not in known), "")


def _plain_numbers(text: str) -> str:
    """The folded text with "1,200" as "1200"."""
    return re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", fold(text))


def _names(text: str) -> Iterator[str]:
    """The capitalized words of two letters and more that begin no sentence."""
    for before, part in pairwise(text.split()):
        if before[-1] in ".?!:":
            continue
        for name in re.findall(r"[^\W\d_]+", part):
            if name[0].isupper() and len(name) > 1:
                yield name


def _added(gold: Gold, text: str) -> str:
    """A negation, or a word that changes what is said, which the gold does not have."""
    known = set(words(" ".join(gold.said).replace("|", " ").replace("*", "")))
    for word in words(text):
        if word not in known and _changes_the_claim(gold, word, known):
            return f"adds {word!r}"
    return ""


def _changes_the_claim(gold: Gold, word: str, known: set[str]) -> bool:
    if word in _NEGATIONS:
        return True
    if word.endswith("n't") and "n't" not in known:
        return True
    return gold.lang == "en" and word in _ADDED


def _said_twice(gold: Gold, plain: str) -> str:
    """A name or number that the statement says more often than its fact does."""
    source = fold(gold.fact)
    for part in (alternatives.split("|")[0] for alternatives in gold.keep):
        if not re.search("[A-Z0-9]", part):
            continue
        name = fold(part).strip("*")
        if plain.count(name) > max(1, source.count(name)):
            return f"says {part!r} twice"
    return ""


def _says_more(gold: Gold, text: str) -> str:
    """An English word that is neither the gold's, in any form, nor one that says nothing new.

    A gold lists the words of its paraphrases, and a single new one ("the deputy mayor", "near the
    town", "closed in spite of") most often says something else.
    """
    if gold.lang != "en":
        return ""
    known = set(words(" ".join(gold.said).replace("|", " ").replace("*", "")))
    stems = tuple(word[: max(_STEM, len(word) - 2)] for word in known if len(word) >= _STEM)
    for before, word in pairwise(["", *words(text)]):
        if word in known or word in _NEUTRAL or word.startswith(stems):
            continue
        if before not in _NAMES_A_KIND:  # "which company", "how often"
            return f"says {word!r}, which is not in the gold"
    return ""


# Questions


def judge_question(gold: Gold, question: str, answer: str) -> tuple[str, int | None]:
    """The rule that a question with its answer breaks ("" where they are right), and the end of
    the fact that it asks for.

    Where several of the gold's entries could be meant, the one that comes nearest speaks.
    """
    if not fold(question).endswith("?"):
        return "is no question", None
    faults = [(0, f"answer is none of the gold's: {answer!r}")]
    for asked in gold.asked:
        aliases = [alias for alias in asked.answers if _answers(gold, question, answer, alias)]
        if not aliases:
            continue
        depth, fault = _question_fault(gold, asked, question, aliases)
        if not fault:
            return "", asked.end
        faults.append((depth, fault))
    return max(faults)[1], None


def _question_fault(gold: Gold, asked: Asked, question: str, aliases: list[str]) -> tuple[int, str]:
    """How many rules the question passes, and the first that it breaks ("" where it is right)."""
    plain = fold(question)
    is_choice = _CHOICE.search(plain) is not None
    asking = _asking_words(gold.lang, plain)
    if lost := _lacking(plain, asked.asks):
        return 1, f"question lacks {lost!r}"
    for rule in asked.wrong:
        if rule.search(plain):
            return 2, f"question matches {rule.pattern!r}"
    if not asking and not is_choice and _bare(aliases[0])[0] not in _YES_OR_NO:
        return 2, "question asks for nothing"
    if asking and _does_not_fit(asked.kind, asking):
        return 3, f"{asking[0]!r} does not ask for a {asked.kind}"
    if not is_choice and all(within(_bare(alias), words(question)) >= 0 for alias in aliases):
        return 4, "question gives the answer away"
    if name := _stranger(gold, question):
        return 5, f"question names {name!r}, which is not in the source"
    return 6, _says_more(gold, question)


def _asking_words(lang: str, plain: str) -> list[str]:
    """The question words of a folded question; "what" with the word after it, save for a name."""
    asking = [match[0] for match in _ASKING[lang].finditer(plain)]
    return [_with_next(word, plain) for word in asking]


def _with_next(word: str, plain: str) -> str:
    if word != "what" or " name" in plain:
        return word
    pair = re.match(r"what (\w+)", plain[plain.index(word) :])
    return pair[0] if pair else word


def _does_not_fit(kind: str, asking: list[str]) -> bool:
    return kind in _UNFIT and all(_UNFIT[kind].match(word) for word in asking)


def _answers(gold: Gold, question: str, answer: str, alias: str) -> bool:
    """Whether the answer is the alias, with at most a few more words of fact or question."""
    said, meant = _bare(answer), _bare(alias)
    start = within(meant, said)
    if start < 0:
        return False
    more = said[:start] + said[start + len(meant) :]
    fitting = (set(words(gold.fact)) | set(words(question)) | _SMALL) - _NEGATIONS
    return len(more) <= (8 if gold.lang == "zh" else 4) and set(more) <= fitting


def _bare(text: str) -> list[str]:
    """The words without a leading article; all of them where nothing else is left."""
    return words(_ARTICLE.sub("", fold(text))) or words(text)
