"""``python -m dpss``."""

from dpss.cli import main

if __name__ == "__main__":
    main()
