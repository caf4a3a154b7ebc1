"""Runs jobs: Celery, slots, and the child process in which a job trains. Nothing here knows HTTP."""
