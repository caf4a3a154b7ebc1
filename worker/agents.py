"""torch.distributed.run's agent, as this service uses it: it starts the processes once and restarts none."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from core.supervision.bench import Order

_LOOPBACK = "127.0.0.1"


def forks(order: Order) -> bool:
    """Whether the processes are forked from this one, which has torch loaded; CUDA does not survive that."""
    return sys.platform == "linux" and all(device == "cpu" for device in order.devices)


def launch(order: Order, live: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Start a process for each device of `order`, which calls `live`, and wait until all have ended.

    Raises ChildFailedError when one of them failed, and what the rendezvous raises.
    """
    logging.disable(logging.WARNING)  # the agent would warn of each of its habits in the job's log
    os.environ["GLOO_SOCKET_IFNAME"] = "lo" if sys.platform == "linux" else "lo0"
    from torch.distributed.elastic.multiprocessing import LogsDest, LogsSpecs
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    class NoLogs(LogsSpecs):
        """The processes print where the child prints, and leave no files."""

        root_log_dir = ""

        def reify(self, envs: Mapping[int, dict[str, str]]) -> LogsDest:
            """Nothing for any of them."""
            none = dict.fromkeys(envs, "")
            return LogsDest(none, none, {}, {}, dict.fromkeys(envs, os.devnull))

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=len(order.devices),
        run_id=order.folder.parent.name,
        rdzv_backend="c10d",
        rdzv_endpoint=f"{_LOOPBACK}:0",
        local_addr=_LOOPBACK,
        max_restarts=0,
        start_method="fork" if forks(order) else "spawn",
        logs_specs=NoLogs(),
    )
    elastic_launch(config, live)(*arguments)
