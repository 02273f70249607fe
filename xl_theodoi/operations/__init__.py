"""One function per user action; each takes a host and returns a result."""
