"""`python -m xl_theodoi`."""

import sys

from xl_theodoi.cli import main

if __name__ == "__main__":
    sys.exit(main())
