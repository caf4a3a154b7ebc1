"""Parts for Trainwire that one can name in a spec once this package is installed."""
