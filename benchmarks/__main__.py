"""Every measurement, each in a process of its own: `make bench`, or `python -m benchmarks NAME …` for some."""

import subprocess
import sys

ALL = (
    "engine",
    "lots",
    "rebuild",
    "ingest",
    "adapters",
    "sync",
    "dispatch",
    "limits",
    "identity",
    "metrics",
    "endpoints",
)


def main(names: list[str]) -> int:
    failed = 0
    for name in names or ALL:
        print(f"== {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
