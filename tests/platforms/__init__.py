"""Every list destination before very many people: what arrives, what does not, and at what pace."""
