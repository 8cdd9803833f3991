"""Modules of a user's own that register defences, responses, attacks, students, backbones, data sets, pools or pages.

A plugin is a Python file, or a package if it has several. It is named by `plugins` in a configuration or by `--plugin`,
read once, and what was read is what runs, in every process of a command and on every machine of a cluster.
"""

from tinycerb.plugins.files import Plugin, find_plugin, plugin_name
from tinycerb.plugins.loading import (
    NotLoaded,
    blame,
    hand_over,
    load_handed_over,
    load_plugin,
    loaded_plugins,
    require_plugins,
    sources_beside,
)

__all__ = [
    "NotLoaded", "Plugin", "blame", "find_plugin", "hand_over", "load_handed_over", "load_plugin", "loaded_plugins",
    "plugin_name", "require_plugins", "sources_beside",
]  # fmt: skip
