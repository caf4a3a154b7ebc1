"""torch.distributed.run's agent, as this service uses it: it starts the processes once and restarts none."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.supervision.bench import Order

_LOOPBACK = "127.0.0.1"
_RUN = "trainwire"
"""What all agents of a rendezvous call the run: there is one at a time at each place."""


@dataclass(frozen=True)
class Meeting:
    """Which processes meet, and where: `devices` here, on each of `nodes`; `hosts`: others come to this machine."""

    devices: int
    nodes: int = 1
    endpoint: str = f"{_LOOPBACK}:0"
    hosts: bool = True
    forks: bool = True

    @classmethod
    def of(cls, order: Order) -> Meeting:
        """That of a job's processes. CUDA does not survive a fork of a process that looked at it."""
        cpu = sys.platform == "linux" and all(device == "cpu" for device in order.devices)
        return cls(len(order.devices), order.nodes, order.rendezvous if order.nodes > 1 else cls.endpoint, forks=cpu)

    @property
    def is_local(self) -> bool:
        """Whether nobody comes from another machine."""
        return self.endpoint.rpartition(":")[0] in (_LOOPBACK, "localhost")


def launch(meeting: Meeting, live: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Start a process for each device here, which calls `live`, and wait until all have ended.

    Raises ChildFailedError when one of them failed, and what the rendezvous raises.
    """
    logging.disable(logging.WARNING)  # the agent would warn of each of its habits in the job's log
    if meeting.is_local:
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
        min_nodes=meeting.nodes,
        max_nodes=meeting.nodes,
        nproc_per_node=meeting.devices,
        run_id=_RUN,
        rdzv_backend="c10d",
        rdzv_endpoint=meeting.endpoint,
        rdzv_configs={"is_host": meeting.hosts},
        local_addr=_LOOPBACK if meeting.is_local else None,
        max_restarts=0,
        start_method="fork" if meeting.forks else "spawn",
        logs_specs=NoLogs(),
    )
    elastic_launch(config, live)(*arguments)
