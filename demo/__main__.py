"""Play the demo and exit 0, or say what is wrong and exit 1."""

import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from demo.promotion import WrongWalkError
from demo.screen import Screen, Stopwatch
from demo.story import WrongError, play
from harness.emulator import FunctionDiedError, FunctionTimedOutError

_EXPECTED = (
    WrongError,
    WrongWalkError,
    FunctionDiedError,
    FunctionTimedOutError,
    BotoCoreError,
    ClientError,
    OSError,
)


def main() -> int:
    """Play the demo and return the exit code."""
    # A terminal that cannot show an arrow gets a question mark rather than no demo.
    sys.stdout.reconfigure(errors="replace")
    screen, watch = Screen(), Stopwatch()
    try:
        play(screen)
    except BrokenPipeError:
        # Whoever watched has left, as `head` does; Python's own last flush must not complain about it either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _EXPECTED as error:
        screen.failure(str(error))
        return 1
    except KeyboardInterrupt:
        screen.failure("it was interrupted")
        return 130
    screen.summary(
        [
            "One call deploys to a new endpoint, one call updates it; each answers once the model is served.",
            "A rolled-back update is an error with its reason, leaves nothing behind, and stops the pipeline.",
            f"A call that stopped waiting is resumed by the next. All shown in {watch.seconds:.0f} s.",
        ],
        "Next: README.md, 'In your pipeline', has the steps to paste.",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
