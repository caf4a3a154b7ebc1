"""What a client may ask for: the spec, its defaults, and every rule it must keep."""

from core.spec.job_spec import JobSpec, parse_spec

__all__ = ["JobSpec", "parse_spec"]
