"""`python -m locust_c`, the same as the command `locust-c`."""

import sys

from .main import main

sys.exit(main())
