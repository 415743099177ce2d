"""Who is who: links between records, and the clusters they make."""
