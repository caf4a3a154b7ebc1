"""Jobs as the runs of a user's own MLflow tracking server: a client of both, so that no job waits for it."""

from trainwire.forwarding.forwarder import Forwarder
from trainwire.forwarding.tracking import Token, Tracking

__all__ = ["Forwarder", "Token", "Tracking"]
