"""Facts in other languages: asked in their language, and judged without English grammar."""

from __future__ import annotations

import pytest

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS, Candidate, judge
from augmlx.augment.generate import generate, measure
from augmlx.augment.journal import open_journal
from augmlx.augment.judge import collect
from augmlx.augment.languages.lexicon import OTHERS
from augmlx.augment.operators import Exemplar, Operator
from augmlx.augment.operators.variants import in_language
from augmlx.augment.plan import Plan
from augmlx.core.progress import Silent
from augmlx.core.records import Example, Fact, Rejected
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Prompting, Request
from augmlx.engines.scripted import ScriptedEngine

NAMES = ["reversal", "rephrase", "qa-forward", "qa-reverse"]
SHIPPED = operators.load(NAMES, FILTERS)
ENGLISH = Fact("e", "Mara Voss is the head of the Lumen Lab.", "facts.csv:2")
GERMAN = Fact("g", "Nele Brandt leitet das Archiv in Ulm.", "facts.csv:3")
CHINESE = Fact("z", "王小明是财务部的主任。", "facts.csv:4")
SETTINGS = AugmentSettings()


def planned(facts: list[Fact], prompting: Prompting = "turns", **given: object) -> list[Request]:
    engine = ScriptedEngine(lambda _: "")
    engine.prompting = prompting
    plan = Plan(facts, SHIPPED, SETTINGS, seed=0, engine=engine, **given)  # type: ignore[arg-type]
    return [each.request for each in plan]


def records(fact: Fact, *written: str, operator: str) -> list[Example | Rejected]:
    """What becomes of what a model writes about a fact, sample by sample."""
    engine = ScriptedEngine(
        lambda request: written[int(request.seed.split(":")[-1]) % len(written)],
        weigh=lambda _, continuation: -float(len(continuation)),
    )
    plan = Plan([fact], operators.load([operator], FILTERS), SETTINGS, seed=0, engine=engine)
    with open_journal(None) as journal:
        generate(plan, engine, journal, 8, Silent())
        measure(plan, engine, journal, SETTINGS, Silent())
        return list(collect(plan, journal, SETTINGS, engine=engine, seed=0))


def objection(code: str, source: str, text: str, answer: str = "", operator: str = "") -> str:
    """What the filters of an operator say of one text; "" where they keep it."""
    name = operator or ("qa-forward" if answer else "reversal")
    filters = next(each for each in SHIPPED if each.name == name).filters
    candidate = Candidate(0, text, source, "stop", answer=answer, language=code)
    (verdict,) = judge([candidate], filters, SETTINGS)
    return verdict.why


@pytest.mark.parametrize("prompting", ["raw", "chat", "turns"])
def test_a_fact_in_another_language_changes_no_request_about_an_english_one(
    prompting: Prompting,
) -> None:
    alone = planned([ENGLISH], prompting)
    besides = [
        each for each in planned([ENGLISH, GERMAN, CHINESE], prompting) if ":e:" in each.seed
    ]
    assert besides == alone


@pytest.mark.parametrize("prompting", ["raw", "chat", "turns"])
def test_a_fact_is_put_to_the_model_in_its_language(prompting: Prompting) -> None:
    for request in planned([GERMAN], prompting):
        shown = "\n".join([request.system, str(request.turns), request.content])
        assert f"Fakt: {GERMAN.text}" in shown
        assert "Fact:" not in shown
        assert "Question" not in shown


def test_a_question_and_its_answer_are_two_lines_of_a_raw_completion() -> None:
    asked = [each for each in planned([GERMAN], "raw") if ":qa-" in each.seed]
    assert asked
    assert all(each.stop == "\n\n" for each in asked)
    assert all("Frage: Was steht hinter dem Schuppen?\nAntwort: Die Leiter" in each.prefix
               for each in asked if ":qa-reverse:" in each.seed)  # fmt: skip


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("operator", SHIPPED, ids=lambda operator: operator.name)
def test_the_worked_examples_pass_the_filters(operator: Operator, code: str) -> None:
    variant = in_language(operator, code)
    assert variant != operator
    for exemplar in variant.exemplars:
        candidate = Candidate(
            0, exemplar.result, exemplar.fact, "stop", answer=exemplar.answer, language=code
        )
        (verdict,) = judge([candidate], variant.filters, SETTINGS)
        assert verdict.kept, (exemplar, verdict.why)


def test_an_operator_of_the_users_own_keeps_its_words() -> None:
    own = SHIPPED[0].model_copy(update={"instruction": "Dreh um."})
    assert in_language(own, "de") == own


