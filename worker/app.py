"""The Celery application: `celery -A worker.app worker -P threads -Q cpu`.

A message carries nothing; it says "look". The database is the truth, so messages are acknowledged early and may be
lost, doubled or late without harm.
"""

from __future__ import annotations

from celery import Celery
from kombu import Exchange, Queue

from core.bell import KEY_PREFIX
from core.configuration import configured
from core.errors import StartRefused
from worker.devices import default_slots, visible_gpus
from worker.station import Station

try:
    settings = configured()
except StartRefused as refused:  # Celery would print a traceback of its import
    raise SystemExit(refused.message) from None
app = Celery("trainwire", include=["worker.tasks"])
app.conf.update(
    broker_url=settings.broker_url,
    # early: the lease decides who trains, not a visibility timeout that ends in mid-job
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # nobody waits for an answer, and JSON cannot run code
    task_ignore_result=True,
    result_backend=None,
    task_serializer="json",
    accept_content=["json"],
    # training goes on while Redis is away, for as long as that takes
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "global_keyprefix": KEY_PREFIX,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "visibility_timeout": 3600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    },
    worker_pool="threads",
    worker_concurrency=settings.slots or default_slots(visible_gpus()),
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in settings.queues],
    task_default_queue=settings.queues[0],
)
app.steps["worker"].add(Station)
