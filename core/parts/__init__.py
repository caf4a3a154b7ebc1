"""The parts that come with Trainwire: importing this registers them all, and imports neither torch nor sklearn."""

from core.parts import generated, losses, metrics, models, optimizers, schedulers, tables, uploads

__all__ = ["generated", "losses", "metrics", "models", "optimizers", "schedulers", "tables", "uploads"]
