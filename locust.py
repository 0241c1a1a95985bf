"""`import locust` and `python -m locust`, where stock Locust is not installed beside locust-c.

A single file on purpose: it overwrites nothing of an installed Locust, whose folder of this name wins.
"""

from locust_c import alias

if __name__ == "__main__":
    from locust_c.main import main

    main()
else:
    alias.install()
