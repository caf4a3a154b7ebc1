"""Predictions of trained models: asked for by the API, which holds no torch, and made in a process apart."""
