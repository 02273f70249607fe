"""The only place that knows the `.xlsx` format."""
