"""Django's handle on this tier."""

from django.apps import AppConfig


class InterfacesConfig(AppConfig):
    """The tier `soma.interfaces`."""

    name = "soma.interfaces"
    label = "interfaces"
