"""Files: CSV, JSON lines and Parquet by a declared mapping, or by a preset."""

from audiencehub.connector import Spec

SPEC = Spec(
    name="files",
    label="Files",
    about="Reads dropped files by a mapping of columns; presets for Bombora surge files, CDNOW "
    "purchases, and drops of events, orders and their lines, subscriptions, tickets, surveys, "
    "e-mail engagement and consent.",
    source="connectors.files.source:FilesSource",
    options="connectors.files.options:FilesOptions",
    scopes=("read permission on the folder",),
    docs="connectors/files/options.py",
)
