"""The help: the documentation as pages, and the reference as it is drawn from the code."""
