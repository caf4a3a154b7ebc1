"""What the README claims about speed, measured against a peer or a floor in the same run."""
