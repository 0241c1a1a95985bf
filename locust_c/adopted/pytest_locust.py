"""`pytest_locust` in an environment that `locust-c adopt` has made ours.

The folder of this file is then the first of `sys.path`, so it is found before that of an installed stock
Locust, also by pytest, which loads what stock Locust's entry point names. The plug-in itself is next to the
package: loading it must not import locust_c.
"""

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location(__name__, Path(__file__).parents[2] / "locust_c_pytest.py")
assert _spec is not None and _spec.loader is not None
_module = sys.modules[__name__] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
