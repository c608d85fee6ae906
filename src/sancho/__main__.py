"""`python -m sancho` is `sancho`."""

from sancho.cli.main import main

if __name__ == "__main__":
    main()
