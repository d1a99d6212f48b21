"""``python -m providers_sdk`` is the command line."""

import sys

from providers_sdk.cli import main

sys.exit(main())
