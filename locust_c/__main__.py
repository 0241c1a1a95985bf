"""`python -m locust_c`, the same as the command `locust-c`."""

from .main import main

main()
