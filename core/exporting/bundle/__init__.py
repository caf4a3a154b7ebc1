"""What becomes the `predict.py` of an exported script: these modules joined into one, which needs torch alone."""
