"""audiencehub: pulls customer data, applies segment rules, pushes tags and lists it can prove."""

__version__ = "0.1.0"
