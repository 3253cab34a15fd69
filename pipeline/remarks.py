"""The SDK's remarks on everything that it does, kept out of what this program says."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden() -> Iterator[None]:
    """Hide what is said below an error: where defaults were looked for, that no job is started, and the like."""
    # Not by a logger's level, which the SDK sets itself while it is imported.
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
