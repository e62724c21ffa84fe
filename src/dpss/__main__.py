"""``python -m dpss``."""

from dpss.cli.commands import main

if __name__ == "__main__":
    main()
