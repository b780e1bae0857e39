"""The settings in force: what calibration chose for the model, under what the user wrote."""

from __future__ import annotations

from augmlx.augment.calibration.report import Report, find_report
from augmlx.augment.calibration.sitting import calibrate
from augmlx.core.errors import ModelError, StorageError
from augmlx.core.progress import Progress
from augmlx.core.settings import MemorySettings, Settings
from augmlx.engines.local import mlx_engine
from augmlx.models import memory
from augmlx.models.store.folder import StoredModel


def in_force(settings: Settings, model: StoredModel, progress: Progress) -> Settings:
    """The settings as a model is to be asked by them; at its first use it is calibrated.

    Raises:
        ModelError: the model is to be trusted with none of the operators, and the user named none.
    """
    if not settings.augment.calibrate:
        return settings
    report = _report_on(model, settings, progress)
    if report is None:
        return settings
    augment = report.over(settings.augment)
    _tell(report, settings, augment.operators, progress)
    return settings.model_copy(update={"augment": augment})


def _report_on(model: StoredModel, settings: Settings, progress: Progress) -> Report | None:
    """The report on a model, made now where there is none; None where the store cannot keep it."""
    found = find_report(model)
    if found is not None:
        return found
    progress.say(
        f"{model.name}: measured before its first use, which takes some minutes, once "
        "(augment.calibrate = false leaves it out)"
    )
    try:
        return measured(model, settings.memory, progress)
    except StorageError as error:
        progress.say(f"{model.name}: not measured; {error.render()}")
        return None


def measured(model: StoredModel, limits: MemorySettings, progress: Progress) -> Report:
    """Load a model and calibrate it. Raises StorageError and ModelError."""
    with memory.limited(limits, True):
        return calibrate(model, mlx_engine(model, None), progress)


def _tell(report: Report, settings: Settings, left: tuple[str, ...], progress: Progress) -> None:
    """What the model is not to be trusted with, of the operators that were asked for."""
    wanted = settings.augment.operators
    distrusted = [name for name in wanted if name in report.off]
    show = f"augmlx models show {report.model}"
    if not left:
        raise ModelError(
            f"{report.model}: is not to be trusted with {' or '.join(distrusted)}: "
            + "; ".join(dict.fromkeys(report.off[name] for name in distrusted)),
            hint=f"choose another model ({show}), or name augment.operators to have it write "
            "all the same",
        )
    for name in distrusted:
        done = "done all the same, for it is named" if name in left else "left out"
        progress.say(f"{name}: {done}; on the exam {report.off[name]} ({show})")
