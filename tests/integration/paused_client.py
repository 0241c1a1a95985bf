"""Makes one request in a process that test_pauses.py stops: `paused_client.py WARM_URL URL CONNECT_S READ_S`.

Writes how it went as one line of JSON.
"""

from __future__ import annotations

import json
import sys

from locust_c.clients import HttpSession
from locust_c.event import EventHook
from locust_c.stats import RequestStats


def main() -> None:
    warm_url, url, connect_s, read_s = sys.argv[1:]
    warm = HttpSession(warm_url, EventHook(), None)
    # Stamps begin a moment after the first socket of a machine asks for them.
    while warm.get("/").timings.arrival != "kernel":
        pass
    hook, stats = EventHook(), RequestStats()
    hook.add_recorder(stats.table)
    session = HttpSession(url, hook, None)
    session.verify = False
    response = session.get("/", timeout=(float(connect_s), float(read_s)))
    seen = {
        "status": response.status_code,
        "error": str(response.error),
        "due": response.timings.due,
        "response_time_s": stats.total.max_response_time / 1000,
        "lag_s": (stats.total.generator_lag.quantile(1) or 0) / 1000,
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
