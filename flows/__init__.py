"""The Prefect flows: thin, and the only place that imports prefect."""
