"""The entry point; a training child re-imports it, so nothing is imported before `main` runs."""


def main() -> None:
    """Run the command line."""
    from trainwire.cli import app

    app(prog_name="trainwire")


if __name__ == "__main__":
    main()
