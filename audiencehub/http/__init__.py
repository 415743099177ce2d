"""The one HTTP client: auth, paging, rate limit, retry, redaction, limits."""
