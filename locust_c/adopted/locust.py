"""`import locust` and `python -m locust` in an environment that `locust-c adopt` has made ours.

The folder of this file is then the first of `sys.path`, so it is found before an installed stock Locust.
"""

from locust_c import alias

if __name__ == "__main__":
    from locust_c.main import main

    main()
else:
    alias.install()
