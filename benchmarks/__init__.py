"""Measurements of locust-c beside wrk and stock Locust; `python -m benchmarks` runs the comparison."""
