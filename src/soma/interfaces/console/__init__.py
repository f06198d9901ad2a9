"""The chat page: Django templates and htmx around the API's event stream."""
