"""The hook that a format plugin implements.

A plugin is a module with a function of this name under :data:`hookimpl`, and a line in its package's
``pyproject.toml``::

    [project.entry-points."retail_pipeline.formats"]
    till_journal = "till_journal"

The formats in the box come through the same door.
"""

from collections.abc import Sequence

import pluggy

from formats.format import Format

PROJECT = "retail_pipeline"
ENTRY_POINT_GROUP = "retail_pipeline.formats"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_formats() -> Sequence[Format]:  # type: ignore[empty-body]
    """Return the formats that the plugin brings."""
