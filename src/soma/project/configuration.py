"""The one reading of the environment."""

import os

from soma.base.configuration import Configuration

CONFIGURATION = Configuration.from_environment(os.environ)
