"""The one reading of the environment."""

import os

from soma.project.addresses import with_servers

CONFIGURATION = with_servers(os.environ)
