"""What a client may ask for: the spec, its defaults, and every rule it must keep."""

from core.spec.job_spec import JobSpec, parse_spec
from core.spec.lookup import files_of, names_a_file

__all__ = ["JobSpec", "files_of", "names_a_file", "parse_spec"]
