"""What the API shows: the public models that the server documents and the Python client reads."""

from core.views.files import ArtifactPage, ArtifactView, CheckpointFileView, CheckpointPage, CheckpointView
from core.views.job import (
    EpochPage,
    EpochView,
    ErrorView,
    EventPage,
    EventView,
    JobPage,
    JobView,
    LinksView,
    ParentView,
    ProgressView,
    QueueView,
    TransitionView,
    WorkerRef,
)
from core.views.page import Page, View
from core.views.service import CatalogView, PartView, ProblemItem, ProblemView, WorkerPage, WorkerView

__all__ = [
    "ArtifactPage",
    "ArtifactView",
    "CatalogView",
    "CheckpointFileView",
    "CheckpointPage",
    "CheckpointView",
    "EpochPage",
    "EpochView",
    "ErrorView",
    "EventPage",
    "EventView",
    "JobPage",
    "JobView",
    "LinksView",
    "Page",
    "ParentView",
    "PartView",
    "ProblemItem",
    "ProblemView",
    "ProgressView",
    "QueueView",
    "TransitionView",
    "View",
    "WorkerPage",
    "WorkerRef",
    "WorkerView",
]
