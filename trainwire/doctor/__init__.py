"""What stands in the way of a service, each with its remedy; looking changes nothing."""
