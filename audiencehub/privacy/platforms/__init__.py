"""One table of rules per ad platform."""
