"""The server's process: `python -m emulator.gaps DESCRIPTOR` serves on the socket given."""

import asyncio
import os
import sys
import tempfile

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app

from emulator.gaps import fill_all


def main(descriptor: int) -> None:
    """Serves until killed."""
    fill_all()
    os.chdir(tempfile.gettempdir())  # functions and jobs start here, not in a checkout
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(app.app, config))


if __name__ == "__main__":
    main(int(sys.argv[1]))
