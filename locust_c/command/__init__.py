"""What the command does around a test: locustfiles, signals, console, time limits, exit code."""
