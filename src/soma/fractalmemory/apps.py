"""Django's handle on this tier."""

from django.apps import AppConfig


class FractalMemoryConfig(AppConfig):
    """The tier `soma.fractalmemory`."""

    name = "soma.fractalmemory"
    label = "fractalmemory"