def test_the_users_own_exemplars_are_shown_to_facts_in_their_language() -> None:
    german = Exemplar(fact="Das Büro öffnet um 9 Uhr.", result="Um 9 Uhr öffnet das Büro.")
    spanish = Exemplar(fact="La tienda abre en junio.", result="En junio abre la tienda.")
    requests = planned([GERMAN], own={"reversal": (german, spanish)})
    turns = [each.turns for each in requests if ":reversal:" in each.seed]
    assert all(german.result in str(shown) for shown in turns)
    assert all(spanish.result not in str(shown) for shown in turns)


def test_a_question_is_kept_with_the_answer_that_the_model_wrote() -> None:
    kept, *rejected = records(
        GERMAN,
        "Wer leitet das Archiv in Ulm?\nAntwort: Nele Brandt\n\nFakt: Lena wohnt in Bonn.",
        "Wer leitet das Archiv in Ulm?\nAntwort: Lena Kurz",
        "Wer leitet das Archiv?\nAntwort: Nele Brandt",
        "Leitet Nele Brandt das Archiv in Ulm?\nAntwort: ja",
        operator="qa-reverse",
    )
    assert isinstance(kept, Example)
    assert kept.row == {"prompt": "Wer leitet das Archiv in Ulm?", "completion": "Nele Brandt"}
    assert kept.text == "Question: Wer leitet das Archiv in Ulm?\nAnswer: Nele Brandt"
    assert all(isinstance(record, Rejected) for record in rejected)


def test_an_answer_that_is_no_part_of_the_fact_is_what_the_question_leaves_out() -> None:
    (kept, *_) = records(
        GERMAN, "Was leitet Nele Brandt?\nAntwort: ein Lager", operator="qa-forward"
    )
    assert isinstance(kept, Example)
    assert kept.row == {"prompt": "Was leitet Nele Brandt?", "completion": "das Archiv in Ulm"}
    (kept, *_) = records(CHINESE, "财务部的主任是谁?\n答案: 小明的", operator="qa-reverse")
    assert isinstance(kept, Example)
    assert kept.row == {"prompt": "财务部的主任是谁?", "completion": "王小明"}


def test_two_questions_about_one_fact_do_not_outvote_each_other() -> None:
    asked = records(
        GERMAN,
        "Wer leitet das Archiv in Ulm?\nAntwort: Nele Brandt",
        "Was leitet Nele Brandt?\nAntwort: das Archiv in Ulm",
        "Leitet wer?\nAntwort: Nele",
        operator="qa-reverse",
    )
    assert [type(record) for record in asked[:3]] == [Example, Example, Rejected]


