"""What several locustfiles of a project share."""
