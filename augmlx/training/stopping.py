"""Ctrl-C, SIGTERM and SIGHUP in a training: the step is finished and a checkpoint written first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set, so that a step is finished first. A second
    signal stops at once.

    SIGHUP comes with a closed terminal, and is what a Ctrl-C of mlx.launch, which uses ssh, becomes
    on other machines.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        # signals reach the main thread only; a library user's thread is stopped by its owner
        yield event
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
