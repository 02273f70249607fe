"""Settings that every test shares."""

from hypothesis import HealthCheck, settings

# How fast an example is made says how busy the machine is, not whether the rule holds.
settings.register_profile(
    "shared", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("shared")
