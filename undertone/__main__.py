"""`python -m undertone`: see `undertone.cli`."""

from undertone import cli

if __name__ == "__main__":
    cli.main()
