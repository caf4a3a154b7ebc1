"""The networks behind the model parts; importing one of these modules imports torch."""
