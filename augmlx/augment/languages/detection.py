"""Which language a fact is written in. Where that is not sure it is English: a short English fact
that speaks of foreign names must stay English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from augmlx.augment.languages.lexicon import ENGLISH, OTHERS, lexicon

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Measured on the exam's facts and 40 short English ones that are full of foreign names: of those
# one passes ("Cien años de soledad won prizes."), and all foreign facts do.
_SURE = 0.95
_LIKELY = 0.45  # enough where a small word tells as well, or most other facts
# Its neighbours are told apart from each language, so that Portuguese is not taken for Spanish.
_NEIGHBOURS = ("it", "pt", "ca", "nl", "da", "sv", "pl")
_HAN = re.compile("[\u3400-\u9fff]")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
_CHINESE = "zh"


def languages_of(texts: Sequence[str]) -> list[str]:
    """The language of each text of a file: one of OTHERS, or ENGLISH for all else.

    A text that could be of the language in which most of the others are is taken to be.
    """
    likely = [_likely(text) for text in texts]
    sure = [
        code if _is_sure(code, text) else ENGLISH for code, text in zip(likely, texts, strict=True)
    ]
    ((usual, count),) = Counter(sure).most_common(1) or ((ENGLISH, 0),)
    if 2 * count <= len(texts):
        usual = ENGLISH
    return [usual if code == usual else known for code, known in zip(likely, sure, strict=True)]


def language_of(text: str) -> str:
    """The language of a text by itself."""
    return languages_of([text])[0]


def _likely(text: str) -> str:
    """What a text is most likely written in; ENGLISH where nothing is likely enough."""
    if _is_chinese(text):
        return _CHINESE
    code, probability = _likeliest(text)
    return code if code in OTHERS and probability >= _LIKELY else ENGLISH


def _is_sure(code: str, text: str) -> bool:
    if code in (ENGLISH, _CHINESE):
        return True
    return _likeliest(text)[1] >= _SURE or _has_telling_word(code, text)


def _is_chinese(text: str) -> bool:
    """Whether most letters are Han characters, and none is Japanese or Korean."""
    han = len(_HAN.findall(text))
    return 2 * han > len(_LETTER.findall(text)) and not _KANA_OR_HANGUL.search(text)


def _has_telling_word(code: str, text: str) -> bool:
    """Whether a small word of the language stands in a text, and not as part of a name."""
    words = re.findall(r"[^\W\d_]+", text)
    return any(word in lexicon(code).telling for word in words)


@lru_cache(maxsize=4096)
def _likeliest(text: str) -> tuple[str, float]:
    code, probability = _identifier().classify(text)
    return str(code), float(probability)


@cache
def _identifier() -> LanguageIdentifier:
    """py3langid's own model (Naive Bayes over bytes), over the languages that come in question."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    spelt_in_latin = [code for code in OTHERS if code != _CHINESE]
    identifier.set_languages([ENGLISH, *spelt_in_latin, *_NEIGHBOURS])
    return identifier
