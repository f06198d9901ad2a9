"""Django's handle on this tier."""

from django.apps import AppConfig


class BrainConfig(AppConfig):
    """The tier `soma.brain`."""

    name = "soma.brain"
    label = "brain"
