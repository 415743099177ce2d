"""What a connector is, how one is found, and what those that write lists share."""

from audiencehub.connector.found import GROUP, Spec, load, names, spec
from audiencehub.connector.lists import MAKE_ANEW, mark_of, unsettled
from audiencehub.connector.ports import Capabilities, Context, Destination, Enricher, Source

__all__ = [
    "GROUP",
    "MAKE_ANEW",
    "Capabilities",
    "Context",
    "Destination",
    "Enricher",
    "Source",
    "Spec",
    "load",
    "mark_of",
    "names",
    "spec",
    "unsettled",
]