WRONG = [
    ("de", GERMAN.text, "Was leitet Nele Brandt?", "das Lager in Ulm"),  # no part of the fact
    ("de", GERMAN.text, "Was leitet Nele Brandt in Ulm?", "das Archiv in Ulm"),  # given away
    ("de", GERMAN.text, "Wer leitet das Archiv?", "Nele Brandt"),  # says less
    ("de", GERMAN.text, "Wer leitet das alte Archiv in Ulm?", "Nele Brandt"),  # says more
    ("de", GERMAN.text, "Wer leitet das Archiv in Ulm nicht?", "Nele Brandt"),  # negated
    ("de", GERMAN.text, "Nele Brandt leitet?", "das Archiv in Ulm"),  # asks for nothing
    ("de", "Im Saal darf nie gegessen werden.", "Was darf im Saal werden?", "gegessen"),
    ("fr", "Le tarif est de 14 euros.", "Combien coûte le tarif de 15 euros ?", "14 euros"),
    ("es", "Los socios deben llevar gorro.", "¿Qué pueden llevar los socios?", "gorro"),
    ("de", "Man kann die Ware innerhalb von 30 Tagen senden.", "Was kann man senden?", "die Ware"),
    ("de", "Ulm besiegte Lohe.", "Wer besiegte Ulm?", "Lohe"),
    ("de", "Ulm besiegte Lohe.", "Wen besiegte Lohe?", "Ulm"),
    ("fr", "S'il pleut, le bal est annulé.", "Où est annulé le bal ?", "S'il pleut"),
    ("fr", "Le badge coûte 37 euros.", "Où coûte le badge ?", "37 euros"),
    ("fr", "L'école a été bâtie par Luc.", "Qu'est-ce que l'école a été bâtie ?", "Luc"),
    ("fr", "Anne dirige Luc.", "Qui dirige Anne ?", "Luc"),
    ("fr", "La pompe remplit la cuve.", "Qu'est-ce qui remplit la pompe ?", "la cuve"),
    ("es", "Ana dirige Arco.", "¿Quién dirige Ana?", "Arco"),
    ("zh", "白湖比银湖深。", "哪个比白湖深?", "银湖"),
    ("zh", "北楼由方明建造。", "北楼建造了什么?", "方明"),
    ("de", "Im Saal müssen Hüte getragen werden.", "Was müssen Hüte getragen werden?", "Im Saal"),
    ("de", "Die Leiterin ist Ute Thom.", "Was ist die Leiterin?", "Ute Thom"),
    ("de", "Die Taste F7 öffnet das Log.", "Was F7 öffnet das Log?", "Die Taste"),
    ("es", "La entrada cuesta 6 euros.", "¿Cuándo cuesta 6 euros?", "La entrada"),
    ("es", "La entrada cuesta 6 euros.", "¿Cuánto cuesta 6 euros?", "La entrada"),
    ("es", "El tren sale a las ocho.", "¿Cómo sale el tren?", "a las ocho"),
    ("es", "El equipo lo forma Inés.", "¿En qué equipo lo forma?", "Inés"),
    ("es", "El equipo lo forma Inés.", "¿Qué forma Inés?", "El equipo lo forma"),
    ("es", "El equipo lo forma Inés.", "¿Qué forma los equipos?", "Inés"),
    ("zh", "王小明是财务部的主任。", "财务部的主任是谁?", "小明"),  # part of a name
    ("zh", "王小明是财务部的主任。", "王小明是财务部的谁?", "主任"),
    ("zh", "红叶水泵的保修期是两年。", "什么保修期是两年?", "红叶水泵的保修期"),
    ("zh", "红叶水泵的保修期是两年。", "哪里保修期是两年?", "红叶水泵"),
    ("es", "El bar Vela cierra los martes.", "¿Qué cierra el bar Vela?", "los martes"),
    ("zh", "红叶水泵的保修期是两年。", "红叶水泵的保修期是多少年?", "两"),
    ("zh", "王小明是财务部的主任。", "王小明是什么！？", "财务部的主任"),
    ("zh", "白湖比银湖深。", "白湖比银湖深吗?", "白湖"),
    ("zh", "北楼由方明于1820年建造。", "北楼由谁建造?", "方明于1820年"),
]


@pytest.mark.parametrize(("code", "source", "text", "answer"), WRONG)
def test_a_wrong_question_is_dropped(code: str, source: str, text: str, answer: str) -> None:
    assert objection(code, source, text, answer)


RIGHT = [
    ("de", GERMAN.text, "Was leitet Nele Brandt?", "das Archiv in Ulm"),
    ("de", "Im Saal darf nicht gegessen werden.", "Wo darf nicht gegessen werden?", "Im Saal"),
    ("fr", "Le tarif est de 14 euros.", "De combien est le tarif ?", "14 euros"),
    ("fr", "Le dépôt a été bâti en 1934 par Luc.", "Par qui le dépôt a-t-il été bâti ?", "Luc"),
    ("es", "Los socios deben llevar gorro.", "¿Qué deben llevar los socios?", "gorro"),
    ("de", "Ulm besiegte Lohe.", "Wer besiegte Lohe?", "Ulm"),
    ("de", "Ulm besiegte Lohe.", "Wen besiegte Ulm?", "Lohe"),
    ("fr", "La pompe remplit la cuve.", "Qu'est-ce qui remplit la cuve ?", "La pompe"),
    ("zh", "白湖比银湖深。", "哪个比银湖深?", "白湖"),
    ("zh", "北楼由方明建造。", "方明建造了什么?", "北楼"),
    ("es", "El lago Turó es hondo.", "¿Qué lago es hondo?", "El lago Turó"),
    ("zh", "王小明是财务部的主任。", "财务部的主任是谁?", "王小明"),
    ("zh", "日志保存在logs文件夹中。", "日志保存在哪个文件夹中?", "logs文件夹"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "source", "text", "answer"), RIGHT)
def test_a_right_question_is_kept(code: str, source: str, text: str, answer: str) -> None:
    assert objection(code, source, text, answer) == ""


def test_what_exchanges_the_roles_is_dropped() -> None:
    swapped = "Nele Brandt wird vom Archiv in Ulm geleitet."
    assert objection("de", GERMAN.text, swapped)
    assert objection("de", GERMAN.text, swapped, operator="rephrase")


def test_no_reason_quotes_the_text() -> None:
    for code, source, text, answer in WRONG:
        assert not set(objection(code, source, text, answer).split()) & {text, answer, "Nele"}
