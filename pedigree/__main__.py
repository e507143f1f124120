"""`python -m pedigree` is the command `pedigree`."""

from pedigree.cli.main import main

if __name__ == "__main__":
    main()
