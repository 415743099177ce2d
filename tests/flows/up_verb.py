"""The `up` verb alone, as a program: what the tests start and kill."""

import typer

from audiencehub.cli import serve

app = typer.Typer()
app.command()(serve.up)

if __name__ == "__main__":
    app()
