"""What this machine can run, and what is missing."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from importlib import metadata

from augmlx import __version__
from augmlx.core.errors import AugmlxError
from augmlx.core.extras import FILE_PACKAGES
from augmlx.core.records import Json
from augmlx.models import blas, memory
from augmlx.models.store import folder as store

_PACKAGES = ("mlx", "mlx-lm", "transformers")
_EXPORT_PACKAGES = ("torch", "peft")
_SLOW_GFLOPS = 10.0  # below this something is wrong on any machine of the last decade


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that is missing. `needed`: the main job cannot run without it."""

    fault: str
    remedy: str
    needed: bool


def examine() -> tuple[Json, list[Advice]]:
    """Look at the machine; takes a second or two, most of it MLX's matrix product.

    Returns:
        What was found, ready for JSON, and what to do about what was not. Faults of the store are
        advice, too.
    """
    advice: list[Advice] = []
    found: Json = {
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "augmlx": __version__,
        **{name: _version(name) for name in (*_PACKAGES, *_EXPORT_PACKAGES, *FILE_PACKAGES)},
        "memory_bytes": memory.total_memory_bytes(),
        **_compute(advice),
        "store": str(store.home()),
        **_models(advice),
    }
    if not all(found[name] for name in _EXPORT_PACKAGES):
        remedy = "pip install 'augmlx[hf]' (only `augmlx export --verify` needs it)"
        advice.append(Advice("torch and peft are not installed", remedy, needed=False))
    for name, of in FILE_PACKAGES.items():
        if not found[name]:
            remedy = f"pip install 'augmlx[{of.extra}]' (only {of.files} files need it)"
            advice.append(Advice(f"{name} is not installed", remedy, needed=False))
    return found, advice


def _compute(advice: list[Advice]) -> Json:
    try:
        from augmlx.models import loading

        kind, speed = loading.device(), blas.measure_gflops()
    except (ImportError, RuntimeError) as error:
        remedy = "pip install --force-reinstall mlx (macOS on Apple silicon), or 'mlx[cpu]' (Linux)"
        advice.append(Advice(f"MLX does not work here: {error}", remedy, needed=True))
        return {"device": None, "blas": blas.describe(), "gflops": None}
    if blas.needs_blas() and blas.load_fast_blas() is None:
        advice.append(
            Advice(
                "no fast BLAS: MLX computes with its slow reference one",
                blas.install_hint(),
                needed=False,
            )
        )
    elif speed < _SLOW_GFLOPS:
        advice.append(
            Advice(
                f"MLX computes at {speed:.1f} GFLOP/s only",
                "look for other busy programs",
                needed=False,
            )
        )
    return {"device": kind, "blas": blas.describe(), "gflops": round(speed, 1)}


def _models(advice: list[Advice]) -> Json:
    try:
        stored = store.list_models()
    except AugmlxError as error:
        advice.append(
            Advice(
                error.message, error.hint or "choose another folder with AUGMLX_HOME", needed=True
            )
        )
        return {"models": [], "free_bytes": None}
    if not stored:
        advice.append(Advice("no model in the store", "augmlx pull smollm2-135m", needed=True))
    existing = next(folder for folder in (store.home(), *store.home().parents) if folder.exists())
    return {
        "models": [model.name for model in stored],
        "free_bytes": shutil.disk_usage(existing).free,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
