"""The language of rules: its typed form, its fields, its literals. No YAML and no SQL here."""
