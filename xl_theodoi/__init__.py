"""Follow-up of the tasks that leaders assign, inside Excel."""

__version__ = "0.1.0"
