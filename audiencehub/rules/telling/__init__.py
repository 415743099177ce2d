"""Leaves about an entity among others, told to people: in words, as seen, and how they turn."""
