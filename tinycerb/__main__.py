"""`python -m tinycerb` is the same as the `tinycerb` command."""

from tinycerb.cli import main

if __name__ == "__main__":
    main()
