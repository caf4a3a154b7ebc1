"""The routes: a few lines each over plain functions."""
