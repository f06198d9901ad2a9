"""Django's handle on this tier."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The tier `soma.events`."""

    name = "soma.events"
    label = "events"
