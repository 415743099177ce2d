"""The pipeline, one step a module: pull, land, normalize, resolve, segment, plan, push, record."""
