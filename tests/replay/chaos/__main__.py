"""Run chaos: ``python -m tests.replay.chaos --runs 2000``."""

import sys

from tests.replay.chaos.many import main

if __name__ == "__main__":
    sys.exit(main())
