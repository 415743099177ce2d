"""The local Prefect server and what runs on it: started locked down, reaped, deployed to.

Nothing here imports prefect: the server is a process, its API is HTTP on loopback, and
`prefect.yaml` and the flow files are read as text. That keeps verbs such as `schedule` and
`check` fast, and Prefect in `flows/` alone.
"""
