"""Starts the target server of this folder and runs its locustfile against it; arguments go to `locust-c`.

This process becomes `locust-c`, so signals and the exit code are its own. The server lives as long as the
pipe on its standard input, the other end of which `locust-c` holds.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    server_input, our_end = os.pipe()
    server = subprocess.Popen(
        [sys.executable, str(HERE / "target_server.py"), "--until-input-closes"],
        stdin=server_input,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for locust-c, which still wants answers while it ends.
        start_new_session=True,
    )
    assert server.stdout is not None
    host = server.stdout.readline().strip()
    if not host:
        sys.exit("the target server did not start")
    os.set_inheritable(our_end, True)

    arguments = ["-f", str(HERE / "locustfile.py"), "-H", host, "-u", "50", "-r", "50"]
    if "--headless" not in sys.argv:
        arguments += ["--autostart", "--print-stats", "--web-host", "127.0.0.1"]
    os.execv(sys.executable, [sys.executable, "-m", "locust_c", *arguments, *sys.argv[1:]])


if __name__ == "__main__":
    main()
