"""Where worker processes come from: a server that has imported what they need, so that one takes milliseconds."""

import multiprocessing
import signal
from typing import Any

_IMPORTED = ("sizing.simulation.worker", "sizing.simulation.ngspice", "PySpice.Spice.NgSpice.Shared")


def process_context() -> Any:
    """What worker processes are made of, as `multiprocessing` has it; its server is started, and imports by itself.

    Call it early: the server then imports while its caller does. Ctrl-C is the caller's alone.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(_IMPORTED))
    resource_tracker.ensure_running()  # which lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return found
