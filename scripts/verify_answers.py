"""Do mlx-lm with the adapter of a run, and transformers + peft with its export, answer questions in
a chat as `augmlx ask` does?

    .venv/bin/python scripts/verify_answers.py runs/acme --json answers.json

40 of the run's questions, greedily, 24 tokens at most, the tuned model alone. mlx-lm and peft run
in processes of their own, with the model's chat template and none of augmlx's code; the first few
questions go through the command `mlx_lm.generate --adapter-path` besides, which loads the model for
each.

Bars: at least 39 of 40 answers are the same, for either; those of the command are mlx-lm's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import answers
import benchmark

from augmlx.core import settings_file
from augmlx.core.arms import AUGMENTED
from augmlx.core.run_folder import RunFolder
from augmlx.exporting.peft import export_peft
from augmlx.models.formats import model_folder
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store import folder as store

QUESTIONS, TOKENS = 40, 24
SHARE = 39 / 40  # of the questions that must be answered alike
MLX_LM = """
import json, sys
from mlx_lm import generate, load
order = json.load(sys.stdin)
model, tokenizer = load(order["model"], adapter_path=order["adapter"])
answers = []
for question in order["questions"]:
    chat = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    tokens = tokenizer.encode(prompt, add_special_tokens=False)
    answers.append(generate(model, tokenizer, tokens, max_tokens=order["tokens"]).strip())
print("ANSWERS " + json.dumps(answers))
"""
PEFT = """
import json, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
order = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(order["model"])
model = AutoModelForCausalLM.from_pretrained(order["model"], dtype=torch.float32)
model = PeftModel.from_pretrained(model, order["adapter"]).eval()
answers = []
for question in order["questions"]:
    chat = [{"role": "user", "content": question}]
    asked = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    said = model.generate(**asked, max_new_tokens=order["tokens"], do_sample=False)
    answer = said[0, asked["input_ids"].shape[1]:]
    answers.append(tokenizer.decode(answer, skip_special_tokens=True).strip())
print("ANSWERS " + json.dumps(answers))
"""


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("run", type=Path, help="a run that was trained, over a full-precision base")
    parser.add_argument(
        "--questions", type=Path, help="JSON Lines with prompt; the run's own if not"
    )
    parser.add_argument("--count", type=int, default=QUESTIONS, help="of the questions")
    parser.add_argument("--commands", type=int, default=2, help="through mlx_lm.generate besides")
    arguments = parser.parse_args()
    print(f"machine: {benchmark.machine('mlx', 'mlx-lm', 'torch', 'transformers', 'peft')}")
    path = arguments.questions or answers.questions_of(arguments.run)
    questions = [" ".join(text.split()) for text in answers.chosen(path, arguments.count)]
    run = RunFolder(arguments.run)
    base = store.find(settings_file.load(run.settings, {}).model)
    if base.bits:
        parser.error(f"{base.name} is quantised, and transformers cannot read it")
    order = {"model": str(base.path), "questions": questions, "tokens": TOKENS}
    print(f"{base.name}: {len(questions)} questions, {TOKENS} tokens at most")
    ours = ask(run, questions)
    print(f"  different answers of augmlx ask    {len(set(ours))}", flush=True)
    adapter = {"adapter": str(run.adapter.resolve())}
    of_mlx_lm = answers.ask_child(sys.executable, MLX_LM, {**order, **adapter}, "mlx-lm")
    print(f"  mlx-lm with the adapter says so    {answers.same(ours, of_mlx_lm)}", flush=True)
    few = questions[: arguments.commands]
    commanded = [generate(base.path, run.adapter, question) for question in few]
    with tempfile.TemporaryDirectory() as folder:
        peft = Path(folder) / "peft"
        kind = model_folder.read_config(base.path).get("model_type")
        export_peft(run.adapter, read_spec(run.adapter), peft, hf_base="org/base", model_type=kind)
        of_peft = answers.ask_child(
            sys.executable, PEFT, {**order, "adapter": str(peft)}, "transformers + peft"
        )
    count, least = len(questions), SHARE * len(questions)
    figures = {
        "questions": count,
        "different_answers": len(set(ours)),
        "mlx_lm_same": answers.same(ours, of_mlx_lm),
        "peft_same": answers.same(ours, of_peft),
    }
    print(f"  transformers + peft say so         {figures['peft_same']}")
    benchmark.finish(
        figures,
        {
            "mlx_lm": benchmark.at_least(figures["mlx_lm_same"], least),
            "peft": benchmark.at_least(figures["peft_same"], least),
            "command": benchmark.exactly(answers.same(of_mlx_lm[: len(few)], commanded), len(few)),
        },
        arguments.json,
    )


def ask(run: RunFolder, questions: list[str]) -> list[str]:
    """The tuned model's answers by `augmlx ask`, each question a line of its own."""
    command = [sys.executable, "-m", "augmlx", "ask", str(run.path), "--json"]
    command += ["--arm", AUGMENTED.name, "--max-tokens", str(TOKENS)]
    lines = "".join(f"{question}\n" for question in questions)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"augmlx ask failed:\n{done.stderr[-2000:]}")
    return [json.loads(line)[AUGMENTED.name] for line in done.stdout.splitlines()]


def generate(model: Path, adapter: Path, question: str) -> str:
    """mlx-lm's command, which prints the answer alone where it is not verbose."""
    command = [sys.executable, "-W", "ignore", "-m", "mlx_lm", "generate", "--model", str(model)]
    command += ["--adapter-path", str(adapter), "--prompt", question, "--verbose", "False"]
    command += ["--max-tokens", str(TOKENS)]
    done = subprocess.run(
        command, env=answers.environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
