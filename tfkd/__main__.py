"""`python -m tfkd` is `tfkd`."""

from tfkd.cli import main

main()
